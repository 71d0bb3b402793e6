"""The device between the datapath and the services: a pair of which one end lies in the services' namespace.

    np-serve (host: the datapath attaches here) ══ machines (namespace; 02:6e:70:00:00:02; no ARP)

In the namespace every address but those of peers is local, so that servers hear whatever address was asked.
"""

import errno
import os
import socket
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from struct import pack, unpack_from

from netplane.agent.devices.links import BODY, IFF_UP, IFNAME, INFO_DATA, INFO_KIND, LINKINFO, MTU
from netplane.agent.devices.netlink import (
    CREATE,
    DELLINK,
    EXCLUSIVE,
    GETLINK,
    NEWLINK,
    SETLINK,
    Netlink,
    NetlinkRefused,
    attributes,
    encode,
)
from netplane.agent.devices.silence import silence_ipv6
from netplane.agent.service.namespace import ensure_namespace, visit, write_setting
from netplane.tables.decisions import Service
from netplane.tables.peers import INSIDE_V6, RANGE, RANGE_V6

INSIDE = "machines"
KIND = b"veth\0"
MAC = int(Service.MAC).to_bytes(6, "big")
LARGEST = 65_535
"""Its MTU: machines have smaller ones and say so."""

NEWROUTE, NEWADDR = 24, 20
LINK_ADDRESS, LINK, NET_NS_FD, VETH_PEER = 1, 5, 28, 1
DST, OIF = 1, 4
ADDRESS, LOCAL_ADDRESS = 1, 2
LOCAL_TABLE, MAIN_TABLE = 255, 254
STATIC, SCOPE_LINK, SCOPE_HOST, UNICAST, LOCAL = 4, 253, 254, 1, 2
IFF_NOARP = 0x80
LOOPBACK = 1
EVERYTHING = tuple(map(IPv4Network, ("0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/3")))
"""All IPv4 addresses below those of groups and of peers."""

SETTINGS = {
    "ipv4/conf/all/rp_filter": 0,
    "ipv4/conf/default/rp_filter": 0,
    "ipv4/ip_forward": 0,
    "ipv6/conf/all/disable_ipv6": 0,
    "ipv6/conf/all/forwarding": 0,
    **{
        f"ipv6/conf/{device}/{name}": value
        for device in ("default", INSIDE)
        for name, value in (("accept_ra", 0), ("autoconf", 0), ("addr_gen_mode", 1), ("dad_transmits", 0))
    },
}
"""Nothing is learnt from anybody there, and nothing said that nobody has asked for."""


def ensure_link(name: str, namespace: str) -> int:
    """The ifindex of the host's end, with all that belongs to it; made if need be. OSError if it cannot be."""
    path = ensure_namespace(namespace)
    with Netlink() as kernel:
        ifindex = _find(name)
        if not ifindex or visit(path, _far_end) != ifindex:
            if ifindex:
                kernel.ask(DELLINK, 0, _link(ifindex))
            _make(kernel, name, path)
            ifindex = socket.if_nametoindex(name)
        silence_ipv6(name)
        kernel.ask(SETLINK, 0, _link(ifindex, flags=IFF_UP))
    visit(path, _furnish)
    return ifindex


def _make(kernel: Netlink, name: str, namespace: Path) -> None:
    with open(namespace, "rb") as there:
        far = encode(
            {
                IFNAME: INSIDE.encode() + b"\0",
                LINK_ADDRESS: MAC,
                MTU: pack("=I", LARGEST),
                NET_NS_FD: pack("=I", there.fileno()),
            }
        )
        pair = {INFO_KIND: KIND, INFO_DATA: encode({VETH_PEER: _link(0) + far})}
        near = {IFNAME: name.encode() + b"\0", MTU: pack("=I", LARGEST), LINKINFO: encode(pair)}
        kernel.ask(NEWLINK, CREATE | EXCLUSIVE, _link(0) + encode(near))


def _far_end() -> int:
    """Which device of the host the one in this namespace is tied to; 0 for none."""
    ifindex = _find(INSIDE)
    if not ifindex:
        return 0
    with Netlink() as kernel:
        [body] = kernel.ask(GETLINK, 0, _link(ifindex))
    found = attributes(body[BODY:])
    (number,) = unpack_from("=I", found.get(LINK, bytes(4)))
    return int(number) if found.get(LINK_ADDRESS) == MAC else 0


def _furnish() -> None:
    """Devices up, and the routes; what is there stays."""
    for setting, value in SETTINGS.items():
        write_setting(setting, value)
    inside = socket.if_nametoindex(INSIDE)
    with Netlink() as kernel:
        kernel.ask(SETLINK, 0, _link(LOOPBACK, flags=IFF_UP))
        kernel.ask(SETLINK, 0, _link(inside, flags=IFF_UP | IFF_NOARP))
        _route(kernel, [RANGE], inside, (MAIN_TABLE, STATIC, SCOPE_LINK, UNICAST))
        _route(kernel, EVERYTHING, LOOPBACK, (LOCAL_TABLE, STATIC, SCOPE_HOST, LOCAL))
        # A kernel without IPv6 goes without.
        with suppress(OSError):
            _route(kernel, [RANGE_V6], inside, (MAIN_TABLE, STATIC, SCOPE_LINK, UNICAST))
            _address(kernel, INSIDE_V6, LOOPBACK)


def _address(kernel: Netlink, address: IPv6Address, device: int) -> None:
    body = pack("=BBBBI", socket.AF_INET6, address.max_prefixlen, 0, 0, device)
    told = encode({LOCAL_ADDRESS: address.packed, ADDRESS: address.packed})
    try:
        kernel.ask(NEWADDR, CREATE | EXCLUSIVE, body + told)
    except NetlinkRefused as problem:
        if problem.errno != errno.EEXIST:
            raise


def _route(
    kernel: Netlink, prefixes: Iterable[IPv4Network | IPv6Network], device: int, how: tuple[int, int, int, int]
) -> None:
    """Routes by a device; `how` is the table, who made them, their scope and type."""
    for prefix in prefixes:
        family = socket.AF_INET if prefix.version == 4 else socket.AF_INET6
        body = pack("=BBBBBBBBI", family, prefix.prefixlen, 0, 0, *how, 0)
        told = encode({DST: prefix.network_address.packed, OIF: pack("=I", device)})
        try:
            kernel.ask(NEWROUTE, CREATE | EXCLUSIVE, body + told)
        except NetlinkRefused as problem:
            if problem.errno != errno.EEXIST:
                raise OSError(problem.errno, f"{os.strerror(problem.errno or 0)}: route to {prefix}") from problem


def _link(ifindex: int, *, flags: int = 0) -> bytes:
    """A `struct ifinfomsg`; of the flags, those that are set are changed."""
    return pack("=BxHiII", socket.AF_UNSPEC, 0, ifindex, flags, flags)


def _find(name: str) -> int:
    try:
        return socket.if_nametoindex(name)
    except OSError:
        return 0
