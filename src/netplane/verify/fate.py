"""What becomes of a packet."""

from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """What becomes of a packet."""

    DELIVERED = "delivered"
    """To another machine."""
    ANSWERED = "answered"
    """The machine that sent it gets this instead."""
    SERVED = "served"
    """The services of the machine's host get it; they know the machine by the frame's source."""
    PUNTED = "punted"
    """The agent of the machine that sent it gets it."""
    FLOODED = "flooded"
    """To several machines, each of which gets the same."""
    DROPPED = "dropped"


class Fate(NamedTuple):
    """What becomes of a packet, who gets something, and what."""

    kind: Kind
    port_id: str = ""
    frame: bytes = b""
    """Of a punted packet, what follows the destination's MAC address."""
    copies: tuple[str, ...] = ()
    """Of a flooded one, the ports that get it, sorted."""


DROPPED = Fate(Kind.DROPPED)
