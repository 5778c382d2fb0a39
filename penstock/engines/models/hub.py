"""Fetching a model's files from a hub by way of `huggingface_hub`: complete, checked and resumable.

`HF_ENDPOINT` names another hub or a mirror; `HF_TOKEN` opens models that need one. Both are the hub's own variables; a
token that lies in a file of the user's is not looked for. The library lists and transfers. What it does not do is done
here: it keeps nothing of a file that was cut off, and it compares sizes where the hub states checksums.
"""

import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from penstock import telemetry
from penstock.engines.models.weights import sha256
from penstock.errors import DamagedModel, EngineError, ModelNotFound, ModelRefused, ModelUnavailable

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoSibling

log = logging.getLogger(__name__)

ENDPOINT = "https://huggingface.co"
TIMEOUT_SECONDS = 60
BUSY = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
"""Answers to a request for a file after which it is requested again, some times."""
ENDINGS = (".json", ".txt", ".model", ".safetensors", ".py")
"""Configuration, vocabularies and weights; models with code of their own need it, and it is never run unasked."""
GRAPHS = ("onnx/model.onnx", "onnx/model.onnx_data", "onnx/model.onnx.data")
"""The graph in full precision that its publisher made, and the usual names of its weights where they lie beside it."""
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
    with _translated(name):
        hub = _hub()
        revision, files = _listing(hub, name)
        partial.mkdir(parents=True, exist_ok=True)
        for file in files:
            _bring(hub, (name, revision), file, partial / file.path, progress)
        wanted = {partial / file.path for file in files}
        for leftover in [path for path in partial.rglob("*") if path.is_file() and path not in wanted]:
            leftover.unlink()  # of a revision that was cut off
        old = partial.with_name(partial.name + ".old")
        shutil.rmtree(old, ignore_errors=True)
        if folder.exists():
            folder.rename(old)
        partial.rename(folder)
        shutil.rmtree(old, ignore_errors=True)


def _hub() -> "HfApi":
    telemetry.switch_off("huggingface_hub")
    os.environ.setdefault("HF_HUB_VERBOSITY", "error")  # it writes to stderr by itself: messages here are ours
    from huggingface_hub import HfApi, constants

    constants.HF_HUB_DISABLE_TELEMETRY = True  # also where somebody imported it before
    return HfApi(endpoint=os.environ.get("HF_ENDPOINT") or ENDPOINT, token=os.environ.get("HF_TOKEN") or False)


def _listing(hub: "HfApi", name: str) -> tuple[str, list[HubFile]]:
    info = hub.model_info(name, files_metadata=True, timeout=TIMEOUT_SECONDS)
    listed = info.siblings or []
    found = [_file(sibling) for sibling in listed if _is_needed(sibling.rfilename)]
    if not any(file.path.endswith((".safetensors", ".bin")) for file in found):
        found += [_file(sibling) for sibling in listed if sibling.rfilename == "pytorch_model.bin"]
    if not any(file.path.endswith("config.json") for file in found):
        raise ModelNotFound(f"{name!r} is on the hub and holds no model that can be used here (no config.json)")
    return info.sha or "main", found


def _is_needed(path: str) -> bool:
    parts = PurePosixPath(path).parts
    if path.startswith("/") or ".." in parts or any(part.startswith(".") for part in parts):
        return False
    return path in GRAPHS or (path.endswith(ENDINGS) and not path.startswith(OTHER_FORMATS))


def _file(sibling: "RepoSibling") -> HubFile:
    size = (sibling.lfs.size if sibling.lfs else None) or sibling.size or 0
    return HubFile(sibling.rfilename, int(size), sibling.lfs.sha256 if sibling.lfs else "")


def _bring(hub: "HfApi", model: tuple[str, str], file: HubFile, target: Path, progress: Progress) -> None:
    """One file: what is there of it is kept, the rest is asked for, and the whole is checked."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import hf_raise_for_status, http_stream_backoff

    if target.is_file() and file.sha256 and sha256(target) == file.sha256:
        progress(file.path, file.size, file.size)
        return
    name, revision = model
    url = hf_hub_url(name, file.path, revision=revision, endpoint=hub.endpoint)
    target.parent.mkdir(parents=True, exist_ok=True)
    begun = target.with_name(target.name + ".begun")
    done = begun.stat().st_size if begun.is_file() and file.sha256 else 0
    asked = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={done}-"} if 0 < done < file.size else {})
    asked |= {"Authorization": f"Bearer {hub.token}"} if hub.token else {}
    request = http_stream_backoff(
        "GET", url, headers=asked, timeout=TIMEOUT_SECONDS, retry_on_status_codes=BUSY, retry_on_exceptions=()
    )
    with request as answer:
        hf_raise_for_status(answer)
        done = done if answer.status_code == HTTPStatus.PARTIAL_CONTENT else 0
        if done:
            log.info("%s of %s goes on at byte %d of %d", file.path, name, done, file.size)
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
    import httpx2  # the transport of `huggingface_hub`, whose errors pass through it
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    try:
        yield
    except HfHubHTTPError as error:
        status = error.response.status_code
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) or isinstance(error, GatedRepoError):
            raise ModelRefused(
                f"the hub does not give {name!r} to everybody: set HF_TOKEN, or check the name"
            ) from error
        if status == HTTPStatus.NOT_FOUND:
            raise ModelNotFound(f"the hub does not know a model {name!r} ({error.response.url})") from error
        raise ModelUnavailable(f"the hub answered {status} for {name!r}; try again later") from error
    except HFValidationError as error:
        raise ModelNotFound(f"{name!r} is no name of the hub: {error}") from error
    except OfflineModeIsEnabled as error:
        raise ModelUnavailable(f"{name!r} is not fetched: HF_HUB_OFFLINE says that there is no network") from error
    except httpx2.HTTPError as error:
        raise ModelUnavailable(
            f"the hub cannot be reached for {name!r}: {error}; a mirror can be named in HF_ENDPOINT"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EngineError(f"the hub's answer about {name!r} is not understood: {error!r}") from error
    except OSError as error:
        raise EngineError(f"the files of {name!r} cannot be written: {error}") from error
