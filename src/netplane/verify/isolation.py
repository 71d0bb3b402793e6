"""A proof over all hosts' tables that no packet can get from one domain into another.

A packet changes its network in one place only: where a router that its MAC address names has a route. So it is
enough that every route of a router, or next hop of one, leads to the domain of each of the router's gateways, that all
hosts say the same of an address, that the device of a MAC address is on one host only and is that of its port, and that
no host holds anything of a domain in which it carries no machine.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from netplane.base.addresses import unpack_mac
from netplane.base.problem import Problem
from netplane.model import Binding, Network, Port
from netplane.tables.pipeline import BY_NAME
from netplane.tables.text import show_key
from netplane.verify.world import World

Tables = Mapping[str, Mapping[bytes, bytes]]
OF_ADDRESSES = ("endpoint", "pair", "range")
"""What says who speaks from an address and where it is found."""
Domains = Mapping[int, str]
"""VNI -> what its domain is called; networks of one domain have one name."""


def domains_of(world: World) -> dict[int, str]:
    """The domains of a world, each called by the smallest id of its networks: what routers join is one domain."""
    names = {network.id: network.id for network in world.all(Network)}
    interfaces = [port for port in world.all(Port) if port.is_router_interface]
    for one in interfaces:
        for other in interfaces:
            if one.device_id == other.device_id:
                joined = {names[one.network_id], names[other.network_id]}
                names = {id: min(joined) if name in joined else name for id, name in names.items()}
    return {network.vni: names[network.id] for network in world.all(Network)}


def carried_by(world: World, host: str, domains: Domains) -> set[str]:
    """The domains in which a host carries a machine."""
    bound = {binding.id for binding in world.all(Binding) if binding.host_id == host}
    return {domains[world.network(port).vni] for port in world.all(Port) if port.id in bound}


def prove_isolation(tables_by_host: Mapping[str, Tables], world: World) -> list[Problem]:
    """Every way in which a packet could leave its domain, or hosts disagree; empty if there is none."""
    domains = domains_of(world)
    found = {*_disagreements(tables_by_host), *_doubles(tables_by_host)}
    for host, tables in tables_by_host.items():
        found |= {*_leaks(host, tables, domains), *_unpaired(host, tables)}
        found |= {*_strangers(host, tables, domains, carried_by(world, host, domains))}
    return sorted(found)


def _leaks(host: str, tables: Tables, domains: Domains) -> Iterator[Problem]:
    routes = [*_entries(tables, "route"), *_entries(tables, "hop")]
    for gateway in _entries(tables, "gateway"):
        for route in routes:
            if route["router"] == gateway["router"] and domains.get(route["vni"]) != domains.get(gateway["vni"]):
                yield _problem(host, f"router {route['router']} leads from VNI {gateway['vni']} to {route['vni']}")


def _strangers(host: str, tables: Tables, domains: Domains, own: set[str]) -> Iterator[Problem]:
    for name in (*OF_ADDRESSES, "gateway", "route", "hop", "device", "port"):
        for vni in sorted({entry["vni"] for entry in _entries(tables, name)}):
            if domains.get(vni) not in own:
                yield _problem(host, f"{name} entries of VNI {vni}, of whose domain it carries no machine")


def _unpaired(host: str, tables: Tables) -> Iterator[Problem]:
    devices = {(entry["vni"], entry["mac"], entry["ifindex"]) for entry in _entries(tables, "device")}
    ports = {(entry["vni"], entry["mac"], entry["ifindex"]) for entry in _entries(tables, "port")}
    for vni, mac, ifindex in sorted(devices ^ ports):
        yield _problem(host, f"device {ifindex} is not both way and door of {unpack_mac(mac)} on VNI {vni}")


def _disagreements(tables_by_host: Mapping[str, Tables]) -> Iterator[Problem]:
    said: dict[tuple[str, bytes], bytes] = {}
    for host, tables in tables_by_host.items():
        for name in OF_ADDRESSES:
            for key, value in tables.get(name, {}).items():
                if said.setdefault((name, key), value) != value:
                    yield _problem(host, f"says of {name} {show_key(name, key)} what others do not")


def _doubles(tables_by_host: Mapping[str, Tables]) -> Iterator[Problem]:
    seen: dict[tuple[int, bytes], str] = {}
    for host, tables in tables_by_host.items():
        for entry in _entries(tables, "device"):
            first = seen.setdefault((entry["vni"], entry["mac"]), host)
            if first != host:
                yield _problem(host, f"{unpack_mac(entry['mac'])} on VNI {entry['vni']} has a device on {first} too")


def _entries(tables: Tables, name: str) -> Iterator[dict[str, Any]]:
    table = BY_NAME[name]
    for key, value in tables.get(name, {}).items():
        # Key and value of these tables have no field in common.
        entry = table.unpack_value(value) | table.unpack_key(key)
        # A route with next hops leads nowhere itself: they do.
        if not entry.get("hops"):
            yield entry


def _problem(host: str, text: str) -> Problem:
    return Problem("host", host, text)
