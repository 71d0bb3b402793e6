"""What hosts have told of decisions at ports that log them: the youngest of each host, in memory. Pure.

Hosts keep all of it on disk and say the youngest again after each `Welcome`, so nothing is lost of what is shown here
when a controller restarts. A host is believed about ports that are bound to it, and about no others; whose they are and
what groups they are in is not for the host to say.
"""

from collections.abc import Callable, Iterable, Iterator
from heapq import merge
from itertools import count, islice
from typing import NamedTuple

from msgspec.structs import replace

from netplane.base.fair import Fair
from netplane.model import Decision, Port

KEPT = 1_000
"""Decisions of each host; of a project that has more of them there than others, its own go first."""


class Heard(NamedTuple):
    """A decision, and its place in the order in which they were heard."""

    place: int
    decision: Decision


class Wanted(NamedTuple):
    """Which decisions are asked for."""

    may_see: Callable[[str], bool]
    """Whether those of a project are shown."""
    port: str = ""
    event: str = ""
    direction: str = ""
    after: int = 0
    """Only those heard after this place."""
    limit: int = 100
    """The youngest of them."""

    def has(self, decision: Decision) -> bool:
        """Whether it is one of them, if its project's are shown."""
        return (
            self.port in ("", decision.port_id)
            and self.event in ("", decision.event)
            and self.direction in ("", decision.direction)
        )


class DecisionBook:
    """All hosts' decisions."""

    def __init__(self, first: int) -> None:
        """`first` is the place of the first; greater than any that an earlier controller has given."""
        self._places = count(first)
        self._heard: dict[str, Fair[str, Heard]] = {}
        self._reached: dict[str, int] = {}

    def hear(self, host: str, decisions: Iterable[Decision], carried: Callable[[str], Port | None]) -> None:
        """What a host tells; those that it has told before are passed over, and those of ports that it does not carry.

        `carried` is the port of an id, if the host carries it.
        """
        heard = self._heard.setdefault(host, Fair(KEPT))
        for decision in decisions:
            if decision.number > self._reached.get(host, 0):
                self._reached[host] = decision.number
                if (port := carried(decision.port_id)) is not None:
                    own = replace(decision, project_id=port.project_id, security_groups=port.security_groups)
                    heard.add(port.project_id, Heard(next(self._places), own))

    def find(self, wanted: Wanted) -> list[Heard]:
        """The youngest that are asked for, the oldest of them first."""
        return list(islice(self._youngest(wanted), wanted.limit))[::-1]

    def _youngest(self, wanted: Wanted) -> Iterator[Heard]:
        shares = (
            reversed(share)
            for host in self._heard.values()
            for project, share in host.items.items()
            if wanted.may_see(project)
        )
        for heard in merge(*shares, key=lambda heard: -heard.place):
            if heard.place <= wanted.after:
                return
            if wanted.has(heard.decision):
                yield heard
