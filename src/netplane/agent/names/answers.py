"""What we know of a name: addresses of machines by name, names by address, and that there is no such name.

The domains of the networks that a machine hears of are ours: a name in them that nobody has does not exist, and is
asked of nobody else. So is the reverse of every address of their subnets.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple

from dns.exception import DNSException
from dns.name import Name
from dns.rdatatype import AAAA, ANY, PTR, SOA, A, RdataType
from dns.reversename import ipv4_reverse_domain, ipv6_reverse_domain, to_address

from netplane.agent.names.directory import Directory, Here
from netplane.base.addresses import pack_address, unpack_address
from netplane.model import Port

Address = IPv4Address | IPv6Address
HOST = "host-"


class Found(NamedTuple):
    """What there is of a name that is ours."""

    zone: str
    """The domain that it belongs to."""
    records: tuple[tuple[RdataType, str], ...] = ()
    """Type and text of those that were asked for."""
    exists: bool = True


def find(directory: Directory, port: Port, name: Name, kind: RdataType) -> Found | None:
    """What the machine of a port shall learn of a name; None if the name is not ours."""
    around = directory.surroundings(port)
    reverse = _reverse(name)
    if reverse is not None:
        return _find_reverse(directory, around, reverse, name, kind)
    text = name.to_text().lower()
    addresses = _addresses(directory, around, text)
    zone = _zone_of(directory, around, text)
    if addresses:
        wanted = tuple((_kind(one), str(one)) for one in addresses if kind in (_kind(one), ANY))
        return Found(zone or text.partition(".")[2] or ".", wanted)
    if not zone:
        return None
    return Found(zone, ((SOA, ""),) if kind == SOA and text == zone else (), exists=text == zone)


def name_of(directory: Directory, here: Here, address: Address) -> str | None:
    """The name of whoever has an address on a network, fully qualified; None if nobody has it."""
    given = directory.names(here.network.vni, pack_address(str(address)))
    if given is None:
        return None
    name = given[-1] if given else default_name(address)
    return name if name.endswith(".") else f"{name}.{here.domain}"


def default_name(address: Address) -> str:
    """What a machine is called that nobody has named."""
    return HOST + str(address).replace(".", "-").replace(":", "-")


def _addresses(directory: Directory, around: list[Here], text: str) -> list[Address]:
    for here in around:
        domains = {here.domain, directory.default_domain.lower(), "."}
        names = [text, *(text[: -len(domain)].rstrip(".") for domain in domains if text.endswith(domain))]
        for name in dict.fromkeys(names):
            found = _on_network(directory, here.network.vni, name)
            if found:
                return found
    return []


def _on_network(directory: Directory, vni: int, name: str) -> list[Address]:
    called = [ip_address(unpack_address(one)) for known in directory.called(vni, name) for one in known.addresses]
    if called or not name.startswith(HOST):
        return called
    address = _parse(name.removeprefix(HOST))
    if address is None or name != default_name(address):
        return []
    return [address] if directory.names(vni, pack_address(str(address))) == () else []


def _parse(text: str) -> Address | None:
    for separator in ".:":
        try:
            return ip_address(text.replace("-", separator))
        except ValueError:
            continue
    return None


def _zone_of(directory: Directory, around: list[Here], text: str) -> str:
    """The longest of our domains that a name lies in; empty if it lies in none."""
    domains = {here.domain for here in around} | {directory.default_domain.lower()}
    inside = [domain for domain in domains if domain and (text == domain or text.endswith(f".{domain}"))]
    return max(inside, key=len, default="")


def _find_reverse(
    directory: Directory, around: list[Here], address: Address, name: Name, kind: RdataType
) -> Found | None:
    inside = [here for here in around if any(address in ip_network(subnet.cidr) for subnet in here.subnets)]
    zone = name.parent().to_text()
    for here in inside:
        owner = name_of(directory, here, address)
        if owner is not None:
            return Found(zone, ((PTR, owner),) if kind in (PTR, ANY) else ())
    return Found(zone, exists=False) if inside else None


def _reverse(name: Name) -> Address | None:
    """The address that a name is the reverse of."""
    if not (name.is_subdomain(ipv4_reverse_domain) or name.is_subdomain(ipv6_reverse_domain)):
        return None
    try:
        return ip_address(to_address(name))
    except (DNSException, ValueError):
        return None


def _kind(address: Address) -> RdataType:
    return A if address.version == 4 else AAAA
