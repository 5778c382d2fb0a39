"""A first look costs next to nothing: no heavy library is loaded for help."""

import subprocess
import sys

import pytest

PYDANTIC = "pydantic"
"""With which typer reads the options of a command, since 0.29; help of the whole does without it."""
HEAVY = (
    "onnxruntime",
    "onnx",
    "unstructured",
    "prefect",
    "pymupdf",
    "torch",
    "numpy",
    "sqlalchemy",
    "faiss",
    "asyncio",
    "rich.console",
)


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (("--help",), (*HEAVY, PYDANTIC)),
        (("--version",), (*HEAVY, PYDANTIC)),
        (("ingest", "--help"), HEAVY),
        (("search", "--help"), HEAVY),
    ],
)
def test_help_loads_no_heavy_library(arguments: tuple[str, ...], heavy: tuple[str, ...]) -> None:
    program = (
        "import sys\n"
        f"sys.argv = ['penstock', *{arguments!r}]\n"
        "from penstock.cli import main\n"
        "try:\n    main()\n"
        f"finally:\n    print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stderr.strip() == "[]"
