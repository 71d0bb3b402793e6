"""What hosts work with that no client writes: endpoints, presences (made by `interest`), devices (seen by agents)."""

from collections.abc import Iterable
from struct import Struct as Packer
from struct import error as PackError
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


class More(Struct, frozen=True, array_like=True, gc=False):
    """What few endpoints have."""

    addresses: tuple[bytes, ...] = ()
    """Further ones, 16 bytes each, IPv4 mapped."""
    names: tuple[str, ...] = ()
    asks: bool = False
    pairs: tuple[Pair, ...] = ()
    announced: tuple[Pair, ...] = ()


KEY, VALUE = Packer("<I16s"), Packer("<6sHII")
"""VNI and address; MAC address, flags, number of the host, number of the identity."""
VNI_SIZE = 4
_LENGTHS = frozenset((16,))
STATELESS, OPEN = 2, 4
"""Flags in the value."""


class Endpoint(Record, frozen=True, kw_only=True, gc=False, array_like=True, tag=False):
    """What every host of a domain must know of a bound port to reach it. Its id is the port's id.

    A slice may hold a million of these, so one is what the table `endpoint` holds: a host that has one layout with its
    controller turns it into its entry without packing anything. It is an array on the wire; all other kinds are maps.
    """

    key: Annotated[bytes, describe("The VNI of the port's network, 4 bytes, little endian, and its first address.")]
    value: Annotated[bytes, describe("MAC address, flags, numbers of host and identity; 16 bytes, little endian.")]
    more: Annotated[
        More | None,
        describe("Null if it has one address, of IPv4, and nothing else: nearly all."),
    ] = None

    @classmethod
    def of(
        cls,
        id: str,
        *,
        vni: int,
        mac: bytes,
        addresses: tuple[bytes, ...],
        identity: int,
        host: int,
        stateless: bool = False,
        names: tuple[str, ...] = (),
        secured: bool = True,
        asks: bool = False,
        pairs: tuple[Pair, ...] = (),
        announced: tuple[Pair, ...] = (),
    ) -> "Endpoint":
        """The endpoint of a port; ValueError for what has no room in it. See its properties for what these are."""
        if len(mac) != 6 or not _LENGTHS.issuperset(map(len, addresses)):
            raise ValueError(f"a length is wrong in MAC {mac.hex()}, addresses {[each.hex() for each in addresses]}")
        try:
            key = KEY.pack(vni, addresses[0] if addresses else b"")
            value = VALUE.pack(mac, (STATELESS if stateless else 0) | (0 if secured else OPEN), host, identity)
        except PackError as error:
            raise ValueError(f"a number has no room: {error}") from None
        if len(addresses) == 1 and is_ipv4(addresses[0]) and secured and not (names or asks or pairs or announced):
            return cls(id=id, key=key, value=value)
        more = More(addresses[1:], names, asks, pairs, announced)
        return cls(id=id, key=key if addresses else key[:VNI_SIZE], value=value, more=more)

    @property
    def is_plain(self) -> bool:
        """Whether its key and its value are all that comes of it in tables."""
        more = self.more
        if more is None:
            return True
        if len(self.key) != KEY.size or len(self.value) != VALUE.size:
            return False
        is_one = is_ipv4(self.key[VNI_SIZE:]) and self.secured
        return is_one and not (more.addresses or more.asks or more.pairs or more.announced)

    @property
    def vni(self) -> int:
        """The VNI of the port's network."""
        return int.from_bytes(self.key[:VNI_SIZE], "little")

    @property
    def addresses(self) -> tuple[bytes, ...]:
        """16 bytes each, IPv4 mapped."""
        first = (self.key[VNI_SIZE:],) if len(self.key) > VNI_SIZE else ()
        return first + self.more.addresses if self.more else first

    @property
    def mac(self) -> bytes:
        """6 bytes."""
        return self.value[:6]

    @property
    def flags(self) -> int:
        """`STATELESS`, `OPEN`."""
        flags: int = VALUE.unpack(self.value)[1]
        return flags

    @property
    def host(self) -> int:
        """The number of the host that carries it."""
        number: int = VALUE.unpack(self.value)[2]
        return number

    @property
    def identity(self) -> int:
        """The number of the port's identity; 0 for none."""
        number: int = VALUE.unpack(self.value)[3]
        return number

    @property
    def stateless(self) -> bool:
        """Whether each of its packets needs a rule, replies too."""
        return bool(self.flags & STATELESS)

    @property
    def secured(self) -> bool:
        """Whether it sends from its addresses and pairs only, and rules judge its packets."""
        return not self.flags & OPEN

    @property
    def names(self) -> tuple[str, ...]:
        """What its users call it, relative to its network's domain, or with a final dot; mostly nothing."""
        return self.more.names if self.more else ()

    @property
    def asks(self) -> bool:
        """Whether it has an address of IPv4 that the platform does not tell it: it may ask the network by DHCP."""
        return self.more is not None and self.more.asks

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """What it may use besides its own addresses."""
        return self.more.pairs if self.more else ()

    @property
    def announced(self) -> tuple[Pair, ...]:
        """Addresses that its machine has said it has, sorted."""
        return self.more.announced if self.more else ()


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
