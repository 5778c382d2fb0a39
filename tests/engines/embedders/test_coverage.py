import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from penstock.engines.embedders.coverage import ENOUGH_HAN, ENOUGH_PIECES, Coverage
from penstock.engines.embedders.vocabulary import Vocabulary, clean
from penstock.engines.models.models import resolve
from penstock.errors import ModelNotFound
from penstock.testing.doubles.tiny_models import write_model

CHINESE = "年假怎么申请？"
MIXED = "error 0x80070005 怎么办"


@pytest.fixture(scope="module")
def english(tmp_path_factory: pytest.TempPathFactory) -> Coverage:
    return Coverage(Vocabulary(write_model(tmp_path_factory.mktemp("models") / "bert") / "tokenizer.json"))


def _wordpiece(path: Path, entries: list[str]) -> Coverage:
    vocabulary = {entry: number for number, entry in enumerate(dict.fromkeys(["[UNK]", *entries]))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.save(str(path))
    return Coverage(Vocabulary(path))


@pytest.mark.parametrize(
    ("text", "share"),
    [
        pytest.param("the turbine gate opens", 1.0, id="words"),
        pytest.param("tu-2 0x80070005", 1.0, id="identifiers and digits"),
        pytest.param(CHINESE, 0.0, id="single characters"),
        pytest.param("漢", 0.0, id="unknown character"),
        pytest.param("the 年假 gate", 7 / 9, id="mixed"),
        pytest.param("", 0.0, id="empty"),
        pytest.param(" ,.!", 0.0, id="punctuation"),
        pytest.param("the 😀", 3 / 4, id="unknown symbol"),
    ],
)
def test_share_of_what_an_english_vocabulary_distinguishes(english: Coverage, text: str, share: float) -> None:
    assert english.of(text) == pytest.approx(share)


def test_a_vocabulary_with_chinese_words_covers_them(tmp_path: Path) -> None:
    coverage = Coverage(Vocabulary(write_model(tmp_path / "xlmr", "xlm-roberta") / "tokenizer.json"))
    assert coverage.of("未休完的年假可以结转") == 1.0
    assert coverage.of("turbine 年假") == 1.0


@pytest.mark.parametrize(("known", "share"), [(ENOUGH_HAN - 10, 0.0), (ENOUGH_HAN, 1.0)])
def test_a_chinese_bert_covers_chinese_by_its_many_characters(tmp_path: Path, known: int, share: float) -> None:
    characters = [chr(0x4E00 + number) for number in range(known)]
    assert _wordpiece(tmp_path / "tokenizer.json", characters).of("一丁七万") == share


@pytest.mark.parametrize(("known", "share"), [(0, 0.0), (ENOUGH_PIECES, 1.0)])
def test_letters_of_an_alphabet_count_when_the_vocabulary_knows_words_of_it(
    tmp_path: Path, known: int, share: float
) -> None:
    letters = [chr(0x430 + number) for number in range(32)]
    words = [first + second for first in letters for second in letters][:known]
    coverage = _wordpiece(tmp_path / "tokenizer.json", [*letters, *(f"##{letter}" for letter in letters), *words])
    assert coverage.of("щщщ") == share
    assert coverage.of("и") == 1.0


def test_the_default_model_is_an_english_one(tmp_path: Path) -> None:
    try:
        folder = resolve("default", tmp_path)
    except ModelNotFound:
        pytest.skip("the default model's weights are not here (penstock/weights)")
    coverage = Coverage(Vocabulary(folder / "tokenizer.json"))
    assert coverage.of("How many days of leave carry over? See GB/T-22239, utf-8.") == 1.0
    assert coverage.of(CHINESE) < 0.1
    assert 0.5 < coverage.of(MIXED) < 0.9
    assert coverage.of("привет мир") < 0.1
    assert coverage.of("안녕하세요") < 0.1


@given(text=st.text())
def test_any_text_has_a_share(english: Coverage, text: str) -> None:
    assert 0 <= english.of(text) <= 1


@given(text=st.text(alphabet=st.characters(exclude_categories=[])))
def test_cleaning_keeps_places(text: str) -> None:
    assert len(clean(text)) == len(text)
    clean(text).encode()


def test_lower_case_models_see_lower_case(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m") / "tokenizer.json"
    config = json.loads(path.read_text())
    config["normalizer"] = None
    path.write_text(json.dumps(config))
    plain, lower = Vocabulary(path), Vocabulary(path, lower_case=True)
    assert lower.ids(["LEAVE"], max_tokens=8) == plain.ids(["leave"], max_tokens=8)
    assert plain.ids(["LEAVE"], max_tokens=8) != plain.ids(["leave"], max_tokens=8)
