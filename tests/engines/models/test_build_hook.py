"""The build places the default model in the wheel, or says why it cannot."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from penstock.engines.models import weights
from penstock.engines.models.published import DEFAULT_MODEL, E5, MINILM, PublishedModel
from penstock.errors import EngineError

ROOT = Path(__file__).resolve().parents[3]

LOCKED = (ROOT / "constraints.txt").read_text("utf-8").splitlines()

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
    messages: list[str] = []

    def abort(message: str) -> None:
        raise Aborted(message)

    app = SimpleNamespace(display_warning=messages.append, abort=abort)
    return module.WeightsHook(str(ROOT), {}, None, None, "", "wheel", app), messages


@pytest.mark.parametrize(
    ("named", "models"),
    [
        pytest.param("", [DEFAULT_MODEL], id="the default one"),
        pytest.param("multilingual-e5-small all-MiniLM-L6-v2", [E5, MINILM], id="those that are named"),
    ],
)
def test_the_wheel_carries_the_weights(
    hook: Any, monkeypatch: pytest.MonkeyPatch, named: str, models: list[PublishedModel]
) -> None:
    placed: list[tuple[str, Path]] = []
    monkeypatch.setattr(weights, "place", lambda model, folder: placed.append((model.name, folder)))
    monkeypatch.setenv("PENSTOCK_BUILD_MODELS", named)
    data: dict[str, Any] = {"artifacts": []}
    built = _hook(hook)[0]
    built.initialize("standard", data)
    assert placed == [(model.name, ROOT / "penstock" / "weights" / model.name) for model in models]
    assert data["artifacts"] == [f"/penstock/weights/{model.name}/" for model in models]
    (written,) = data["sbom_files"]
    found = json.loads(Path(written).read_text("utf-8"))
    built.finalize("standard", data, "")
    assert not Path(written).parent.exists()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(found)) is None
    carried = found["metadata"]["component"]["components"]
    for entry, model in zip(carried, models, strict=False):
        assert {file["name"]: file["hashes"][0]["content"] for file in entry["components"]} == model.files
        assert (entry["name"], entry["licenses"]) == (model.hub, [{"license": {"id": model.licence}}])
    assert [entry["type"] for entry in carried] == ["machine-learning-model"] * len(models) + ["data"]
    scopes = {component["name"]: component["scope"] for component in found["components"]}
    assert scopes["numpy"] == scopes["mako"] == "required"
    assert scopes["prefect"] == scopes["torch"] == "optional"
    assert not {"pytest", "ruff", "uv"} & set(scopes)
    versions = {line.split("==")[0]: line.split("==")[1].split()[0] for line in LOCKED if line[0].isalpha()}
    assert all(versions[component["name"]] == component["version"] for component in found["components"])


def test_an_editable_install_has_no_bill_of_materials(hook: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "place", lambda _model, _folder: None)
    data: dict[str, Any] = {"artifacts": []}
    _hook(hook)[0].initialize("editable", data)
    assert "sbom_files" not in data


def test_a_variable_leaves_them_out_of_the_build(hook: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_BUILD_WITHOUT_WEIGHTS", "1")
    monkeypatch.setattr(weights, "place", lambda _model, _folder: pytest.fail("placed all the same"))
    built, messages = _hook(hook)
    data: dict[str, Any] = {"artifacts": []}
    built.initialize("standard", data)
    assert data["artifacts"] == []
    bill = json.loads(Path(data["sbom_files"][0]).read_text("utf-8"))
    built.finalize("standard", data, "")
    assert [component["type"] for component in bill["metadata"]["component"]["components"]] == ["data"]
    assert "models pull default" in messages[0]


def test_a_failed_download_says_what_to_do(hook: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_model: PublishedModel, _folder: Path) -> None:
        raise EngineError("no network")

    monkeypatch.setattr(weights, "place", fail)
    with pytest.raises(Aborted, match=r"no network\n.*PENSTOCK_BUILD_WITHOUT_WEIGHTS=1"):
        _hook(hook)[0].initialize("standard", {"artifacts": []})


def test_a_model_that_is_not_known_is_said_before_anything_is_fetched(
    hook: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "place", lambda _model, _folder: pytest.fail("placed all the same"))
    monkeypatch.setenv("PENSTOCK_BUILD_MODELS", "all-MiniLM-L6-v2 all-MiniLM-L12")
    with pytest.raises(Aborted, match=r"names all-MiniLM-L12; known are all-MiniLM-L6-v2, multilingual-e5-small"):
        _hook(hook)[0].initialize("standard", {"artifacts": []})
