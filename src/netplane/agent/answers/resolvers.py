"""Where machines are told to ask for names: the one place that DHCP, DHCPv6 and router advertisements read it from."""

from netplane.base.addresses import unpack_address
from netplane.model import Subnet
from netplane.tables.services import ADDRESS, ADDRESS_V6

OURS, OURS_ON_LINK = unpack_address(ADDRESS), unpack_address(ADDRESS_V6)
"""The host's own: by IPv4, and by IPv6 on a link."""


def resolvers(subnet: Subnet, *, on_link: bool = False) -> tuple[str, ...]:
    """The resolvers that a subnet names, of its own IP version; the host's own if it names none at all.

    The host's own IPv6 address means something on the machine's link only. `on_link` says that who is told knows
    the link (as with router advertisements, RFC 8106); DHCPv6 tells addresses and no link.
    """
    named = tuple(server for server in subnet.dns_nameservers if (":" in server) == (subnet.ip_version == 6))
    if subnet.dns_nameservers:
        return named
    if subnet.ip_version == 4:
        return (OURS,)
    return (OURS_ON_LINK,) if on_link else ()
