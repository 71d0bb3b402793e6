"""Who listens to what, as machines have said; the caller brings the clock, in seconds.

A machine that leaves a group is out at once: behind a port there is nobody else who would listen on. One that wants to
hear some sources only is a member like any other, and its own kernel drops the rest (RFC 4541, section 2.1.2, allows
both).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from netplane.agent.listening.queries import HELD
from netplane.agent.listening.reports import Mode, Report
from netplane.tables.flooding import is_snooped
from netplane.tables.pipeline import MEMBER

GROUPS_EACH = 100
"""Groups that one machine may listen to, of those that are told apart."""

SOURCES_EACH = 100
"""Sources of one group that a machine may name; with more it is taken to want everybody."""

SOLICITED_NODES = b"\xff\x02" + bytes(9) + b"\x01\xff"
"""Every machine is a member of some of these (RFC 4291, section 2.7.1), to which nothing is ever sent: hosts answer."""


class Membership(NamedTuple):
    """One machine in one group."""

    until: float
    sources: frozenset[bytes] | None
    """Whom it wants to hear; None for everybody but some."""


class Members:
    """All memberships, by port and group."""

    def __init__(self) -> None:
        self._of: dict[str, dict[bytes, Membership]] = {}

    def hear(self, port: str, reports: Iterable[Report], now: float) -> bool:
        """Take in what a machine says; whether it changes what it is a member of."""
        groups = self._of.get(port, {})
        before = set(groups)
        for report in reports:
            if not is_snooped(report.group) or report.group.startswith(SOLICITED_NODES):
                continue
            after = heard(groups.get(report.group), report, now)
            if after is None:
                groups.pop(report.group, None)
            elif report.group in groups or len(groups) < GROUPS_EACH:
                groups[report.group] = after
        self._put(port, groups)
        return set(groups) != before

    def recall(self, port: str, group: bytes, now: float) -> None:
        """A membership that was there before we were."""
        self._of.setdefault(port, {}).setdefault(group, Membership(now + HELD, None))

    def keep(self, ports: Collection[str]) -> bool:
        """Forget all ports but these; whether any was a member of something."""
        gone = self._of.keys() - set(ports)
        for port in gone:
            del self._of[port]
        return bool(gone)

    def expire(self, now: float) -> bool:
        """Forget who has not been heard of for too long; whether there was any."""
        before = self._of
        self._of = {}
        for port, groups in before.items():
            self._put(port, {group: held for group, held in groups.items() if held.until > now})
        return [*self] != [(port, group) for port, groups in before.items() for group in groups]

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        return ((port, group) for port, groups in self._of.items() for group in groups)

    def _put(self, port: str, groups: dict[bytes, Membership]) -> None:
        if groups:
            self._of[port] = groups
        else:
            self._of.pop(port, None)


def heard(known: Membership | None, report: Report, now: float) -> Membership | None:
    """A membership after a report; None if there is none then (RFC 3376, section 6.4)."""
    until, sources = now + HELD, known.sources if known is not None else frozenset[bytes]()
    match report.mode:
        case Mode.IS_EXCLUDE | Mode.TO_EXCLUDE:
            return Membership(until, None)
        case Mode.IS_INCLUDE | Mode.TO_INCLUDE:
            return _wanting(until, report.sources)
        case Mode.ALLOW:
            sources = None if sources is None else sources | report.sources
            return _wanting(until, sources)
        case Mode.BLOCK:
            if known is None or sources is None:
                return known
            return known._replace(sources=sources - report.sources) if sources - report.sources else None


def _wanting(until: float, sources: frozenset[bytes] | None) -> Membership | None:
    if sources is not None and len(sources) > SOURCES_EACH:
        sources = None
    return None if sources == frozenset() else Membership(until, sources)


def entries(members: Iterable[tuple[str, bytes]], places: Mapping[str, tuple[int, bytes]]) -> dict[bytes, bytes]:
    """The `member` entries; `places` are the VNI and MAC address of each port that is plugged in."""
    lists: dict[tuple[int, bytes], list[bytes]] = {}
    for port, group in members:
        if port in places:
            vni, mac = places[port]
            lists.setdefault((vni, group), []).append(mac)
    return {
        MEMBER.pack_key(vni, group, index): MEMBER.pack_value(mac)
        for (vni, group), macs in lists.items()
        for index, mac in enumerate(macs)
    }
