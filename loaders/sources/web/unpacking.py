"""Bodies that a server sent compressed, unpacked in small pieces so that a bomb cannot grow in memory."""

import zlib
from collections.abc import Iterator

from penstock.errors import FetchError, TransientFetchError

PIECE_BYTES = 1024 * 1024
"""The most that is unpacked before somebody may count it."""


class Unpacker:
    """Undoes one `Content-Encoding`.

    Raises:
        FetchError: on creation, when the encoding is none of those that were asked for.
    """

    def __init__(self, uri: str, encoding: str) -> None:
        self._uri = uri
        self._encoding = encoding.strip().lower()
        if self._encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise FetchError(f"{uri!r} is sent as {encoding!r}, though only gzip and deflate were asked for")
        self._inflate: "zlib._Decompress | None" = None  # noqa: UP037 - the class has no name at run time

    def pieces(self, packed: bytes) -> Iterator[bytes]:
        """What some more bytes unpack to, at most `PIECE_BYTES` at a time.

        Raises:
            FetchError: the bytes are not what the encoding says.
        """
        if self._encoding in ("", "identity"):
            yield packed
            return
        try:
            yield from self._inflated(packed)
        except zlib.error as error:
            raise FetchError(f"{self._uri!r} is not the {self._encoding} that it is said to be: {error}") from error

    def _inflated(self, packed: bytes) -> Iterator[bytes]:
        while packed:
            inflate = self._inflater(packed)
            while True:
                piece = inflate.decompress(packed, PIECE_BYTES)
                if piece:
                    yield piece
                packed = inflate.unconsumed_tail
                # A full piece may leave more in the object's own memory, with no input left.
                if inflate.eof or not (packed or len(piece) == PIECE_BYTES):
                    break
            packed = inflate.unused_data.lstrip(b"\0") if inflate.eof else b""

    def finish(self) -> None:
        """Marks the end of the body.

        Raises:
            TransientFetchError: it ended too early.
        """
        if self._inflate is not None and not self._inflate.eof:
            raise TransientFetchError(f"{self._uri!r} ended before it was complete")

    def _inflater(self, packed: bytes) -> "zlib._Decompress":
        # A gzip body may have several members; each needs an object of its own.
        if self._inflate is None or self._inflate.eof:
            if self._encoding == "deflate":
                # "deflate" is zlib's format by the standard and raw deflate in the practice of some servers.
                raw = (packed[0] & 0x0F) != 8
                self._inflate = zlib.decompressobj(-zlib.MAX_WBITS if raw else zlib.MAX_WBITS)
            else:
                self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        return self._inflate
