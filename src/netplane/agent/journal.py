"""The slice on disk: the messages that led to it, so that an agent that restarts needs no controller.

A file of frames (4 bytes of length, big endian, then a message in msgpack) after a line that names the format. Each
message is appended before it takes effect, so a killed agent knows all that its datapath may hold. A snapshot starts
a new file that takes the old one's place when it is whole; so does growth by more than the slice's own size.

Writing raises OSError as disks do. A file that misses a message is worse than none: whoever catches the error abandons
the file, and may renew it later.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from msgspec import DecodeError
from msgspec.msgpack import Decoder, Encoder

from netplane.agent.slice import Slice, Told
from netplane.stream.messages import Snapshot, Welcome

LOGGER = logging.getLogger(__name__)

FORMAT = b"netplane slice 3\n"
GROWTH = 4 << 20
"""Bytes that a file may always grow by before it is written anew."""


class Journal:
    """The file at a path. Its directory must exist."""

    def __init__(self, path: Path, *, growth: int = GROWTH) -> None:
        self._path = path
        self._growth = growth
        self._encode = Encoder().encode
        self._decode: Decoder[Told] = Decoder(Told)
        self._welcome = b""
        self._whole = 0
        self._size = 0
        self._current: int | None = None
        self._next: int | None = None

    def load(self) -> Iterator[Told]:
        """The messages in the file; what a crash or another format has made unreadable is left out and cut off."""
        try:
            octets = memoryview(self._path.read_bytes())
        except FileNotFoundError:
            return
        if octets[: len(FORMAT)] != FORMAT:
            LOGGER.warning(
                "%s is not readable by this release: machines are served when a controller answers", self._path
            )
            return
        self._whole = self._size = len(FORMAT)
        while (end := self._size + 4 + int.from_bytes(octets[self._size : self._size + 4], "big")) <= len(octets):
            frame = octets[self._size + 4 : end]
            try:
                message = self._decode.decode(frame)
            except DecodeError:
                break
            self._remember(message, bytes(frame))
            self._size = end
            yield message
        self._current = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        os.truncate(self._current, self._size)

    def note(self, message: Told, octets: bytes = b"") -> None:
        """Write a message that the slice is about to take; `octets` are the frame that it came in, if it did in one."""
        frame = octets or self._encode(message)
        self._remember(message, frame)
        if isinstance(message, Snapshot):
            self._note_part(message, frame)
        elif self._current is not None:
            _write(self._current, _length(frame), frame)
            self._size += 4 + len(frame)

    def compact(self, slice: Slice) -> None:
        """Write the file anew if it has grown past its use."""
        if slice.revision and self._size - self._whole > max(self._whole, self._growth):
            self.renew(slice)

    def renew(self, slice: Slice) -> None:
        """Write the file anew."""
        for message in slice.messages():
            self.note(message)

    def abandon(self) -> None:
        """Remove the file: something could not be written, so what it says is not what was told any more."""
        self.close()
        self._size = self._whole = 0
        for path in (self._path, self._coming):
            with suppress(OSError):
                path.unlink()

    def close(self) -> None:
        """Let go of the file."""
        for fd in (self._current, self._next):
            if fd is not None:
                os.close(fd)
        self._current = self._next = None

    def _remember(self, message: Told, frame: bytes) -> None:
        if isinstance(message, Welcome):
            self._welcome = frame
        elif isinstance(message, Snapshot) and message.last:
            self._whole = self._size + 4 + len(frame)

    def _note_part(self, part: Snapshot, frame: bytes) -> None:
        if part.first:
            if self._next is not None:
                os.close(self._next)
            self._next = os.open(self._coming, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            _write(self._next, FORMAT, *((_length(self._welcome), self._welcome) if self._welcome else ()))
        if self._next is None:
            return
        _write(self._next, _length(frame), frame)
        if part.last:
            os.fsync(self._next)
            os.replace(self._coming, self._path)
            if self._current is not None:
                os.close(self._current)
            self._current, self._next = self._next, None
            self._whole = self._size = os.lseek(self._current, 0, os.SEEK_CUR)

    @property
    def _coming(self) -> Path:
        return self._path.with_suffix(".new")


def _length(frame: bytes) -> bytes:
    return len(frame).to_bytes(4, "big")


def _write(fd: int, *pieces: bytes) -> None:
    """Write all of them, one after another; a file may take fewer bytes at once than it is offered."""
    written = os.writev(fd, pieces)
    if written < sum(map(len, pieces)):
        rest = memoryview(b"".join(pieces))[written:]
        while rest:
            rest = rest[os.write(fd, rest) :]
