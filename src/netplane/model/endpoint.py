"""What hosts work with that no client writes: endpoints (made by `interest`) and devices (seen by agents)."""

from collections.abc import Iterable
from typing import Annotated

from netplane.model.record import Record, Reference, describe


class Endpoint(Record, frozen=True, kw_only=True, gc=False, tag="endpoint"):
    """What every host of a domain must know of a bound port to reach it. Its id is the port's id.

    Addresses are bytes as the tables hold them, so that a host turns an endpoint into entries without reading
    another record.
    """

    vni: Annotated[int, describe("The VNI of the port's network.")]
    mac: Annotated[bytes, describe("6 bytes.")]
    addresses: Annotated[tuple[bytes, ...], describe("16 bytes each, IPv4 mapped.")]
    identity: Annotated[int, describe("The number of the port's identity; 0 for none.")]
    host: Annotated[int, describe("The number of the host that carries it.")]
    stateless: Annotated[bool, describe("Whether each of its packets needs a rule, replies too.")] = False


class Device(Record, frozen=True, kw_only=True, gc=False, tag="device"):
    """A network device on this host that a port is plugged into. Its id is the port's id. It never leaves its host."""

    ifindex: Annotated[int, describe("The kernel's number of the device, from 1.")]
    peer: Annotated[bool, describe("Whether packets are handed to the other end of a veth pair.")] = False

    def references(self) -> Iterable[Reference]:
        """Its port; the store never sees a device, so this serves look-ups only."""
        return (Reference("id", self.id),)
