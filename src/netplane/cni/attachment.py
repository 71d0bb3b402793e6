"""What a container's interface must be, from its port; and how a result says so. No I/O."""

from collections.abc import Iterable, Mapping
from ipaddress import ip_interface, ip_network
from typing import Any, NamedTuple

from msgspec import to_builtins

from netplane.cni.config import Dns

Body = Mapping[str, Any]
WITH_FAMILY = ("0.3.0", "0.3.1", "0.4.0")
"""Versions whose results tell of each address whether it is IPv4 or IPv6."""

WITH_MTU = ("1.1.0",)
DEFAULT = {4: "0.0.0.0/0", 6: "::/0"}


class Address(NamedTuple):
    """An address with the length of its subnet's prefix, and the subnet's gateway; empty for none."""

    address: str
    gateway: str

    @property
    def family(self) -> int:
        """4 or 6."""
        return ip_interface(self.address).version


class Route(NamedTuple):
    """A route by a gateway."""

    destination: str
    gateway: str


class Attachment(NamedTuple):
    """An interface of a container."""

    port: str
    mac: str
    mtu: int
    addresses: tuple[Address, ...]
    routes: tuple[Route, ...]
    resolvers: tuple[str, ...]

    @property
    def device(self) -> str:
        """The name of the end that lies on the host."""
        return host_device(self.port)


def host_device(port: str) -> str:
    """The name of the host's end of a port's pair: as much of the id as fits; the alias has all of it."""
    return f"npc{port.replace('-', '')[:12]}"


def attachment(port: Body, network: Body, subnets: Iterable[Body]) -> Attachment:
    """The interface for a port as the API shows it."""
    known = {subnet["id"]: subnet for subnet in subnets}
    pairs = [(fixed["ip_address"], known[fixed["subnet_id"]]) for fixed in port["fixed_ips"]]
    used = {subnet["id"]: subnet for _, subnet in pairs}.values()
    return Attachment(
        port=port["id"],
        mac=port["mac_address"],
        mtu=network["mtu"],
        addresses=tuple(_address(address, subnet) for address, subnet in pairs),
        routes=tuple(dict.fromkeys(route for subnet in used for route in _routes(subnet))),
        resolvers=tuple(dict.fromkeys(server for subnet in used for server in subnet["dns_nameservers"])),
    )


def _address(address: str, subnet: Body) -> Address:
    return Address(f"{address}/{ip_network(subnet['cidr']).prefixlen}", subnet["gateway_ip"] or "")


def _routes(subnet: Body) -> Iterable[Route]:
    """A subnet's own routes before its default, as DHCP tells them (RFC 3442: a machine takes all of them)."""
    for route in subnet["host_routes"]:
        yield Route(route["destination"], route["nexthop"])
    if subnet["gateway_ip"]:
        yield Route(DEFAULT[subnet["ip_version"]], subnet["gateway_ip"])


def result(made: Attachment, interface: str, sandbox: str, dns: Dns | None, version: str) -> dict[str, object]:
    """A success in the words of a version of the specification (section 5, "Success")."""
    inside: dict[str, object] = {"name": interface, "mac": made.mac, "sandbox": sandbox}
    if version in WITH_MTU:
        inside["mtu"] = made.mtu
    return {
        "cniVersion": version,
        "interfaces": [{"name": made.device}, inside],
        "ips": [_said(address, version) for address in made.addresses],
        "routes": [{"dst": route.destination, "gw": route.gateway} for route in made.routes],
        "dns": to_builtins(dns if dns is not None else Dns(nameservers=made.resolvers)),
    }


def _said(address: Address, version: str) -> dict[str, object]:
    said: dict[str, object] = {"address": address.address, "interface": 1}
    if address.gateway:
        said["gateway"] = address.gateway
    if version in WITH_FAMILY:
        said["version"] = str(address.family)
    return said


def canonical(destination: str) -> str:
    """A destination as the kernel has it: without the bits that its length leaves out."""
    return str(ip_network(destination, strict=False))


class Expected(NamedTuple):
    """What a result promised of one interface."""

    mac: str
    addresses: frozenset[str]
    routes: frozenset[tuple[str, str]]


def expected(previous: Body, interface: str, sandbox: str) -> Expected | None:
    """What `prevResult` says of an interface in a sandbox; None if it knows no such interface."""
    interfaces = previous.get("interfaces", [])
    places = [
        place
        for place, found in enumerate(interfaces)
        if found.get("name") == interface and found.get("sandbox") == sandbox
    ]
    if not places:
        return None
    addresses = [ip["address"] for ip in previous.get("ips", []) if ip.get("interface") == places[0]]
    return Expected(
        interfaces[places[0]].get("mac", ""),
        frozenset(str(ip_interface(address)) for address in addresses),
        frozenset((canonical(route["dst"]), route.get("gw", "")) for route in previous.get("routes", [])),
    )


def differences(wanted: Expected, mac: str, addresses: Iterable[str], routes: Iterable[tuple[str, str]]) -> list[str]:
    """What an interface lacks of what was promised, a phrase each; what was added to it is no fault."""
    lacking = sorted(wanted.addresses - set(addresses))
    ways = sorted(wanted.routes - set(routes))
    return [
        *([f"its MAC is {mac}, not {wanted.mac}"] if wanted.mac and mac != wanted.mac.lower() else []),
        *(f"it lacks the address {address}" for address in lacking),
        *(f"it lacks the route to {destination} by {gateway or 'the link'}" for destination, gateway in ways),
    ]
