"""Reading a model folder in the sentence-transformers layout, old and new: which parts it has and how it is asked."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from penstock.engines.models import published
from penstock.engines.models.checksums import Checksums
from penstock.errors import DamagedModel, ModelNotFound, UnsupportedModel
from penstock.ids import digest
from penstock.ports import Role

ROLE_PROMPTS: Mapping[Role, tuple[str, ...]] = {"query": ("query",), "passage": ("document", "passage", "corpus")}
"""Names under which models store the prompt of a role, in the order of sentence-transformers."""

E5 = re.compile(r"(^|[-_])e5-(small|base|large)(-v2)?$", re.IGNORECASE)
"""Models of the E5 family state their prefixes in prose only: `query: ` and `passage: `."""

IN_BLOCKS = "q4_0"
"""How `config.json` says that weights are stored in blocks of four bits (`blocks.py`)."""


@dataclass(frozen=True, kw_only=True)
class ModelFolder:
    """A model folder: its name and what its configuration files say."""

    path: Path
    name: str
    config: Mapping[str, Any]
    """The encoder's `config.json`."""
    modules: tuple[tuple[str, Mapping[str, Any]], ...]
    """Kind and configuration of each module after the encoder: `Pooling`, `Normalize`, `Dense` ..."""
    max_tokens: int
    """How much of a text the model sees, special tokens included."""
    lower_case: bool
    """Whether texts are put in lower case before the tokenizer's own rules."""
    prompts: Mapping[str, str]
    default_prompt: str

    @property
    def dimension(self) -> int:
        """Length of a vector: that of the last module which states one, else the encoder's."""
        for _, config in reversed(self.modules):
            size = config.get("out_features") or config.get("embedding_dimension")
            size = size or config.get("word_embedding_dimension")
            if size:
                return int(size)
        return int(self.config["hidden_size"])

    @property
    def in_blocks(self) -> bool:
        """Whether the weights are stored in blocks of four bits."""
        stored = self.config.get("quantization_config") or {}
        return bool(stored.get("quant_method") == IN_BLOCKS)

    @cached_property
    def pooling(self) -> str:
        """How token vectors become one: `mean`, `cls`, ...; several modes are joined by `+`."""
        for kind, config in self.modules:
            if kind == "Pooling":
                return _pooling(config)
        return "none"

    def prompt(self, role: Role) -> str:
        """What is put before each text of a role."""
        for name in ROLE_PROMPTS[role]:
            if name in self.prompts:
                return self.prompts[name]
        return self.default_prompt

    def weight_files(self) -> tuple[Path, ...]:
        """The files of the weights, sorted: safetensors where there are any.

        Raises:
            ModelNotFound: there is none.
        """
        for pattern in ("*.safetensors", "pytorch_model*.bin"):
            found = tuple(sorted(self.path.glob(pattern)))
            if found:
                return found
        raise ModelNotFound(f"the model folder {str(self.path)!r} holds no weights (model.safetensors)")

    def checksum(self, checksums: Checksums) -> str:
        """SHA-256 of the weights; of the list of those of all files where there are several.

        Raises:
            DamagedModel: a file cannot be read, or a published model's weights are not those that were published.
        """
        try:
            found = [checksums.of(path) for path in self.weight_files()]
        except OSError as error:
            raise DamagedModel(f"the weights in {str(self.path)!r} cannot be read: {error}") from error
        checksum = found[0] if len(found) == 1 else digest("weights", *found)
        known = published.at(self.path, checksums.home)
        if known is not None and checksum != known.weights_sha256:
            raise DamagedModel(
                f"the weights of {known.name} in {str(self.path)!r} are not the published ones (SHA-256 {checksum}, "
                f"expected {known.weights_sha256}); fetch them again with: penstock models pull {known.name}"
            )
        return checksum

    def identity(self, checksums: Checksums, precision: str, *, checksum: str | None = None) -> str:
        """Model, weights, pooling and precision; two engines that compute the same vectors state the same identity.

        `checksum` is that of what computes in place of the weights, as a graph of the publisher's.

        Raises:
            DamagedModel: see `checksum`.
        """
        tokenizer = self.path / "tokenizer.json"
        settings = [
            [[kind, dict(config)] for kind, config in self.modules],
            [self.prompt("query"), self.prompt("passage"), self.max_tokens, self.lower_case],
            checksums.of(tokenizer) if tokenizer.is_file() else "",
        ]
        recipe = digest("embedder", json.dumps(settings, sort_keys=True))[:8]
        return f"{self.name}@{(checksum or self.checksum(checksums))[:16]}/{self.pooling}/{recipe}/{precision}"


def read_folder(path: Path, name: str = "") -> ModelFolder:
    """What the configuration files of a model folder say; `name` where the folder's own says nothing.

    Raises:
        ModelNotFound: the folder or its `config.json` is not there.
        UnsupportedModel: the folder does not begin with an encoder, or says nothing about pooling.
        DamagedModel: a configuration file is not JSON.
    """
    name = name or path.name
    modules = [
        (str(module["type"]).rsplit(".", 1)[-1], str(module.get("path", "")))
        for module in _json(path / "modules.json", default=[{"type": "Transformer"}])
    ]
    if not modules or modules[0][0] != "Transformer":
        raise UnsupportedModel(f"the model folder {str(path)!r} does not begin with a transformer: {modules}")
    inner = path / modules[0][1]
    if not (inner / "config.json").is_file():
        raise ModelNotFound(
            f"{str(path)!r} is no model folder: it holds no config.json; see: penstock models pull --help"
        )
    config = _json(inner / "config.json")
    asked = _json(path / "config_sentence_transformers.json", default={})
    shape = _json(inner / "sentence_bert_config.json", default={})
    tokens = _json(inner / "tokenizer_config.json", default={})
    prompts = dict(asked.get("prompts") or {})
    if not any(prompts.values()) and E5.search(name):
        prompts = {"query": "query: ", "passage": "passage: "}
    return ModelFolder(
        path=inner,
        name=name,
        config=config,
        modules=tuple((kind, _json(path / place / "config.json", default={})) for kind, place in modules[1:]),
        max_tokens=_max_tokens(config, shape, tokens),
        lower_case=bool(shape.get("do_lower_case", False)),
        prompts=prompts,
        default_prompt=prompts.get(asked.get("default_prompt_name") or "", ""),
    )


def _max_tokens(config: Mapping[str, Any], shape: Mapping[str, Any], tokens: Mapping[str, Any]) -> int:
    """The stated length, never more than there are positions; RoBERTa's begin after the padding token's."""
    positions = int(config.get("max_position_embeddings") or 512)
    if config.get("model_type") in ("roberta", "xlm-roberta", "camembert"):
        positions -= int(config.get("pad_token_id", 1)) + 1
    stated = shape.get("max_seq_length") or tokens.get("model_max_length") or positions
    return int(min(stated, positions))


def _pooling(config: Mapping[str, Any]) -> str:
    modes = config.get("pooling_mode")
    if modes is None:
        old = {"cls_token": "cls", "max_tokens": "max", "mean_tokens": "mean"}
        modes = [old.get(mode, mode) for mode in _flags(config)] or ["mean"]
    return modes if isinstance(modes, str) else "+".join(modes)


def _flags(config: Mapping[str, Any]) -> list[str]:
    return [key.removeprefix("pooling_mode_") for key, on in config.items() if key.startswith("pooling_mode_") and on]


def _json(path: Path, default: Any = None) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if default is None:
            raise ModelNotFound(f"the model's file {str(path)!r} is not there") from None
        return default
    except (OSError, ValueError) as error:
        raise DamagedModel(f"the model's file {str(path)!r} cannot be read: {error}") from error
