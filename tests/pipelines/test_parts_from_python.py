"""Parts that a program makes itself and hands in: used in place of those that the settings name."""

import shutil
import sys
import threading
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

import pytest

from penstock.errors import SettingsError, UsageError
from penstock.loaders.confinement import landlock
from penstock.model import Extraction, FileKind, Source
from penstock.pipelines.library import Library
from penstock.pipelines.stepwise import Stepwise
from penstock.pipelines.workspace import Penstock
from penstock.settings import read_settings
from penstock.testing.doubles.embedders import HashEmbedder, LittleModel

TOYS = Path(__file__).with_name("toy_parts.py")


@pytest.fixture
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Parts in a module that can be imported; nothing registers them."""
    (tmp_path / "site").mkdir()
    shutil.copy(TOYS, tmp_path / "site")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    yield import_module("toy_parts")
    del sys.modules["toy_parts"]


@pytest.mark.parametrize("kind", [HashEmbedder, LittleModel])
def test_an_embedder(home: Path, folder: Path, kind: type[HashEmbedder]) -> None:
    model = kind()
    with Penstock(home, embedder=model) as penstock:
        assert penstock.ingest(folder).embedded == len(model.embedded) == 2
        assert penstock.search("carry over", k=1).hits[0].source.uri.endswith("leave.md")
        assert penstock.status().embedder == model.identity
    with Penstock(home, embedder=kind()) as again:
        assert (again.ingest(folder).embedded, again.doctor().ok) == (0, True)


def test_a_language_model(home: Path, folder: Path, toys: ModuleType) -> None:
    with Penstock(home, embedder=LittleModel(), llm=toys.Echo(voice="mine")) as penstock:
        penstock.ingest(folder)
        assert penstock.ask("How many days carry over?").model == "echo-mine-1"


@pytest.mark.parametrize("steps", [False, True], ids=["one call", "steps"])
def test_a_chunker_cuts_in_this_process(home: Path, folder: Path, toys: ModuleType, steps: bool) -> None:
    class Watched(toys.OneChunk):  # type: ignore[misc,name-defined]
        """A loader that cannot be sent to another process."""

        def __init__(self) -> None:
            super().__init__()
            self.lock = threading.Lock()

    chunker = Watched()
    with Stepwise(home, "a", embedder=LittleModel(), chunker=chunker) as penstock:
        if steps:
            plan, run = penstock.plan(folder), penstock.begin("ingest")
            report = penstock.finish(plan, [penstock.take(plan.pending, run=run)], run=run)
        else:
            report = penstock.ingest(folder)
        assert report.count("indexed") == 2
        (chunk,) = penstock.show(str(folder / "leave.md")).chunks
        assert chunk.text.startswith("Leave")
        assert penstock.ingest(folder).count("unchanged") == 2
    with Penstock(home, "a", embedder=LittleModel()) as second:
        assert second.ingest(folder).parsed == 0, "cut again, and not parsed again"
        assert second.show(str(folder / "leave.md")).chunks[0].id != chunk.id


def test_a_chunker_that_cuts_more_than_the_model_sees_is_refused(home: Path, folder: Path, toys: ModuleType) -> None:
    message = r"up to 255 tokens, of which .* sees 254.*a smaller size"
    large = Penstock(home, embedder=LittleModel(), chunker=toys.OneChunk(size=255))
    with large as penstock, pytest.raises(SettingsError, match=message):
        penstock.ingest(folder)


def test_a_loader_reads_where_files_are_parsed(home: Path, folder: Path, toys: ModuleType) -> None:
    markdown = "text/markdown"
    for prefix, parsed in (("one: ", 2), ("one: ", 0), ("two: ", 1)):
        loaders = {markdown: toys.ToyPdf(prefix=prefix)}
        with Penstock(home, embedder=LittleModel(), loaders=loaders) as penstock:
            assert penstock.ingest(folder).parsed == parsed
            assert penstock.show(str(folder / "leave.md")).document.text.startswith(f"{prefix}# Leave")
    with Penstock(home, embedder=LittleModel()) as penstock:
        assert penstock.ingest(folder).parsed == 1, "the built-in loader has another fingerprint"


HOSTILE = """
import os
from toy_parts import ToyPdf

class Curious(ToyPdf):
    def load(self, source, data):
        open("/etc/hostname").read()
        return super().load(source, data)

class Fickle(ToyPdf):
    def __setstate__(self, state):
        if os.environ.get("TMPDIR", "").rpartition("/")[2].startswith("penstock-"):
            raise ValueError("not here")
        self.__dict__ = state
"""


@pytest.mark.skipif(not landlock.version(), reason="this kernel lacks Landlock")
@pytest.mark.parametrize(
    ("name", "reason"),
    [("Curious", "PermissionError"), ("Fickle", "cannot be made in the process that parses: not here")],
)
def test_a_loader_is_kept_in_as_any_other(home: Path, folder: Path, toys: ModuleType, name: str, reason: str) -> None:
    Path(str(toys.__file__)).with_name("hostile_toys.py").write_text(HOSTILE, "utf-8")
    made = getattr(import_module("hostile_toys"), name)()
    with Penstock(home, embedder=LittleModel(), loaders={"text/markdown": made}) as penstock:
        report = penstock.ingest(folder)
        assert (report.count("indexed"), report.count("failed")) == (1, 1)
        (failed,) = (result for result in report.results if result.outcome == "failed")
        assert reason in failed.reason
    del sys.modules["hostile_toys"]


class Local:
    """A loader with an attribute that cannot be pickled."""

    takes = (FileKind(media_type="text/plain"),)
    fingerprint = "local-1"

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def load(self, source: Source, data: BinaryIO) -> Extraction:
        raise NotImplementedError


class FromMain(Local):
    __module__ = "__main__"


@pytest.mark.parametrize(
    ("loader", "message"), [(Local(), "cannot pickle"), (FromMain(), "defined in the program that was started")]
)
def test_a_loader_that_cannot_travel_is_refused_at_once(home: Path, loader: Local, message: str) -> None:
    with pytest.raises(SettingsError, match=rf"for 'text/plain' cannot be taken .*{message}.*penstock\.loaders"):
        Penstock(home, loaders={"text/plain": loader})


@pytest.mark.parametrize("given", [{"home": "elsewhere"}, {"embedder": LittleModel()}, {"settings": read_settings()}])
def test_a_library_is_not_given_parts_twice(home: Path, given: dict[str, Any]) -> None:
    with Library(home) as library, pytest.raises(UsageError, match="give those to Library"):
        Penstock(collection="a", library=library, **given)
