"""Small files of each container format, made from texts of a test: zip archives and compound files (OLE2)."""

import io
import struct
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from penstock.model import Source

SECTOR, MINI_SECTOR, CUTOFF = 512, 64, 4096
_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD


def source_of(content: bytes, *, uri: str = "memory:sample", media_type: str = "application/octet-stream") -> Source:
    """The source that bytes in memory come from."""
    return Source(uri=uri, media_type=media_type, sha256=sha256(content).hexdigest(), size=len(content), labels={})


def zip_of(parts: Mapping[str, bytes | str]) -> bytes:
    """A zip archive with these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def compound_of(streams: Mapping[str, bytes]) -> bytes:
    """A compound file with these streams; `folder/name` puts one into a storage.

    Source: [MS-CFB] 2.
    """
    return _Compound(streams).written()


@dataclass(slots=True)
class _Node:
    name: str
    kind: int
    content: bytes = b""
    start: int = _END
    child: int = _FREE
    right: int = _FREE
    inside: list["_Node"] = field(default_factory=list)


class _Compound:
    def __init__(self, streams: Mapping[str, bytes]) -> None:
        self._root = _Node("Root Entry", 5)
        for path, content in streams.items():
            *folders, name = path.split("/")
            holder = self._root
            for folder in folders:
                holder = self._folder(holder, folder)
            holder.inside.append(_Node(name, 2, content))
        self._chains: list[int] = []
        self._sectors: list[bytes] = []

    def _folder(self, holder: _Node, name: str) -> _Node:
        for node in holder.inside:
            if node.name == name:
                return node
        holder.inside.append(_Node(name, 1))
        return holder.inside[-1]

    def written(self) -> bytes:
        nodes = list(self._numbered())
        mini = self._place_streams(nodes)
        mini_start = self._store(b"".join(struct.pack("<I", link) for link in mini), _FREE)
        mini_sectors = -(-len(mini) * 4 // SECTOR)
        directory = self._store(b"".join(map(_entry, nodes)), 0)
        count = -(-(len(self._sectors) + 1) // (SECTOR // 4 - 1))
        table_at = [len(self._sectors) + step for step in range(count)]
        links = self._chains + [_FAT] * count
        table = b"".join(struct.pack("<I", link) for link in links).ljust(count * SECTOR, b"\xff")
        head = struct.pack(
            "<8s16xHHHHH6x9I",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6, 0, count, directory, 0, CUTOFF,
            mini_start if mini else _END, mini_sectors, _END, 0,
        )  # fmt: skip
        head += b"".join(struct.pack("<I", place) for place in table_at).ljust(SECTOR - len(head), b"\xff")
        return head + b"".join(self._sectors) + table

    def _numbered(self) -> Iterator[_Node]:
        """All entries in the order of their numbers; brothers form a chain to the right."""
        pending, number = [self._root], 1
        while pending:
            node = pending.pop(0)
            yield node
            for step, inner in enumerate(node.inside):
                if step == 0:
                    node.child = number
                inner.right = number + 1 if step + 1 < len(node.inside) else _FREE
                number += 1
            pending += node.inside

    def _place_streams(self, nodes: list[_Node]) -> list[int]:
        """Stores long streams in sectors, short ones together in the stream of the root; gives the short chains."""
        links: list[int] = []
        for node in nodes:
            if node.kind == 2 and len(node.content) >= CUTOFF:
                node.start = self._store(node.content, 0)
            elif node.kind == 2 and node.content:
                node.start = len(links)
                size = -(-len(node.content) // MINI_SECTOR)
                links += [len(links) + step + 1 for step in range(size - 1)] + [_END]
                self._root.content += node.content.ljust(size * MINI_SECTOR, b"\0")
        if self._root.content:
            self._root.start = self._store(self._root.content, 0)
        return links

    def _store(self, content: bytes, filler: int) -> int:
        if not content:
            return _END
        first = len(self._sectors)
        for start in range(0, len(content), SECTOR):
            self._sectors.append(content[start : start + SECTOR].ljust(SECTOR, b"\xff" if filler else b"\0"))
            self._chains.append(len(self._sectors))
        self._chains[-1] = _END
        return first


def _entry(node: _Node) -> bytes:
    name = (node.name + "\0").encode("utf-16-le")
    head = struct.pack("<64sHBBIII", name, len(name), node.kind, 1, _FREE, node.right, node.child)
    return head + bytes(36) + struct.pack("<IQ", node.start, len(node.content))
