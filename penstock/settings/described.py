"""What `penstock.toml` says of a collection besides pipeline settings: where its sources are, and when it is synced."""

import os
from collections.abc import Sequence
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    model_validator,
)

from penstock.model import readers
from penstock.settings.times import checked_cron, checked_zone, duration, duration_text
from penstock.urls import scheme_of, without_secrets

KINDS = ("path", "urls", "url_list", "sitemap", "address")
"""Of which each entry of `sources` has exactly one."""


KNOWN_SCHEMES = ("file", "http", "https")
FIRST_DECIDES = 'overlap = "first" for the collection, so that the first entry that lists a source decides'
"""How entries for different readers may list the same sources."""


def _absolute(path: Path) -> Path:
    """Relative to the working folder, in which penstock.toml lies; links are not resolved."""
    return Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - Path.absolute keeps `..`


def _is_web(text: str) -> bool:
    return text[:8].lower().startswith(("http://", "https://"))


def _web(address: str) -> str:
    host = urlsplit(address).hostname if _is_web(address) else ""  # urlsplit itself raises ValueError
    if not host:
        raise ValueError(f"{without_secrets(address)!r} is no web address; write https://host/path")
    if "@" in urlsplit(address).netloc:
        raise ValueError(f"the address of a page on {host!r} carries a user name or password; leave it out")
    return address


def _web_or_path(text: str) -> str:
    return _web(text) if _is_web(text) else str(_absolute(Path(text)))


def _connected(address: str) -> str:
    if scheme_of(address) in ("", *KNOWN_SCHEMES):
        raise ValueError(f"{without_secrets(address)!r} is of no connector; write path or urls for files and pages")
    if without_secrets(address) != address:
        raise ValueError(f"{without_secrets(address)!r} holds a secret, which has its place in connectors.options")
    return address


def _label(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"a label is a text or a number, not {value!r}")  # noqa: TRY004 - pydantic reports ValueError only
    return value


def _every(value: Any) -> Any:
    return value if isinstance(value, timedelta) else duration(str(value))


WebAddress = Annotated[str, AfterValidator(_web)]
Duration = Annotated[timedelta, BeforeValidator(_every), PlainSerializer(duration_text, when_used="json")]
Label = Annotated[str | int | float, BeforeValidator(_label)]


class Described(BaseModel):
    """A part of the description of a collection."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    harmless: ClassVar[frozenset[str]] = frozenset()
    """As of every group (`settings.groups`)."""
    inside: ClassVar[frozenset[str]] = frozenset()


class SourceSettings(Described):
    """One entry of a collection's sources: a path, web addresses, a list of them, a sitemap, a connector's address."""

    harmless = frozenset({"urls", "sitemap", "include", "exclude", "labels", "access"})
    inside = frozenset({"path", "url_list"})

    path: Annotated[Path, AfterValidator(_absolute)] | None = Field(None, description="a folder or a file")
    urls: tuple[WebAddress, ...] = Field((), description="web addresses, one by one")
    url_list: Annotated[str, AfterValidator(_web_or_path)] = Field(
        "", description="a file, or a web address, with one web address a line"
    )
    sitemap: Annotated[str, AfterValidator(_web)] = Field("", description="web address of a sitemap")
    address: Annotated[str, AfterValidator(_connected)] = Field(
        "", description="of a connector's scheme, such as wiki://space"
    )
    include: tuple[str, ...] | None = Field(None, description="of a path; default: folders.include")
    exclude: tuple[str, ...] | None = Field(None, description="of a path; default: folders.exclude")
    labels: dict[str, Label] = Field({}, description="attached to each source of this entry")
    access: tuple[str, ...] | None = Field(
        None, description="principals that may see them; empty: everybody; default: as before, new ones inherit"
    )

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Self:
        kinds = [kind for kind in KINDS if getattr(self, kind)]
        if len(kinds) != 1:
            named = " and ".join(kinds) if kinds else "none"
            raise ValueError(f"an entry has exactly one of {', '.join(KINDS)}; this one has {named}")
        if self.path is None and (self.include is not None or self.exclude is not None):
            raise ValueError(f"include and exclude choose files of a path; this entry has {kinds[0]}")
        return self

    @property
    def _has_patterns(self) -> bool:
        return bool(self.include or self.exclude)

    @property
    def named(self) -> str:
        """The entry, as messages show it."""
        listed = self.url_list or self.sitemap or self.address or ", ".join(self.urls)
        return str(self.path or without_secrets(listed))


def check_apart(sources: Sequence[SourceSettings]) -> None:
    """Looks for entries that are sure to list the same sources, and name different readers for them.

    Where an entry has patterns of its own, only its listing shows what it lists. Without `access` it names no readers.

    Raises:
        ValueError: there are such; names both.
    """
    named = [
        (n, entry, frozenset(entry.access)) for n, entry in enumerate(sources, start=1) if entry.access is not None
    ]
    for (number, entry, access), (later_number, later, later_access) in combinations(named, 2):
        if access != later_access and _meet(entry, later):
            raise ValueError(
                f"entry {number} ({entry.named!r}), for {readers(access)}, and entry {later_number} "
                f"({later.named!r}), for {readers(later_access)}, list the same sources; leave them out of one "
                f"(exclude), or set {FIRST_DECIDES}"
            )


def _meet(entry: SourceSettings, other: SourceSettings) -> bool:
    if not set(entry.urls).isdisjoint(other.urls) or (entry.address and entry.address == other.address):
        return True
    if entry.path is None or other.path is None or entry._has_patterns or other._has_patterns:
        return False
    return entry.path.is_relative_to(other.path) or other.path.is_relative_to(entry.path)


def not_empty(sources: tuple[SourceSettings, ...]) -> tuple[SourceSettings, ...]:
    """The entries, of which there is at least one.

    Raises:
        ValueError: there is none: every known source would be one too many.
    """
    if not sources:
        raise ValueError("a collection has at least one entry, such as { path = './handbook' }")
    return sources


class ScheduleSettings(Described):
    """When a collection is synced by itself."""

    cron: str = Field("", description="five fields: minute, hour, day, month, day of the week")
    timezone: Annotated[str, AfterValidator(checked_zone)] = Field("UTC", description="of the cron line")
    every: Duration | None = Field(None, description="such as 30m, 6h or 1d, in place of cron")

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Self:
        if bool(self.cron) == (self.every is not None):
            raise ValueError("a schedule has either cron or every")
        if self.every is not None and "timezone" in self.model_fields_set:
            raise ValueError("timezone goes with cron; every needs none")
        if self.cron:
            checked_cron(self.cron)
        return self
