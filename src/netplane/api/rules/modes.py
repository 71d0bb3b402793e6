"""How machines of IPv6 subnets get their addresses: which combinations of modes can be meant, and what they need."""

from collections.abc import Mapping
from typing import Any

from netplane.api.bodies import Wish
from netplane.api.errors import conflict, invalid
from netplane.api.rules.ranges import Range
from netplane.model import Subnet
from netplane.model.network import DHCPV6_STATEFUL, IPV6_MODES

MODES = ("ipv6_ra_mode", "ipv6_address_mode")
SMALLEST_MTU = 1280
"""Bytes of a packet that every link with IPv6 carries (RFC 8200, section 5)."""


def check_modes(cidr: Range, wish: Wish) -> None:
    """400 for modes that are none, that IPv4 has not, that contradict each other, or that need another prefix."""
    given = {name: wish[name] for name in MODES if wish.get(name) is not None}
    for name, mode in given.items():
        if mode not in IPV6_MODES:
            raise invalid(f"{name}: '{mode}' is not in {list(IPV6_MODES)}")
        if cidr.version == 4:
            raise invalid(f"{name} is not valid when ip_version is 4")
    if given and not wish.get("enable_dhcp", True):
        raise invalid("ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is set to False")
    _check_combination(given)
    if set(given.values()) - {DHCPV6_STATEFUL} and cidr.prefixlen != 64:
        text = (
            f"Invalid CIDR {cidr} for IPv6 address mode. OpenStack uses the EUI-64 address format, which requires the "
            "prefix to be /64"
        )
        raise invalid(text)


def check_dhcp_stays(subnet: Subnet, wish: Wish) -> None:
    """400 if DHCP is switched off where modes need it."""
    if wish.get("enable_dhcp", True) is False and any(getattr(subnet, name) is not None for name in MODES):
        raise invalid("Cannot disable enable_dhcp with ipv6 attributes set")


def check_mtu(network: str, mtu: int) -> None:
    """409 if a network with an IPv6 subnet has too small an MTU."""
    if mtu < SMALLEST_MTU:
        text = f"MTU of {network} is not valid, subnet requires a minimum of {SMALLEST_MTU}"
        raise conflict("NetworkMTUSubnetConflict", text)


def _check_combination(given: Mapping[str, Any]) -> None:
    if len(set(given.values())) > 1:
        ra_mode, address_mode = (given[name] for name in MODES)
        text = (
            f"ipv6_ra_mode set to '{ra_mode}' with ipv6_address_mode set to '{address_mode}' is not valid. If both "
            "attributes are set, they must be the same value"
        )
        raise invalid(text)
