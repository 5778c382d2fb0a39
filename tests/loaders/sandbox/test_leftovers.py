import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from penstock.loaders.sandbox.leftovers import PREFIX, WorkFolder, remove_abandoned

HOLDER = """
import sys
from penstock.loaders.sandbox.leftovers import WorkFolder
folder = WorkFolder()
print(folder.path, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def test_a_folder_goes_with_all_in_it() -> None:
    folder = WorkFolder()
    (Path(folder.path) / "deep").mkdir()
    (Path(folder.path) / "deep" / "a").write_text("x")
    folder.remove()
    folder.remove()  # once more is no harm
    assert not Path(folder.path).exists()


def test_a_folder_in_use_stays_and_one_of_a_killed_process_goes(scratch: Path) -> None:
    mine = WorkFolder()
    with subprocess.Popen([sys.executable, "-c", HOLDER], stdin=-1, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        theirs = Path(holder.stdout.readline().strip())
        (theirs / "half a page").write_text("x")
        remove_abandoned()
        assert theirs.exists()
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert theirs.exists()  # nobody could remove it
        remove_abandoned()
    assert not theirs.exists()
    assert Path(mine.path).exists()
    mine.remove()
    assert list(scratch.iterdir()) == []


def test_a_folder_that_is_taken_for_abandoned_as_it_is_made_is_made_again(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, made = tempfile.mkdtemp, list[str]()

    def made_and_removed(prefix: str) -> str:
        made.append(make(prefix=prefix))
        if len(made) == 1:
            remove_abandoned()  # as another process does, between two lines
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", made_and_removed)
    folder = WorkFolder()
    assert made == [made[0], folder.path]
    assert list(scratch.iterdir()) == [Path(folder.path)]
    folder.remove()


def test_only_folders_of_this_user_under_our_name_are_removed(scratch: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "a").write_text("x")
    (scratch / f"{PREFIX}link").symlink_to(tmp_path / "precious")
    (scratch / f"{PREFIX}file").write_text("x")
    (scratch / "another").mkdir()
    abandoned = scratch / f"{PREFIX}old"
    abandoned.mkdir()
    (abandoned / "link").symlink_to(tmp_path / "precious")
    if os.geteuid() == 0:
        (scratch / f"{PREFIX}of another user").mkdir()
        os.chown(scratch / f"{PREFIX}of another user", 12345, 12345)
    remove_abandoned()
    assert not abandoned.exists()
    assert (tmp_path / "precious" / "a").read_text() == "x"
    kept = {f"{PREFIX}link", f"{PREFIX}file", "another"} | (
        {f"{PREFIX}of another user"} if os.geteuid() == 0 else set()
    )
    assert {path.name for path in scratch.iterdir()} == kept


def test_a_sandbox_removes_what_a_killed_process_left(scratch: Path, tmp_path: Path) -> None:
    from penstock.loaders import LoaderOptions, Sandbox, uri_of
    from penstock.model import Source

    (scratch / f"{PREFIX}old").mkdir()
    path = tmp_path / "a.txt"
    path.write_text("x")
    with Sandbox(options=LoaderOptions(), seconds=20, memory_mib=600, text_mib=1, workers=1) as sandbox:
        assert (scratch / f"{PREFIX}old").exists()  # nothing happens before the first file
        sandbox.parse(Source(uri=uri_of(path), media_type="text/plain", sha256="", size=0, labels={}), path)
        assert not (scratch / f"{PREFIX}old").exists()
        assert len(list(scratch.iterdir())) == 1
    assert list(scratch.iterdir()) == []
