"""The architecture as the repository shows it: rooms, floors, links, build table, names and sizes all agree."""

import ast
import subprocess
import sys
import tomllib
from collections import Counter
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ROOMS = ("chunkers", "flows", "indexers", "loaders", "pipelines", "retrievers")
PRODUCT = [
    path
    for folder in ("penstock", *ROOMS)
    for path in sorted((ROOT / folder).rglob("*.py"))
    if not any(parent.is_symlink() for parent in path.parents)
]
GROUPS = ("loaders", "chunkers", "indexers", "embedders", "llms")
HEAVY = ("numpy", "pydantic", "sqlalchemy", "typer", "rich", "onnxruntime", "faiss", "tantivy", "prefect", "torch")
MOST_LINES, MOST_FUNCTION_LINES, MOST_MODULES = 400, 60, 15


def test_links_build_table_and_exclusions_name_the_same_rooms() -> None:
    build = PROJECT["tool"]["hatch"]["build"]
    links = sorted(path.name for path in (ROOT / "penstock").iterdir() if path.is_symlink())
    assert tuple(links) == ROOMS
    assert {room: f"penstock/{room}" for room in ROOMS}.items() <= build["targets"]["wheel"]["force-include"].items()
    assert {f"penstock/{room}" for room in ROOMS} <= set(build["exclude"])
    assert set(ROOMS) <= set(build["targets"]["sdist"]["only-include"])
    layers = " ".join(PROJECT["tool"]["importlinter"]["contracts"][0]["layers"])
    assert all(f"penstock.{room}" in layers for room in ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_links_are_relative(room: str) -> None:
    assert (ROOT / "penstock" / room).readlink() == Path("..", room)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_refuses_to_be_imported_under_its_bare_name(room: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", f"import {room}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode != 0
    assert f"import penstock.{room} instead" in run.stderr


def test_imports_point_down_and_siblings_do_not_know_each_other() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


def test_every_built_in_part_can_be_loaded_by_name() -> None:
    declared = {
        (group, name): value
        for group in GROUPS
        for name, value in PROJECT["project"]["entry-points"][f"penstock.{group}"].items()
    }
    installed = {
        (group, point.name): point.value
        for group in GROUPS
        for point in entry_points(group=f"penstock.{group}")
        if point.dist and point.dist.name == "penstock"
    }
    assert installed == declared
    for value in declared.values():
        module, _, name = value.partition(":")
        path = ROOT / Path(*module.removeprefix("penstock.").split("."))
        file = (
            path.with_suffix(".py")
            if path.with_suffix(".py").exists()
            else ROOT / Path(*module.split(".")).with_suffix(".py")
        )
        assert f"class {name}" in file.read_text(encoding="utf-8"), value


@pytest.mark.parametrize("path", PRODUCT, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_and_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= MOST_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < MOST_FUNCTION_LINES, node.name


def test_no_folder_holds_more_modules_than_can_be_taken_in_at_a_glance() -> None:
    modules = Counter(path.parent for path in PRODUCT if path.name != "__init__.py")
    assert {str(folder): count for folder, count in modules.items() if count > MOST_MODULES} == {}


def test_importing_penstock_loads_no_part_of_it_and_no_library() -> None:
    program = "import sys, penstock; print(*sorted(sys.modules))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in run.stdout.split()}
    third_party = {name for name in HEAVY if name in loaded}
    assert not third_party
    assert not [name for name in run.stdout.split() if name.startswith("penstock.")]
