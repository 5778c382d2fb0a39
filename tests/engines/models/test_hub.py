"""Pulling from a hub: a server on loopback that speaks the hub's paths, with what goes wrong there."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from penstock.engines.embedders.onnx import OnnxEmbedder
from penstock.engines.models.models import installed, pull
from penstock.errors import DamagedModel, EngineError, ModelNotFound, ModelRefused, ModelUnavailable
from penstock.testing.doubles.tiny_graphs import write_graph
from penstock.testing.doubles.tiny_models import write_model

NAME = "org/tiny"


@dataclass
class Hub:
    files: dict[str, bytes]
    url: str = ""
    status: int = 200
    listing: bytes = b""
    cut_at: int = 0
    harmed: str = ""
    moved_to: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    agents: set[str] = field(default_factory=set)

    def listed(self) -> bytes:
        siblings = [
            {"rfilename": name, "size": len(content)} | ({"lfs": _large(content)} if len(content) > 9999 else {})
            for name, content in self.files.items()
        ]
        return self.listing or json.dumps({"id": NAME, "sha": "abc123", "siblings": siblings}).encode()


def _large(content: bytes) -> dict[str, object]:
    return {"size": len(content), "sha256": sha256(content).hexdigest(), "pointerSize": 134}


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            path = self.path.partition("?")[0]
            hub.asked.append((path, wanted))
            hub.tokens.add(self.headers.get("Authorization", ""))
            hub.agents.add(self.headers.get("User-Agent", ""))
            if path == f"/api/models/{NAME}":
                self._answer(hub.status, hub.listed())
                return
            name = path.removeprefix(f"/{NAME}/resolve/abc123/")
            if hub.moved_to and name.endswith(".safetensors"):
                self._answer(302, b"", {"Location": hub.moved_to + self.path})
                return
            if name not in hub.files:
                self._answer(404, b"")
                return
            first = int(wanted.removeprefix("bytes=").rstrip("-") or 0)
            content = hub.files[name] if name != hub.harmed else b"x" * len(hub.files[name])
            self._answer(206 if first else 200, content[first:], cut=hub.cut_at if name.endswith(".safetensors") else 0)

        def _answer(self, status: int, content: bytes, more: Mapping[str, str] | None = None, cut: int = 0) -> None:
            self.send_response(status)
            for header, value in (more or {}).items():
                self.send_header(header, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[:cut] if cut else content)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@contextmanager
def _serving(hub: Hub) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    yield
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    model = write_model(tmp_path / "published", "xlm-roberta")
    files = {str(path.relative_to(model)): path.read_bytes() for path in model.rglob("*") if path.is_file()}
    extra = {
        "onnx/model_O4.onnx": b"x",
        "onnx/config.json": b"{}",
        "tf_model.h5": b"x",
        ".gitattributes": b"x",
        "../up.json": b"x",
        "README.md": b"x",
    }
    hub = Hub(files | extra | {"pytorch_model.bin": b"x"})
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with _serving(hub):
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


def test_a_pulled_model_embeds(hub: Hub, tmp_path: Path) -> None:
    progress: list[tuple[str, int, int]] = []
    folder = pull(NAME, tmp_path / "home", progress=lambda *step: progress.append(step))
    taken = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert taken == {name for name in hub.files if name.endswith(".json")} - {"../up.json", "onnx/config.json"} | {
        "model.safetensors"
    }
    size = len(hub.files["model.safetensors"])
    assert progress[-1][1:] == (progress[-1][2], progress[-1][2])
    assert ("model.safetensors", size, size) in progress
    assert OnnxEmbedder(model=NAME, home=tmp_path / "home").embed(["a"], role="query").shape == (1, 32)
    assert (NAME, folder, "pulled") in installed(tmp_path / "home")


def test_a_models_own_graph_comes_with_it_and_is_used(hub: Hub, tmp_path: Path) -> None:
    pull(NAME, tmp_path)
    plain = OnnxEmbedder(model=NAME, home=tmp_path)
    vector, identity = plain.embed(["ten days"], role="query"), plain.identity
    graph = write_graph(tmp_path / "published", external=True)
    for path in graph.parent.iterdir():
        hub.files[f"onnx/{path.name}"] = path.read_bytes()
    pull(NAME, tmp_path)
    brought = OnnxEmbedder(model=NAME, home=tmp_path)
    assert np.allclose(brought.embed(["ten days"], role="query"), vector, atol=1e-6)
    assert brought.identity != identity


def test_a_pull_that_was_cut_goes_on_where_it_stopped(hub: Hub, tmp_path: Path) -> None:
    hub.cut_at = 5000
    with pytest.raises(ModelUnavailable):
        pull(NAME, tmp_path)
    assert installed(tmp_path) == tuple(model for model in installed(tmp_path) if model.kind != "pulled")
    hub.cut_at = 0
    folder = pull(NAME, tmp_path)
    assert (f"/{NAME}/resolve/abc123/model.safetensors", "bytes=5000-") in hub.asked
    assert (folder / "model.safetensors").read_bytes() == hub.files["model.safetensors"]


def test_pulling_again_takes_the_newest_in_place_of_the_old(hub: Hub, tmp_path: Path) -> None:
    pull(NAME, tmp_path)
    hub.files["sentence_bert_config.json"] = b'{"max_seq_length": 16}'
    folder = pull(NAME, tmp_path)
    assert (folder / "sentence_bert_config.json").read_bytes() == hub.files["sentence_bert_config.json"]
    assert not list((tmp_path / "models" / ".partial").iterdir())


def test_damaged_files_are_refused(hub: Hub, tmp_path: Path) -> None:
    hub.harmed = "model.safetensors"
    with pytest.raises(DamagedModel, match=r"model\.safetensors"):
        pull(NAME, tmp_path)
    assert not (tmp_path / "models" / "org--tiny").exists()
    hub.harmed = ""
    pull(NAME, tmp_path)


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, ModelNotFound), (401, ModelRefused), (403, ModelRefused), (500, ModelUnavailable), (429, ModelUnavailable)],
)
def test_the_hubs_no_is_reported(hub: Hub, tmp_path: Path, status: int, error: type[EngineError]) -> None:
    hub.status = status
    with pytest.raises(error, match="org/tiny"):
        pull(NAME, tmp_path)


@pytest.mark.parametrize(
    ("listing", "error"),
    [
        pytest.param(b"<html>", EngineError, id="no JSON"),
        pytest.param(b'{"id": "org/tiny", "siblings": 1}', EngineError, id="no files"),
        pytest.param(b'{"id": "org/tiny", "siblings": [{"rfilename": "a.gguf"}]}', ModelNotFound, id="no model for us"),
    ],
)
def test_strange_answers_are_reported(hub: Hub, tmp_path: Path, listing: bytes, error: type[EngineError]) -> None:
    hub.listing = listing
    with pytest.raises(error):
        pull(NAME, tmp_path)


def test_a_model_without_safetensors_comes_with_its_older_weights(hub: Hub, tmp_path: Path) -> None:
    del hub.files["model.safetensors"]
    assert (pull(NAME, tmp_path) / "pytorch_model.bin").is_file()


def test_the_hubs_token_is_sent_only_when_set(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pull(NAME, tmp_path)
    assert hub.tokens == {""}
    monkeypatch.setenv("HF_TOKEN", "a-token")
    pull(NAME, tmp_path)
    assert "Bearer a-token" in hub.tokens


def test_a_token_that_lies_in_a_file_is_not_taken(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("a-token-of-another-program")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
    pull(NAME, tmp_path)
    assert hub.tokens == {""}


def test_the_token_goes_to_the_hub_and_not_to_where_its_files_lie(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Hub(hub.files)
    monkeypatch.setenv("HF_TOKEN", "a-token")
    with _serving(store):
        hub.moved_to = store.url.replace("127.0.0.1", "localhost")
        pull(NAME, tmp_path)
    assert [path for path, _ in store.asked] == [f"/{NAME}/resolve/abc123/model.safetensors"]
    assert store.tokens == {""}


def test_nothing_is_sent_to_the_hub_but_what_is_wanted(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY", False)  # somebody imported it before
    pull(NAME, tmp_path)
    assert {path.partition("/resolve/")[0] for path, _ in hub.asked} == {f"/api/models/{NAME}", f"/{NAME}"}
    assert {word.partition("/")[0] for agent in hub.agents for word in agent.split("; ")} <= {
        "unknown",
        "hf_hub",
        "python",
        "python-httpx2",
    }


def test_a_hub_that_is_not_there_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ModelUnavailable, match="HF_ENDPOINT"):
        pull(NAME, tmp_path)


def test_a_hub_that_was_forbidden_is_not_asked(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelUnavailable, match="HF_HUB_OFFLINE"):
        pull(NAME, tmp_path)
    assert not hub.asked


def test_a_home_that_cannot_be_written_is_reported(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")
    with pytest.raises(EngineError, match="cannot be written"):
        pull(NAME, tmp_path)
