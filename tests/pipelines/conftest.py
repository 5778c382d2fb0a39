"""A workspace that needs no model: everything else in it is the real thing."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from penstock.pipelines import parts
from penstock.pipelines.workspace import Penstock
from penstock.testing.embedders import LittleModel

Opener = Callable[..., Penstock]


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> LittleModel:
    little = LittleModel()
    monkeypatch.setattr(parts, "embedder", lambda _settings: little)
    return little


@pytest.fixture
def penstock(model: LittleModel, home: Path) -> Iterator[Penstock]:
    with Penstock(home) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    documents = tmp_path / "my documents 手册"
    documents.mkdir()
    (documents / "leave.md").write_text("# Leave\n\nTen days of leave carry over into the next year.\n", "utf-8")
    (documents / "年假.txt").write_text("未休完的年假可以结转到下一年度，最多十天。\n", "utf-8")
    return documents
