"""What hosts remember of connections, as plain lists: a reply passes because the other side was allowed to begin."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from netplane.verify.datagram import ICMP, ICMPV6, TCP, UDP, Address, Datagram

SECOND = 1_000_000_000


class Side(NamedTuple):
    """One end of a connection."""

    network_id: str
    address: Address
    number: int
    """Its TCP or UDP port, or the identifier of an echo."""


@dataclass
class Talk:
    """One connection, on one host."""

    opener: Side
    other: Side
    protocol: int
    last: int
    """When a packet of it last passed, in ns."""
    answered: bool = False
    finished: set[Side] = field(default_factory=set)
    """The sides that have sent a FIN."""
    over: bool = False
    revoked: bool = False


class Memory:
    """All hosts' connections, and the packets of which a first fragment has passed."""

    def __init__(self) -> None:
        self.talks: list[tuple[str, Talk]] = []
        self.beginnings: dict[tuple[str, str, int], tuple[int, Datagram]] = {}
        """By host, sender and the last byte of the identification: there is room for one of each."""
        self.noted: list[tuple[str, str, str]] = []
        """Decisions written down: the port's id, `ingress` or `egress`, and `ACCEPT` or `DROP`."""
        self.members: set[tuple[str, Address]] = set()
        """Which ports have said that they listen to which groups."""

    def begin(self, host_id: str, sender: str, datagram: Datagram, now: int) -> None:
        """Remember what has passed a host, if it is a first fragment."""
        if datagram.more and not datagram.offset:
            self.beginnings[host_id, sender, datagram.identification % 256] = now, datagram

    def completed(self, host_id: str, sender: str, datagram: Datagram, now: int) -> Datagram | None:
        """A packet with its transport header, which a later fragment has from its first; None if none has passed."""
        if not datagram.offset:
            return datagram
        at, first = self.beginnings.get((host_id, sender, datagram.identification % 256), (0, None))
        if first is None or now - at >= 30 * SECOND or not of_one_packet(first, datagram):
            return None
        return datagram._replace(beginning=first.payload, protocol=first.protocol)

    def find(self, host_id: str, source: Side, destination: Side, datagram: Datagram) -> Talk | None:
        """The connection of a packet; echoes belong to the side that asks, other pings may share the identifier."""
        for at, talk in self.talks:
            forth = (talk.opener, talk.other) == (source, destination)
            back = (talk.other, talk.opener) == (source, destination) != (destination, source)
            if datagram.is_icmp:
                forth, back = forth and datagram.asks, back and datagram.replies
            if at == host_id and talk.protocol == datagram.protocol and (forth or back):
                return talk
        return None

    def forget(self, forgotten: Talk) -> None:
        """Let a connection go."""
        self.talks = [(at, talk) for at, talk in self.talks if talk is not forgotten]

    def admits(
        self,
        host_id: str,
        source: Side,
        destination: Side,
        datagram: Datagram,
        now: int,
        may_open: Callable[[], bool],
        may_go_on: Callable[[bool], bool],
    ) -> bool:
        """Whether a host lets a packet pass.

        `may_open()` says whether its rules let the source open this connection, `may_go_on(turned)` whether they let it
        stand, having been opened by the source, or by the destination if turned.
        """
        if datagram.is_icmp and not datagram.asks and not datagram.replies:
            return may_open()
        talk = self.find(host_id, source, destination, datagram)
        if talk is not None and not ends_with(talk, source, datagram, now):
            return self._goes_on(talk, source, datagram, now, may_go_on)
        if not begins(datagram) or not may_open():
            return False
        if talk is not None:
            self.forget(talk)
        self.talks.append((host_id, noted(Talk(source, destination, datagram.protocol, now), source, datagram, now)))
        return True

    def concerns(
        self,
        host_id: str,
        source: Side,
        destination: Side,
        quote: Datagram,
        now: int,
        may_go_on: Callable[[bool], bool],
    ) -> bool:
        """Whether an error is about a packet that a side has sent in a connection which a host would let go on."""
        talk = self.find(host_id, source, destination, quote)
        if talk is None or talk.revoked or now - talk.last >= patience(talk) * SECOND:
            return False
        return (talk.answered or source == talk.opener) and may_go_on(source != talk.opener)

    def _goes_on(
        self, talk: Talk, source: Side, datagram: Datagram, now: int, may_go_on: Callable[[bool], bool]
    ) -> bool:
        talk.revoked = talk.revoked or not may_go_on(source != talk.opener)
        if not talk.revoked:
            noted(talk, source, datagram, now)
        return not talk.revoked


def of_one_packet(one: Datagram, other: Datagram) -> bool:
    """Whether a fragment belongs to a first one (RFC 791, section 3.2; RFC 8200, section 4.5)."""
    if (one.source, one.destination, one.identification) != (other.source, other.destination, other.identification):
        return False
    return other.offset >= one.reach if one.is_ipv6 else one.protocol == other.protocol


def begins(datagram: Datagram) -> bool:
    """Whether a packet may open a connection: a SYN alone, a ping, or anything without connections of its own."""
    if datagram.offset:
        return False
    if datagram.protocol == TCP:
        return "S" in datagram.flags and not datagram.flags & {"F", "R", "A"}
    return not datagram.is_icmp or datagram.asks


def ends_with(talk: Talk, source: Side, datagram: Datagram, now: int) -> bool:
    """Whether what is remembered no longer counts when this packet comes."""
    if now - talk.last >= patience(talk) * SECOND:
        return True
    if talk.revoked:
        return begins(datagram) and source == talk.opener
    return talk.protocol == TCP and begins(datagram) and (talk.over or bool(talk.finished))


def noted(talk: Talk, source: Side, datagram: Datagram, now: int) -> Talk:
    """The connection, having seen one more packet."""
    talk.last = now
    talk.answered = talk.answered or source != talk.opener
    if "F" in datagram.flags:
        talk.finished.add(source)
    talk.over = talk.over or "R" in datagram.flags or len(talk.finished) == 2
    return talk


def patience(talk: Talk) -> int:
    """How many seconds of silence a connection outlives."""
    if talk.revoked:
        return 30
    if talk.protocol == TCP:
        if talk.over:
            return 10
        if talk.finished:
            return 120
        return 432_000 if talk.answered else 120
    if talk.protocol == UDP:
        return 120 if talk.answered else 30
    return 30 if talk.protocol in (ICMP, ICMPV6) else 600
