"""A first look costs next to nothing: no heavy library is loaded for help."""

import subprocess
import sys

import pytest

HEAVY = (
    "onnxruntime",
    "onnx",
    "unstructured",
    "prefect",
    "pymupdf",
    "torch",
    "numpy",
    "sqlalchemy",
    "pydantic",
    "faiss",
)


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("ingest", "--help"), ("search", "--help")])
def test_help_loads_no_heavy_library(arguments: tuple[str, ...]) -> None:
    program = (
        "import sys\n"
        f"sys.argv = ['penstock', *{arguments!r}]\n"
        "from penstock.cli import main\n"
        "try:\n    main()\n"
        f"finally:\n    print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stderr.strip() == "[]"
