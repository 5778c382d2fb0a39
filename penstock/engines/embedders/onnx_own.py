"""The ONNX graph that a model's publisher put beside its weights, `onnx/model.onnx`: it is taken as it is.

A graph of the usual form is asked for token ids (and a mask, and types) and gives a vector for each token; pooling and
length are applied to them as the model's modules say. What a graph asks and gives is read once, and noted in the home.
"""

import json
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.engines.embedders import onnx_session
from penstock.engines.models import published
from penstock.engines.models.checksums import Checksums
from penstock.engines.models.model_folder import ModelFolder
from penstock.errors import DamagedModel, EngineError
from penstock.files import write_durably
from penstock.ids import digest
from penstock.ports import Float32Array

log = logging.getLogger(__name__)

PLACE = "onnx/model.onnx"
"""Where publishers put it, beside the configuration of the encoder."""
NOTES = 1
"""Raised when other things are read from a graph: notes of other versions are not used."""
FILLED: Mapping[str, int] = {"attention_mask": 1, "token_type_ids": 0}
"""What a graph may ask for beside `input_ids`: texts of one call are equally long, and all their tokens of type 0."""
OUTPUTS = ("last_hidden_state", "token_embeddings")
"""Names that a graph may give to the vectors of its tokens."""
INTEGERS: Mapping[str, type] = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}
FLOATS = ("tensor(float)", "tensor(float16)")


class _Unusual(Exception):
    """Why a graph is not taken."""


@dataclass(frozen=True, kw_only=True)
class OwnGraph:
    """A graph that a model brought, and how it is called."""

    path: Path
    checksum: str
    """Of the graph and of all files that it reads weights from."""
    inputs: Mapping[str, str]
    """Type of each input by its name."""
    output: str
    pooling: str
    """`mean` or `cls`."""

    def open(self, threads: int) -> Callable[[NDArray[np.int32]], Float32Array]:
        """The encoder, on `threads` cores (0: all).

        It takes token ids, int32 of shape (texts, tokens), and gives unit vectors, float32 of shape (texts, dimension).
        Raises:
            EngineError: ONNX Runtime does not take the graph.
        """
        session = onnx_session.open_session(str(self.path), threads)

        def vectors(ids: NDArray[np.int32]) -> Float32Array:
            known = {"input_ids": ids} | {name: np.full_like(ids, value) for name, value in FILLED.items()}
            feeds: dict[str, NDArray[Any]] = {
                name: known[name].astype(INTEGERS[type_]) for name, type_ in self.inputs.items()
            }
            (tokens,) = session.run([self.output], feeds)
            tokens = np.asarray(tokens, np.float32)
            pooled = tokens[:, 0] if self.pooling == "cls" else tokens.mean(axis=1)
            found: Float32Array = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
            return found

        return vectors


def find(folder: ModelFolder, checksums: Checksums) -> OwnGraph | None:
    """The folder's own graph; None where it brings none, or one of an unusual form.

    A published model is what was published under its name, weights and nothing else.

    Raises:
        DamagedModel: its files cannot be read.
    """
    path = folder.path / PLACE
    if published.at(folder.path, checksums.home) is not None or not path.is_file():
        return None
    try:
        noted = _noted(path, checksums)
        data = [checksums.of(path.parent / name) for name in noted["data"]]
    except OSError as error:
        raise DamagedModel(f"the model's graph {str(path)!r} cannot be read: {error}") from error
    if noted["unusual"]:
        log.warning("%s of %s is not taken: %s", PLACE, folder.name, noted["unusual"])
        return None
    return OwnGraph(
        path=path,
        checksum=digest("own graph", checksums.of(path), *data),
        inputs=noted["inputs"],
        output=noted["output"],
        pooling=folder.pooling,
    )


def _noted(path: Path, checksums: Checksums) -> Any:
    """What a graph asks and gives, from the note about it, else from the graph itself."""
    name = digest("own graph", str(NOTES), onnx_session.version(), checksums.of(path))
    note = checksums.home / "models" / "graphs" / f"{name}.json"
    try:
        return json.loads(note.read_text())
    except (OSError, ValueError):
        found = _read(path)
    with suppress(OSError):  # a home that cannot be written costs the next start the same look
        write_durably(note, json.dumps(found).encode())
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        data = _data_files(path)
        return {"unusual": "", "data": data, **_form(onnx_session.open_session(str(path), threads=1))}
    except _Unusual as why:
        return {"unusual": str(why), "data": []}
    except EngineError as error:
        return {"unusual": str(error), "data": []}


def _data_files(path: Path) -> list[str]:
    """Names of the files beside the graph that hold weights of it."""
    import onnx
    from google.protobuf.message import DecodeError
    from onnx.external_data_helper import ExternalDataInfo, uses_external_data

    try:
        graph = onnx.load(path, load_external_data=False).graph
    except DecodeError as error:
        raise _Unusual(f"it is no ONNX graph ({error})") from error
    names = {str(ExternalDataInfo(tensor).location) for tensor in graph.initializer if uses_external_data(tensor)}
    for name in names:
        if name != Path(name).name or not (path.parent / name).is_file() or (path.parent / name).is_symlink():
            raise _Unusual(f"its weights should be in {name!r}, which is no file beside it")
    return sorted(names)


def _form(session: Any) -> dict[str, Any]:
    inputs = {tensor.name: tensor.type for tensor in session.get_inputs()}
    more = sorted(inputs.keys() - {"input_ids"} - FILLED.keys())
    if "input_ids" not in inputs or more or not set(inputs.values()) <= INTEGERS.keys():
        raise _Unusual(f"it asks for {', '.join(f'{name} ({type_})' for name, type_ in inputs.items())}")
    candidates = {
        tensor.name: tensor for tensor in session.get_outputs() if tensor.type in FLOATS and len(tensor.shape) == 3
    }
    for name in OUTPUTS:
        if name in candidates:
            return {"inputs": inputs, "output": name}
    raise _Unusual(f"it gives {', '.join(tensor.name for tensor in session.get_outputs())}, and no vectors of tokens")
