"""A workspace that needs no model; everything else in it is real."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from penstock.model import Blueprint
from penstock.pipelines.ingest import preparation
from penstock.pipelines.workspace import Penstock
from penstock.testing.doubles.embedders import LittleModel
from penstock.testing.doubles.plugins import use_little_model

Opener = Callable[..., Penstock]

CLEANING = """
from penstock.model import Extraction, Problem
from penstock.pipelines.ingest import preparation

def clean(extraction):
    extraction = as_it_is(extraction)
{body}
    return extraction

as_it_is, preparation.clean = preparation.clean, clean
Preparation = preparation.Preparation
"""


@pytest.fixture
def cleaning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Adds a line of Python to the cleaning, in the processes that clean."""

    def install(line: str) -> None:
        site = tmp_path / "site"
        site.mkdir()
        (site / "faulty_cleaning.py").write_text(CLEANING.format(body=f"    {line}"), "utf-8")
        monkeypatch.syspath_prepend(str(site))

        def blueprint(chunker: Mapping[str, Any] | None = None) -> Blueprint:
            return Blueprint(factory="faulty_cleaning:Preparation", options={"chunker": chunker})

        monkeypatch.setattr(preparation, "blueprint", blueprint)

    return install


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> LittleModel:
    """The model of the workspace; workspaces that a test opens itself get an equal model."""
    use_little_model(monkeypatch, tmp_path / "little")
    return LittleModel()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def kind(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Of database that the environment names, for this process and for those that it starts."""
    if request.param == "postgresql":
        monkeypatch.setenv("PENSTOCK_CATALOG__URL", request.getfixturevalue("postgresql_catalog"))
    return str(request.param)


@pytest.fixture
def penstock(kind: str, model: LittleModel, home: Path) -> Iterator[Penstock]:
    with Penstock(home, embedder=model) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    documents = tmp_path / "my documents 手册"
    documents.mkdir()
    (documents / "leave.md").write_text("# Leave\n\nTen days of leave carry over into the next year.\n", "utf-8")
    (documents / "年假.txt").write_text("未休完的年假可以结转到下一年度，最多十天。\n", "utf-8")
    return documents
