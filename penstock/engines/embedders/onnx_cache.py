"""Kept graphs: each is built once from its weights, written beside the home, and mapped into memory afterwards.

A graph is three files of one name: `.onnx` (the nodes), `.data` (the weights, which ONNX Runtime maps) and, written
last, `.json` (the checksums of both). A graph whose files are not those that were written is rebuilt. Where the
home cannot be written, the graph is built in memory for this process.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from penstock.engines.embedders import onnx_graph, onnx_int8_graph, onnx_session
from penstock.engines.models.checksums import Checksums
from penstock.engines.models.model_folder import ModelFolder
from penstock.engines.models.tensors import Tensors
from penstock.errors import DamagedModel
from penstock.files import replacing, write_durably
from penstock.ids import digest
from penstock.ports import Float32Array

log = logging.getLogger(__name__)

ALIGNMENT = 4096
"""Bytes; mapped weights begin on a page."""


def open_encoder(
    folder: ModelFolder, checksums: Checksums, threads: int, *, int8: bool = False
) -> Callable[[NDArray[np.int32]], Float32Array]:
    """The encoder of the folder's weights, on `threads` cores (0: all).

    It takes token ids, int32 of shape (texts, tokens), and gives unit vectors, float32 of shape (texts, dimension).
    With `int8` it computes products in int8, of weights that are stored in blocks.

    Raises:
        DamagedModel: the weights cannot be read, or do not fit their configuration.
        EngineError: ONNX Runtime does not take the graph.
    """
    session = _session(folder, checksums, threads, int8)

    def vectors(ids: NDArray[np.int32]) -> Float32Array:
        (found,) = session.run(None, {"input_ids": ids})
        return cast("Float32Array", found)

    return vectors


def _session(folder: ModelFolder, checksums: Checksums, threads: int, int8: bool) -> Any:
    kept = kept_graph(folder, checksums, int8=int8)
    if not _intact(kept, checksums):
        if kept.exists():
            log.warning("the kept graph %s is damaged and is rebuilt", kept)
        graph, arrays = _build(folder, int8)
        _name_weights(graph, arrays, kept.with_suffix(".data").name)
        if not _keep(kept, graph, arrays, checksums):
            log.warning("the graph of %s cannot be kept in %s: it is built at each start", folder.name, kept.parent)
            return onnx_session.open_session(graph.SerializeToString(), threads, arrays)
    return onnx_session.open_session(str(kept), threads)


def kept_graph(folder: ModelFolder, checksums: Checksums, *, int8: bool = False) -> Path:
    """Where the folder's graph is kept: named after its weights, its configuration and the version of the graph."""
    shape = json.dumps([dict(folder.config), folder.pooling, *(["int8"] if int8 else [])], sort_keys=True)
    checksum = digest("graph", folder.checksum(checksums), shape)
    return checksums.home / "models" / "graphs" / f"{checksum}-{onnx_graph.VERSION}.onnx"


def _build(folder: ModelFolder, int8: bool) -> tuple[Any, Mapping[str, NDArray[Any]]]:
    """The graph, and its weights by name, of whatever shape and type the graph gives them."""
    kind = onnx_int8_graph.Int8GraphWriter if int8 else onnx_graph.GraphWriter
    writer = kind(folder, Tensors(folder.weight_files()[0]))
    try:
        graph = writer.write()
    except (ValueError, IndexError, KeyError, AttributeError) as error:
        raise DamagedModel(f"the weights of {folder.name!r} do not fit its config.json: {error}") from error
    return graph, writer.weights


def _keep(kept: Path, graph: Any, arrays: Mapping[str, NDArray[Any]], checksums: Checksums) -> bool:
    """Writes the three files, the last of which makes the graph valid; False where that cannot be done.

    `arrays` are the weights by name, C-contiguous, of any shape.
    """
    data, sha, nodes = kept.with_suffix(".data"), hashlib.sha256(), graph.SerializeToString()
    try:
        with replacing(data) as file:
            for piece in _pieces(arrays):
                sha.update(piece)
                file.write(piece)
        sums = {"nodes": hashlib.sha256(nodes).hexdigest(), "data": sha.hexdigest()}
        write_durably(kept, nodes)
        write_durably(kept.with_suffix(".json"), json.dumps(sums).encode())
    except OSError:
        return False
    checksums.remember(kept, sums["nodes"])
    checksums.remember(data, sums["data"])
    return True


def _name_weights(graph: Any, arrays: Mapping[str, NDArray[Any]], location: str) -> None:
    """Notes in the graph where the bytes of each weight, C-contiguous of any shape, are in the file of weights."""
    from onnx import TensorProto, helper

    offset = 0
    for name, array in arrays.items():
        offset += -offset % ALIGNMENT
        kind = helper.np_dtype_to_tensor_dtype(array.dtype)
        tensor = TensorProto(name=name, data_type=kind, dims=array.shape, data_location=TensorProto.EXTERNAL)
        for key, value in (("location", location), ("offset", offset), ("length", array.nbytes)):
            tensor.external_data.add(key=key, value=str(value))
        graph.graph.initializer.append(tensor)
        offset += array.nbytes


def _pieces(arrays: Mapping[str, NDArray[Any]]) -> Iterable[memoryview | bytes]:
    """The bytes of the file of weights (C-contiguous, of any shape), in the order that `_name_weights` notes."""
    offset = 0
    for array in arrays.values():
        gap = -offset % ALIGNMENT
        yield bytes(gap)
        yield array.reshape(-1).view(np.uint8).data
        offset += gap + array.nbytes


def _intact(kept: Path, checksums: Checksums) -> bool:
    """Whether the kept files are the ones that were written, by checksum; later, sizes and times are enough."""
    try:
        sums = json.loads(kept.with_suffix(".json").read_text())
        found = {"nodes": checksums.of(kept), "data": checksums.of(kept.with_suffix(".data"))}
    except (OSError, ValueError):
        return False
    return bool(sums == found)
