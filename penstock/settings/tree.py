"""The one tree of settings: built once at the way in, then passed on as plain arguments.

Order of precedence: command line, environment (`PENSTOCK_RETRIEVAL__K=5`), the folder that `secrets` names,
`penstock.toml` in the working folder, the defaults below. Settings are read from the environment here and nowhere else;
other variables are read where they are used: keys of vendors, the hub's own (`HF_TOKEN`), those that processes of
Penstock hand on. The folder may be a stranger's: what could do harm is refused unless the file is trusted (`harmless`,
`trust`).
"""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Annotated, Any, ClassVar, Literal

from platformdirs import user_data_path
from pydantic import BaseModel, Field, PrivateAttr, TypeAdapter, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

from penstock.errors import SettingsError
from penstock.settings.described import ScheduleSettings, SourceSettings
from penstock.settings.file import NAME as FILE
from penstock.settings.file import FileSource, check_trust, check_variables, problem_text, refusal, untrusted
from penstock.settings.groups import (
    AccessSettings,
    AnalyserSettings,
    CatalogSettings,
    ChunkerSettings,
    CollectionSettings,
    ConnectorSettings,
    Count,
    ElasticsearchSettings,
    EmbedderSettings,
    FolderSettings,
    HistorySettings,
    IndexSettings,
    LimitSettings,
    LLMSettings,
    LoaderSettings,
    PromptSettings,
    RetrievalSettings,
    SettingsGroup,
    Share,
    Wait,
    WebSettings,
)
from penstock.settings.harmless import sensitive
from penstock.settings.options import OPTIONS, merged

CollectionName = Annotated[str, Field(pattern=r"^[\w][\w.-]{0,49}$")]


PREFIX = "PENSTOCK_"
"""Of the environment's variables."""


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_ignore_empty=True,  # `PENSTOCK_HOME= penstock ...` says nothing, rather than the working folder
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,  # what is wrong may hold a secret, and tracebacks end in logs
    )
    harmless: ClassVar[frozenset[str]] = frozenset({"collection", "failure_share", "batch"})
    inside: ClassVar[frozenset[str]] = frozenset()
    only_shown: ClassVar[bool] = False
    """Whether what nobody trusts may be in them, because they are shown and never used."""

    trust: Path | None = Field(None, description="a penstock.toml to trust as it is, absolute; for containers and CI")
    secrets: Path | None = Field(None, description="folder with a file for each secret, such as penstock_llm__api_key")
    home: Path = Field(default_factory=lambda: user_data_path("penstock", appauthor=False))
    collection: CollectionName = Field("default", description="at most 50 letters, digits, _ . -")
    removal_share: Share = Field(0.5, description="a run that would remove more of a collection stops before it does")
    failure_share: Share = Field(0.5, description="a run of which more sources fail ends as failed")
    batch: Count = Field(32, description="documents a commit")
    lock_seconds: Wait = Field(30, description="how long a commit waits for that of another process")
    allow_external: bool = Field(False, description="allow parts that other distributions bring")
    loaders: LoaderSettings = LoaderSettings()
    folders: FolderSettings = FolderSettings()
    limits: LimitSettings = LimitSettings()
    web: WebSettings = WebSettings()
    connectors: ConnectorSettings = ConnectorSettings()
    chunker: ChunkerSettings = ChunkerSettings()
    embedder: EmbedderSettings = EmbedderSettings()
    catalog: CatalogSettings = CatalogSettings()
    indexes: IndexSettings = IndexSettings()
    elasticsearch: ElasticsearchSettings = ElasticsearchSettings()
    access: AccessSettings = AccessSettings()
    history: HistorySettings = HistorySettings()
    analyser: AnalyserSettings = AnalyserSettings()
    retrieval: RetrievalSettings = RetrievalSettings()
    prompt: PromptSettings = PromptSettings()
    llm: LLMSettings = LLMSettings()
    collections: dict[CollectionName, CollectionSettings] = Field({}, description="what `penstock sync` keeps")

    _firm: frozenset[str] = PrivateAttr(default=frozenset())
    """Dotted names that the command line or the environment gave: they win over what is set for one collection."""
    _untrusted: frozenset[str] = PrivateAttr(default=frozenset())
    """Dotted names in penstock.toml that are only shown, because nobody trusts the file."""
    _general: dict[str, Any] = PrivateAttr(default_factory=dict)
    """The values that this collection's own values replaced."""

    @property
    def are_refused(self) -> bool:
        """Whether some of them are only shown: nobody trusts the file that holds them."""
        return bool(self._untrusted)

    def for_collection(self, name: str) -> "Settings":
        """These settings with what `penstock.toml` sets for that collection alone.

        Order: command line, environment, the collection's own, the rest of `penstock.toml`, defaults.

        Raises:
            SettingsError: a collection cannot have that name.
        """
        if self._general.get("collection") == name == self.collection:
            return self
        try:
            general = {**self._general, "collection": TypeAdapter(CollectionName).validate_python(name)}
        except ValidationError as error:
            raise SettingsError(f"a collection cannot be named {name!r}; at most 50 letters, digits, _ . -") from error
        plain = self.model_copy(update=general)
        own = {key: plain._own(key, value) for key, value in plain._overrides().items()}
        plain._general = {"collection": name, **{key: getattr(plain, key) for key in own}}
        return plain.model_copy(update=own)

    def _overrides(self) -> dict[str, Any]:
        described = self.collections.get(self.collection)
        return described.overrides() if described else {}

    def _own(self, name: str, value: Any) -> Any:
        """A group or a single setting as it is for the collection, given what is set for it alone."""
        if not isinstance(value, dict):
            return getattr(self, name) if name in self._firm else value
        group = getattr(self, name)
        own = {inner: held for inner, held in value.items() if f"{name}.{inner}" not in self._firm}
        if OPTIONS in own:
            own[OPTIONS] = merged(group.options, own[OPTIONS], self._firm, f"{name}.{OPTIONS}")
        return group.model_copy(update=own)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Command line first, then environment, then the folder of secrets, then `penstock.toml`."""
        file = FileSource(settings_cls)
        above = init_settings(), env_settings()
        needing = untrusted(file, cls, vouched_for=_first_value("trust", *above))
        if not cls.only_shown:
            check_trust(file, needing)
        folder = _first_value("secrets", *above, {} if needing else file())
        secrets = [] if folder is None else [_secrets_in(folder)]
        return init_settings, env_settings, *secrets, file


class ShownSettings(Settings):
    """The settings with what an untrusted penstock.toml says: for a person to look at, not to be used."""

    only_shown = True


def _first_value(name: str, *values: Mapping[str, Any]) -> Any:
    """The value of the first source that has one."""
    return next(filter(None, (source.get(name) for source in values)), None)


def _secrets_in(folder: str | Path) -> NestedSecretsSettingsSource:
    """The settings in single files, as container engines and orchestrators hand out secrets.

    Raises:
        SettingsError: there is no such folder.
    """
    if not Path(folder).expanduser().is_dir():
        raise SettingsError(f"the setting secrets names {str(folder)!r}, which is no folder")
    return NestedSecretsSettingsSource(SecretsSettingsSource(Settings), secrets_dir=folder)


_GROUPS = frozenset(
    name for name, field in Settings.model_fields.items() if isinstance(field.default, SettingsGroup | dict)
)

_TABLES = tuple(
    f".{group}.{name}"
    for group, part in Settings.model_fields.items()
    if isinstance(part.default, SettingsGroup)
    for name, field in part.default.__class__.model_fields.items()
    if isinstance(field.default, dict) and name != OPTIONS
)
"""Ends of the dotted names of settings that are tables with names of a person's choice: each is one setting.

Options are not: `origins` and messages name each of them.
"""


def read_settings(**overrides: Any) -> Settings:
    """The settings in force; `overrides` are those of the command line or of the caller, nested as dictionaries.

    Raises:
        SettingsError: a value is not allowed or a name is not known; says which, and what is allowed. Or penstock.toml
            is not trusted, and sets what only a trusted one may.
    """
    return _read(Settings, overrides)


def read_to_show(**overrides: Any) -> Settings:
    """The same, with what an untrusted file says too: for a person to look at, not to be used.

    Raises:
        SettingsError: as `read_settings`, but not for want of trust.
    """
    return _read(ShownSettings, overrides)


def _read(kind: type[Settings], overrides: Mapping[str, Any]) -> Settings:
    check_variables(os.environ, PREFIX, _names(Settings), _GROUPS)
    try:
        settings = kind(**overrides)
        settings._untrusted = frozenset(_untrusted(overrides) if kind.only_shown else ())
        settings._firm = frozenset(
            name for _, values in _above_the_file(settings, overrides) for name, _ in leaves(values)
        )
        return settings  # noqa: TRY300 - all of it can fail
    except ValidationError as error:
        below = {"collections": _names_of_a_collection()}
        wrong = error.errors(include_input=False, include_url=False)
        problems = "; ".join(
            problem_text(problem, [*_names(Settings), *Settings.model_fields], below) for problem in wrong
        )
        raise SettingsError(f"settings cannot be used: {problems}; `penstock settings` lists all") from error
    except (OSError, TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"penstock.toml in the working folder cannot be read: {error}") from error
    except ValueError as error:  # a group in the environment that is no JSON
        raise SettingsError(f"settings cannot be read: {error}") from error


def origins(**overrides: Any) -> dict[str, str]:
    """Where each setting comes from, by its dotted name, such as `environment` or `default`.

    Of the descriptions of collections only what is set is named; what the collection in force sets for itself comes
    from `penstock.toml, collection NAME`. What is refused because nobody trusts the file says so.
    """
    settings = read_to_show(**overrides)
    in_force = settings.for_collection(settings.collection)
    own = f"collections.{settings.collection}."
    sources = (
        *((origin, values, None) for origin, values in _above_the_file(settings, overrides)),
        (f"{FILE}, collection {settings.collection}", in_force._overrides(), own),
        (FILE, FileSource(Settings)(), ""),
    )
    named = [(origin, {name for name, _ in leaves(values)}, place) for origin, values, place in sources]
    return {name: _origin(name, named, settings._untrusted) for name, _ in leaves(tree(in_force))}


def _origin(name: str, sources: Iterable[tuple[str, Collection[str], str | None]], refused: Collection[str]) -> str:
    """The first source that sets it; a place is where in the file its settings are."""
    for origin, names, place in sources:
        if name in names or any(setting.startswith(f"{name}.") for setting in names):  # an option may be a table
            needing = place is not None and any(f"{setting}.".startswith(f"{place}{name}.") for setting in refused)
            return f"{origin}, refused" if needing else origin
    return "default"


def refused(**overrides: Any) -> str:
    """Why penstock.toml is refused, and what to do; empty where it is not.

    Raises:
        SettingsError: as `read_to_show`.
    """
    source, names = FileSource(Settings), _untrusted(overrides)
    return refusal(source.file, names) if source.file and names else ""


def needing_trust(values: Mapping[str, Any], folder: Path) -> Iterator[tuple[str, Any]]:
    """What a file in that folder with these values may only set when it is trusted: names and values."""
    return sensitive(Settings, InitSettingsSource(Settings, dict(values))(), folder)


def _untrusted(overrides: Mapping[str, Any]) -> tuple[str, ...]:
    vouched_for = _first_value("trust", overrides, EnvSettingsSource(Settings)())
    return untrusted(FileSource(Settings), Settings, vouched_for=vouched_for)


def tree(settings: Settings, *, mode: Literal["python", "json"] = "python") -> dict[str, Any]:
    """All settings nested; the descriptions of collections hold only what is set."""
    described = settings.model_dump(mode=mode, include={"collections"}, exclude_unset=True)
    return settings.model_dump(mode=mode) | {"collections": {}} | described


def _above_the_file(settings: Settings, overrides: Mapping[str, Any]) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """The sources that win over penstock.toml, and their values."""
    environment = EnvSettingsSource(Settings)()
    folder = _first_value("secrets", overrides, environment) or (None if settings._untrusted else settings.secrets)
    return (
        ("command line", overrides),
        ("environment", environment),
        ("secrets", {} if folder is None else _secrets_in(folder)()),
    )


def leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted names with their values.

    >>> dict(leaves({"home": "x", "llm": {"name": "openai"}}))
    {'home': 'x', 'llm.name': 'openai'}
    """
    for name, value in values.items():
        if isinstance(value, Mapping) and not f".{prefix}{name}".endswith(_TABLES):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _names(model: type[BaseModel]) -> list[str]:
    return [name for name, _ in leaves(model.model_construct().model_dump())]


def _names_of_a_collection() -> list[str]:
    entries = [*SourceSettings.model_fields, *ScheduleSettings.model_fields, *CollectionSettings.model_fields]
    return [*entries, *_names(CollectionSettings)]
