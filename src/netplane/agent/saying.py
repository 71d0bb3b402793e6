"""What an agent has told its controller in this session, and what it must still say.

Nothing that is said is kept by a broken session, so after each `Welcome` all that holds is said again.
"""

from collections.abc import Iterable, Iterator, Set

from netplane.base.problem import Problem
from netplane.stream.client import Saying
from netplane.stream.messages import MOST_PORTS, Ack, Claim, Release, Trouble


class Said:
    """One session's memory."""

    def __init__(self) -> None:
        self._looked_at: tuple[frozenset[str], frozenset[str]] | None = None
        """What `plugged` was called with, if nothing came of it since: most messages find it unchanged."""
        self._claimed: set[str] = set()
        self._released: set[str] = set()
        self._idle: frozenset[str] = frozenset()
        self._problems: list[Problem] = []
        self._revision = 0

    def realised(self, revision: int) -> Iterable[Saying]:
        """The entries of a revision are in the kernel."""
        if revision != self._revision:
            self._revision = revision
            yield Ack(revision)

    def plugged(self, ports: frozenset[str], idle: frozenset[str]) -> Iterable[Saying]:
        """`ports` have a device here; `idle` are bound here for the sake of a device that is not here."""
        before, self._looked_at = self._looked_at, (ports, idle)
        if before is not None and before[0] is ports and before[1] is idle:
            return
        if ports == self._claimed and idle == self._idle:
            return
        if new := ports - self._claimed:
            yield from (Claim(part) for part in _parts(new))
        if gone := (self._claimed - ports) | (idle - ports - self._released):
            yield from (Release(part) for part in _parts(gone))
        self._released = (self._released | gone) & idle - ports
        self._claimed, self._idle = set(ports), idle

    def unheard(self, ports: set[str]) -> None:
        """Claims that came to nothing so far, and are to be made again."""
        self._claimed -= ports
        self._looked_at = None

    def troubled(self, problems: list[Problem]) -> Iterable[Saying]:
        """All problems of this host."""
        if problems != self._problems:
            self._problems = problems
            yield Trouble(problems)


def _parts(ports: Set[str]) -> Iterator[list[str]]:
    """Ports in order, as many at a time as a message may name."""
    names = sorted(ports)
    return (names[start : start + MOST_PORTS] for start in range(0, len(names), MOST_PORTS))
