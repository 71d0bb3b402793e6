"""Where machines are told to ask for names: the one place that DHCP, DHCPv6 and router advertisements read it from."""

from netplane.base.addresses import MAPPED, unpack_address
from netplane.model import Subnet
from netplane.tables.decisions import Service

OURS = {4: unpack_address(MAPPED + int(Service.ADDRESS).to_bytes(4, "big"))}
"""The host's own, by IP version."""


def resolvers(subnet: Subnet) -> tuple[str, ...]:
    """The resolvers that a subnet names, of its own IP version; the host's own if it names none at all."""
    named = tuple(server for server in subnet.dns_nameservers if (":" in server) == (subnet.ip_version == 6))
    if named or subnet.dns_nameservers or subnet.ip_version not in OURS:
        return named
    return (OURS[subnet.ip_version],)
