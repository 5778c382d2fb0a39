"""The checksums that tantivy writes at the end of its files, which its Python binding does not look at.

Source: tantivy's src/directory/footer.rs: content, footer in JSON, its length and 1337, both little-endian u32.
"""

import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

META = "meta.json"
"""Names tantivy's segments; written with each commit, and without a checksum."""
_END = struct.Struct("<II")
_MAGIC = 1337


def changed_files(folder: Path) -> Iterator[str]:
    """Which files of the segments that the folder's `meta.json` names are damaged, and how; read in pieces.

    Raises:
        OSError, ValueError, KeyError, TypeError: they cannot be read.
    """
    segments = json.loads((folder / META).read_text("utf-8"))["segments"]
    names = {segment["segment_id"].replace("-", "") for segment in segments}
    for path in sorted(folder.iterdir()):
        if path.name.partition(".")[0] in names and not _is_whole(path.read_bytes()):
            yield f"{path} is not what was written: its checksum differs"


def _is_whole(data: bytes) -> bool:
    if len(data) < _END.size:
        return False
    length, magic = _END.unpack(data[-_END.size :])
    start = len(data) - _END.size - length
    if magic != _MAGIC or start < 0:
        return False
    try:
        expected = json.loads(data[start : -_END.size])["crc"]
    except (ValueError, KeyError, TypeError):
        return False
    return bool(zlib.crc32(memoryview(data)[:start]) == expected)
