"""What can be set, group by group; `penstock.settings` joins the groups and says where values come from."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
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
from penstock.settings.described import Described, ScheduleSettings, SourceSettings, some

Share = Annotated[float, Field(ge=0, le=1)]
Legs = Literal["both", "keyword", "vector"]
Count = Annotated[int, Field(ge=1, le=MOST_AT_ONCE)]
Tries = Annotated[int, Field(ge=1, le=MOST_TRIES)]
Workers = Annotated[int, Field(ge=1, le=MOST_WORKERS)]
Mebibytes = Annotated[int, Field(ge=1, le=MOST_MIB)]
Tokens = Annotated[int, Field(ge=1, le=MOST_TOKENS)]
Hits = Annotated[int, Field(ge=1, le=MOST_HITS)]
Seconds = Annotated[float, Field(gt=0, le=MOST_SECONDS, allow_inf_nan=False)]


class Part(BaseModel):
    """One group: misspelt names are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LoaderSettings(Part):
    """How files are read."""

    pdf: str = Field("pymupdf", description="PDF engine: pymupdf (AGPL or commercial) or pypdfium2 (permissive)")
    ocr: Literal["auto", "always", "never"] = Field("auto", description="auto: what has no text of its own")
    ocr_dpi: Annotated[int, Field(ge=1, le=HIGHEST_DPI)] = Field(
        200, description="resolution at which a scanned page is drawn for OCR"
    )
    encoding: str = Field("", description="encoding of text files that do not say; empty: detected")


class FolderSettings(Part):
    """Which files of a folder are sources; a known one that the patterns leave out is removed like a deleted one."""

    include: tuple[str, ...] = Field((), description="patterns such as *.pdf; empty: every file")
    exclude: tuple[str, ...] = Field((), description="patterns of what is left out, such as drafts/*")


class LimitSettings(Part):
    """What one source may cost."""

    parse_seconds: Seconds = Field(300, description="time to parse one file")
    parse_mib: Mebibytes = Field(1536, description="memory of the process that parses, in MiB")
    source_mib: Mebibytes = Field(512, description="size of one file or download, in MiB")
    text_mib: Mebibytes = Field(64, description="text that one file may give, in MiB")
    workers: Workers = Field(2, description="processes that parse at the same time")


class WebSettings(Part):
    """How web pages are fetched."""

    timeout_seconds: Seconds = 30
    attempts: Tries = 3
    redirects: Annotated[int, Field(ge=0, le=MOST_TRIES)] = 5
    allow_private: bool = Field(False, description="allow loopback, private and link-local addresses")
    user_agent: str = "Penstock/0.1"


class ChunkerSettings(Part):
    """How documents are cut."""

    name: str = Field("structure", description="structure, window or sentence")
    size: Tokens | None = Field(None, description="tokens of the embedding model; default: what the model sees")
    overlap: Annotated[int, Field(ge=0, le=MOST_TOKENS)] = Field(
        32, description="tokens that neighbours share (window only)"
    )


class EmbedderSettings(Part):
    """Which model computes vectors."""

    name: str = Field("onnx", description="engine: onnx, or sentence-transformers (extra)")
    model: str = Field("default", description="'default', a model folder, or a hub name that was pulled before")
    precision: Literal["auto", "float32", "bfloat16"] = Field("auto", description="auto: float32 (see the engine)")
    batch: Count = 32
    threads: Annotated[int, Field(ge=0, le=MOST_WORKERS)] = Field(0, description="0: all cores")


class IndexSettings(Part):
    """Which indexes follow the catalog."""

    keyword: str = Field("tantivy", description="tantivy (on disk), rank-bm25 (in memory) or elasticsearch (extra)")
    vector: str = Field("faiss", description="faiss (exact, on disk) or elasticsearch (extra)")


_PASSWORD = re.compile(r"(?P<before>[\w+]+://[^:/@]*):(?P<password>[^@]*)@")
_QUERIED_SECRET = re.compile(r"[?&](ssl)?password=", re.IGNORECASE)


class CatalogSettings(Part):
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
        url = _PASSWORD.sub(r"\g<before>@", given["url"])
        if "@" in url[found.end("before") + 1 :].partition("?")[0]:
            raise ValueError("the password in the url holds @; write %40 for it, or set catalog.password")
        return {**given, "url": url, "password": given.get("password") or unquote(found["password"])}


def _without_user(urls: tuple[str, ...]) -> tuple[str, ...]:
    if any("@" in url for url in urls):
        raise ValueError("an address holds a user; set elasticsearch.username and elasticsearch.password")
    return urls


class ElasticsearchSettings(Part):
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


class AnalyserSettings(Part):
    """What keyword search knows besides its own rules."""

    user_dictionary: Path | None = Field(None, description="words to keep whole, one a line")
    synonyms: Path | None = Field(None, description="comma-separated synonyms, one group a line")


class RetrievalSettings(Part):
    """How legs are joined."""

    k: Hits = 10
    candidates: Hits = Field(100, description="candidates of each leg")
    legs: Legs = "both"
    fusion: Literal["weighted", "rrf"] = "weighted"
    vector_weight: Share = Field(0.45, description="weight of the vector leg where its model covers the text")
    rrf_k: Count = 60
    neighbours: Annotated[int, Field(ge=0, le=MOST_NEIGHBOURS)] = Field(
        0, description="chunks added before and after each hit"
    )


class PromptSettings(Part):
    """How a prompt is assembled."""

    budget: Tokens | None = Field(None, description="tokens; default: the model's context less the answer")
    answer_tokens: Tokens = 1024
    policy: Literal["strict", "open"] = Field("strict", description="strict: from the sources or not at all")
    template: Path | None = Field(None, description="a Jinja2 template of your own")


class LLMSettings(Part):
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
            if isinstance(value, Part)
            else value
            for name, value in own.items()
            if value is not None
        }
