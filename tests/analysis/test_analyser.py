"""What a reader who types a question expects to find."""

import threading
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from penstock.analysis.analyser import TextAnalyser
from penstock.analysis.normal import normalise, simplified_forms

ANALYSER = TextAnalyser()

_PIECES = (
    "GB/T-22239 utf-8 1,000 3.14 O'Brien's don't ½ ﬁ é e\u0301 İ ß 年假 臺灣 〇 ー 東京は 한국어 สวัสดี हिन्दी привет 𠀀 "
    "👩‍👩‍👧 \ud800 __init__ a@b.c C++ C# ... ,,, --- 第三十五条 二〇二四 getUserName \u00a0 \u3000 \u200b "
)
_TEXT = st.text(max_size=80) | st.lists(
    st.sampled_from(_PIECES.split(" ")),
    max_size=12,
).map(" ".join)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        pytest.param("", [], id="empty"),
        pytest.param("… — ！", [], id="punctuation only"),
        pytest.param("Turbines turning", ["turbin", "turn"], id="stems"),
        pytest.param("0x80070005", ["0x80070005", "80070005"], id="error code"),
        pytest.param("GB/T-22239", ["gb/t-22239", "gb", "t", "22239"], id="standard"),
        pytest.param("GB/T22239", ["gb/t22239", "gb", "t22239", "22239"], id="standard, closed up"),
        pytest.param("ＵＴＦ－８ utf‑8", ["utf-8", "utf", "8"] * 2, id="full width, other hyphen"),
        pytest.param("foo_bar.baz", ["foo_bar.baz", "foo", "bar", "baz"], id="names in code"),
        pytest.param("v1.2.3", ["v1.2.3", "v1", "2", "3"], id="version"),
        pytest.param("__init__", ["init"], id="underscores around"),
        pytest.param("C++ and C#", ["c++", "c", "and", "c#", "c"], id="languages"),
        pytest.param("U.S. I/O", ["us", "i", "o"], id="initials"),
        pytest.param("e-mail x-15", ["email", "e", "mail", "x-15", "x", "15"], id="one letter and a hyphen"),
        pytest.param("well-known", ["well", "known"], id="hyphen"),
        pytest.param("1,000 1000 １０００ ١٠٠٠", ["1000"] * 4, id="thousands"),
        pytest.param("1,234.50, 1,2", ["1234.50", "1", "2"], id="decimals"),
        pytest.param("6½ 6 1/2", ["6", "1/2", "1", "2"] * 2, id="fractions"),
        pytest.param("café naïve Øre", ["cafe", "naiv", "ore"], id="accents"),
        pytest.param("company's don't l’homme", ["compani", "dont", "lhomm", "homm"], id="apostrophes"),
        pytest.param("soft\u00adware zero\u200bwidth", ["softwar", "zerowidth"], id="invisible"),
        pytest.param("getUserName", ["getusernam", "get", "user", "name"], id="camel case"),
        pytest.param("рекой Ελλάδα", ["рек", "ελλαδ"], id="other scripts"),
        pytest.param("हिन्दी", ["हिन्द"], id="marks within words"),
        pytest.param("酒", ["酒"], id="one character"),
        pytest.param("白酒", ["白", "酒", "白酒"], id="two characters"),
        pytest.param("图书馆", ["图", "书", "馆", "图书", "书馆", "图书馆"], id="a word of three"),
        pytest.param("圖書館", ["图", "书", "馆", "图书", "书馆", "图书馆"], id="traditional"),
        pytest.param("A股5G", ["a", "股", "5g"], id="mixed"),
        pytest.param("二〇二四年", [*"二〇二四年", "二〇", "〇二", "二四", "四年", "2024"], id="year in characters"),
        pytest.param("東京は", ["东京", "京は"], id="japanese"),
        pytest.param("한국어 책", ["한국", "국어", "책"], id="korean"),
        pytest.param("ภาษา", ["ภา", "าษ", "ษา"], id="thai"),
    ],
)
def test_tokens(text: str, tokens: list[str]) -> None:
    assert ANALYSER.tokens(text) == tokens


@pytest.mark.parametrize(
    ("question", "text"),
    [
        pytest.param("80070005", "Setup failed: 0x80070005.", id="code without prefix"),
        pytest.param("22239", "GB/T22239-2019 信息安全技术", id="number of a standard"),
        pytest.param("email", "Send an e-mail", id="hyphen left out"),
        pytest.param("user name", "call getUserName()", id="words of a name in code"),
        pytest.param("第35条", "第三十五条", id="numeral"),
        pytest.param("20000元", "两万元", id="numeral with units"),
        pytest.param("酒", "白酒的酿造", id="one character of a word"),
        pytest.param("台湾", "臺灣", id="simplified for traditional"),
        pytest.param("naive cafés", "a naïve café", id="accents"),
        pytest.param("東京", "東京は首都", id="kanji before kana"),
        pytest.param("Zürich", "ZURICH", id="umlaut left out"),
    ],
)
def test_question_finds_text(question: str, text: str) -> None:
    held = set(ANALYSER.tokens(text))
    assert any(token in held for token in ANALYSER.query_tokens(question))


@pytest.mark.parametrize(
    ("question", "tokens"),
    [
        pytest.param("What is the capacity?", ["capac"], id="function words go"),
        pytest.param("Who's the owner of it", ["owner"], id="with an ending"),
        pytest.param(
            "如何申請年假？", ["申", "请", "年", "假", "何申", "申请", "请年", "年假"], id="chinese, traditional"
        ),
        pytest.param("to be or not to be", ["to", "be", "or", "not", "to", "be"], id="nothing else"),
        pytest.param("的", ["的"], id="nothing else, chinese"),
        pytest.param("What does WHO say about IT", ["who", "say", "about", "it"], id="names in capitals"),
        pytest.param("WHAT IS THE CAPACITY", ["capac"], id="all in capitals"),
        pytest.param("A source of vitamin A", ["a", "sourc", "vitamin", "a"], id="a letter as a name"),
        pytest.param("in May will John Doe come", ["may", "will", "john", "doe", "come"], id="names"),
    ],
)
def test_query_tokens(question: str, tokens: list[str]) -> None:
    assert ANALYSER.query_tokens(question) == tokens


@given(_TEXT)
@example("a" * 5000)
@example("1," + "000," * 200)
@example("क" * 300 + "-" + "9" * 500)
def test_every_token_fits_every_backend(text: str) -> None:
    for token in [*ANALYSER.tokens(text), *ANALYSER.query_tokens(text)]:
        assert token
        assert not any(character.isspace() for character in token)
        assert len(token.encode()) <= 200


@given(_TEXT)
def test_a_question_asks_for_tokens_of_its_text(text: str) -> None:
    tokens = ANALYSER.tokens(text)
    asked = ANALYSER.query_tokens(text)
    assert set(asked) <= set(tokens)
    assert bool(asked) == bool(tokens)


@given(st.lists(_TEXT, max_size=4))
def test_paragraphs_do_not_change_each_other(texts: list[str]) -> None:
    apart = sorted(token for text in texts for token in ANALYSER.tokens(text))
    assert sorted(ANALYSER.tokens("\n".join(texts))) == apart


@given(_TEXT)
def test_normal_form_is_stable(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once


def test_folding_ends_in_simplified_characters() -> None:
    forms = simplified_forms()
    assert len(forms) > 2900
    assert not forms.keys() & set(forms.values())


def test_threads_get_the_same_tokens() -> None:
    text = " ".join(
        f"turbines{number} generating reservoirs{number}ly nationalisation 图书馆{number}" for number in range(300)
    )
    expected = TextAnalyser().tokens(text)
    found: list[list[str]] = []
    shared = TextAnalyser()
    threads = [threading.Thread(target=lambda: found.append(shared.tokens(text))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 6


def test_a_long_run_without_spaces_takes_no_time(tmp_path: Path) -> None:
    run = "QUJDREVGR0g" * 100_000
    assert max(map(len, ANALYSER.tokens(run))) <= 200
