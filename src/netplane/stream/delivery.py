"""From an outbox to frames: what a controller says next on one session. No I/O."""

from collections.abc import Callable, Iterable, Iterator

from netplane.stream import codec
from netplane.stream.codec import Run
from netplane.stream.outbox import Outbox, Parcel
from netplane.stream.session import ControllerSession

PART = 64 * 1024
"""Bytes of a part of a snapshot, at most; beyond them, one run. A connection's TLS keeps as much memory as it was ever
given at once, and what is larger than `LARGE_BLOCK` the system is asked for anew each time.
"""

Slice = tuple[int, Iterable[Run]]
"""All that a host needs, as bytes, and the revision that it is as of."""


def begin(session: ControllerSession, outbox: Outbox, resume: Callable[[int], Parcel | None]) -> None:
    """Put in what an agent that was just welcomed lacks: what it missed, or everything.

    Whoever calls this must see to it that the outbox gets all that changes from this moment on.
    """
    missed = resume(session.revision) if session.revision else None
    if missed:
        outbox.put(missed)
    else:
        outbox.renew()


def frames(session: ControllerSession, outbox: Outbox, read_slice: Callable[[], Slice]) -> Iterator[bytes]:
    """What waits: the first of it leaves at once; what comes meanwhile stays for the next call."""
    for word in outbox.take_words():
        yield session.send(word)
    if outbox.take_snapshot():
        yield from _snapshot(session, *read_slice())
    elif parcel := outbox.take():
        yield session.send(codec.delta(*parcel))


def _snapshot(session: ControllerSession, revision: int, runs: Iterable[Run]) -> Iterator[bytes]:
    """A snapshot in parts: at least one, also of nothing."""
    is_first = True
    part: list[Run] = []
    size = 0
    for run in runs:
        if part and size + len(run.octets) > PART:
            yield session.send(codec.snapshot(revision, part, first=is_first, last=False))
            is_first, part, size = False, [], 0
        part.append(run)
        size += len(run.octets)
    yield session.send(codec.snapshot(revision, part, first=is_first, last=True))
