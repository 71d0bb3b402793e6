"""What hosts work with that no client writes: endpoints, presences (made by `interest`), devices (seen by agents)."""

from collections.abc import Iterable
from typing import Annotated

from msgspec import Struct

from netplane.base.addresses import MAPPED_BITS, is_ipv4
from netplane.model.record import Record, Reference, describe


class Pair(Struct, frozen=True, array_like=True, order=True, gc=False):
    """A range of addresses that a port may use besides its own, and the MAC address that goes with it."""

    address: bytes
    """16 bytes, IPv4 mapped."""
    length: int
    """Of the prefix, in 128 bits."""
    mac: bytes
    """6 bytes."""

    @property
    def is_single(self) -> bool:
        """Whether it is one address."""
        return self.length == 128

    @property
    def is_everything(self) -> bool:
        """Whether it is all addresses of a family."""
        return self.length == (MAPPED_BITS if is_ipv4(self.address) else 0)


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
    names: Annotated[
        tuple[str, ...],
        describe("What its users call it, relative to its network's domain, or with a final dot; mostly nothing."),
    ] = ()
    secured: Annotated[
        bool, describe("Whether it sends from its addresses and pairs only, and rules judge its packets.")
    ] = True
    asks: Annotated[
        bool,
        describe(
            "Whether it has an address of IPv4 that the platform does not tell it: it may ask the network by DHCP."
        ),
    ] = False
    pairs: Annotated[tuple[Pair, ...], describe("What it may use besides its own addresses.")] = ()
    announced: Annotated[tuple[Pair, ...], describe("Addresses that its machine has said it has, sorted.")] = ()


class Presence(Record, frozen=True, kw_only=True, gc=False, tag="presence"):
    """Which hosts carry machines of a network, so that what is for all of it goes there. Its id is the network's."""

    hosts: Annotated[tuple[int, ...], describe("The numbers of the hosts, in their order.")]


class Device(Record, frozen=True, kw_only=True, gc=False, tag="device"):
    """A network device on this host that a port is plugged into. Its id is the port's id. It never leaves its host."""

    ifindex: Annotated[int, describe("The kernel's number of the device, from 1.")]
    peer: Annotated[bool, describe("Whether packets are handed to the other end of a veth pair.")] = False
    vlan: Annotated[int, describe("The VLAN id of the port's frames there; 0 for frames without a tag.")] = 0

    def references(self) -> Iterable[Reference]:
        """Its port; the store never sees a device, so this serves look-ups only."""
        return (Reference("id", "port", self.id),)
