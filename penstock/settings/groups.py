"""What can be set, group by group; `penstock.settings` joins the groups and says where values come from."""

import re
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import unquote

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from penstock.limits import (
    HIGHEST_DPI,
    MOST_AT_ONCE,
    MOST_HITS,
    MOST_MIB,
    MOST_NEIGHBOURS,
    MOST_SECONDS,
    MOST_TOKENS,
    MOST_TRIES,
    MOST_WORKERS,
)
from penstock.model.kinds import MEDIA_TYPE
from penstock.settings.described import Described, ScheduleSettings, SourceSettings, check_apart, not_empty
from penstock.settings.options import Options
from penstock.urls import secret_parameters

MediaType = Annotated[str, Field(pattern=f"^{MEDIA_TYPE}$")]
Share = Annotated[float, Field(ge=0, le=1)]
Legs = Literal["both", "keyword", "vector"]
Count = Annotated[int, Field(ge=1, le=MOST_AT_ONCE)]
Tries = Annotated[int, Field(ge=1, le=MOST_TRIES)]
Workers = Annotated[int, Field(ge=1, le=MOST_WORKERS)]
Mebibytes = Annotated[int, Field(ge=1, le=MOST_MIB)]
Tokens = Annotated[int, Field(ge=1, le=MOST_TOKENS)]
Hits = Annotated[int, Field(ge=1, le=MOST_HITS)]
Seconds = Annotated[float, Field(gt=0, le=MOST_SECONDS, allow_inf_nan=False)]
Wait = Annotated[float, Field(ge=0, le=MOST_SECONDS, allow_inf_nan=False)]


class SettingsGroup(BaseModel):
    """One group: misspelt names are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    harmless: ClassVar[frozenset[str]] = frozenset()
    """Settings that a penstock.toml may hold which nobody trusted; all others are refused (`settings.harmless`)."""
    inside: ClassVar[frozenset[str]] = frozenset()
    """Paths that such a file may hold where they lie below its own folder."""


class HistorySettings(SettingsGroup):
    """How many of a collection's earlier revisions can be searched and gone back to."""

    keep: Annotated[int, Field(ge=0, le=MOST_AT_ONCE)] | Literal["all"] = Field(
        10, description="the newest revisions that stay after each run; 0 or all: every one"
    )

    @property
    def revisions(self) -> int | None:
        """How many; None: all."""
        return None if self.keep == "all" else self.keep or None


class LoaderSettings(SettingsGroup):
    """How files are read."""

    harmless = frozenset({"pdf", "ocr", "ocr_dpi", "encoding"})

    pdf: str = Field("pymupdf", description="PDF engine: pymupdf (AGPL or commercial) or pypdfium2 (permissive)")
    """NAME is short for `engines` with "application/pdf" = "pdf-NAME"."""
    ocr: Literal["auto", "always", "never"] = Field("auto", description="auto: what has no text of its own")
    ocr_dpi: Annotated[int, Field(ge=1, le=HIGHEST_DPI)] = Field(
        200, description="resolution at which a scanned page is drawn for OCR"
    )
    encoding: str = Field("", description="encoding of text files that do not say; empty: detected")
    engines: dict[MediaType, str] = Field({}, description="loaders by the media types that they shall read")
    readable: tuple[Path, ...] = Field((), description="files and folders of data that a loader of your own reads")
    options: dict[str, Options] = Field({}, description="of each loader that has any, by its name")


class FolderSettings(SettingsGroup):
    """Which files of a folder are sources; a known one that the patterns leave out is removed like a deleted one."""

    harmless = frozenset({"include", "exclude"})

    include: tuple[str, ...] = Field((), description="patterns such as *.pdf; empty: every file")
    exclude: tuple[str, ...] = Field((), description="patterns of what is left out, such as drafts/*")
    links: Literal["inside", "all", "none"] = Field(
        "inside", description="links in a folder that are followed: to what lies in it anyway, all, or none"
    )


class LimitSettings(SettingsGroup):
    """What one source may cost."""

    parse_seconds: Seconds = Field(300, description="time to parse one file")
    parse_mib: Mebibytes = Field(1536, description="memory of the process that parses, in MiB")
    read_seconds: Seconds = Field(60, description="time in which nothing comes from a file before it is given up")
    source_mib: Mebibytes = Field(512, description="size of one file or download, in MiB")
    text_mib: Mebibytes = Field(64, description="text that one file may give, in MiB")
    workers: Workers = Field(2, description="processes that parse at the same time")


_PRINTABLE = r"^[\x20-\x7e]*$"
"""The characters that a header of a request may hold."""


def _network(text: str) -> str:
    """The network in its one form; raises `ValueError` where it is none."""
    return str(ip_network(text))


class WebSettings(SettingsGroup):
    """How web pages are fetched."""

    harmless = frozenset({"timeout_seconds", "attempts", "redirects", "user_agent"})

    timeout_seconds: Seconds = 30
    attempts: Tries = 3
    redirects: Annotated[int, Field(ge=0, le=MOST_TRIES)] = 5
    allow_networks: tuple[Annotated[str, AfterValidator(_network)], ...] = Field(
        (), description="networks of your own that may be read, such as 10.1.0.0/16"
    )
    allow_private: bool = Field(False, description="all of them: allow loopback, private and link-local addresses")
    user_agent: Annotated[str, Field(pattern=_PRINTABLE)] = "Penstock/0.1"
    contact: Annotated[str, Field(pattern=_PRINTABLE)] = Field(
        "", description="mail or web address for those whose pages are read; added to the user agent"
    )
    robots: bool = Field(True, description="ask robots.txt before reading what a list or sitemap names")
    pause_seconds: Annotated[float, Field(ge=0, le=MOST_SECONDS)] = Field(
        1, description="between two pages of a host that a list or sitemap names"
    )


class ConnectorSettings(SettingsGroup):
    """How sources are reached that other distributions connect to."""

    options: dict[str, Options] = Field({}, description="of each connector that has any, by its scheme")


class ChunkerSettings(SettingsGroup):
    """How documents are cut."""

    harmless = frozenset({"name", "size", "overlap"})

    name: str = Field("structure", description="structure, window or sentence")
    size: Tokens | None = Field(None, description="tokens of the embedding model; default: what the model sees")
    overlap: Annotated[int, Field(ge=0, le=MOST_TOKENS)] = Field(
        32, description="tokens that neighbours share (window only)"
    )
    options: Options = Field({}, description="of a chunker that has any")


class EmbedderSettings(SettingsGroup):
    """Which model computes vectors."""

    name: str = Field("onnx", description="engine: onnx, or sentence-transformers (extra)")
    model: str = Field("default", description="'default', a name of `penstock models list`, or a model folder")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="auto: float32, or int8 where weights are stored in four bits"
    )
    batch: Count = 32
    threads: Annotated[int, Field(ge=0, le=MOST_WORKERS)] = Field(0, description="0: all cores")
    options: Options = Field({}, description="of an engine that has any")


class IndexSettings(SettingsGroup):
    """Which indexes follow the catalog."""

    keyword: str = Field("tantivy", description="tantivy (on disk), rank-bm25 (in memory) or elasticsearch (extra)")
    vector: str = Field("faiss", description="faiss (exact, on disk) or elasticsearch (extra)")
    options: dict[str, Options] = Field({}, description="of each index that has any, by its name")


_PASSWORD = re.compile(r"(?P<before>[\w+]+://[^:/@]*):(?P<password>[^@]*)@")


class CatalogSettings(SettingsGroup):
    """Where the catalog is kept."""

    url: str = Field("", description="postgresql://USER@HOST/DATABASE (extra postgresql); empty: a file in the home")
    password: SecretStr | None = Field(None, description="of the database's user; one in the url is moved here")

    @model_validator(mode="before")
    @classmethod
    def _part_secret(cls, values: Any) -> Any:
        """A password inside of the address is kept as a secret, which is printed nowhere."""
        if not isinstance(values, Mapping) or not isinstance(values.get("url"), str):
            return values
        if secret_parameters(values["url"]):
            raise ValueError("a password has no place in the url's query; set catalog.password")
        found = _PASSWORD.match(values["url"])
        if found is None:
            return values
        url = _PASSWORD.sub(r"\g<before>@", values["url"])
        if "@" in url[found.end("before") + 1 :].partition("?")[0]:
            raise ValueError("the password in the url holds @; write %40 for it, or set catalog.password")
        return {**values, "url": url, "password": values.get("password") or unquote(found["password"])}


def _without_user(urls: tuple[str, ...]) -> tuple[str, ...]:
    if any("@" in url for url in urls):
        raise ValueError("an address holds a user; set elasticsearch.username and elasticsearch.password")
    return urls


class ElasticsearchSettings(SettingsGroup):
    """How Elasticsearch is reached, where an index is kept there."""

    urls: Annotated[tuple[str, ...], AfterValidator(_without_user)] = Field(
        ("http://127.0.0.1:9200",), description="one node or several, http:// or https://"
    )
    cloud_id: str = Field("", description="of a deployment of Elastic Cloud, in place of urls")
    api_key: SecretStr | None = None
    username: str = ""
    password: SecretStr | None = None
    ca_certs: Path | None = Field(None, description="certificates of the authority that signed the servers'")
    fingerprint: str = Field("", description="SHA-256 fingerprint of the authority's certificate, in place of it")
    prefix: str = Field("penstock", pattern=r"^[a-z][a-z0-9_-]{0,39}$", description="what names of indexes begin with")
    shards: Workers = 1
    replicas: Annotated[int, Field(ge=0, le=MOST_WORKERS)] = Field(1, description="copies of each shard on other nodes")
    vectors: Literal["exact", "hnsw"] = Field("exact", description="hnsw: faster in large indexes, now and then wrong")
    timeout_seconds: Seconds = 30
    attempts: Tries = Field(5, description="tries of a write that the server was too busy for")


class AccessSettings(SettingsGroup):
    """Who may look."""

    required: bool = Field(False, description="refuse to search and to show for nobody in particular: see --as")


class AnalyserSettings(SettingsGroup):
    """What keyword search knows besides its own rules."""

    inside = frozenset({"user_dictionary", "synonyms"})

    user_dictionary: Path | None = Field(None, description="words to keep whole, one a line")
    synonyms: Path | None = Field(None, description="comma-separated synonyms, one group a line")


class RetrievalSettings(SettingsGroup):
    """How legs are joined."""

    harmless = frozenset({"k", "candidates", "legs", "fusion", "vector_weight", "rrf_k", "neighbours"})

    k: Hits = 10
    candidates: Hits = Field(100, description="candidates of each leg")
    legs: Legs = "both"
    fusion: Literal["weighted", "rrf"] = "weighted"
    vector_weight: Share = Field(0.45, description="weight of the vector leg where its model covers the text")
    rrf_k: Count = 60
    neighbours: Annotated[int, Field(ge=0, le=MOST_NEIGHBOURS)] = Field(
        0, description="chunks added before and after each hit"
    )


class PromptSettings(SettingsGroup):
    """How a prompt is assembled."""

    harmless = frozenset({"budget", "answer_tokens", "policy"})

    budget: Tokens | None = Field(None, description="tokens; default: the model's context less the answer")
    answer_tokens: Tokens = 1024
    policy: Literal["strict", "open"] = Field("strict", description="strict: from the sources or not at all")
    template: Path | None = Field(None, description="a Jinja2 template of your own")


class LLMSettings(SettingsGroup):
    """Which language model answers."""

    name: str = Field("extractive", description="extractive (built in) or openai (any compatible server)")
    preset: str = Field("", description="a vendor's or server's preset; see `penstock models presets`")
    base_url: str = ""
    model: str = ""
    api_key: SecretStr | None = None
    context_tokens: Tokens | None = None
    tokenizer: Path | None = Field(None, description="the model's tokenizer.json, to count exactly and not estimate")
    timeout_seconds: Seconds = 60
    attempts: Tries = 3
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0
    options: Options = Field({}, description="of a language model that has any")


class CollectionSettings(Described):
    """A collection that `penstock sync` keeps: its sources, its schedule, and what is set otherwise for it alone."""

    harmless = frozenset({"schedule", "failure_share", "batch"})

    sources: Annotated[tuple[SourceSettings, ...], AfterValidator(not_empty)]
    schedule: ScheduleSettings | None = None
    overlap: Literal["error", "first"] = Field("error", description="first: of entries for different readers")
    removal_share: Share | None = None
    failure_share: Share | None = None
    batch: Count | None = None
    loaders: LoaderSettings = LoaderSettings()
    folders: FolderSettings = FolderSettings()
    limits: LimitSettings = LimitSettings()
    web: WebSettings = WebSettings()
    connectors: ConnectorSettings = ConnectorSettings()
    chunker: ChunkerSettings = ChunkerSettings()
    embedder: EmbedderSettings = EmbedderSettings()
    indexes: IndexSettings = IndexSettings()
    access: AccessSettings = AccessSettings()
    history: HistorySettings = HistorySettings()
    analyser: AnalyserSettings = AnalyserSettings()
    retrieval: RetrievalSettings = RetrievalSettings()
    prompt: PromptSettings = PromptSettings()
    llm: LLMSettings = LLMSettings()

    @model_validator(mode="after")
    def _is_for_known_readers(self) -> Self:
        if self.overlap == "error":
            check_apart(self.sources)
        return self

    def overrides(self) -> dict[str, Any]:
        """What is set for this collection alone, nested as in `Settings`."""
        own = {name: getattr(self, name) for name in self.model_fields_set - {"sources", "schedule", "overlap"}}
        return {
            name: {inner: getattr(value, inner) for inner in value.model_fields_set}
            if isinstance(value, SettingsGroup)
            else value
            for name, value in own.items()
            if value is not None
        }
