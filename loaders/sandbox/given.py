"""Loaders that a program gives as instances, on their way into the processes that parse."""

import base64
import pickle
from collections.abc import Mapping
from typing import TYPE_CHECKING

from penstock.errors import SettingsError

if TYPE_CHECKING:  # the ports bring numpy, which a process that parses has no use for
    from penstock.ports import Loader

REGISTER = (
    "put its class into a module that can be imported, with only plain values in it, or register it as an entry point "
    "of the group penstock.loaders"
)


def portable(loaders: "Mapping[str, Loader]") -> dict[str, str]:
    """The loaders by media type, as `received` takes them: their classes by import path, and what is in them.

    Raises:
        SettingsError: one cannot be made again in another process; says why and what to do.
    """
    return {media_type: _packed(media_type, loader) for media_type, loader in loaders.items()}


def _packed(media_type: str, loader: "Loader") -> str:
    kind = type(loader)
    trouble = f"the loader {kind.__qualname__} for {media_type!r} cannot be taken into the process that parses"
    if kind.__module__ == "__main__":
        raise SettingsError(f"{trouble}: its class is defined in the program that was started; {REGISTER}")
    try:
        packed = pickle.dumps(loader)
        pickle.loads(packed)  # noqa: S301 - what was packed in the line above
    except Exception as error:
        raise SettingsError(f"{trouble}: {error}; {REGISTER}") from error
    return base64.b64encode(packed).decode("ascii")


def received(packed: Mapping[str, str]) -> "dict[str, Loader | SettingsError]":
    """The loaders by media type; in place of one that cannot be made here, why."""
    return {media_type: _unpacked(media_type, loader) for media_type, loader in packed.items()}


def _unpacked(media_type: str, packed: str) -> "Loader | SettingsError":
    try:
        # It comes from the program that started this process, on the pipe that only that program writes to.
        made: Loader = pickle.loads(base64.b64decode(packed))  # noqa: S301
    except Exception as error:  # noqa: BLE001 - code of others; the error is reported for each file that needs it
        return SettingsError(
            f"the loader given for {media_type!r} cannot be made in the process that parses: {error}; {REGISTER}"
        )
    return made
