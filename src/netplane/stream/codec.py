"""Messages as bytes: msgpack, one message a frame.

A record is encoded once however many hosts it goes to: frames down are made of records that are bytes already, those of
a snapshot of whole runs of records.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from struct import Struct
from typing import Generic, NamedTuple, TypeVar, cast

from msgspec import DecodeError, Raw
from msgspec.msgpack import Decoder, Encoder

from netplane.model import Endpoint, NamedRecord, Record, kind_of
from netplane.stream.faults import RemoteFault
from netplane.stream.messages import Delta, Down, Message, Snapshot, Up, apart

Key = tuple[str, str]
"""The kind and the id of a record."""

ENDPOINT = kind_of(Endpoint)
RUN = 400
"""Records in a run."""
OVERHEAD = 200
"""Bytes that it takes to keep any runs."""


class Run(NamedTuple):
    """Records as bytes, one after another."""

    number: int
    """How many."""
    octets: bytes


Name = TypeVar("Name", bound=Hashable)
"""What runs are kept under."""

_ARRAY = Struct(">BI")
"""How msgpack begins an array: 0xdd, and its length."""
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


def snapshot(revision: int, runs: Iterable[Run], *, first: bool, last: bool) -> Snapshot:
    """A part of a snapshot out of runs of records; only to be encoded."""
    named: list[Run] = []
    endpoints: list[Run] = []
    for run in runs:
        (endpoints if _is_array(run.octets) else named).append(run)
    joined = cast(list[NamedRecord], _joined(named)), cast(list[Endpoint], _joined(endpoints))
    return Snapshot(revision, first, last, *joined)


def delta(revision: int, records: Mapping[Key, Raw | None]) -> Delta:
    """A delta out of records that are bytes already, None for those that are needed no more; only to be encoded."""
    named: list[Raw] = []
    endpoints: list[Raw] = []
    deletes: list[Key] = []
    for key, record in records.items():
        if record is None:
            deletes.append(key)
        else:
            (endpoints if key[0] == ENDPOINT else named).append(record)
    return Delta(revision, cast(list[NamedRecord], named), deletes, cast(list[Endpoint], endpoints))


def raw(record: Record) -> Raw:
    """The bytes of a record."""
    return Raw(_ENCODER.encode(record))


def runs(records: Sequence[Record]) -> list[Run]:
    """Records as bytes, in runs of `RUN` at most, of endpoints alone or of none."""
    encode = _ENCODER.encode
    pieces = [each[start : start + RUN] for each in apart(records) for start in range(0, len(each), RUN)]
    return [Run(len(piece), b"".join(map(encode, piece))) for piece in pieces]


class Runs(Generic[Name]):
    """The bytes of what is sent to many, kept until it is forgotten or others need the room."""

    def __init__(self, limit: int = 128 << 20) -> None:
        """`limit` is in bytes."""
        self._limit = limit
        self._known: dict[Name, Sequence[Run]] = {}
        self._size = 0

    def get(self, names: Iterable[Name], read: Callable[[Name], Sequence[Record]]) -> list[Run]:
        """The runs of what is called so, one after another; `read` is asked for what is not known."""
        known, found = self._known, list[Run]()
        for name in names:
            octets = known.get(name)
            found += self._keep(name, runs(read(name))) if octets is None else octets
        return found

    def _keep(self, name: Name, made: Sequence[Run]) -> Sequence[Run]:
        self._known[name] = made
        self._size += _size(made)
        while self._size > self._limit and len(self._known) > 1:
            self.forget(next(iter(self._known)))
        return made

    def forget(self, name: Name) -> None:
        """What has this name is something else now, or no more."""
        known = self._known.pop(name, None)
        if known is not None:
            self._size -= _size(known)


def _size(known: Iterable[Run]) -> int:
    return OVERHEAD + sum(len(run.octets) for run in known)


def _joined(runs: Sequence[Run]) -> Raw:
    return Raw(b"".join((_ARRAY.pack(0xDD, sum(run.number for run in runs)), *(run.octets for run in runs))))


def _is_array(octets: bytes) -> bool:
    """Whether it is an endpoint, which is an array on the wire (fixarray, 0x90 to 0x9f); all other records are maps."""
    return b"\x90" <= octets[:1] <= b"\x9f"


def _decode(decoder: Decoder[Up] | Decoder[Down], frame: bytes) -> object:
    try:
        return decoder.decode(frame)
    except (DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise RemoteFault(f"not a message: {error}") from None
