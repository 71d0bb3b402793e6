"""Which ports are ACTIVE: carried by the host that they are bound to, with all that this takes in its kernel. Pure.

A host that is away changes nothing: its machines go on without us. When it is back, it first says again which ports
it has; the first acknowledgement after that settles what they all are.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

ACTIVE = "ACTIVE"
DOWN = "DOWN"
UNSURE = ""
"""In place of what was said last of a port, if that may not stand any more: whatever it is differs from this."""


class Place(NamedTuple):
    """The host that a port is bound to, and the revision that bound it."""

    host: str
    revision: int


class _Standing:
    """What is known of one host in its session."""

    def __init__(self) -> None:
        self.bound: dict[str, None] = {}
        self.fresh: dict[str, None] = {}
        """Those of them that it has not acknowledged yet."""
        self.claimed: set[str] = set()
        self.acknowledged = 0
        self.is_settled = False
        """Whether it has acknowledged anything in this session; before, its ports stay what they were."""


class PortStates:
    """The status of all machines' ports, and what of it has not been said yet."""

    def __init__(self, said: dict[str, str]) -> None:
        self._said = said
        self._news: dict[str, str] = {}
        self._places: dict[str, Place] = {}
        self._hosts: dict[str, _Standing] = {}
        self._claimants: dict[str, str] = {}

    def news(self) -> dict[str, str]:
        """The status of each port that differs from what was said; from now on it counts as said."""
        news, self._news = self._news, {}
        self._said |= news
        return news

    def unsay(self, news: Mapping[str, str]) -> None:
        """News could not be told: it is news again, but for what is newer, and for ports that are no more."""
        untold = {port: status for port, status in news.items() if port in self._said}
        self._said |= dict.fromkeys(untold, UNSURE)
        self._news = untold | self._news

    def bind(self, port: str, place: Place | None) -> None:
        """A port is bound to a host, or to none."""
        before = self._places.pop(port, None)
        if before:
            self._standing(before.host).bound.pop(port, None)
            self._standing(before.host).fresh.pop(port, None)
        if place:
            self._places[port] = place
            self._standing(place.host).bound[port] = None
            self._standing(place.host).fresh[port] = None
        elif self._said.get(port, DOWN) != DOWN:
            self._said[port] = UNSURE  # the store drops what is said of a port with its binding
        self._judge(port, has_moved=bool(before and place and before.host != place.host))

    def fill(self, place: Place, ports: Iterable[str]) -> None:
        """Ports that nothing is known of are bound to a host that has not acknowledged anything."""
        standing, bound = self._standing(place.host), dict.fromkeys(ports)
        standing.bound |= bound
        standing.fresh |= bound
        self._places |= dict.fromkeys(bound, place)

    def forget(self, port: str) -> None:
        """A port is no more."""
        self.bind(port, None)
        self._said.pop(port, None)
        self._news.pop(port, None)

    def open(self, host: str) -> None:
        """A session with a host begins."""
        standing = self._standing(host)
        self._unclaim(host, list(standing.claimed))
        standing.acknowledged = 0
        standing.is_settled = False

    def recall(self, said: Mapping[str, str], ports: Iterable[str]) -> None:
        """What was said last of some ports, by whichever controller; of those that are not in it, nothing."""
        for port in ports:
            self._said.pop(port, None)
        self._said |= said

    def close(self, host: str) -> None:
        """The session with a host has ended; what its ports are is now for others to say, or stays as it is."""
        standing = self._standing(host)
        self._unclaim(host, list(standing.claimed))
        standing.is_settled = False

    def bound(self, host: str) -> list[str]:
        """The ports that are bound to a host."""
        return list(self._standing(host).bound)

    def is_judged(self, port: str) -> bool:
        """Whether we know what a port is from its host itself."""
        place = self._places.get(port)
        return place is not None and self._standing(place.host).is_settled

    def claim(self, host: str, ports: Iterable[str]) -> None:
        """A host has devices of these ports."""
        standing = self._standing(host)
        for port in ports:
            standing.claimed.add(port)
            self._claimants[port] = host
            self._judge(port)

    def release(self, host: str, ports: Iterable[str]) -> None:
        """A host has no devices of these ports any more."""
        self._unclaim(host, ports)
        for port in ports:
            self._judge(port)

    def acknowledge(self, host: str, revision: int) -> None:
        """All that a host needs up to a revision is in its kernel."""
        standing = self._standing(host)
        if standing.is_settled and not standing.fresh:
            standing.acknowledged = revision
            return
        concerned = list(standing.fresh if standing.is_settled else standing.bound)
        standing.acknowledged, standing.is_settled = revision, True
        standing.fresh = {port: None for port in standing.fresh if self._places[port].revision > revision}
        for port in concerned:
            self._judge(port)

    def acknowledged(self, host: str) -> int:
        """The last revision that a host has acknowledged in its session."""
        return self._standing(host).acknowledged

    def count(self, host: str) -> int:
        """How many ports are bound to a host."""
        return len(self._standing(host).bound)

    def claimed(self, host: str) -> int:
        """How many ports a host says it has devices of."""
        return len(self._standing(host).claimed)

    def claimant(self, port: str) -> str | None:
        """The host that said last that it has a device of the port."""
        return self._claimants.get(port)

    def _unclaim(self, host: str, ports: Iterable[str]) -> None:
        standing = self._standing(host)
        for port in ports:
            standing.claimed.discard(port)
            if self._claimants.get(port) == host:
                del self._claimants[port]

    def _standing(self, host: str) -> _Standing:
        standing = self._hosts.get(host)
        if standing is None:
            standing = self._hosts[host] = _Standing()
        return standing

    def _judge(self, port: str, *, has_moved: bool = False) -> None:
        status = self._status(port)
        if status is None and has_moved:
            status = DOWN
        if status is None or status == self._said.get(port, DOWN):
            self._news.pop(port, None)
        else:
            self._news[port] = status

    def _status(self, port: str) -> str | None:
        place = self._places.get(port)
        if place is None:
            return DOWN
        standing = self._standing(place.host)
        if not standing.is_settled:
            return None
        is_carried = port in standing.claimed and standing.acknowledged >= place.revision
        return ACTIVE if is_carried else DOWN
