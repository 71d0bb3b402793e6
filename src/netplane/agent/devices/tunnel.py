"""The VXLAN device: one a host, in external mode, so that the datapath names network and host with each packet.

It is made once and found again: an agent that restarts, or a machine's device that comes or goes, never touches one
that is right, since packets are in flight on it.
"""

import errno
import socket
from ipaddress import IPv4Address
from struct import pack, unpack, unpack_from
from typing import NamedTuple

from netplane.agent.devices.links import BODY, IFF_UP, IFNAME, INFO_DATA, INFO_KIND, LINKINFO, MTU, text
from netplane.agent.devices.netlink import (
    CREATE,
    DELLINK,
    EXCLUSIVE,
    GETADDR,
    GETLINK,
    NEWLINK,
    ROOT_MATCH,
    SETLINK,
    Netlink,
    NetlinkRefused,
    attributes,
    encode,
)
from netplane.agent.devices.silence import silence_ipv6

PORT = 4789
"""RFC 7348, section 5."""

OVERHEAD = 50
"""Bytes that VXLAN over IPv4 adds to an Ethernet frame's payload: 14 inner Ethernet, 8 VXLAN, 8 UDP, 20 IPv4."""

COMMON_MTU = 1500
KIND = b"vxlan\0"
VXLAN_LEARNING, VXLAN_PORT, VXLAN_COLLECT_METADATA = 7, 15, 25
IFA_LOCAL = 2
ADDRESS_BODY = 8
"""The length of `struct ifaddrmsg`."""


class TunnelRefused(Exception):
    """The tunnel device cannot be made or used; says why."""


class Tunnel(NamedTuple):
    """The tunnel device as it is now."""

    ifindex: int
    mtu: int
    """The largest IP packet of a machine that crosses the underlay whole."""
    rooted: bool
    """Whether a device of this namespace carries the host's address."""


class Device(NamedTuple):
    """What matters of a device that may be a tunnel's."""

    up: bool
    mtu: int
    kind: str
    port: int
    external: bool


def ensure_tunnel(name: str, address: str) -> Tunnel:
    """The tunnel device, made if there is none, up, and as large as the underlay allows.

    `address` is the host's in the underlay; the device that carries it bounds the size of packets. TunnelRefused
    if the kernel does not make it, or something else has its name.
    """
    try:
        with Netlink() as kernel:
            return _ensure(kernel, name, address)
    except NetlinkRefused as problem:
        raise TunnelRefused(f"{name}: {problem}") from problem


def remove_device(name: str) -> None:
    """Delete a device of this namespace, if it is there."""
    try:
        ifindex = socket.if_nametoindex(name)
    except OSError:
        return
    with Netlink() as kernel:
        kernel.ask(DELLINK, 0, _link(ifindex))


def _ensure(kernel: Netlink, name: str, address: str) -> Tunnel:
    try:
        kernel.ask(NEWLINK, CREATE | EXCLUSIVE, _link(0) + _external_vxlan(name))
    except NetlinkRefused as problem:
        if problem.errno != errno.EEXIST:
            raise
    ifindex = socket.if_nametoindex(name)
    found = _read(kernel, ifindex)
    if (found.kind, found.port, found.external) != ("vxlan", PORT, True):
        raise TunnelRefused(f"{name} exists and is no external VXLAN device on port {PORT}")
    underlay = _underlay_mtu(kernel, address)
    mtu = (COMMON_MTU if underlay is None else underlay) - OVERHEAD
    if found.mtu != mtu:
        kernel.ask(SETLINK, 0, _link(ifindex) + encode({MTU: pack("=I", mtu)}))
    if not found.up:
        silence_ipv6(name)
        kernel.ask(SETLINK, 0, _link(ifindex, flags=IFF_UP))
    return Tunnel(ifindex, mtu, underlay is not None)


def _link(ifindex: int, *, flags: int = 0) -> bytes:
    """A `struct ifinfomsg`; of the flags, those that are set are changed."""
    return pack("=BxHiII", socket.AF_UNSPEC, 0, ifindex, flags, flags)


def _external_vxlan(name: str) -> bytes:
    data = encode({VXLAN_COLLECT_METADATA: b"\1", VXLAN_LEARNING: b"\0", VXLAN_PORT: pack("!H", PORT)})
    return encode({IFNAME: name.encode() + b"\0", LINKINFO: encode({INFO_KIND: KIND, INFO_DATA: data})})


def _read(kernel: Netlink, ifindex: int) -> Device:
    [body] = kernel.ask(GETLINK, 0, _link(ifindex))
    (flags,) = unpack_from("=8xI", body)
    found = attributes(body[BODY:])
    told = attributes(found.get(LINKINFO, b""))
    data = attributes(told.get(INFO_DATA, b""))
    (mtu,) = unpack("=I", found[MTU])
    (port,) = unpack("!H", data.get(VXLAN_PORT, b"\0\0")[:2])
    external = data.get(VXLAN_COLLECT_METADATA) == b"\1"
    return Device(bool(flags & IFF_UP), mtu, text(told.get(INFO_KIND, b"")), port, external)


def _underlay_mtu(kernel: Netlink, address: str) -> int | None:
    """The MTU of the device that carries the host's address, if one does."""
    wanted = IPv4Address(address).packed
    for body in kernel.ask(GETADDR, ROOT_MATCH, pack("=BxxxI", socket.AF_INET, 0)):
        if attributes(body[ADDRESS_BODY:]).get(IFA_LOCAL) == wanted:
            (ifindex,) = unpack_from("=4xI", body)
            return _read(kernel, ifindex).mtu
    return None
