"""Routes: where to send what goes to a range of addresses."""

from msgspec import Struct


class Route(Struct, frozen=True):
    """A range of addresses, as network/length, and the address of the next hop there."""

    destination: str
    nexthop: str
