"""The build places the default model in the wheel, or says why it cannot."""

import importlib.util
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from penstock.engines import weights
from penstock.errors import EngineError

ROOT = Path(__file__).resolve().parents[2]

pytest.importorskip("hatchling", reason="hatchling (the build backend) is not installed")


class Aborted(Exception):
    pass


@pytest.fixture
def hook() -> Any:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _hook(module: Any) -> tuple[Any, list[str]]:
    told: list[str] = []

    def abort(message: str) -> None:
        raise Aborted(message)

    app = SimpleNamespace(display_warning=told.append, abort=abort)
    return module.WeightsHook(str(ROOT), {}, None, None, "", "wheel", app), told


def test_the_wheel_carries_the_weights(hook: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    placed: list[Path] = []
    monkeypatch.setattr(weights, "place", placed.append)
    data: dict[str, Any] = {"artifacts": []}
    _hook(hook)[0].initialize("standard", data)
    assert placed == [ROOT / "penstock" / "weights" / weights.NAME]
    assert data["artifacts"] == [f"/penstock/weights/{weights.NAME}/"]


def test_the_build_can_be_told_to_leave_them_out(hook: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_BUILD_WITHOUT_WEIGHTS", "1")
    monkeypatch.setattr(weights, "place", lambda _folder: pytest.fail("placed all the same"))
    built, told = _hook(hook)
    data: dict[str, Any] = {"artifacts": []}
    built.initialize("standard", data)
    assert data["artifacts"] == []
    assert "models pull default" in told[0]


def test_a_failed_download_says_what_to_do(hook: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_folder: Path) -> None:
        raise EngineError("no network")

    monkeypatch.setattr(weights, "place", fail)
    with pytest.raises(Aborted, match=r"no network\n.*PENSTOCK_BUILD_WITHOUT_WEIGHTS=1"):
        _hook(hook)[0].initialize("standard", {"artifacts": []})
