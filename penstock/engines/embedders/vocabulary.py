"""A model's own tokenizer: ids for the model, counts and places for the chunkers, scripts for the coverage."""

import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from penstock.errors import DamagedModel
from penstock.model import Blueprint

TOKENIZER = "tokenizer.json"
"""Name of the tokenizer's file in a model's folder."""
SURROGATE = re.compile("[\ud800-\udfff]")
"""Code points that are no characters, which broken files leave in texts and no tokenizer takes."""


class Vocabulary:
    """A tokenizer in the format of the library `tokenizers`; threads may share it.

    Raises:
        DamagedModel: the file cannot be read.
    """

    def __init__(self, path: str | Path, *, lower_case: bool = False) -> None:
        from tokenizers import Tokenizer, normalizers

        try:
            self._tokenizer: Any = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises nothing more precise
            raise DamagedModel(f"the tokenizer {str(path)!r} cannot be read: {error}") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        if lower_case:
            own = [self._tokenizer.normalizer] if self._tokenizer.normalizer is not None else []
            self._tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), *own])

    @staticmethod
    def blueprint(path: Path, *, lower_case: bool) -> Blueprint:
        """Makes the vocabulary of that file, here or in another process."""
        factory = f"{Vocabulary.__module__}:{Vocabulary.__qualname__}"
        return Blueprint(factory=factory, options={"path": str(path.absolute()), "lower_case": lower_case})

    def ids(self, texts: Sequence[str], *, max_tokens: int) -> list[list[int]]:
        """Token ids of each text with the special tokens around them, cut to `max_tokens`."""
        before, after = self._around
        room = max(max_tokens - len(before) - len(after), 0)
        encoded = self._tokenizer.encode_batch_fast([clean(text) for text in texts], add_special_tokens=False)
        return [[*before, *encoding.ids[:room], *after] for encoding in encoded]

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without special tokens."""
        encoded = self._tokenizer.encode_batch_fast([clean(text) for text in texts], add_special_tokens=False)
        return [len(ids) for ids in encoded]

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """The position of each token in the text, as half-open ranges of code points, in order."""
        return list(self._tokenizer.encode(clean(text), add_special_tokens=False).offsets)

    def pieces(self, text: str) -> list[tuple[int, int, bool]]:
        """Each token's place in the text, and whether the vocabulary knows it."""
        encoded = self._tokenizer.encode(clean(text), add_special_tokens=False)
        return [(*place, token != self._unknown) for place, token in zip(encoded.offsets, encoded.ids, strict=True)]

    @cached_property
    def entries(self) -> tuple[str, ...]:
        """Every piece of the vocabulary, as the tokenizer writes it."""
        return tuple(self._tokenizer.get_vocab())

    @cached_property
    def _around(self) -> tuple[list[int], list[int]]:
        """The special tokens before and after a text."""
        bare = self._tokenizer.encode("a", add_special_tokens=False).ids
        full = self._tokenizer.encode("a").ids
        for start in range(len(full) - len(bare) + 1):
            if full[start : start + len(bare)] == bare:
                return full[:start], full[start + len(bare) :]
        return [], []

    @cached_property
    def _unknown(self) -> int | None:
        model = self._tokenizer.model
        token = getattr(model, "unk_token", None)
        if token is not None:
            return self._int(self._tokenizer.token_to_id(token))
        return self._int(getattr(model, "unk_id", None))

    @staticmethod
    def _int(found: int | None) -> int | None:
        return None if found is None else int(found)


def clean(text: str) -> str:
    """The text with U+FFFD in place of lone surrogates; as long as before.

    >>> clean("a\\ud800b")
    'a\ufffdb'
    """
    return SURROGATE.sub("\ufffd", text)
