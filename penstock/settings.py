"""The one tree of settings: built once at the way in, then passed on as plain arguments.

Order of precedence: command line, environment (`PENSTOCK_RETRIEVAL__K=5`), the folder that `secrets` names,
`penstock.toml` in the working folder, the defaults below. No other module reads the environment.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from platformdirs import user_data_path
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from penstock.described import Described, ScheduleSettings, SourceSettings, some
from penstock.errors import SettingsError
from penstock.misspelt import check_variables, told

Share = Annotated[float, Field(ge=0, le=1)]
Legs = Literal["both", "keyword", "vector"]
Count = Annotated[int, Field(ge=1)]
CollectionName = Annotated[str, Field(pattern=r"^[\w][\w.-]{0,49}$")]


PREFIX = "PENSTOCK_"
"""Of the environment's variables."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LoaderSettings(_Part):
    """How files are read."""

    pdf: str = Field("pymupdf", description="PDF engine: pymupdf (AGPL or commercial) or pypdfium2 (permissive)")
    ocr: Literal["auto", "always", "never"] = Field("auto", description="auto: what has no text of its own")
    ocr_dpi: Count = Field(200, description="resolution at which a scanned page is drawn for OCR")
    encoding: str = Field("", description="encoding of text files that do not say; empty: detected")


class FolderSettings(_Part):
    """Which files of a folder are sources; a known one that the patterns leave out is removed like a deleted one."""

    include: tuple[str, ...] = Field((), description="patterns such as *.pdf; empty: every file")
    exclude: tuple[str, ...] = Field((), description="patterns of what is left out, such as drafts/*")


class LimitSettings(_Part):
    """What one source may cost."""

    parse_seconds: float = Field(300, gt=0, description="time to parse one file")
    parse_mib: Count = Field(1536, description="memory of the process that parses, in MiB")
    source_mib: Count = Field(512, description="size of one file or download, in MiB")
    text_mib: Count = Field(64, description="text that one file may give, in MiB")
    workers: Count = Field(2, description="processes that parse at the same time")


class WebSettings(_Part):
    """How web pages are fetched."""

    timeout_seconds: float = Field(30, gt=0)
    attempts: Count = 3
    redirects: Annotated[int, Field(ge=0)] = 5
    allow_private: bool = Field(False, description="allow loopback, private and link-local addresses")
    user_agent: str = "Penstock/0.1"


class ChunkerSettings(_Part):
    """How documents are cut."""

    name: str = Field("structure", description="structure, window or sentence")
    size: Count | None = Field(None, description="tokens of the embedding model; default: what the model sees")
    overlap: Annotated[int, Field(ge=0)] = Field(32, description="tokens that neighbours share (window only)")


class EmbedderSettings(_Part):
    """Which model computes vectors."""

    name: str = Field("onnx", description="engine: onnx, or sentence-transformers (extra)")
    model: str = Field("default", description="'default', a model folder, or a hub name that was pulled before")
    precision: Literal["auto", "float32", "bfloat16"] = Field("auto", description="auto: float32 (see the engine)")
    batch: Count = 32
    threads: Annotated[int, Field(ge=0)] = Field(0, description="0: all cores")


class IndexSettings(_Part):
    """Which indexes follow the catalog."""

    keyword: str = Field("tantivy", description="tantivy (on disk), rank-bm25 (in memory) or elasticsearch (extra)")
    vector: str = Field("faiss", description="faiss (exact, on disk) or elasticsearch (extra)")


_PASSWORD = re.compile(r"(?P<before>[\w+]+://[^:/@]*):(?P<password>[^@]*)@")
_QUERIED_SECRET = re.compile(r"[?&](ssl)?password=", re.IGNORECASE)


class CatalogSettings(_Part):
    """Where the catalog is kept."""

    url: str = Field("", description="postgresql://USER@HOST/DATABASE (extra postgresql); empty: a file in the home")
    password: SecretStr | None = Field(None, description="of the database's user; one in the url is moved here")

    @model_validator(mode="before")
    @classmethod
    def _part_secret(cls, given: Any) -> Any:
        """A password inside of the address is kept as a secret, which is printed nowhere."""
        if not isinstance(given, Mapping) or not isinstance(given.get("url"), str):
            return given
        if _QUERIED_SECRET.search(given["url"]):
            raise ValueError("a password has no place in the url's query; set catalog.password")
        found = _PASSWORD.match(given["url"])
        if found is None:
            return given
        password = given.get("password") or unquote(found["password"])
        return {**given, "url": _PASSWORD.sub(r"\g<before>@", given["url"]), "password": password}


class ElasticsearchSettings(_Part):
    """How Elasticsearch is reached, where an index is kept there."""

    urls: tuple[str, ...] = Field(("http://127.0.0.1:9200",), description="one node or several, http:// or https://")
    cloud_id: str = Field("", description="of a deployment of Elastic Cloud, in place of urls")
    api_key: SecretStr | None = None
    username: str = ""
    password: SecretStr | None = None
    ca_certs: Path | None = Field(None, description="certificates of the authority that signed the servers'")
    fingerprint: str = Field("", description="SHA-256 fingerprint of the authority's certificate, in place of it")
    prefix: str = Field("penstock", pattern=r"^[a-z][a-z0-9_-]{0,39}$", description="what names of indexes begin with")
    shards: Count = 1
    replicas: Annotated[int, Field(ge=0)] = Field(1, description="copies of each shard on other nodes")
    vectors: Literal["exact", "hnsw"] = Field("exact", description="hnsw: faster in large indexes, now and then wrong")
    timeout_seconds: float = Field(30, gt=0)
    attempts: Count = Field(5, description="tries of a write that the server was too busy for")


class AnalyserSettings(_Part):
    """What keyword search knows besides its own rules."""

    user_dictionary: Path | None = Field(None, description="words to keep whole, one a line")
    synonyms: Path | None = Field(None, description="comma-separated synonyms, one group a line")


class RetrievalSettings(_Part):
    """How legs are joined."""

    k: Count = 10
    candidates: Count = Field(100, description="candidates of each leg")
    legs: Legs = "both"
    fusion: Literal["weighted", "rrf"] = "weighted"
    vector_weight: Share = Field(0.45, description="weight of the vector leg where its model covers the text")
    rrf_k: Count = 60
    neighbours: Annotated[int, Field(ge=0)] = Field(0, description="chunks added before and after each hit")


class PromptSettings(_Part):
    """How a prompt is assembled."""

    budget: Count | None = Field(None, description="tokens; default: the model's context less the answer")
    answer_tokens: Count = 1024
    policy: Literal["strict", "open"] = Field("strict", description="strict: from the sources or not at all")
    template: Path | None = Field(None, description="a Jinja2 template of your own")


class LLMSettings(_Part):
    """Which language model answers."""

    name: str = Field("extractive", description="extractive (built in) or openai (any compatible server)")
    preset: str = Field("", description="a vendor's or server's preset; see `penstock models presets`")
    base_url: str = ""
    model: str = ""
    api_key: SecretStr | None = None
    context_tokens: Count | None = None
    tokenizer: Path | None = Field(None, description="the model's tokenizer.json, to count exactly and not estimate")
    timeout_seconds: float = Field(60, gt=0)
    attempts: Count = 3
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0


class CollectionSettings(Described):
    """A collection that `penstock sync` keeps: its sources, its schedule, and what is set otherwise for it alone."""

    sources: Annotated[tuple[SourceSettings, ...], AfterValidator(some)]
    schedule: ScheduleSettings | None = None
    removal_share: Share | None = None
    failure_share: Share | None = None
    batch: Count | None = None
    loaders: LoaderSettings = LoaderSettings()
    folders: FolderSettings = FolderSettings()
    limits: LimitSettings = LimitSettings()
    web: WebSettings = WebSettings()
    chunker: ChunkerSettings = ChunkerSettings()
    embedder: EmbedderSettings = EmbedderSettings()
    indexes: IndexSettings = IndexSettings()
    analyser: AnalyserSettings = AnalyserSettings()
    retrieval: RetrievalSettings = RetrievalSettings()
    prompt: PromptSettings = PromptSettings()
    llm: LLMSettings = LLMSettings()

    def overrides(self) -> dict[str, Any]:
        """What is set for this collection alone, nested as in `Settings`."""
        own = {name: getattr(self, name) for name in self.model_fields_set - {"sources", "schedule"}}
        return {
            name: {inner: getattr(value, inner) for inner in value.model_fields_set}
            if isinstance(value, _Part)
            else value
            for name, value in own.items()
            if value is not None
        }


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_ignore_empty=True,  # `PENSTOCK_HOME= penstock ...` says nothing, rather than the working folder
        extra="forbid",
        frozen=True,
        toml_file="penstock.toml",
    )

    secrets: Path | None = Field(None, description="folder with a file for each secret, such as penstock_llm__api_key")
    home: Path = Field(default_factory=lambda: user_data_path("penstock", appauthor=False))
    collection: CollectionName = Field("default", description="at most 50 letters, digits, _ . -")
    removal_share: Share = Field(0.5, description="a run that would remove more of a collection stops before it does")
    failure_share: Share = Field(0.5, description="a run of which more sources fail ends as failed")
    batch: Count = Field(32, description="documents a commit")
    allow_external: bool = Field(False, description="allow parts that other distributions bring")
    loaders: LoaderSettings = LoaderSettings()
    folders: FolderSettings = FolderSettings()
    limits: LimitSettings = LimitSettings()
    web: WebSettings = WebSettings()
    chunker: ChunkerSettings = ChunkerSettings()
    embedder: EmbedderSettings = EmbedderSettings()
    catalog: CatalogSettings = CatalogSettings()
    indexes: IndexSettings = IndexSettings()
    elasticsearch: ElasticsearchSettings = ElasticsearchSettings()
    analyser: AnalyserSettings = AnalyserSettings()
    retrieval: RetrievalSettings = RetrievalSettings()
    prompt: PromptSettings = PromptSettings()
    llm: LLMSettings = LLMSettings()
    collections: dict[CollectionName, CollectionSettings] = Field({}, description="what `penstock sync` keeps")

    _firm: frozenset[str] = PrivateAttr(default=frozenset())
    """Dotted names that the command line or the environment gave: they win over what is set for one collection."""
    _general: dict[str, Any] = PrivateAttr(default_factory=dict)
    """What stood in place of the values that are those of one collection now."""

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
        own = {inner: one for inner, one in value.items() if f"{name}.{inner}" not in self._firm}
        return getattr(self, name).model_copy(update=own)

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
        toml_settings = TomlConfigSettingsSource(settings_cls)
        said = (source().get("secrets") for source in (init_settings, env_settings, toml_settings))
        folder = next(filter(None, said), None)
        secrets = [] if folder is None else [_secrets_in(folder)]
        return init_settings, env_settings, *secrets, toml_settings


def _secrets_in(folder: str | Path) -> NestedSecretsSettingsSource:
    """The settings that stand in files, as container engines and orchestrators hand out secrets.

    Raises:
        SettingsError: there is no such folder.
    """
    if not Path(folder).expanduser().is_dir():
        raise SettingsError(f"the setting secrets names {str(folder)!r}, which is no folder")
    return NestedSecretsSettingsSource(SecretsSettingsSource(Settings), secrets_dir=folder)


_GROUPS = frozenset(name for name, field in Settings.model_fields.items() if isinstance(field.default, _Part | dict))


def read_settings(**given: Any) -> Settings:
    """The settings in force; `given` are those of the command line or of the caller, nested as dictionaries.

    Raises:
        SettingsError: a value is not allowed or a name is not known; says which, and what is allowed.
    """
    check_variables(os.environ, PREFIX, _names(Settings), _GROUPS)
    try:
        settings = Settings(**given)
        settings._firm = frozenset(name for _, values in _above_the_file(settings, given) for name, _ in leaves(values))
        return settings  # noqa: TRY300 - all of it can fail
    except ValidationError as error:
        below = {"collections": _names_of_a_collection()}
        wrong = error.errors(include_input=False, include_url=False)
        all_told = "; ".join(told(one, _names(Settings), below) for one in wrong)
        raise SettingsError(f"settings cannot be used: {all_told}; `penstock settings` lists all") from error
    except (OSError, TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"penstock.toml in the working folder cannot be read: {error}") from error
    except ValueError as error:  # a group in the environment that is no JSON
        raise SettingsError(f"settings cannot be read: {error}") from error


def origins(**given: Any) -> dict[str, str]:
    """Where each setting in force comes from, by its dotted name, such as `environment` or `default`.

    Of the descriptions of collections only what is set is named; what the collection in force sets for itself comes
    from `penstock.toml, collection NAME`.
    """
    settings = read_settings(**given)
    in_force = settings.for_collection(settings.collection)
    sources = (
        *_above_the_file(settings, given),
        (f"penstock.toml, collection {settings.collection}", in_force._overrides()),
        ("penstock.toml", TomlConfigSettingsSource(Settings)()),
    )
    said = [(origin, {name for name, _ in leaves(values)}) for origin, values in sources]
    return {
        name: next((origin for origin, names in said if name in names), "default") for name, _ in leaves(tree(in_force))
    }


def tree(settings: Settings, *, mode: Literal["python", "json"] = "python") -> dict[str, Any]:
    """All settings nested, and of the descriptions of collections only what is set."""
    described = settings.model_dump(mode=mode, include={"collections"}, exclude_unset=True)
    return settings.model_dump(mode=mode) | {"collections": {}} | described


def _above_the_file(settings: Settings, given: Mapping[str, Any]) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """Where values come from that win over penstock.toml, and the values."""
    secrets = {} if settings.secrets is None else _secrets_in(settings.secrets)()
    return ("command line", given), ("environment", EnvSettingsSource(Settings)()), ("secrets", secrets)


def leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted names with their values.

    >>> dict(leaves({"home": "x", "llm": {"name": "openai"}}))
    {'home': 'x', 'llm.name': 'openai'}
    """
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _names(model: type[BaseModel]) -> list[str]:
    return [name for name, _ in leaves(model.model_construct().model_dump())]


def _names_of_a_collection() -> list[str]:
    entries = [*SourceSettings.model_fields, *ScheduleSettings.model_fields, *CollectionSettings.model_fields]
    return [*entries, *_names(CollectionSettings)]
