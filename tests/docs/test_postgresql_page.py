"""The page on PostgreSQL does what it says: its statements and commands, in their order, on a server of the tests."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from secrets import token_hex

import pytest

from penstock.catalog import open_catalog
from penstock.testing.contracts.catalog import execute_on
from tests.servers.postgresql import PostgresqlServer, administer, programs

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "postgresql.md"
PENSTOCK = f'{sys.executable} -c "from penstock.cli import main; main()"'


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


def commands() -> str:
    """All that is run in a shell but the installation."""
    return "\n".join(block for block in blocks("sh") if "pip install" not in block)


@pytest.mark.timeout(300)
@pytest.mark.postgresql
def test_the_page_can_be_followed(mortal_postgresql: PostgresqlServer, home: Path, tmp_path: Path) -> None:
    name = f"library_{token_hex(3)}"
    (created,) = blocks("sql")
    for statement in filter(str.strip, created.replace("penstock", name).split(";")):
        administer(mortal_postgresql.url, statement)
    place = f"//{name}@127.0.0.1:{mortal_postgresql.port}/{name}"
    script = commands().replace("//penstock@127.0.0.1:5432/penstock", place)
    script = script.replace("penstock.dump", shlex.quote(str(tmp_path / "penstock.dump")))
    program = tmp_path / "bin" / "penstock"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {PENSTOCK} "$@"\n')
    program.chmod(0o755)
    result = subprocess.run(
        ["sh", "-e", "-c", script],
        cwd=ROOT,
        env={
            **os.environ,
            "PATH": f"{program.parent}:{programs()}:{os.environ['PATH']}",
            "PGPASSWORD": "change-me",
        },
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("the same in catalog, keyword index and vector index") == 2
    assert "change-me" not in result.stdout + result.stderr
    assert not (home / "catalog.db").exists()


@pytest.mark.postgresql
def test_a_schema_of_its_own_as_the_page_has_it(mortal_postgresql: PostgresqlServer) -> None:
    ((schema, options),) = re.findall(r"`(CREATE SCHEMA [^`]*)`, and `([^`]*)`", PAGE.read_text("utf-8"))
    execute_on(mortal_postgresql.url, schema)
    catalog = open_catalog(mortal_postgresql.url + options)
    catalog.collection("handbook", create=True)
    catalog.close()
    execute_on(mortal_postgresql.url, "DELETE FROM penstock.collections")  # there it is
    execute_on(mortal_postgresql.url, "CREATE TABLE public.collections ()")  # and nothing where others have theirs
