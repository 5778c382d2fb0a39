"""Rules that replace single characters, in the form in which a `tokenizer.json` takes them (`Precompiled`).

The form is SentencePiece's: a double array (Aoe 1989; https://github.com/s-yata/darts-clone) from the UTF-8 bytes of a
character to a place in a blob of replacements that each end in a zero byte. Standard library only.
"""

import struct
from collections.abc import Mapping

LEAF, IS_VALUE, OFFSET_BIT = 1 << 8, 1 << 31, 10
BLOCK = 64
"""Bytes after the first of a character lie in one such block: 0x80 to 0xbf."""
ROOT = 256
"""Where the first bytes of characters begin."""

Tree = dict[int, "Tree | int"]
"""What follows each byte: another byte, or the place of the replacement."""


def charsmap(replacements: Mapping[str, str]) -> bytes:
    """The rules as `precompiled_charsmap`, before it is written in base64.

    The array is laid out for speed of writing and not for size: a block for each prefix, values in what is left free.
    """
    blob = bytearray()
    tree: Tree = {}
    places: dict[str, int] = {}
    for text in replacements.values():
        if text not in places:
            places[text] = len(blob)
            blob += text.encode() + b"\0"
    for character, text in replacements.items():
        _enter(tree, character.encode(), places[text])
    units = _units(tree)
    array = struct.pack(f"<{len(units)}I", *units)
    return struct.pack("<I", len(array)) + array + bytes(blob)


def _enter(tree: Tree, key: bytes, place: int) -> None:
    for byte in key[:-1]:
        below = tree.setdefault(byte, {})
        assert isinstance(below, dict)  # noqa: S101  # no character's bytes begin another's
        tree = below
    tree[key[-1]] = place


def _units(tree: Tree) -> list[int]:
    """The array: a node's unit says where its children begin, from its own place on (by exclusive or)."""
    units: dict[int, int] = {0: ROOT << OFFSET_BIT}
    leaves: list[tuple[int, int]] = []
    waiting, block = [(ROOT, tree)], 2 * ROOT
    while waiting:
        base, node = waiting.pop()
        for byte, below in node.items():
            at = base ^ byte
            units[at] = byte
            if isinstance(below, int):
                leaves.append((at, below))
            else:
                first = block ^ 0x80
                units[at] |= (at ^ first) << OFFSET_BIT
                waiting.append((first, below))
                block += BLOCK
    free = 0
    for at, value in leaves:
        while free in units or free % BLOCK == 0:  # multiples of the block are where children begin
            free += 1
        units[at] |= LEAF | (at ^ free) << OFFSET_BIT
        units[free] = IS_VALUE | value
    size = (max(units) | 0xFF) + 1
    return [units.get(at, 0) for at in range(size)]
