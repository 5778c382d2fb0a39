import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from penstock.engines.embedders import onnx_cache
from penstock.engines.embedders.onnx import OnnxEmbedder, _calls
from penstock.errors import DamagedModel, EngineError, ModelNotFound, SettingsError, UnsupportedModel
from penstock.ports import Embedder
from penstock.testing.contracts.embedders import EmbedderContract
from penstock.testing.doubles.embedders import HashEmbedder
from penstock.testing.doubles.tiny_models import write_model, write_safetensors

TEXTS = ["ten days of leave", "年假怎么申请", "the turbine " * 40, ""]


class TestBert(EmbedderContract):
    @pytest.fixture
    def embedder(self, tmp_path: Path) -> Embedder:
        return OnnxEmbedder(model=str(write_model(tmp_path / "bert")), home=tmp_path / "home")


class TestXlmRoberta(EmbedderContract):
    @pytest.fixture
    def embedder(self, tmp_path: Path) -> Embedder:
        model = write_model(tmp_path / "xlmr", "xlm-roberta", pooling="cls", normalize=False)
        return OnnxEmbedder(model=str(model), home=tmp_path / "home")


class TestHash(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return HashEmbedder()


def test_constructing_reads_no_weights_and_loads_no_runtime(tmp_path: Path) -> None:
    model = write_model(tmp_path / "bert")
    (model / "model.safetensors").write_bytes(b"not read")
    embedder = OnnxEmbedder(model=str(model), home=tmp_path / "home")
    assert (embedder.dimension, embedder.max_tokens) == (32, 64)
    with pytest.raises(DamagedModel, match=r"model\.safetensors"):
        embedder.embed(["now it is read"], role="query")


@pytest.mark.parametrize("dtype", ["F16", "BF16"])
def test_half_precision_weights_are_widened(tmp_path: Path, dtype: str) -> None:
    full = OnnxEmbedder(model=str(write_model(tmp_path / "a" / "m")), home=tmp_path / "home")
    half = OnnxEmbedder(model=str(write_model(tmp_path / "b" / "m", dtype=dtype)), home=tmp_path / "home")
    vectors = full.embed(TEXTS, role="passage"), half.embed(TEXTS, role="passage")
    assert (vectors[0] * vectors[1]).sum(axis=1).min() > 0.99
    assert full.identity != half.identity


def test_identity_follows_what_changes_vectors_and_not_the_place(tmp_path: Path) -> None:
    home = tmp_path / "home"
    plain, moved = write_model(tmp_path / "a" / "m"), write_model(tmp_path / "b" / "m")
    others = [
        write_model(tmp_path / "c" / "m", pooling="cls"),
        write_model(tmp_path / "d" / "m", max_tokens=32),
        write_model(tmp_path / "e" / "m", prompts={"passage": "text: "}),
    ]
    assert OnnxEmbedder(model=str(plain), home=home).identity == OnnxEmbedder(model=str(moved), home=home).identity
    identities = {OnnxEmbedder(model=str(model), home=home).identity for model in (plain, *others)}
    assert len(identities) == 4


def test_prompts_go_before_texts_of_their_role(tmp_path: Path) -> None:
    home = tmp_path / "home"
    plain = OnnxEmbedder(model=str(write_model(tmp_path / "plain")), home=home)
    asked = OnnxEmbedder(
        model=str(write_model(tmp_path / "asked", prompts={"query": "leave ", "document": "year "})), home=home
    )
    for role, prompt in (("query", "leave "), ("passage", "year ")):
        prompted = asked.embed(["days"], role=role)  # type: ignore[arg-type]  # the loop's strings are roles
        assert np.allclose(prompted, plain.embed([prompt + "days"], role="passage"), atol=1e-6)


def test_long_texts_are_cut_at_what_the_model_sees(tmp_path: Path) -> None:
    embedder = OnnxEmbedder(model=str(write_model(tmp_path / "m", max_tokens=8)), home=tmp_path / "home")
    short, long = embedder.embed(["the year " * 3, "the year " * 3 + "gate opens"], role="passage")
    assert np.allclose(short, long, atol=1e-6)


def test_ten_thousand_texts_come_back_in_order(tmp_path: Path) -> None:
    embedder = OnnxEmbedder(model=str(write_model(tmp_path / "m")), home=tmp_path / "home")
    texts = [("leave year gate " * (number % 9)) + TEXTS[number % 2] for number in range(10_000)]
    vectors = embedder.embed(texts, role="passage")
    some = list(range(0, 10_000, 611))
    assert np.allclose(vectors[some], embedder.embed([texts[place] for place in some], role="passage"), atol=1e-5)


def test_threads_share_one_embedder(tmp_path: Path) -> None:
    embedder = OnnxEmbedder(model=str(write_model(tmp_path / "m")), home=tmp_path / "home", threads=1)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: embedder.embed(TEXTS, role="passage"), range(8)))
    assert all(np.allclose(found[0], vectors, atol=1e-6) for vectors in found)


def test_counts_and_places_of_tokens_are_the_tokenizers(tmp_path: Path) -> None:
    embedder = OnnxEmbedder(model=str(write_model(tmp_path / "m")), home=tmp_path / "home")
    text = "Ten days,\n年假 a\ud800b"
    places = embedder.offsets(text)
    assert embedder.count([text, ""]) == [len(places), 0]
    assert [text[start:end] for start, end in places][:3] == ["Ten", "days", ","]
    assert "年" in "".join(text[start:end] for start, end in places)
    assert embedder.count(["year " * 5000]) == [5000]


def test_a_kept_graph_is_used_again_without_onnx_or_the_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, home = write_model(tmp_path / "m"), tmp_path / "home"
    first = OnnxEmbedder(model=str(model), home=home).embed(TEXTS, role="passage")
    monkeypatch.setattr(onnx_cache, "_build", lambda _folder: pytest.fail("built again"))
    assert np.array_equal(OnnxEmbedder(model=str(model), home=home).embed(TEXTS, role="passage"), first)
    assert len(list((home / "models" / "graphs").iterdir())) == 3


@pytest.mark.parametrize("ending", [".onnx", ".data", ".json"])
@pytest.mark.parametrize("harm", ["cut", "changed", "gone"])
def test_a_damaged_graph_is_built_again(tmp_path: Path, ending: str, harm: str) -> None:
    model, home = write_model(tmp_path / "m"), tmp_path / "home"
    first = OnnxEmbedder(model=str(model), home=home).embed(TEXTS, role="passage")
    (file,) = (home / "models" / "graphs").glob(f"*{ending}")
    content = file.read_bytes()
    match harm:
        case "cut":
            file.write_bytes(content[: len(content) // 2])
        case "changed":
            file.write_bytes(content[:-9] + b"x" + content[-8:])
        case _:
            file.unlink()
    assert np.array_equal(OnnxEmbedder(model=str(model), home=home).embed(TEXTS, role="passage"), first)
    if ending != ".json":
        assert file.read_bytes() == content


def test_without_a_home_to_write_to_the_graph_is_built_in_memory(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m")
    expected = OnnxEmbedder(model=str(model), home=tmp_path / "home").embed(TEXTS, role="passage")
    blocked = tmp_path / "file"
    blocked.write_text("a file where the home should be: nobody, root included, can write below it")
    assert np.array_equal(OnnxEmbedder(model=str(model), home=blocked).embed(TEXTS, role="passage"), expected)


def test_a_full_disk_leaves_no_half_graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    model, home = write_model(tmp_path / "m"), tmp_path / "home"
    monkeypatch.setattr(os, "fsync", full)
    assert OnnxEmbedder(model=str(model), home=home).embed(TEXTS, role="passage").shape == (4, 32)
    assert not list((home / "models" / "graphs").iterdir())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"model_type": "mpnet"}, "mpnet", id="architecture"),
        pytest.param({"hidden_act": "silu"}, "silu", id="activation"),
        pytest.param({"position_embedding_type": "relative_key"}, "relative", id="positions"),
        pytest.param({"is_decoder": True}, "decoder", id="decoder"),
    ],
)
def test_unsupported_models_name_the_other_engine(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    model = write_model(tmp_path / "m", changes=changes)
    with pytest.raises(UnsupportedModel, match=f"{message}.*sentence-transformers"):
        OnnxEmbedder(model=str(model), home=tmp_path / "home")


@pytest.mark.parametrize(
    ("file", "value", "message"),
    [
        pytest.param("1_Pooling/config.json", {"pooling_mode": "lasttoken"}, "lasttoken", id="pooling"),
        pytest.param("1_Pooling/config.json", {"pooling_mode": ["mean", "cls"]}, "mean.cls", id="two poolings"),
        pytest.param(
            "modules.json",
            [{"type": "x.Transformer", "path": ""}, {"type": "x.Pooling", "path": "1_Pooling"}, {"type": "x.Dense"}],
            "Dense",
            id="dense",
        ),
        pytest.param("modules.json", [{"type": "x.WordEmbeddings"}], "transformer", id="no transformer"),
    ],
)
def test_unsupported_layouts_are_refused(tmp_path: Path, file: str, value: object, message: str) -> None:
    model = write_model(tmp_path / "m")
    (model / file).write_text(json.dumps(value))
    with pytest.raises(UnsupportedModel, match=message):
        OnnxEmbedder(model=str(model), home=tmp_path / "home")


def test_weights_in_other_files_are_refused(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m")
    (model / "model.safetensors").rename(model / "pytorch_model.bin")
    with pytest.raises(UnsupportedModel, match=r"pytorch_model\.bin"):
        OnnxEmbedder(model=str(model), home=tmp_path / "home")
    (model / "pytorch_model.bin").unlink()
    with pytest.raises(ModelNotFound, match="no weights"):
        OnnxEmbedder(model=str(model), home=tmp_path / "home")


def test_a_prompt_outside_the_pooling_is_refused(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m", prompts={"query": "ask: "})
    (model / "1_Pooling" / "config.json").write_text('{"pooling_mode": "mean", "include_prompt": false}')
    with pytest.raises(UnsupportedModel, match="prompt"):
        OnnxEmbedder(model=str(model), home=tmp_path / "home")


def test_weights_that_do_not_fit_their_configuration_are_damage(tmp_path: Path) -> None:
    more_layers = write_model(tmp_path / "m", changes={"num_hidden_layers": 3})
    with pytest.raises(DamagedModel, match=r"encoder\.layer\.2"):
        OnnxEmbedder(model=str(more_layers), home=tmp_path / "home").embed(["a"], role="query")
    empty = write_model(tmp_path / "n")
    write_safetensors(empty / "model.safetensors", {})
    with pytest.raises(DamagedModel, match="no word embeddings"):
        OnnxEmbedder(model=str(empty), home=tmp_path / "home").embed(["a"], role="query")
    wrong = write_model(tmp_path / "o", changes={"num_attention_heads": 5})
    with pytest.raises(EngineError, match="ONNX Runtime"):
        OnnxEmbedder(model=str(wrong), home=tmp_path / "home").embed(["a b c"], role="query")


def test_a_broken_tokenizer_is_damage(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m")
    (model / "tokenizer.json").write_text("{}")
    with pytest.raises(DamagedModel, match=r"tokenizer\.json"):
        OnnxEmbedder(model=str(model), home=tmp_path / "home").count(["a"])


def test_bfloat16_is_the_other_engines(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="float32"):
        OnnxEmbedder(model=str(write_model(tmp_path / "m")), home=tmp_path / "home", precision="bfloat16")


def test_calls_hold_texts_of_one_length_only() -> None:
    lengths = [3, 5, 3, 3, 9000, 5]
    assert list(_calls(lengths, 2)) == [[4], [1, 5], [0, 2], [3]]


def test_looking_the_engine_up_loads_nothing_heavy() -> None:
    import subprocess

    heavy = ("onnx", "onnxruntime", "torch", "httpx", "tokenizers")
    code = f"import sys, penstock.engines.embedders.onnx; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
