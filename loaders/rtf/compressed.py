"""The compressed RTF of Outlook messages."""

_START = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript "
    b"\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
    b"\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
_WINDOW = 4096
_HEAD_BYTES = 16
_COMPRESSED, _PLAIN = b"LZFu", b"MELA"
MAX_BYTES = 64 * 1024**2


def decompress_rtf(content: bytes) -> bytes:
    """The RTF inside the property; as much of it as can be read where it is damaged.

    Source: [MS-OXRTFCP] 3.1.3, LZ77 over a window of 4096 bytes that starts with a given text.
    """
    kind = content[8:12]
    if kind == _PLAIN:
        return content[_HEAD_BYTES:]
    return _expanded(content) if kind == _COMPRESSED else b""


def _expanded(content: bytes) -> bytes:
    window = bytearray(_START.ljust(_WINDOW, b"\0"))
    position, written, out = _HEAD_BYTES, len(_START), bytearray()
    while position < len(content) and len(out) < MAX_BYTES:
        control = content[position]
        position += 1
        for bit in range(8):
            if control >> bit & 1:
                reference = int.from_bytes(content[position : position + 2], "big")
                position += 2
                offset, length = reference >> 4, (reference & 15) + 2
                if offset == written % _WINDOW:  # the mark of the end
                    return bytes(out)
                piece = [_copied(window, offset + step, written + step) for step in range(length)]
            else:
                piece = [_put(window, written, byte) for byte in content[position : position + 1]]
                position += 1
            out += bytes(piece)
            written += len(piece)
    return bytes(out)


def _copied(window: bytearray, source: int, target: int) -> int:
    return _put(window, target, window[source % _WINDOW])


def _put(window: bytearray, target: int, byte: int) -> int:
    window[target % _WINDOW] = byte
    return byte
