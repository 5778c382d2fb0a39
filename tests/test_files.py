"""A file is whole or not there, whoever writes it and whatever happens meanwhile."""

import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from penstock.files import ABANDONED_SECONDS, UNFINISHED, replacing, write_durably


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_stood_there_stays_until_the_new_file_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.json"
    write_durably(path, b"old")
    with replacing(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert (path.read_bytes(), names(path.parent)) == (b"new", ["a.json"])


def test_where_writing_fails_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_durably(path, b"old")
    with pytest.raises(ValueError, match="closed"), replacing(path) as file:
        file.close()
    assert (path.read_bytes(), names(tmp_path)) == (b"old", ["a"])


def test_a_private_file_is_for_its_owner_alone_and_others_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_durably(tmp_path / "usual", b"x")
        with replacing(tmp_path / "secret", private=True):
            (beside,) = tmp_path.glob(f".secret-*{UNFINISHED}")
            assert stat.S_IMODE(beside.stat().st_mode) == 0o600
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"usual": 0o640, "secret": 0o600}


def test_several_writers_leave_one_whole_file(tmp_path: Path) -> None:
    texts = [str(number).encode() * 100_000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda text: write_durably(tmp_path / "a", text), texts * 4))
    assert (tmp_path / "a").read_bytes() in texts
    assert names(tmp_path) == ["a"]


def test_what_killed_processes_left_goes_and_what_others_wrote_stays(tmp_path: Path) -> None:
    left, living = (tmp_path / f".{name}-{'0' * 16}{UNFINISHED}" for name in ("dead", "living"))
    somebodys = tmp_path / f".letter{UNFINISHED}"
    long_ago = time.time() - 2 * ABANDONED_SECONDS
    for path in (left, living, somebodys):
        path.touch()
    for path in (left, somebodys):
        os.utime(path, (long_ago, long_ago))
    write_durably(tmp_path / "a", b"x")
    assert names(tmp_path) == sorted([somebodys.name, living.name, "a"])
