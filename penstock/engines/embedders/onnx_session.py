"""Sessions of ONNX Runtime: opened in one way for every graph, with what it raises."""

from collections.abc import Mapping
from importlib import metadata
from typing import Any

from numpy.typing import NDArray

from penstock import telemetry
from penstock.errors import EngineError


def open_session(model: str | bytes, threads: int, arrays: Mapping[str, NDArray[Any]] | None = None) -> Any:
    """A session on the CPU, on `threads` cores (0: all).

    `arrays` are the weights of a graph in memory, by name, each of the shape that the graph states.
    Raises:
        EngineError: ONNX Runtime does not take the graph.
    """
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
    except errors() as error:
        raise EngineError(f"ONNX Runtime {onnxruntime.__version__} does not take the graph: {error}") from error


def errors() -> tuple[type[Exception], ...]:
    """What ONNX Runtime raises: its errors have no common root but `Exception`."""
    telemetry.switch_off("onnxruntime")
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    own = [kind for kind in vars(state).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    return (*own, RuntimeError, ValueError)


def version() -> str:
    """The release of ONNX Runtime, without importing it."""
    return metadata.version("onnxruntime")
