"""What the rules of a connection's ends, and the firewalls between them, say of it on one host."""

from collections.abc import Callable
from enum import Enum

from netplane.model import Host, Port
from netplane.verify import firewalls
from netplane.verify.datagram import Address
from netplane.verify.firewalls import Answer, Crossing, End
from netplane.verify.rules import Opening, permits
from netplane.verify.talks import Side
from netplane.verify.world import World, addresses


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


def keeps(world: World, host: Host, port: Port) -> bool:
    """Whether a host remembers the connections of a port."""
    return world.host(port) == host and world.keeps_connections(port)


def agreed_alone(
    world: World, host: Host, sender: tuple[Port, Side], receiver: tuple[Port, Side], packet: Opening
) -> Decided:
    """Whether the rules of those ends on this host that keep no connections let this very packet pass."""

    def is_asked(port: Port) -> bool:
        return world.host(port) == host and not world.keeps_connections(port)

    return agreed_by(world, is_asked, sender, receiver, packet)


def agreed(
    world: World,
    host: Host,
    crossings: tuple[Crossing, ...],
    opener: tuple[Port, Side],
    other: tuple[Port, Side],
    packet: Opening,
) -> Decided:
    """Whether the rules of those ends that this host keeps connections for let one open one to the other.

    And the firewalls between them: each host asks them all.
    """
    decided = agreed_by(world, lambda port: keeps(world, host, port), opener, other, packet)
    if decided is not Decided.OPENED:
        return decided
    source, destination = (End(side.address, side.number) for _, side in (opener, other))
    return WALLED[firewalls.asked(world, crossings, source, destination, packet)]


def agreed_by(
    world: World,
    is_asked: Callable[[Port], bool],
    opener: tuple[Port, Side],
    other: tuple[Port, Side],
    packet: Opening,
) -> Decided:
    """Whether the rules of those ends that are asked let a packet pass; which of them refuses it."""
    (source, source_side), (destination, destination_side) = opener, other
    if is_asked(source) and not permits(world, source, "egress", known(destination, destination_side), packet):
        return Decided.REFUSED_OUT
    if is_asked(destination) and not permits(world, destination, "ingress", known(source, source_side), packet):
        return Decided.REFUSED_IN
    return Decided.OPENED


def known(port: Port, side: Side) -> tuple[Address, Port | None]:
    """An end's address and whose it is: nobody's that we know if it lies behind the port that leads to it."""
    return side.address, port if side.address in addresses(port) else None
