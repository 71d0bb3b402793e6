"""Reading the tables as the kernel does: exact look-ups, and the longest prefix in an LPM table.

Entries are unpacked into named values here, so that the machine's stages speak of fields, not of bytes.
"""

from collections.abc import Iterator, Mapping
from sys import byteorder
from typing import NamedTuple

from netplane.base.addresses import is_ipv4
from netplane.tables.decisions import Family
from netplane.tables.pipeline import (
    BROADCAST,
    BUDGET,
    CLIENT,
    CROWD,
    DEVICE,
    ENDPOINT,
    FIREWALL,
    GATEWAY,
    HOP,
    HOST,
    LOGGING,
    MEMBER,
    PACE,
    PAIR,
    PEER,
    POLICY,
    PORT,
    PREFIX,
    PROFILE,
    PROJECT,
    RANGE,
    RESOLVER,
    ROUTE,
    SETTINGS,
    SPREAD,
    STATION,
)
from netplane.tables.schema import Table

Entries = Mapping[str, Mapping[bytes, bytes]]
"""Table name -> packed key -> packed value."""

POLICY_BITS, PREFIX_BITS, ROUTE_BITS, PAIR_BITS, RANGE_BITS = 224, 192, 160, 224, 192


class SettingsValue(NamedTuple):
    """What the host is."""

    host: int
    tunnel: int
    punt: int
    service: int


class PortValue(NamedTuple):
    """What is plugged into a device."""

    vni: int
    mac: bytes
    flags: int
    mtu: int


class EndpointValue(NamedTuple):
    """Whose an address is."""

    mac: bytes
    flags: int
    host: int
    identity: int


class GatewayValue(NamedTuple):
    """The router behind a MAC address."""

    router: int
    address: bytes
    firewall: int = 0


class RouteValue(NamedTuple):
    """Where a router sends what matches."""

    vni: int
    mac: bytes
    mtu: int
    hops: int
    """How many next hops stand in `hop` instead; 0 for a network that is connected."""
    length: int
    """Of the prefix that a route with next hops is for, in 128 bits."""
    firewall: int = 0


class HopValue(NamedTuple):
    """A next hop, and how a router gets there."""

    via: bytes
    vni: int
    mac: bytes
    mtu: int
    firewall: int = 0


class WallRuleValue(NamedTuple):
    """A rule of a firewall."""

    source: bytes
    source_mask: bytes
    destination: bytes
    destination_mask: bytes
    source_first: int
    source_last: int
    destination_first: int
    destination_last: int
    protocol: int
    family: int
    action: int
    rule: int


class DeviceValue(NamedTuple):
    """Where a machine is plugged in, and who it is."""

    ifindex: int
    flags: int
    vlan: int
    identity: int
    project: int


class PrefixValue(NamedTuple):
    """A prefix that an identity's rules name."""

    address: bytes
    length: int


class ProjectValue(NamedTuple):
    """What a project's machines on a host have taken of what all share there."""

    connections: int
    refused: int


class BudgetValue(NamedTuple):
    """What a port has taken of what all share."""

    connections: int


class LoggingValue(NamedTuple):
    """What has been written down about a port."""

    paid: int
    unlogged: int


class PeerValue(NamedTuple):
    """The machine that the host's services see under an address."""

    address: bytes
    ifindex: int
    flags: int
    vlan: int
    vni: int
    mac: bytes


def settings(entries: Entries) -> SettingsValue:
    """The host's; all zero before they are written, as an array's entries are."""
    value = entries["settings"].get(SETTINGS.pack_key(0))
    return SettingsValue(0, 0, 0, 0) if value is None else SettingsValue(**SETTINGS.unpack_value(value))


def port(entries: Entries, ifindex: int, vlan: int) -> PortValue | None:
    """The port behind a device whose frames have a VLAN id; 0 for no tag."""
    value = entries["port"].get(PORT.pack_key(ifindex, vlan))
    return None if value is None else PortValue(**PORT.unpack_value(value))


def endpoint(entries: Entries, vni: int, address: bytes) -> EndpointValue | None:
    """The owner of an address on a network."""
    value = entries["endpoint"].get(ENDPOINT.pack_key(vni, address))
    return None if value is None else EndpointValue(**ENDPOINT.unpack_value(value))


def family(address: bytes) -> Family:
    """The family of an address."""
    return Family.IPV4 if is_ipv4(address) else Family.IPV6


def pair(entries: Entries, vni: int, mac: bytes, address: bytes) -> EndpointValue | None:
    """The port whose pair of this MAC address has the longest range around an address; the value has its own MAC."""
    value = longest(PAIR, entries, PAIR.pack_key(PAIR_BITS, vni, mac, family(address), address))
    return None if value is None else EndpointValue(**PAIR.unpack_value(value))


def range(entries: Entries, vni: int, address: bytes) -> EndpointValue | None:
    """Where an address without an entry of its own is found: the longest range of a pair around it."""
    value = longest(RANGE, entries, RANGE.pack_key(RANGE_BITS, vni, family(address), address))
    return None if value is None else EndpointValue(**RANGE.unpack_value(value))


def is_station(entries: Entries, ifindex: int, vlan: int, mac: bytes) -> bool:
    """Whether a port may use a MAC address besides its own."""
    return STATION.pack_key(ifindex, mac, vlan) in entries["station"]


def gateway(entries: Entries, vni: int, mac: bytes, family: Family) -> GatewayValue | None:
    """The router interface with this MAC address on a network, if it has an address of the family."""
    value = entries["gateway"].get(GATEWAY.pack_key(vni, mac, family))
    return None if value is None else GatewayValue(**GATEWAY.unpack_value(value))


def device(entries: Entries, vni: int, mac: bytes) -> DeviceValue | None:
    """The device of a machine on this host."""
    value = entries["device"].get(DEVICE.pack_key(vni, mac))
    return None if value is None else DeviceValue(**DEVICE.unpack_value(value))


def spread(entries: Entries, vni: int, index: int) -> list[int]:
    """The numbers of some of the hosts that carry machines of a network, with a 0 behind them if the entry is not full.

    Empty behind the last entry.
    """
    value = entries["spread"].get(SPREAD.pack_key(vni, index))
    numbers = [] if value is None else memoryview(value).cast("I").tolist()
    return numbers[: numbers.index(0) + 1] if 0 in numbers else numbers


def crowd(entries: Entries, vni: int, index: int) -> bytes | None:
    """The MAC address of one of the machines of a network on this host."""
    value = entries["crowd"].get(CROWD.pack_key(vni, index))
    return None if value is None else value[:6]


def member(entries: Entries, vni: int, group: bytes, index: int) -> bytes | None:
    """The MAC address of one of those that listen to a group."""
    value = entries["member"].get(MEMBER.pack_key(vni, group, index))
    return None if value is None else value[:6]


def is_broadcast(entries: Entries, vni: int, address: bytes) -> bool:
    """Whether an address means all machines of a subnet."""
    return BROADCAST.pack_key(vni, address) in entries["broadcast"]


def budget(entries: Entries, vni: int, mac: bytes) -> BudgetValue:
    """What a port has taken; nothing before it has an entry."""
    value = entries["budget"].get(BUDGET.pack_key(vni, mac))
    return BudgetValue(0) if value is None else BudgetValue(**BUDGET.unpack_value(value))


def project(entries: Entries, number: int) -> ProjectValue:
    """What a project has taken; nothing before it has an entry."""
    value = entries["project"].get(PROJECT.pack_key(number))
    return ProjectValue(0, 0) if value is None else ProjectValue(**PROJECT.unpack_value(value))


def pace(entries: Entries, vni: int, mac: bytes, kind: int) -> int:
    """Until when a port has used up its rate of something, in ns; 0 before it has an entry."""
    value = entries["pace"].get(PACE.pack_key(vni, mac, kind))
    return 0 if value is None else int(PACE.unpack_value(value)["until"])


def logging(entries: Entries, vni: int, mac: bytes) -> LoggingValue:
    """What has been written down about a port; nothing before it has an entry."""
    value = entries["logging"].get(LOGGING.pack_key(vni, mac))
    return LoggingValue(0, 0) if value is None else LoggingValue(**LOGGING.unpack_value(value))


def resolver(entries: Entries, vni: int, address: bytes) -> bool:
    """Whether an address is that of a resolver of a network's subnets."""
    return RESOLVER.pack_key(vni, address) in entries["resolver"]


def client(entries: Entries, ifindex: int, vlan: int, address: bytes) -> bytes | None:
    """As whom the host's services see an address of the machine behind a device, under a VLAN id there."""
    return entries["client"].get(CLIENT.pack_key(ifindex, vlan, address))


def peer(entries: Entries, address: bytes) -> PeerValue | None:
    """The machine that the host's services see under an address."""
    value = entries["peer"].get(PEER.pack_key(address))
    return None if value is None else PeerValue(**PEER.unpack_value(value))


def host_address(entries: Entries, number: int) -> bytes | None:
    """The underlay address of a host, 16 bytes."""
    return entries["host"].get(HOST.pack_key(number))


def profile_stamp(entries: Entries, identity: int) -> int:
    """The fingerprint of an identity's rules; 0 if it has none."""
    value = entries["profile"].get(PROFILE.pack_key(identity))
    return 0 if value is None else int(PROFILE.unpack_value(value)["stamp"])


def route(entries: Entries, router: int, address: bytes) -> RouteValue | None:
    """The route of the longest prefix that the address lies in."""
    value = longest(ROUTE, entries, ROUTE.pack_key(ROUTE_BITS, router, address))
    return None if value is None else RouteValue(**ROUTE.unpack_value(value))


def hop(entries: Entries, router: int, destination: bytes, length: int, index: int) -> HopValue | None:
    """One of the next hops of the route whose prefix, of this length, a destination lies in."""
    shift = 128 - length
    network = (int.from_bytes(destination, "big") >> shift << shift).to_bytes(16, "big")
    value = entries["hop"].get(HOP.pack_key(router, network, length, index))
    return None if value is None else HopValue(**HOP.unpack_value(value))


def wall_rule(entries: Entries, firewall: int, direction: int, index: int) -> WallRuleValue | None:
    """A rule of a firewall by its place."""
    value = entries["firewall"].get(FIREWALL.pack_key(firewall, direction, index))
    return None if value is None else WallRuleValue(**FIREWALL.unpack_value(value))


def prefix(entries: Entries, profile: int, direction: int, address: bytes) -> PrefixValue | None:
    """The longest prefix named by an identity's rules of one direction that the address lies in."""
    value = longest(PREFIX, entries, PREFIX.pack_key(PREFIX_BITS, profile, direction, address))
    return None if value is None else PrefixValue(**PREFIX.unpack_value(value))


def policy(
    entries: Entries, profile: int, direction: int, remote: tuple[int, int, bytes], protocol: int, service: int
) -> int | None:
    """The rule that allows this; `remote` is (Remote, length, 16 bytes)."""
    wanted = POLICY.pack_key(POLICY_BITS, profile, direction, *remote, protocol, service.to_bytes(2, "big"))
    value = longest(POLICY, entries, wanted)
    return None if value is None else int(POLICY.unpack_value(value)["rule"])


def longest(table: Table, entries: Entries, wanted: bytes) -> bytes | None:
    """The value of the entry with the longest prefix of what follows `bits` in a whole key."""
    found = max(_matches(table, entries[table.name], wanted), default=None)
    return None if found is None else found[1]


def _matches(table: Table, entries: Mapping[bytes, bytes], wanted: bytes) -> Iterator[tuple[int, bytes]]:
    width = (table.key.size - 4) * 8
    number = int.from_bytes(wanted[4:], "big")
    for key, value in entries.items():
        bits = int.from_bytes(key[:4], byteorder)
        if (int.from_bytes(key[4:], "big") ^ number) >> (width - bits) == 0:
            yield bits, value
