"""The DHCP options that a port can carry: their names and numbers, and the record of one.

Names are those that OpenStack Networking's users set, which are dnsmasq's; a number stands for any option. What the
protocol itself needs is the server's alone.
"""

from collections.abc import Mapping
from typing import NamedTuple

from msgspec import Struct

from netplane.base import dhcp
from netplane.base.dhcp import Format, number


class DhcpOption(Struct, frozen=True):
    """A DHCP option of one port."""

    opt_name: str
    opt_value: str
    ip_version: int = 4


class Known(NamedTuple):
    """An option that has a name."""

    code: int
    format: Format


NEXT_SERVER = 255
"""Stands for the field `siaddr`: dnsmasq's number for what is no option."""

OPTIONS: Mapping[str, Known] = {
    "netmask": Known(1, dhcp.ADDRESS),
    "time-offset": Known(2, dhcp.OFFSET),
    "router": Known(3, dhcp.ADDRESSES),
    "dns-server": Known(6, dhcp.ADDRESSES),
    "log-server": Known(7, dhcp.ADDRESSES),
    "lpr-server": Known(9, dhcp.ADDRESSES),
    "hostname": Known(12, dhcp.DOMAIN),
    "boot-file-size": Known(13, dhcp.SHORT),
    "domain-name": Known(15, dhcp.DOMAIN),
    "swap-server": Known(16, dhcp.ADDRESS),
    "root-path": Known(17, dhcp.TEXT),
    "extension-path": Known(18, dhcp.TEXT),
    "ip-forward-enable": Known(19, dhcp.FLAG),
    "non-local-source-routing": Known(20, dhcp.FLAG),
    "policy-filter": Known(21, dhcp.PAIRS),
    "max-datagram-reassembly": Known(22, dhcp.DATAGRAM),
    "default-ttl": Known(23, dhcp.HOPS),
    "mtu": Known(26, dhcp.MTU),
    "all-subnets-local": Known(27, dhcp.FLAG),
    "broadcast": Known(28, dhcp.ADDRESS),
    "router-discovery": Known(31, dhcp.FLAG),
    "router-solicitation": Known(32, dhcp.ADDRESS),
    "static-route": Known(33, dhcp.PAIRS),
    "trailer-encapsulation": Known(34, dhcp.FLAG),
    "arp-timeout": Known(35, dhcp.LONG),
    "ethernet-encap": Known(36, dhcp.FLAG),
    "tcp-ttl": Known(37, dhcp.HOPS),
    "tcp-keepalive": Known(38, dhcp.LONG),
    "nis-domain": Known(40, dhcp.TEXT),
    "nis-server": Known(41, dhcp.ADDRESSES),
    "ntp-server": Known(42, dhcp.ADDRESSES),
    "vendor-encap": Known(43, dhcp.OCTETS),
    "netbios-ns": Known(44, dhcp.ADDRESSES),
    "netbios-dd": Known(45, dhcp.ADDRESSES),
    "netbios-nodetype": Known(46, dhcp.OCTET),
    "netbios-scope": Known(47, dhcp.OCTETS),
    "x-windows-fs": Known(48, dhcp.ADDRESSES),
    "x-windows-dm": Known(49, dhcp.ADDRESSES),
    "lease-time": Known(51, dhcp.SECONDS),
    "T1": Known(58, dhcp.SECONDS),
    "T2": Known(59, dhcp.SECONDS),
    "vendor-class": Known(60, dhcp.OCTETS),
    "nis+-domain": Known(64, dhcp.TEXT),
    "nis+-server": Known(65, dhcp.ADDRESSES),
    "tftp-server": Known(66, dhcp.TEXT),
    "bootfile-name": Known(67, dhcp.TEXT),
    "mobile-ip-home": Known(68, dhcp.ADDRESSES),
    "smtp-server": Known(69, dhcp.ADDRESSES),
    "pop3-server": Known(70, dhcp.ADDRESSES),
    "nntp-server": Known(71, dhcp.ADDRESSES),
    "irc-server": Known(74, dhcp.ADDRESSES),
    "user-class": Known(77, dhcp.OCTETS),
    "client-arch": Known(93, dhcp.SHORT),
    "posix-timezone": Known(100, dhcp.TEXT),
    "tzdb-timezone": Known(101, dhcp.TEXT),
    "ipv6-only": Known(108, dhcp.LONG),
    "captive-portal": Known(114, dhcp.TEXT),
    "domain-search": Known(119, dhcp.DOMAINS),
    "sip-server": Known(120, dhcp.SIP),
    "classless-static-route": Known(121, dhcp.ROUTES),
    "vendor-id-encap": Known(125, dhcp.OCTETS),
    "tftp-server-address": Known(150, dhcp.ADDRESSES),
    "config-file": Known(209, dhcp.TEXT),
    "path-prefix": Known(210, dhcp.TEXT),
    "reboot-time": Known(211, dhcp.LONG),
    "wpad": Known(252, dhcp.TEXT),
    "server-ip-address": Known(NEXT_SERVER, dhcp.ADDRESS),
}
RESERVED = frozenset({0, 50, 52, 53, 54, 55, 56, 57, 61, 80, 81, 82, 90, 118})
"""Requested address, overload, message type and the like: what the two sides say to each other as they negotiate."""

WITHHOLDABLE = frozenset({3, 121})
"""Options that may have an empty value, which keeps the subnet's own from being told."""

_CODES = {name.lower(): known.code for name, known in OPTIONS.items()}
_FORMATS = {known.code: known.format for known in OPTIONS.values()}


def code_of(name: str) -> int:
    """The number of an option by its name or number; ValueError if there is none that a port may carry."""
    code = _CODES.get(name.lower())
    if code is None:
        try:
            code = number(name, 1, NEXT_SERVER)
        except ValueError:
            raise ValueError(f"there is no DHCP option '{name}'") from None
    if code in RESERVED:
        raise ValueError(f"the DHCP option '{name}' is part of the protocol")
    return code


def encode_option(option: DhcpOption) -> tuple[int, bytes]:
    """An IPv4 option's number and octets; no octets if it shall be withheld. ValueError if it makes no sense."""
    code = code_of(option.opt_name)
    if code in WITHHOLDABLE and not option.opt_value:
        return code, b""
    try:
        return code, _FORMATS.get(code, dhcp.OCTETS).encode(option.opt_value)
    except ValueError as error:
        raise ValueError(f"{option.opt_name}: {error}") from error
