"""Small encoders with random weights, in the sentence-transformers layout: real models for tests, made in a second."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from penstock.ports import Float32Array

Kind = Literal["bert", "xlm-roberta"]
WIDTH, HEADS, LAYERS, INNER = 32, 4, 2, 64
POSITIONS = 66
SEED = 11
TEXTS = (
    "ten days of leave carry over into the next year",
    "the turbine gate opens when the pressure falls",
    "error in the backup of the device driver",
    "未休完的年假可以结转到下一年",
    "年假怎么申请 需要经理批准",
)
"""Where the words of the vocabularies come from."""
TO_DTYPE: Mapping[str, Callable[[Float32Array], bytes]] = {
    "F32": lambda array: array.astype("<f4").tobytes(),
    "F16": lambda array: array.astype("<f2").tobytes(),
    "BF16": lambda array: (array.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes(),
}


def write_model(
    folder: Path,
    kind: Kind = "bert",
    *,
    pooling: Literal["mean", "cls"] = "mean",
    dtype: str = "F32",
    normalize: bool = True,
    prompts: Mapping[str, str] | None = None,
    max_tokens: int = 64,
    changes: Mapping[str, Any] | None = None,
) -> Path:
    """Writes a model folder and gives it back; `changes` go into the encoder's `config.json`."""
    (folder / "1_Pooling").mkdir(parents=True)
    vocabulary = _write_tokenizer(folder, kind)
    config = _config(kind, vocabulary) | dict(changes or {})
    names = ["Transformer", "Pooling", *(["Normalize"] if normalize else [])]
    paths = ["", "1_Pooling", "2_Normalize"]
    kinds = [f"sentence_transformers.models.{name}" for name in names]
    modules = [
        {"idx": number, "name": str(number), "path": path, "type": type_}
        for number, (path, type_) in enumerate(zip(paths, kinds, strict=False))
    ]
    flags = {"pooling_mode_mean_tokens": pooling == "mean", "pooling_mode_cls_token": pooling == "cls"}
    _write(folder / "config.json", config)
    _write(folder / "modules.json", modules)
    _write(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": WIDTH, **flags})
    _write(folder / "sentence_bert_config.json", {"max_seq_length": max_tokens, "do_lower_case": False})
    _write(folder / "config_sentence_transformers.json", {"prompts": dict(prompts or {}), "default_prompt_name": None})
    write_safetensors(folder / "model.safetensors", _weights(vocabulary), dtype)
    return folder


def write_safetensors(path: Path, arrays: Mapping[str, Float32Array], dtype: str = "F32") -> None:
    """Writes arrays of any shape in the safetensors format, as F32, F16 or BF16."""
    header: dict[str, Any] = {}
    parts, offset = [], 0
    for name, array in arrays.items():
        parts.append(TO_DTYPE[dtype](array))
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [offset, offset + len(parts[-1])]}
        offset += len(parts[-1])
    encoded = json.dumps(header).encode()
    encoded += b" " * (-len(encoded) % 8)
    path.write_bytes(len(encoded).to_bytes(8, "little") + encoded + b"".join(parts))


def _config(kind: Kind, vocabulary: int) -> dict[str, Any]:
    own: dict[str, Any] = {
        "pad_token_id": 0,
        "type_vocab_size": 2,
        "layer_norm_eps": 1e-12,
        "architectures": ["BertModel"],
    }
    if kind == "xlm-roberta":
        own = {"pad_token_id": 1, "type_vocab_size": 2, "layer_norm_eps": 1e-5, "architectures": ["XLMRobertaModel"]}
    return own | {
        "model_type": kind,
        "hidden_act": "gelu",
        "hidden_size": WIDTH,
        "intermediate_size": INNER,
        "num_attention_heads": HEADS,
        "num_hidden_layers": LAYERS,
        "max_position_embeddings": POSITIONS,
        "vocab_size": vocabulary,
    }


def _weights(vocabulary: int) -> dict[str, Float32Array]:
    """Random weights by name, float32, of the shapes that BERT gives them."""
    chance = np.random.default_rng(SEED)
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (vocabulary, WIDTH),
        "embeddings.position_embeddings.weight": (POSITIONS, WIDTH),
        "embeddings.token_type_embeddings.weight": (2, WIDTH),
        "embeddings.LayerNorm": (WIDTH,),
    }
    for number in range(LAYERS):
        at = f"encoder.layer.{number}."
        dense: dict[str, tuple[int, ...]] = {
            f"attention.self.{part}": (WIDTH, WIDTH) for part in ("query", "key", "value")
        }
        dense |= {
            "attention.output.dense": (WIDTH, WIDTH),
            "intermediate.dense": (INNER, WIDTH),
            "output.dense": (WIDTH, INNER),
        }
        for name, shape in dense.items():
            shapes |= {f"{at}{name}.weight": shape, f"{at}{name}.bias": shape[:1]}
        shapes |= {f"{at}attention.output.LayerNorm": (WIDTH,), f"{at}output.LayerNorm": (WIDTH,)}
    arrays: dict[str, Float32Array] = {}
    for name, shape in shapes.items():
        drawn = chance.normal(0, 0.3, shape).astype(np.float32)
        if name.endswith("LayerNorm"):
            arrays |= {f"{name}.weight": 1 + drawn, f"{name}.bias": drawn[::-1].copy()}
        else:
            arrays[name] = drawn
    return arrays


def _write_tokenizer(folder: Path, kind: Kind) -> int:
    """Writes `tokenizer.json`; gives the size of the vocabulary. Nothing is trained: training breaks ties by chance."""
    from tokenizers import processors

    special, tokenizer = _wordpiece() if kind == "bert" else _unigram()
    first, last = special["cls"], special["sep"]
    around = [(name, tokenizer.token_to_id(name)) for name in (first, last)]
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{first} $A {last}", special_tokens=around)
    tokenizer.add_special_tokens(list(special.values()))
    tokenizer.save(str(folder / "tokenizer.json"))
    stated = {f"{role}_token": token for role, token in special.items()}
    _write(folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", **stated})
    return int(tokenizer.get_vocab_size())


def _wordpiece() -> tuple[dict[str, str], Any]:
    """Words of Latin letters whole, everything else letter by letter."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    special = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
    words = sorted({word for text in TEXTS for word in text.split() if word.isascii()})
    letters = sorted(
        {letter for text in TEXTS for letter in text if not letter.isspace()} | set("bjmqxz0123456789,.-/")
    )
    entries = dict.fromkeys([*special.values(), *words, *letters, *(f"##{letter}" for letter in letters)])
    vocabulary = {entry: number for number, entry in enumerate(entries)}
    tokenizer: Any = Tokenizer(models.WordPiece(vocabulary, unk_token=special["unk"]))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return special, tokenizer


def _unigram() -> tuple[dict[str, str], Any]:
    """Words of Latin letters and pairs of Chinese characters, then single characters."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    special = {"cls": "<s>", "pad": "<pad>", "sep": "</s>", "unk": "<unk>", "mask": "<mask>"}
    words = [word for text in TEXTS for word in text.split()]
    pairs = {word[at : at + 2] for word in words if not word.isascii() for at in range(len(word) - 1)}
    pieces: dict[str, float] = dict.fromkeys(special.values(), 0.0)
    pieces |= dict.fromkeys(sorted({f"▁{word}" for word in words if word.isascii()}), -5.0)
    pieces |= dict.fromkeys(sorted(pairs), -6.0)
    pieces |= dict.fromkeys(["▁", *sorted(set("".join(words)))], -9.0)
    tokenizer: Any = Tokenizer(models.Unigram(list(pieces.items()), unk_id=list(pieces).index("<unk>")))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return special, tokenizer


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")
