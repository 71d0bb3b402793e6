"""What the rules of a connection's ends, and the firewalls between them, say of it on one host."""

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from netplane.model import Host, Port
from netplane.verify import firewalls
from netplane.verify.datagram import Address
from netplane.verify.firewalls import Answer, Crossing, End
from netplane.verify.rules import Opening, permits
from netplane.verify.talks import Side
from netplane.verify.world import World


class Decided(Enum):
    """What a host decides about a packet between two machines."""

    OPENED = "opened"
    """Its rules let it pass, as the first of a connection or by itself."""
    KNOWN = "known"
    """It belongs to a connection."""
    REFUSED_OUT = "refused out"
    """By the sender's rules."""
    REFUSED_IN = "refused in"
    """By the receiver's rules."""
    FORBIDDEN = "forbidden"
    """By a firewall between them."""
    REJECTED = "rejected"
    """The same, and the sender is told."""
    LOST = "lost"
    """It belongs to no connection or to one that is not allowed any more, or nobody is there to get it."""


WALLED = {Answer.ALLOW: Decided.OPENED, Answer.DENY: Decided.FORBIDDEN, Answer.REJECT: Decided.REJECTED}
PASSED = (Decided.OPENED, Decided.KNOWN)


class Party(NamedTuple):
    """An end of a connection, as rules see it."""

    port: Port
    side: Side
    behind: bool
    """Whether the address is somebody's behind the port: nobody's that we know."""

    @property
    def known(self) -> tuple[Address, Port | None]:
        """The address and whose it is."""
        return self.side.address, None if self.behind else self.port


def keeps(world: World, host: Host, port: Port) -> bool:
    """Whether a host remembers the connections of a port."""
    return world.host(port) == host and world.keeps_connections(port)


def agreed_alone(world: World, host: Host, sender: Party, receiver: Party, packet: Opening) -> Decided:
    """Whether the rules of those ends on this host that keep no connections let this very packet pass."""

    def is_asked(port: Port) -> bool:
        return port.port_security_enabled and world.host(port) == host and not world.keeps_connections(port)

    return agreed_by(world, is_asked, sender, receiver, packet)


def agreed(
    world: World,
    host: Host,
    crossings: tuple[Crossing, ...],
    opener: Party,
    other: Party,
    packet: Opening,
) -> Decided:
    """Whether the rules of those ends that this host keeps connections for let one open one to the other.

    And the firewalls between them: each host asks them all.
    """
    decided = agreed_by(world, lambda port: keeps(world, host, port), opener, other, packet)
    if decided is not Decided.OPENED:
        return decided
    source, destination = (End(side.address, side.number) for side in (opener.side, other.side))
    return WALLED[firewalls.asked(world, crossings, source, destination, packet)]


def agreed_by(
    world: World,
    is_asked: Callable[[Port], bool],
    opener: Party,
    other: Party,
    packet: Opening,
) -> Decided:
    """Whether the rules of those ends that are asked let a packet pass; which of them refuses it."""
    if is_asked(opener.port) and not permits(world, opener.port, "egress", other.known, packet):
        return Decided.REFUSED_OUT
    if is_asked(other.port) and not permits(world, other.port, "ingress", opener.known, packet):
        return Decided.REFUSED_IN
    return Decided.OPENED
