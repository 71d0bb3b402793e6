"""A small world in entries, as host 1 has it, for the datapath's contract.

    network 7, 10.0.1.0/24: ANN and BEN on this host, CAT on host 2        router 5 joins both,
    network 8, 10.0.2.0/24: DOT on this host                                 .1 in each

All machines have identity 11, whose rules let everything out, and in: all of identity 11, and TCP port 80 from
anywhere. Nothing is at 10.0.1.99, and nothing routes to 192.0.2.0/24.
"""

from typing import NamedTuple

from netplane.base.addresses import NO_ADDRESS, pack_address, pack_prefix
from netplane.tables.decisions import Direction, EndpointFlag, Family, PortFlag, Remote
from netplane.tables.pipeline import (
    DEVICE,
    ENDPOINT,
    GATEWAY,
    HOST,
    POLICY,
    PORT,
    PROFILE,
    ROUTE,
    SETTINGS,
)
from netplane.tables.schema import Entry
from tests.contract.packets import ethernet, ipv4

IDENTITY, STRANGER = 11, 12
ROUTER = 5
PROJECT_NUMBER = 77
THIS_HOST, OTHER_HOST = 1, 2
UNDERLAY = {THIS_HOST: "172.16.1.1", OTHER_HOST: "172.16.2.1"}
TUNNEL, PUNT, SERVICE = 500, 501, 502
STAMP = 0x1122334455667788


class Machine(NamedTuple):
    """One machine, or a router's interface (whose host is 0)."""

    vni: int
    address: str
    mac: bytes
    host: int
    ifindex: int = 0
    identity: int = IDENTITY


ANN = Machine(7, "10.0.1.5", b"\x02\0\0\0\1\5", THIS_HOST, 101)
BEN = Machine(7, "10.0.1.6", b"\x02\0\0\0\1\6", THIS_HOST, 102)
CAT = Machine(7, "10.0.1.7", b"\x02\0\0\0\1\7", OTHER_HOST)
DOT = Machine(8, "10.0.2.5", b"\x02\0\0\0\2\5", THIS_HOST, 103)
EVE = Machine(7, "10.0.1.8", b"\x02\0\0\0\1\x08", OTHER_HOST, identity=STRANGER)
MACHINES = (ANN, BEN, CAT, DOT, EVE)
INNER = Machine(7, "10.0.1.1", b"\x02\0\0\0\1\1", 0, identity=0)
OUTER = Machine(8, "10.0.2.1", b"\x02\0\0\0\2\1", 0, identity=0)

Tables = dict[str, dict[bytes, bytes]]


def world() -> Tables:
    """All entries, by table."""
    entries = [
        SETTINGS.entry((0,), (THIS_HOST, TUNNEL, PUNT, SERVICE)),
        *(HOST.entry((number,), (pack_address(address),)) for number, address in UNDERLAY.items()),
        *policies(),
        PROFILE.entry((IDENTITY,), (STAMP,)),
    ]
    for machine in MACHINES:
        entries += machine_entries(machine)
    for interface in (INNER, OUTER):
        entries += interface_entries(interface)
    return tabulate(entries)


def tabulate(entries: list[Entry]) -> Tables:
    """Entries by table."""
    tables: Tables = {}
    for entry in entries:
        tables.setdefault(entry.table, {})[entry.key] = entry.value
    return tables


def machine_entries(machine: Machine) -> list[Entry]:
    """What a host knows of a machine."""
    key, value = (machine.vni, pack_address(machine.address)), (machine.mac, 0, machine.host, machine.identity)
    known = [ENDPOINT.entry(key, value)]
    if machine.host != THIS_HOST:
        return known
    device = DEVICE.entry((machine.vni, machine.mac), (machine.ifindex, 0, 0, machine.identity, PROJECT_NUMBER))
    return [*known, device, PORT.entry((machine.ifindex, 0), (machine.vni, machine.mac, PortFlag.DHCP, 0))]


def interface_entries(interface: Machine) -> list[Entry]:
    """What a host knows of a router's interface."""
    address = pack_address(interface.address)
    prefix = interface.address.rsplit(".", 1)[0] + ".0/24"
    return [
        ENDPOINT.entry((interface.vni, address), (interface.mac, EndpointFlag.ROUTER, 0, 0)),
        GATEWAY.entry((interface.vni, interface.mac, Family.IPV4), (ROUTER, address, 0)),
        route(prefix, interface.vni, interface.mac),
    ]


def route(prefix: str, vni: int, mac: bytes) -> Entry:
    """A route of the router."""
    network, length = pack_prefix(prefix)
    return ROUTE.entry((32 + length, ROUTER, network), (vni, mac, 0, 0, 0, 0))


def policies() -> list[Entry]:
    """The rules of IDENTITY."""
    everyone, members = NO_ADDRESS, IDENTITY.to_bytes(4, "big") + bytes(12)
    out, into = Direction.EGRESS, Direction.INGRESS
    return [
        POLICY.entry((192, IDENTITY, out, Remote.ANY, 0, everyone, 0, bytes(2)), (1,)),
        POLICY.entry((192, IDENTITY, into, Remote.IDENTITY, 0, members, 0, bytes(2)), (2,)),
        POLICY.entry((224, IDENTITY, into, Remote.ANY, 0, everyone, 6, (80).to_bytes(2, "big")), (3,)),
    ]


def frame(
    source: Machine, destination: Machine, protocol: int, payload: bytes, *, ttl: int = 64, fragment: int = 0
) -> bytes:
    """A frame as `source` would send it: by way of the router where the networks differ."""
    hop = destination if source.vni == destination.vni else INNER if source.vni == INNER.vni else OUTER
    packet = ipv4(
        source.address, destination.address, protocol, payload, ttl=ttl, fragment=fragment, number=7 if fragment else 0
    )
    return ethernet(source.mac, hop.mac, 0x0800, packet)
