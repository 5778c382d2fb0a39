"""The versions of an index: the live one behind its alias, and the one that is being built beside it.

`NAME` is an alias of `NAME-v3`; while `NAME-v4` is built, `NAME-building` is an alias of that. Switching is one request
that the servers carry out whole or not at all.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from elasticsearch import ApiError, Elasticsearch

from penstock.errors import DamagedIndex, IndexingError
from penstock.indexers.elasticsearch.client import connect, is_absent, translated
from penstock.indexers.elasticsearch.options import Connection

SHOWN = "*.mappings._meta,*.aliases,*.settings.index.number_of_shards"
"""What is requested about an index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One index as it lies on the servers."""

    name: str
    meta: Mapping[str, Any]
    aliases: frozenset[str]
    shards: int


class Versions:
    """All versions of one index; each is marked with `meta`."""

    def __init__(self, client: Elasticsearch, alias: str, meta: Mapping[str, Any]) -> None:
        self._client = client
        self._alias = alias
        self._meta = dict(meta)
        self.building = f"{alias}-building"
        """The alias of the version that is being built."""

    def live(self) -> Version | None:
        """The version behind the alias; None where there is none.

        Raises:
            DamagedIndex: it was built by another version of Penstock, or for other content.
            IndexingError: something else has that name.
        """
        found = self._found(self._alias)
        if any(version.name == self._alias for version in found):
            raise IndexingError(
                f"{self._alias!r} is an index of its own and no alias; delete it, or set another elasticsearch.prefix"
            )
        if len(found) > 1:
            names = ", ".join(version.name for version in found)
            raise DamagedIndex(f"{self._alias!r} is an alias of several indexes ({names}): build it anew")
        if found and not self._is_ours(found[0]):
            raise DamagedIndex(
                f"{found[0].name!r} was built as {dict(found[0].meta)}, and {self._meta} is needed: build it anew"
            )
        return found[0] if found else None

    def begin(self, settings: Mapping[str, Any], mappings: Mapping[str, Any]) -> str:
        """A new empty version beside the live one, behind the alias `building`; what an earlier try left goes."""
        kept = []
        for version in self._found(f"{self._alias}-v*"):
            if self._is_ours(version) and self._alias not in version.aliases:
                self._client.indices.delete(index=version.name)
                continue
            kept.append(version.name)
            if self.building in version.aliases:  # left by another version of Penstock: nothing must be written there
                self._client.indices.delete_alias(index=version.name, name=self.building)
        number = 1 + max((_number(name) for name in kept), default=0)
        name = f"{self._alias}-v{number}"
        self._client.indices.create(
            index=name, settings=dict(settings), mappings=dict(mappings), aliases={self.building: {}}
        )
        return name

    def switch(self, name: str) -> None:
        """Makes the new version the live one and deletes the one before, at once; one that is not ours stays."""
        actions: list[dict[str, Any]] = [
            {"add": {"index": name, "alias": self._alias}},
            {"remove": {"index": name, "alias": self.building}},
        ]
        for before in self._found(self._alias):
            if self._is_ours(before):
                actions.append({"remove_index": {"index": before.name}})
            else:
                actions.append({"remove": {"index": before.name, "alias": self._alias}})
        self._client.indices.update_aliases(actions=actions)

    def _is_ours(self, version: Version) -> bool:
        return dict(version.meta) == self._meta

    def _found(self, names: str) -> list[Version]:
        try:
            answer = self._client.indices.get(index=names, filter_path=SHOWN)
        except ApiError as error:
            if is_absent(error):
                return []
            raise
        return [
            Version(
                name=name,
                meta=description.get("mappings", {}).get("_meta", {}),
                aliases=frozenset(description.get("aliases", {})),
                shards=int(description["settings"]["index"]["number_of_shards"]),
            )
            for name, description in sorted(answer.body.items())
        ]


def delete_all(connection: Connection, begun: str) -> None:
    """Deletes all versions of all indexes with that prefix, one by one: many servers take no pattern for that.

    Raises:
        IndexingError: the servers do not answer, or do not allow it.
    """
    with translated(f"deleting {begun}-* at {connection.shown()}"), connect(connection) as client:
        found = client.indices.get(index=f"{begun}-*", filter_path="*.mappings._meta", expand_wildcards="all")
        for name, description in sorted(found.body.items()):
            if description.get("mappings", {}).get("_meta", {}).get("kind") == "penstock":
                client.indices.delete(index=name, ignore_unavailable=True)


def _number(name: str) -> int:
    found = re.search(r"-v(\d+)$", name)
    return int(found[1]) if found else 0
