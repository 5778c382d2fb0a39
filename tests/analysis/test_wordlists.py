"""Files that a user writes, and what they change."""

from pathlib import Path

import pytest

from penstock.analysis.analyser import TextAnalyser
from penstock.analysis.wordlists import UserWord, read_synonyms, read_user_words
from penstock.errors import SettingsError


def write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "list.txt"
    path.write_bytes(text.encode(encoding))
    return path


def test_user_words_are_kept_whole(tmp_path: Path) -> None:
    text = "云主轴承的A股涨了，压力钢管 C919大飞机 foo-bar"
    plain = TextAnalyser().tokens(text)
    path = write(tmp_path, "# 水电\n云主轴承 100 n\n\nA股\n壓力鋼管\nC919大飞机\nfoo-bar\n")
    analyser = TextAnalyser(user_dictionary=path)
    assert set(analyser.tokens(text)) - set(plain) == {"云主轴承", "a股", "压力钢管", "c919大飞机", "foo-bar"}
    assert "压力钢管" in analyser.query_tokens("压力钢管是什么")
    assert "a股" not in analyser.tokens("na股")
    assert "云主轴承" not in TextAnalyser().tokens(text)


def test_the_fingerprint_follows_the_words_and_not_the_synonyms(tmp_path: Path) -> None:
    path = write(tmp_path, "年假,带薪假")
    plain = TextAnalyser()
    assert TextAnalyser(synonyms=path).fingerprint == plain.fingerprint
    assert "rjieba" in plain.fingerprint
    with_words = TextAnalyser(user_dictionary=write(tmp_path, "云主轴承\nA股")).fingerprint
    assert with_words != plain.fingerprint
    assert (
        TextAnalyser(user_dictionary=write(tmp_path, "# order and notes do not matter\nA股\n云主轴承")).fingerprint
        == with_words
    )


def test_synonyms_widen_the_question_only(tmp_path: Path) -> None:
    analyser = TextAnalyser(
        synonyms=write(tmp_path, "# leave\n年假，带薪休假, annual leave\ncar, motor  car\ncar, 汽车\n")
    )
    assert analyser.tokens("年假") == TextAnalyser().tokens("年假")
    assert {"annual", "leav", "休假"} <= set(analyser.query_tokens("年假几天"))
    assert {"年假", "带薪"} <= set(analyser.query_tokens("How much Annual Leave?"))
    assert {"motor", "汽车"} <= set(analyser.query_tokens("a Car"))
    assert "motor" not in analyser.query_tokens("a cargo, a scar")
    assert analyser.query_tokens("motor\n car")[:2] == ["motor", "car"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("水\n两 个 词 了", "line 2: expected a word", id="too many fields"),
        pytest.param("水 many n", "line 1: expected a word", id="frequency is no number"),
        pytest.param("水\n\n，", "line 3: '，' has no letter", id="no letter"),
        pytest.param("水" * 100, "line 1: a word may have 200 bytes", id="too long"),
    ],
)
def test_a_bad_dictionary_names_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        TextAnalyser(user_dictionary=write(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("a, b\nc", "line 2: expected two or more terms", id="one term"),
        pytest.param("a, , b", "line 1: expected two or more terms", id="blank term"),
        pytest.param("a => b", "line 1: '=>' is not understood", id="arrow"),
        pytest.param("a, A", "line 1: expected two or more terms", id="the same twice"),
    ],
)
def test_bad_synonyms_name_their_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        TextAnalyser(synonyms=write(tmp_path, text))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        TextAnalyser(user_dictionary=tmp_path / "missing.txt")
    with pytest.raises(SettingsError, match="cannot be read"):
        TextAnalyser(synonyms=tmp_path)
    with pytest.raises(SettingsError, match="line 2: not UTF-8"):
        read_synonyms(write(tmp_path, "a, b\n年假, 休假", "gb18030"))


def test_reads_what_editors_write(tmp_path: Path) -> None:
    path = write(tmp_path, "云主轴承 100\r\nＡ股 n\r\n# note\r\n", "utf-8-sig")
    assert read_user_words(path) == (UserWord(text="云主轴承", frequency=100), UserWord(text="a股", frequency=None))
