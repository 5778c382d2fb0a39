"""A mounted file system in which some files never give a byte, as on a network share whose server is gone."""

import ctypes
import errno
import os
import stat
import struct
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

_LOOKUP, _FORGET, _GETATTR, _OPEN, _READ, _INIT = 1, 2, 3, 14, 15, 26
_OPENDIR, _READDIR, _INTERRUPT, _BATCH_FORGET = 27, 28, 36, 42
_UNANSWERED = frozenset((_FORGET, _INTERRUPT, _BATCH_FORGET))
_REQUEST = struct.Struct("<IIQQIIII")
_REPLY = struct.Struct("<IiQ")
_ROOT = 1
_FORCED_AND_DETACHED = 1 | 2
_BUFFER_BYTES = 1 << 20
_READ_AHEAD_BYTES, _ASYNCHRONOUS = 1 << 17, 1
"""As usual servers have it: who waits for a read can then at least be killed, as with a network share of NFS."""


class DeadShare:
    """Mounts `folder` as one that holds `files` by name; one whose content is None never gives a byte.

        with DeadShare(folder, {"fine.txt": b"text", "hangs.txt": None}):
            ...

    A real file system of the kernel (FUSE), served by a thread; for the super-user of a machine that has /dev/fuse. Who
    still waits for a file when the context ends gets an error.

    Source: fuse(4), and include/uapi/linux/fuse.h of Linux 6.12.
    """

    def __init__(self, folder: Path, files: dict[str, bytes | None]) -> None:
        self._folder = folder
        self._files = list(files.items())
        self.asked = threading.Event()
        """Set when somebody waits for a file that never gives a byte."""

    @staticmethod
    def is_possible() -> bool:
        """Whether this process may mount one."""
        return os.geteuid() == 0 and os.access("/dev/fuse", os.R_OK | os.W_OK)

    def __enter__(self) -> Self:
        self._device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        self._libc = ctypes.CDLL(None, use_errno=True)
        options = f"fd={self._device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}"
        if self._libc.mount(b"dead-share", os.fsencode(self._folder), b"fuse", 0, options.encode()):
            number = ctypes.get_errno()
            os.close(self._device)
            raise OSError(number, os.strerror(number))
        self._thread = threading.Thread(target=self._serve, daemon=True, name="serving a dead share")
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._libc.umount2(os.fsencode(self._folder), _FORCED_AND_DETACHED)
        self._thread.join(10)
        os.close(self._device)

    def _serve(self) -> None:
        while True:
            try:
                request = os.read(self._device, _BUFFER_BYTES)
            except OSError as error:
                if error.errno == errno.ENOENT:  # a request that was taken back
                    continue
                return  # unmounted
            _, opcode, unique, node, *_ = _REQUEST.unpack_from(request)
            if opcode in _UNANSWERED:
                continue
            answer = self._answer(opcode, node, request[_REQUEST.size :])
            if answer is None:
                self.asked.set()
                continue
            error_number, body = (-answer, b"") if isinstance(answer, int) else (0, answer)
            os.write(self._device, _REPLY.pack(_REPLY.size + len(body), error_number, unique) + body)

    def _answer(self, opcode: int, node: int, body: bytes) -> bytes | int | None:
        """The body of a reply, an error number, or None where none is ever given."""
        if opcode == _INIT:
            return struct.pack("<IIIIHHIIHHI28x", 7, 31, _READ_AHEAD_BYTES, _ASYNCHRONOUS, 0, 0, 4096, 1, 0, 0, 0)
        if opcode == _LOOKUP:
            return self._entry(os.fsdecode(body.rstrip(b"\0")))
        if opcode == _GETATTR:
            return struct.pack("<QII", 60, 0, 0) + self._attributes(node)
        if opcode in (_OPEN, _OPENDIR):
            return struct.pack("<QII", 0, 0, 0)
        if opcode == _READDIR:
            return self._names(struct.unpack_from("<QQI", body)[1])
        if opcode == _READ:
            content = self._files[node - _ROOT - 1][1]
            _, offset, size = struct.unpack_from("<QQI", body)
            return None if content is None else content[offset : offset + size]
        return errno.ENOSYS

    def _entry(self, name: str) -> bytes | int:
        for node, (known, _) in enumerate(self._files, start=_ROOT + 1):
            if known == name:
                return struct.pack("<QQQQII", node, 0, 60, 60, 0, 0) + self._attributes(node)
        return errno.ENOENT

    def _attributes(self, node: int) -> bytes:
        mode, size = stat.S_IFDIR | 0o755, 4096
        if node != _ROOT:
            content = self._files[node - _ROOT - 1][1]
            mode, size = stat.S_IFREG | 0o644, 100 if content is None else len(content)
        return struct.pack("<QQQQQQIIIIIIIIII", node, size, 1, 1, 1, 1, 0, 0, 0, mode, 1, os.getuid(), 0, 0, 4096, 0)

    def _names(self, offset: int) -> bytes:
        entries = [os.fsencode(name) for name, _ in self._files]
        return b"".join(
            struct.pack("<QQII", _ROOT + 1 + number, number + 1, len(name), stat.S_IFREG >> 12)
            + name.ljust(-(-len(name) // 8) * 8, b"\0")
            for number, name in enumerate(entries)
            if number >= offset
        )
