"""Fetching a model's files from a hub that speaks Hugging Face's paths: complete, checked and resumable.

`HF_ENDPOINT` names another hub or a mirror; `HF_TOKEN` opens models that need one. Both are the hub's own variables.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import httpx

from penstock.engines.models.weights import sha256
from penstock.errors import DamagedModel, EngineError, ModelNotFound, ModelRefused, ModelUnavailable

ENDPOINT = "https://huggingface.co"
TIMEOUT_SECONDS = 60
ENDINGS = (".json", ".txt", ".model", ".safetensors", ".py")
"""Configuration, vocabularies and weights; models with code of their own need it, and it is never run unasked."""
OTHER_FORMATS = ("onnx/", "openvino/", "coreml/", "tf_", "flax_", "rust_")

Progress = Callable[[str, int, int], None]


class HubFile(NamedTuple):
    """A file as the hub lists it."""

    path: str
    size: int
    """Bytes."""
    sha256: str
    """Empty where the hub does not state it, as for small files."""


def fetch(name: str, folder: Path, progress: Progress) -> None:
    """Fetches the newest revision of a model; the folder appears when it is complete.

    Raises:
        ModelNotFound: the hub does not know the model, or needs a token for it.
        EngineError: the hub cannot be reached, or the files cannot be written.
        DamagedModel: a file is not what the hub says that it is.
    """
    partial = folder.parent / ".partial" / folder.name
    with _translated(name), _client() as client:
        revision, files = _listing(client, name)
        partial.mkdir(parents=True, exist_ok=True)
        for file in files:
            _bring(client, f"/{name}/resolve/{revision}/{file.path}", file, partial / file.path, progress)
        wanted = {partial / file.path for file in files}
        for other in [path for path in partial.rglob("*") if path.is_file() and path not in wanted]:
            other.unlink()  # of a revision that was cut off
        old = partial.with_name(partial.name + ".old")
        shutil.rmtree(old, ignore_errors=True)
        if folder.exists():
            folder.rename(old)
        partial.rename(folder)
        shutil.rmtree(old, ignore_errors=True)


def _client() -> httpx.Client:
    token = os.environ.get("HF_TOKEN", "")
    return httpx.Client(
        base_url=os.environ.get("HF_ENDPOINT") or ENDPOINT,
        headers={"Authorization": f"Bearer {token}"} if token else {},
        timeout=TIMEOUT_SECONDS,
        follow_redirects=True,
    )


def _listing(client: httpx.Client, name: str) -> tuple[str, list[HubFile]]:
    answer = client.get(f"/api/models/{name}", params={"blobs": "true"}).raise_for_status()
    told: Any = answer.json()
    found = [_file(one) for one in told["siblings"] if _is_needed(str(one["rfilename"]))]
    if not any(file.path.endswith((".safetensors", ".bin")) for file in found):
        found += [_file(one) for one in told["siblings"] if str(one["rfilename"]) == "pytorch_model.bin"]
    if not any(file.path.endswith("config.json") for file in found):
        raise ModelNotFound(f"{name!r} is on the hub and holds no model that can be used here (no config.json)")
    return str(told.get("sha") or "main"), found


def _is_needed(path: str) -> bool:
    parts = PurePosixPath(path).parts
    if path.startswith("/") or ".." in parts or any(part.startswith(".") for part in parts):
        return False
    return path.endswith(ENDINGS) and not path.startswith(OTHER_FORMATS)


def _file(one: Any) -> HubFile:
    large = one.get("lfs") or {}
    return HubFile(
        str(one["rfilename"]), int(large.get("size") or one.get("size") or 0), str(large.get("sha256") or "")
    )


def _bring(client: httpx.Client, url: str, file: HubFile, target: Path, progress: Progress) -> None:
    """One file: what is there of it is kept, the rest is asked for, and the whole is checked."""
    if target.is_file() and file.sha256 and sha256(target) == file.sha256:
        progress(file.path, file.size, file.size)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    begun = target.with_name(target.name + ".begun")
    done = begun.stat().st_size if begun.is_file() and file.sha256 else 0
    asked = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={done}-"} if 0 < done < file.size else {})
    with client.stream("GET", url, headers=asked) as answer:
        answer.raise_for_status()
        done = done if answer.status_code == httpx.codes.PARTIAL_CONTENT else 0
        with begun.open("ab" if done else "wb") as out:
            for piece in answer.iter_bytes():
                out.write(piece)
                done += len(piece)
                progress(file.path, done, file.size or done)
    if (file.size and begun.stat().st_size != file.size) or (file.sha256 and sha256(begun) != file.sha256):
        begun.unlink()
        raise DamagedModel(f"{file.path!r} came damaged from the hub ({url}); try again")
    begun.replace(target)


@contextmanager
def _translated(name: str) -> Iterator[None]:
    try:
        yield
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        if status == httpx.codes.NOT_FOUND:
            raise ModelNotFound(f"the hub does not know a model {name!r} ({error.request.url})") from error
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise ModelRefused(
                f"the hub does not give {name!r} to everybody: set HF_TOKEN, or check the name"
            ) from error
        raise ModelUnavailable(f"the hub answered {status} for {name!r}; try again later") from error
    except httpx.HTTPError as error:
        raise ModelUnavailable(
            f"the hub cannot be reached for {name!r}: {error}; a mirror can be named in HF_ENDPOINT"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise EngineError(f"the hub's answer about {name!r} is not understood: {error!r}") from error
    except OSError as error:
        raise EngineError(f"the files of {name!r} cannot be written: {error}") from error
