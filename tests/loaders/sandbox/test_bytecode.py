import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.loaders.sandbox import bytecode
from penstock.loaders.sandbox.child import environment


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library as an installer leaves it that does not compile; where its bytecode would be kept."""
    (tmp_path / "uncompiled_library.py").write_text("x = 1")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(bytecode, "LIBRARIES", ("uncompiled_library", "no_such_library"))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    return Path(importlib.util.cache_from_source(str(tmp_path / "uncompiled_library.py")))


def test_what_is_not_compiled_is_compiled_once(tmp_path: Path, library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bytecode.keep_bytecode(environment(str(tmp_path)))
    assert library.exists()
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: pytest.fail("compiled again"))
    bytecode.keep_bytecode(environment(str(tmp_path)))


def test_nothing_is_compiled_where_it_could_not_be_kept(
    tmp_path: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: pytest.fail("compiled in vain"))
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    bytecode.keep_bytecode(environment(str(tmp_path)))
    monkeypatch.undo()
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(bytecode, "LIBRARIES", ("uncompiled_library",))
    bytecode.keep_bytecode(environment(str(tmp_path)))
    assert not library.exists()
