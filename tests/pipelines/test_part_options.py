"""Parts of other distributions: named in settings, given options, used for everything that their port is for."""

import shutil
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import SecretStr

from penstock import registry
from penstock.errors import PenstockError, SettingsError, UnknownName
from penstock.model import Filter
from penstock.pipelines.workspace import Penstock
from penstock.ports import Chunker, Embedder, ServerIndex, TokenCounter
from penstock.settings import read_settings
from penstock.testing.contracts.chunkers import ChunkerContract
from penstock.testing.contracts.embedders import EmbedderContract
from penstock.testing.contracts.indexes import WORDS
from penstock.testing.contracts.server_indexes import ServerIndexContract
from penstock.testing.doubles.plugins import install, write_distribution

TOYS = Path(__file__).with_name("toy_parts.py")
LETTERS = {"name": "letters", "options": {"url": "memory:a", "key": "hush"}}
KEY = "h0sh-h0sh"


@pytest.fixture
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The distribution of toys, installed; its module."""
    site = tmp_path / "site"
    site.mkdir()
    shutil.copy(TOYS, site)
    with pytest.MonkeyPatch.context() as found:
        found.syspath_prepend(str(site))
        module = import_module("toy_parts")
        write_distribution(site, module.PARTS)
        install(monkeypatch, site)
        yield module
        del sys.modules["toy_parts"]


class TestLetters(EmbedderContract):
    @pytest.fixture
    def embedder(self, toys: ModuleType) -> Embedder:
        made: Embedder = toys.Letters(url="memory:a")
        return made


@pytest.mark.usefixtures("toys")
class TestPartsOf(ChunkerContract):
    def make(self, counter: TokenCounter, size: int) -> Chunker:
        made: Chunker = registry.make(
            "chunkers",
            "parts-of",
            counter,
            offered={"size": size, "tokenizer": "words", "overlap": 3},
            options={},
            allow_external=True,
        )
        return made


def opened(home: Path, **given: Any) -> Penstock:
    return Penstock(settings=read_settings(home=home, allow_external=True, **({"embedder": LETTERS} | given)))


@pytest.mark.usefixtures("toys")
def test_an_embedder_that_passes_its_contract_ingests_and_searches(home: Path, folder: Path) -> None:
    with opened(home) as penstock:
        report = penstock.ingest(folder)
        assert (report.count("indexed"), report.count("failed")) == (2, 0)
        assert penstock.search("carry over", k=1).hits[0].source.uri.endswith("leave.md")
        assert penstock.search("年假", k=1).hits[0].chunk.text.startswith("未休完")
        assert penstock.status().embedder == "letters/16"
        assert penstock.doctor(deep=True).ok


@pytest.mark.usefixtures("toys")
def test_another_option_embeds_anew_and_the_same_does_not(home: Path, folder: Path) -> None:
    with opened(home) as penstock:
        penstock.ingest(folder)
    with opened(home, embedder=LETTERS | {"options": {"url": "memory:elsewhere"}}) as same:
        assert same.ingest(folder).embedded == 0
    with opened(home, embedder=LETTERS | {"options": {"url": "memory:a", "dimension": 8}}) as second:
        report = second.ingest(folder)
        assert (report.parsed, report.embedded) == (0, 2)
        assert second.search("carry over", k=1).hits[0].source.uri.endswith("leave.md")


@pytest.mark.parametrize("portable", [True, False], ids=["cut where it is parsed", "cut in this process"])
@pytest.mark.usefixtures("toys", "model")
def test_a_chunker_with_an_option(home: Path, folder: Path, portable: bool) -> None:
    (folder / "long.txt").write_text("The turbine turns as the water falls. " * 60, "utf-8")
    embedder = {"name": "little"} if portable else LETTERS
    unchanged, ids = [], []
    for share in (1.0, 0.5, 0.5):
        chunker = {"name": "parts-of", "options": {"share": share}}
        with opened(home, chunker=chunker, embedder=embedder) as penstock:
            report = penstock.ingest(folder)
            assert report.count("failed") == 0
            unchanged.append(report.count("unchanged"))
            ids.append({chunk.id for chunk in penstock.show(str(folder / "long.txt")).chunks})
    assert unchanged == [0, 0, 3]
    assert len(ids[1]) > len(ids[0])
    assert ids[1] == ids[2]
    assert not ids[0] & ids[1]


def test_an_index_is_given_an_address(home: Path, folder: Path, toys: ModuleType) -> None:
    indexes = {"keyword": "noted-words", "options": {"noted-words": {"url": "memory:words", "key": KEY}}}
    with opened(home, indexes=indexes) as penstock:
        penstock.ingest(folder)
        assert penstock.search("carry over", k=1).hits[0].source.uri.endswith("leave.md")
        assert penstock.doctor().ok
        assert KEY not in repr(penstock.settings)
    assert set(toys.Noting.made) == {("memory:words", KEY)}


def test_variables_and_the_command_line_set_options(
    home: Path, toys: ModuleType, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setenv("PENSTOCK_INDEXES__OPTIONS__NOTED_WORDS__KEY", "0123")
    monkeypatch.setenv("PENSTOCK_INDEXES__KEYWORD", "noted-words")
    with opened(home, indexes={"options": {"noted-words": {"url": "memory:b"}}}) as penstock:
        penstock.ingest(folder)
    assert toys.Noting.made[-1] == ("memory:b", "0123")


class Words:
    fingerprint = "words"

    def tokens(self, text: str) -> list[str]:
        return text.split()

    query_tokens = tokens


class TestShelf(ServerIndexContract):
    @pytest.fixture(autouse=True)
    def _server(self, toys: ModuleType, tmp_path: Path) -> None:
        self.made: Callable[..., ServerIndex] = toys.Shelf
        self.given = {"url": f"file:{tmp_path / 'server'}", "key": SecretStr("")}

    def open(self, name: str) -> ServerIndex:
        return self.made(name, analyser=Words(), identity="a", dimension=len(WORDS), **self.given)


@pytest.mark.parametrize("vector", ["shelf", "faiss"])
@pytest.mark.usefixtures("toys")
def test_an_index_on_servers_of_somebody_else(home: Path, folder: Path, tmp_path: Path, vector: str) -> None:
    indexes = {"keyword": "shelf", "vector": vector, "options": {"shelf": {"url": f"file:{tmp_path / 'server'}"}}}
    with opened(home, indexes=indexes) as penstock:
        penstock.ingest(folder)
        assert penstock.search("carry over", k=1).hits[0].source.uri.endswith("leave.md")
        assert penstock.search("年假", k=5, where=Filter(languages=("en",))).hits[0].chunk.language == "en"
        assert penstock.doctor().ok
    with opened(tmp_path / "another home", indexes=indexes) as second:
        second.ingest(folder)
        assert second.doctor().ok
        assert len(list((tmp_path / "server").iterdir())) == 2, "a collection each"
        second.remove_collection("default")
    assert len(list((tmp_path / "server").iterdir())) == 1


@pytest.mark.usefixtures("toys", "model")
def test_a_loader_with_options(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.pdf"
    file.write_bytes(b"%PDF-1.7 ten days of leave")
    parsed = []
    for prefix in ("says: ", "tells: ", "tells: "):
        settings = {"pdf": "toy", "options": {"pdf-toy": {"prefix": prefix}}}
        with opened(home, embedder={"name": "little"}, loaders=settings) as penstock:
            parsed.append(penstock.ingest(file).parsed)
            assert penstock.show(str(file)).document.text == f"{prefix}%PDF-1.7 ten days of leave"
    assert parsed == [1, 1, 0]


@pytest.mark.usefixtures("toys")
def test_a_language_model_with_an_option(home: Path, folder: Path) -> None:
    with opened(home, llm={"name": "echo", "temperature": 0.5, "options": {"voice": "loud"}}) as penstock:
        penstock.ingest(folder)
        assert penstock.ask("How many days carry over?").model == "echo-loud-0.5"


WRONG: list[Any] = [
    pytest.param(
        {"embedder": {"name": "letters", "options": {"url": "ftp:a", "key": KEY}}},
        r"the embedder 'letters' cannot be made: embedder\.options\.url: String should match.*dimension, key, url",
        id="a value",
    ),
    pytest.param(
        {"embedder": {"name": "letters", "options": {"key": KEY}}},
        r"embedder\.options\.url: Field required",
        id="one that is missing",
    ),
    pytest.param(
        {"embedder": LETTERS | {"options": {"url": "memory:a", "kay": KEY}}},
        r"the embedder 'letters' has no option embedder\.options\.kay; it takes dimension, key, url",
        id="a misspelt name",
    ),
    pytest.param(
        {"chunker": {"name": "sentence", "options": {"share": 1}}},
        r"the chunker 'sentence' has no option chunker\.options\.share; it takes none",
        id="of a part without options",
    ),
    pytest.param(
        {"indexes": {"keyword": "noted-words", "options": {"noted-words": {"url": "nowhere", "key": KEY}}}},
        r"indexes\.options\.noted-words\.url: String should match",
        id="of an index",
    ),
    pytest.param(
        {"indexes": {"options": {"noted-worlds": {"url": "memory:", "key": KEY}}}},
        r"'noted-worlds'.*noted-words",
        id="of an index that is not there",
    ),
    pytest.param({"llm": {"name": "echo", "options": {"voice": ["a"]}}}, r"llm\.options\.voice", id="of a model"),
    pytest.param(
        {"embedder": {"name": "little"}, "loaders": {"options": {"pdf-toys": {}}}}, r"'pdf-toys'", id="of no loader"
    ),
]


@pytest.mark.parametrize(("given", "message"), WRONG)
@pytest.mark.usefixtures("toys", "model")
def test_what_is_wrong_with_an_option_is_told_without_its_secrets(
    home: Path, folder: Path, given: dict[str, Any], message: str
) -> None:
    def use() -> None:
        with opened(home, **given) as penstock:
            penstock.ingest(folder)
            penstock.ask("How many days carry over?")

    with pytest.raises((SettingsError, UnknownName), match=message) as raised:
        use()
    error: BaseException | None = raised.value
    while error:
        assert KEY not in f"{error!r}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


@pytest.mark.usefixtures("toys")
def test_code_of_others_is_not_run_unasked(home: Path, folder: Path) -> None:
    settings = read_settings(home=home, embedder=LETTERS)
    with Penstock(settings=settings) as penstock, pytest.raises(PenstockError, match="allow_external"):
        penstock.ingest(folder)


@pytest.mark.usefixtures("model")
def test_options_of_one_collection_join_those_of_all(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_INDEXES__OPTIONS__SHELF__KEY", "from the environment")
    shelf = {"url": "file:own", "key": "own"}
    own = {"sources": [{"urls": ["https://example.org/a"]}], "indexes": {"options": {"shelf": shelf}}}
    settings = read_settings(
        home=home,
        indexes={"options": {"noted-words": {"url": "memory:all"}}},
        collections={"a": own},
    )
    in_force = settings.for_collection("a").indexes.options
    values = {name: {key: secret.get_secret_value() for key, secret in part.items()} for name, part in in_force.items()}
    assert values == {
        "noted-words": {"url": "memory:all"},
        "shelf": {"url": "file:own", "key": "from the environment"},
    }
    assert "file:own" not in repr(settings.for_collection("b").indexes)
