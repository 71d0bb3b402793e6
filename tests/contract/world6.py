"""The IPv6 side of the contract's small world: the same machines and router, with addresses of their own.

    network 7, fd00:1::/64: ANN6 and BEN6 on this host, CAT6 on host 2     router 5 joins both,
    network 8, fd00:2::/64: DOT6 on this host                               ::1 in each

Rules of IPv6 let everything out, and in: all of identity 11, and TCP port 80 from anywhere.
"""

from netplane.base.addresses import NO_ADDRESS, link_local, pack_address, pack_prefix, unpack_address
from netplane.tables.decisions import Direction, EndpointFlag, Family, PortFlag, Remote
from netplane.tables.pipeline import ENDPOINT, GATEWAY, POLICY, PORT, ROUTE
from netplane.tables.schema import Entry
from tests.contract.packets import ethernet
from tests.contract.world import (
    ANN,
    BEN,
    CAT,
    DOT,
    EVE,
    IDENTITY,
    INNER,
    OUTER,
    ROUTER,
    THIS_HOST,
    Machine,
    Tables,
    tabulate,
    world,
)
from tests.frames6 import ipv6

ANN6 = ANN._replace(address="fd00:1::5")
BEN6 = BEN._replace(address="fd00:1::6")
CAT6 = CAT._replace(address="fd00:1::7")
DOT6 = DOT._replace(address="fd00:2::5")
EVE6 = EVE._replace(address="fd00:1::8")
INNER6 = INNER._replace(address="fd00:1::1")
OUTER6 = OUTER._replace(address="fd00:2::1")
MACHINES6 = (ANN6, BEN6, CAT6, DOT6, EVE6)


def on_link(machine: Machine) -> Machine:
    """The machine, by the address that its interface gives itself."""
    return machine._replace(address=unpack_address(link_local(machine.mac)))


def world6() -> Tables:
    """All entries, by table: those of IPv4 too."""
    entries = policies6()
    for machine in MACHINES6:
        value = machine.mac, 0, machine.host, machine.identity
        for address in (machine.address, on_link(machine).address):
            entries.append(ENDPOINT.entry((machine.vni, pack_address(address)), value))
        if machine.host == THIS_HOST:
            flags = PortFlag.DHCP | PortFlag.DHCP6
            entries.append(PORT.entry((machine.ifindex, 0), (machine.vni, machine.mac, flags, 0)))
    for interface in (INNER6, OUTER6):
        prefix, length = pack_prefix(interface.address + "/64")
        for address in (interface.address, on_link(interface).address):
            value = interface.mac, EndpointFlag.ROUTER, 0, 0
            entries.append(ENDPOINT.entry((interface.vni, pack_address(address)), value))
        entries += [
            GATEWAY.entry((interface.vni, interface.mac, Family.IPV6), (ROUTER, pack_address(interface.address), 0)),
            ROUTE.entry((32 + length, ROUTER, prefix), (interface.vni, interface.mac, 0, 0, 0, 0)),
        ]
    tables = world()
    for name, rows in tabulate(entries).items():
        tables[name] = tables.get(name, {}) | rows
    return tables


def policies6() -> list[Entry]:
    """The rules of IDENTITY about IPv6."""
    members = IDENTITY.to_bytes(4, "big") + bytes(12)
    return [
        POLICY.entry((192, IDENTITY, Direction.EGRESS, Remote.ANY_IPV6, 0, NO_ADDRESS, 0, bytes(2)), (4,)),
        POLICY.entry((192, IDENTITY, Direction.INGRESS, Remote.IDENTITY_IPV6, 0, members, 0, bytes(2)), (5,)),
        POLICY.entry((224, IDENTITY, Direction.INGRESS, Remote.ANY_IPV6, 0, NO_ADDRESS, 6, b"\0\x50"), (6,)),
    ]


def frame6(
    source: Machine,
    destination: Machine,
    protocol: int,
    payload: bytes,
    *,
    hops: int = 64,
    chain: tuple[tuple[int, bytes], ...] = (),
    length: int | None = None,
) -> bytes:
    """A frame as `source` would send it: by way of the router where the networks differ."""
    hop = destination if source.vni == destination.vni else INNER6 if source.vni == INNER6.vni else OUTER6
    packet = ipv6(payload, protocol, source.address, destination.address, hops=hops, chain=chain, length=length)
    return ethernet(source.mac, hop.mac, 0x86DD, packet)
