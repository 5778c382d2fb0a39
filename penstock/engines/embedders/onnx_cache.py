"""Kept graphs: each is built once from its weights, written beside the home, and mapped into memory afterwards.

A graph is three files of one name: `.onnx` (the nodes), `.data` (the weights, which ONNX Runtime maps) and, written
last, `.json` (the checksums of both). A graph whose files are not those that were written is built anew. Where the
home cannot be written, the graph is built in memory for this process.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from penstock import telemetry
from penstock.engines.embedders import onnx_graph
from penstock.engines.models.checksums import Checksums, write_atomically
from penstock.engines.models.model_folder import ModelFolder
from penstock.engines.models.tensors import Tensors
from penstock.errors import DamagedModel, EngineError
from penstock.ids import digest
from penstock.ports import Float32Array

ALIGNMENT = 4096
"""Bytes; mapped weights begin on a page."""


def open_session(folder: ModelFolder, checksums: Checksums, threads: int) -> Any:
    """A ready ONNX Runtime session of the folder's model, on `threads` cores (0: all).

    Raises:
        DamagedModel: the weights cannot be read, or do not fit their configuration.
        EngineError: ONNX Runtime does not take the graph.
    """
    kept = kept_graph(folder, checksums)
    if not _intact(kept, checksums):
        graph, arrays = _build(folder)
        _name_weights(graph, arrays, kept.with_suffix(".data").name)
        if not _keep(kept, graph, arrays, checksums):
            return _session(graph.SerializeToString(), threads, arrays)
    return _session(str(kept), threads)


def kept_graph(folder: ModelFolder, checksums: Checksums) -> Path:
    """Where the folder's graph is kept: named after its weights, its configuration and the version of the graph."""
    shape = json.dumps([dict(folder.config), folder.pooling], sort_keys=True)
    checksum = digest("graph", folder.checksum(checksums), shape)
    return checksums.home / "models" / "graphs" / f"{checksum}-{onnx_graph.VERSION}.onnx"


def _build(folder: ModelFolder) -> tuple[Any, Mapping[str, Float32Array]]:
    writer = onnx_graph.GraphWriter(folder, Tensors(folder.weight_files()[0]))
    try:
        graph = writer.write()
    except (ValueError, IndexError, KeyError, AttributeError) as error:
        raise DamagedModel(f"the weights of {folder.name!r} do not fit its config.json: {error}") from error
    return graph, writer.weights


def _keep(kept: Path, graph: Any, arrays: Mapping[str, Float32Array], checksums: Checksums) -> bool:
    """Writes the three files, the last of which makes the graph valid; False where that cannot be done."""
    temporary = None
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=kept.parent, prefix=".new-")
        temporary = Path(name)
        data = kept.with_suffix(".data")
        with os.fdopen(handle, "wb") as file:
            sha = hashlib.sha256()
            for piece in _pieces(arrays):
                sha.update(piece)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(data)
    except OSError:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        return False
    nodes = graph.SerializeToString()
    sums = {"nodes": hashlib.sha256(nodes).hexdigest(), "data": sha.hexdigest()}
    if not (write_atomically(kept, nodes) and write_atomically(kept.with_suffix(".json"), json.dumps(sums).encode())):
        return False
    checksums.remember(kept, sums["nodes"])
    checksums.remember(data, sums["data"])
    return True


def _name_weights(graph: Any, arrays: Mapping[str, Float32Array], location: str) -> None:
    """Notes in the graph where the bytes of each weight stand in the file of weights."""
    from onnx import TensorProto

    offset = 0
    for name, array in arrays.items():
        offset += -offset % ALIGNMENT
        tensor = TensorProto(
            name=name, data_type=TensorProto.FLOAT, dims=array.shape, data_location=TensorProto.EXTERNAL
        )
        for key, value in (("location", location), ("offset", offset), ("length", array.nbytes)):
            tensor.external_data.add(key=key, value=str(value))
        graph.graph.initializer.append(tensor)
        offset += array.nbytes


def _pieces(arrays: Mapping[str, Float32Array]) -> Iterable[memoryview | bytes]:
    """The bytes of the file of weights, as `_name_weights` says where they stand."""
    offset = 0
    for array in arrays.values():
        gap = -offset % ALIGNMENT
        yield bytes(gap)
        yield array.reshape(-1).view(np.uint8).data
        offset += gap + array.nbytes


def _intact(kept: Path, checksums: Checksums) -> bool:
    """Whether the kept files are the ones that were written, by checksum (which sizes and times stand for later)."""
    try:
        sums = json.loads(kept.with_suffix(".json").read_text())
        found = {"nodes": checksums.of(kept), "data": checksums.of(kept.with_suffix(".data"))}
    except (OSError, ValueError):
        return False
    return bool(sums == found)


def _session(model: str | bytes, threads: int, arrays: Mapping[str, Float32Array] | None = None) -> Any:
    """A session on the CPU; `arrays` are the weights of a graph in memory."""
    onnxruntime = telemetry.onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.enable_mem_pattern = False  # every call may have another shape
    options.log_severity_level = 3
    if arrays is not None:
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in arrays.values()]
        options.add_external_initializers(list(arrays), values)
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except runtime_errors() as error:
        raise EngineError(f"ONNX Runtime {onnxruntime.__version__} does not take the graph: {error}") from error


def runtime_errors() -> tuple[type[Exception], ...]:
    """What ONNX Runtime raises: its errors have no common root but `Exception`."""
    telemetry.switch_off("onnxruntime")
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    own = [one for one in vars(state).values() if isinstance(one, type) and issubclass(one, Exception)]
    return (*own, RuntimeError, ValueError)
