"""The DHCPv6 options that a port can carry: their names and numbers, as `dhcp` has those of IPv4."""

from collections.abc import Mapping

from netplane.base import dhcp6
from netplane.base.dhcp import number
from netplane.model.dhcp import DhcpOption, Known

OPTIONS: Mapping[str, Known] = {
    "sip-server-domain": Known(21, dhcp6.NAMES),
    "sip-server": Known(22, dhcp6.ADDRESSES),
    "dns-server": Known(23, dhcp6.ADDRESSES),
    "domain-search": Known(24, dhcp6.NAMES),
    "nis-server": Known(27, dhcp6.ADDRESSES),
    "nis+-server": Known(28, dhcp6.ADDRESSES),
    "nis-domain": Known(29, dhcp6.NAMES),
    "nis+-domain": Known(30, dhcp6.NAMES),
    "sntp-server": Known(31, dhcp6.ADDRESSES),
    "information-refresh-time": Known(32, dhcp6.SECONDS),
    "posix-timezone": Known(41, dhcp6.TEXT),
    "tzdb-timezone": Known(42, dhcp6.TEXT),
    "ntp-server": Known(56, dhcp6.TIME),
    "bootfile-url": Known(59, dhcp6.TEXT),
    "bootfile-param": Known(60, dhcp6.PARAMETERS),
    "captive-portal": Known(103, dhcp6.TEXT),
}
RESERVED = frozenset({*range(1, 21), 25, 26, 39, 45, 47, 66, 79, 82, 83, 88, 89})
"""Identities, addresses, prefixes, status, relays and the like: what the sides say to each other as they negotiate."""

_CODES = {name.lower(): known.code for name, known in OPTIONS.items()}
_FORMATS = {known.code: known.format for known in OPTIONS.values()}


def code_of(name: str) -> int:
    """The number of an option by its name or number; ValueError if there is none that a port may carry."""
    code = _CODES.get(name.lower())
    if code is None:
        try:
            code = number(name, 1, 0xFFFF)
        except ValueError:
            raise ValueError(f"there is no DHCPv6 option '{name}'") from None
    if code in RESERVED:
        raise ValueError(f"the DHCPv6 option '{name}' is part of the protocol")
    return code


def encode_option(option: DhcpOption) -> tuple[int, bytes]:
    """An IPv6 option's number and octets; ValueError if it makes no sense."""
    code = code_of(option.opt_name)
    try:
        return code, _FORMATS.get(code, dhcp6.OCTETS).encode(option.opt_value)
    except ValueError as error:
        raise ValueError(f"{option.opt_name}: {error}") from error
