"""Messages as bytes: msgpack, one message a frame.

A record is encoded once however many hosts it goes to: frames down are made of records that are bytes already.
"""

from collections.abc import Iterable
from typing import cast

from msgspec import DecodeError, Raw
from msgspec.msgpack import Decoder, Encoder

from netplane.model import AnyRecord, Record
from netplane.stream.faults import RemoteFault
from netplane.stream.messages import Delta, Down, Message, Snapshot, Up

Key = tuple[str, str]
"""The kind and the id of a record."""

_ENCODER = Encoder()
_UP = Decoder(Up)
_DOWN = Decoder(Down)


def encode(message: Message) -> bytes:
    """The frame of a message."""
    return _ENCODER.encode(message)


def decode_up(frame: bytes) -> Up:
    """The message that an agent sent; RemoteFault if it is none."""
    return cast(Up, _decode(_UP, frame))


def decode_down(frame: bytes) -> Down:
    """The message that a controller sent; RemoteFault if it is none."""
    return cast(Down, _decode(_DOWN, frame))


def snapshot(revision: int, records: Iterable[Raw], *, first: bool, last: bool) -> Snapshot:
    """A part of a snapshot out of records that are bytes already; only to be encoded."""
    return Snapshot(revision, first, last, cast(list[AnyRecord], list(records)))


def delta(revision: int, upserts: Iterable[Raw], deletes: Iterable[Key]) -> Delta:
    """A delta out of records that are bytes already; only to be encoded."""
    return Delta(revision, cast(list[AnyRecord], list(upserts)), list(deletes))


class Encodings:
    """The bytes of records, kept as long as the same record is asked for again."""

    def __init__(self, limit: int = 1_000_000) -> None:
        self._limit = limit
        self._known: dict[Key, tuple[Record, Raw]] = {}

    def encode(self, key: Key, record: Record) -> Raw:
        """The bytes of a record; its key stands for it until another record comes under the same key."""
        known = self._known.get(key)
        if known and known[0] is record:
            return known[1]
        if len(self._known) >= self._limit:
            self._known.clear()
        raw = Raw(_ENCODER.encode(record))
        self._known[key] = (record, raw)
        return raw

    def forget(self, key: Key) -> None:
        """The record is no more."""
        self._known.pop(key, None)


def _decode(decoder: Decoder[Up] | Decoder[Down], frame: bytes) -> object:
    try:
        return decoder.decode(frame)
    except (DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise RemoteFault(f"not a message: {error}") from None
