"""The bill of materials that a wheel carries (CycloneDX, in `penstock-*.dist-info/sboms/`, PEP 770).

It names what lies in the wheel besides our own code, models first, with hashes and licences; and the
releases that the tests ran with, as `constraints.txt` has them: `required` for the core, `optional` for the extras.
Equal input gives an equal file: no time, no random number. Standard library only, so that a build needs no more.
"""

import hashlib
import re
import tomllib
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

FILE = "penstock.cdx.json"
NOT_SHIPPED = ("all", "dev", "testing")
"""Extras that bring nothing of their own, or nothing to users."""
OWN = "penstock"

_RELEASE = re.compile(r"(?P<name>[a-z0-9._-]+)==(?P<version>[^\s;\\]+)")
_VIA = re.compile(r"    #(?: via|  ) (?P<name>[a-z0-9._-]+)")
_NAME = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(slots=True)
class Lock:
    """What constraints.txt says: the version of each release, and which releases each one asks for."""

    versions: dict[str, str] = field(default_factory=dict)
    asked: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> "Lock":
        """The lock in the form in which `make lock` writes it."""
        lock, name = cls(), ""
        for line in text.splitlines():
            if found := _RELEASE.match(line):
                name = found["name"]
                lock.versions[name] = found["version"]
            elif found := _VIA.match(line):
                lock.asked.setdefault(found["name"], set()).add(name)
        return lock

    def reached(self, names: Iterable[str]) -> set[str]:
        """The names, and everything that they ask for."""
        found: set[str] = set()
        left = [name for name in names if name in self.versions]
        while left:
            name = left.pop()
            if name not in found:
                found.add(name)
                left += self.asked.get(name, ())
        return found


class Model(Protocol):
    """What a bill says of a model in the wheel."""

    @property
    def hub(self) -> str:
        """Its name on the hub."""

    @property
    def licence(self) -> str:
        """As SPDX names it."""

    @property
    def description(self) -> str:
        """What it is, in a sentence."""

    @property
    def weights(self) -> str:
        """Name of the file of its weights."""

    @property
    def files(self) -> Mapping[str, str]:
        """SHA-256 of its files by name."""


def bill(root: Path, version: str, *, models: Sequence[Model]) -> dict[str, Any]:
    """The bill of a wheel that carries these models."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    locked = (root / "constraints.txt").read_text(encoding="utf-8")
    lock = Lock.read(locked)
    direct = set(_names(project["dependencies"]))
    core = lock.reached(direct)
    extras = (wants for extra, wants in project["optional-dependencies"].items() if extra not in NOT_SHIPPED)
    every = core | lock.reached(name for wants in extras for name in _names(wants))
    bundled = [*map(_model, models), _characters(root)]
    own = _component("library", OWN, version, license=project["license"], components=bundled)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid.uuid5(uuid.NAMESPACE_URL, _ref(OWN, version) + locked).urn,
        "version": 1,
        "metadata": {"lifecycles": [{"phase": "build"}], "component": own},
        "components": [
            _component("library", name, lock.versions[name], scope="required" if name in core else "optional")
            for name in sorted(every)
        ],
        "dependencies": list(_dependencies(lock, _ref(OWN, version), direct, every)),
    }


def _dependencies(lock: Lock, own: str, direct: Iterable[str], every: set[str]) -> Iterator[dict[str, Any]]:
    def refs(names: Iterable[str]) -> list[str]:
        return [_ref(name, lock.versions[name]) for name in sorted(every.intersection(names))]

    yield {"ref": own, "dependsOn": refs(direct)}
    for name in sorted(every):
        yield {"ref": _ref(name, lock.versions[name]), "dependsOn": refs(lock.asked.get(name, ()))}


def _model(model: Model) -> dict[str, Any]:
    return {
        "type": "machine-learning-model",
        "bom-ref": model.hub,
        "name": model.hub,
        "description": f"{model.description} In penstock/weights.",
        "licenses": [{"license": {"id": model.licence}}],
        "hashes": _hashes(model.files[model.weights]),
        "purl": f"pkg:huggingface/{model.hub}",
        "components": [
            {"type": "file", "bom-ref": f"{model.hub}#{name}", "name": name, "hashes": _hashes(model.files[name])}
            for name in sorted(model.files)
        ],
    }


def _characters(root: Path) -> dict[str, Any]:
    table = root / "penstock" / "analysis" / "simplified.txt"
    return {
        "type": "data",
        "bom-ref": "opencc",
        "name": "OpenCC character table",
        "description": "Traditional and simplified characters, derived: penstock/analysis/simplified.txt.",
        "licenses": [{"license": {"id": "Apache-2.0"}}],
        "hashes": _hashes(hashlib.sha256(table.read_bytes()).hexdigest()),
    }


def _component(kind: str, name: str, version: str, *, license: str = "", **more: Any) -> dict[str, Any]:
    ref = _ref(name, version)
    licences = {"licenses": [{"license": {"id": license}}]} if license else {}
    return {"type": kind, "bom-ref": ref, "name": name, "version": version, "purl": ref, **licences, **more}


def _ref(name: str, version: str) -> str:
    return f"pkg:pypi/{name}@{version}"


def _hashes(sha256: str) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": sha256}]


def _names(requirements: Iterable[str]) -> Iterator[str]:
    for requirement in requirements:
        found = _NAME.match(requirement)
        if found and found[0] != OWN:
            yield re.sub(r"[-_.]+", "-", found[0]).lower()
