"""Builds the sdist, the wheel from the sdist, installs it into a clean environment, and runs it there.

    python .ci/wheel_check.py

What it proves: the wheel holds exactly the modules of the tree, carries the default model and a valid bill of
materials, needs no torch, imports whole, and ingests, searches and answers without a network.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("loaders", "chunkers", "indexers", "retrievers", "pipelines", "flows")
MOST_BYTES = 100_000_000
"""Of a wheel: what the Python package index takes of one file."""
NEEDS_MORE = (
    "penstock.flows.",
    "penstock.indexers.elasticsearch.",
    "penstock.integrations.haystack.",
    "penstock.integrations.langchain.",
    "penstock.integrations.llama_index.",
    "penstock.testing.",
    "penstock.catalog.database.migrations.env.",
)
"""Modules that need an extra, pytest, or a migration under way, to be imported."""


def main() -> None:
    """Runs every step; ends with an error at the first that fails."""
    with tempfile.TemporaryDirectory() as scratch:
        wheel = build(Path(scratch))
        expected, packed = modules_of_the_tree(), modules_of(wheel)
        if expected != packed:
            sys.exit(f"the wheel lacks {sorted(expected - packed)} and has besides {sorted(packed - expected)}")
        check_bill(wheel)
        python = install(wheel, Path(scratch) / "clean")
        names = [name for name in sorted(packed) if not f"{name}.".startswith(NEEDS_MORE)]
        run(python, "-c", f"import importlib; [importlib.import_module(name) for name in {names!r}]")
        run(python, "-c", "import importlib.util, sys; sys.exit(importlib.util.find_spec('torch') is not None)")
        use(python, Path(scratch) / "home")
        print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.0f} MB, {len(packed)} modules, runs in a clean environment")


def build(scratch: Path) -> Path:
    """The wheel, built from the sdist and not from the tree."""
    # Without isolation: with the locked build tools of this environment, not with the newest ones of the day.
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", scratch, ROOT]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (wheel,) = scratch.glob("*.whl")
    return wheel


def modules_of_the_tree() -> set[str]:
    """Dotted names of all modules, with the folders at the top in their places."""
    files = [path.relative_to(ROOT) for path in (ROOT / "penstock").rglob("*.py") if not behind_link(path)]
    files += [Path("penstock") / path.relative_to(ROOT) for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    return {dotted(str(path)) for path in files}


def behind_link(path: Path) -> bool:
    """Whether a parent folder is a link to a folder at the top."""
    return any(parent.is_symlink() for parent in path.parents)


def modules_of(wheel: Path) -> set[str]:
    """Dotted names of all modules in the wheel."""
    return {dotted(name) for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".py")}


def dotted(path: str) -> str:
    """`penstock/ids.py` as `penstock.ids`."""
    return path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def check_bill(wheel: Path) -> None:
    """The bill of materials is what CycloneDX's schema asks for, and its hashes of models are the wheel's files'."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if ".dist-info/sboms/" in name)
        text = archive.read(name).decode()
        if wrong := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
            sys.exit(f"{name} is no CycloneDX document: {wrong}")
        carried = json.loads(text)["metadata"]["component"]["components"]
        models = [part for part in carried if part["type"] == "machine-learning-model"]
        for name, file in (
            (model["name"].rpartition("/")[2], file) for model in models for file in model["components"]
        ):
            packed = archive.read(f"penstock/weights/{name}/{file['name']}")
            if [hashlib.sha256(packed).hexdigest()] != [entry["content"] for entry in file["hashes"]]:
                sys.exit(f"{file['name']} in the wheel is not the file that the bill of materials names")
    if not models or wheel.stat().st_size > MOST_BYTES:
        sys.exit(f"{wheel.name} carries {len(models)} models in {wheel.stat().st_size} bytes, at most {MOST_BYTES}")


def install(wheel: Path, folder: Path) -> Path:
    """The Python of a new environment that holds the wheel and what it needs, and nothing else."""
    venv.create(folder)
    python, needed = folder / "bin" / "python", folder / "dependencies.txt"
    needed.write_text(run(Path(sys.executable), str(ROOT / ".ci" / "dependencies.py")))
    pip = (Path(sys.executable), "-m", "pip", "--python", str(python), "install", "--quiet")
    run(*pip, "--require-hashes", "-c", str(ROOT / "constraints.txt"), "-r", str(needed))
    run(*pip, "--no-deps", str(wheel))
    return python


def use(python: Path, home: Path) -> None:
    """The main job, outside the checkout and with every way to a network closed."""
    penstock = python.with_name("penstock")
    samples = str(ROOT / "examples" / "handbook")
    report = json.loads(run(penstock, "ingest", samples, "--json", home=home))
    if report["indexed"] != report["discovered"] or not report["discovered"]:
        sys.exit(f"the samples were not all indexed: {report}")
    again = json.loads(run(penstock, "ingest", samples, "--json", home=home))
    if (again["parsed"], again["embedded"], again["unchanged"]) != (0, 0, report["discovered"]):
        sys.exit(f"the second run did something: {again}")
    answer = json.loads(run(penstock, "ask", "How many days of leave carry over?", "--json", home=home))
    if not any("carry over" in citation["quote"] for citation in answer["citations"]):
        sys.exit(f"the answer is not cited: {answer}")


def run(program: Path, *arguments: str, home: Path | None = None) -> str:
    """Standard output of a program that succeeded."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PENSTOCK_", "PYTHON"))}
    if home:
        closed = "http://127.0.0.1:9"  # nothing listens there: whoever tries to download fails at once
        environment |= {"PENSTOCK_HOME": str(home), "HTTP_PROXY": closed, "HTTPS_PROXY": closed, "ALL_PROXY": closed}
    done = subprocess.run(
        [str(program), *arguments],
        cwd=tempfile.gettempdir(),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(
            f"{program.name} {' '.join(arguments)[:200]} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        )
    return done.stdout


if __name__ == "__main__":
    main()
