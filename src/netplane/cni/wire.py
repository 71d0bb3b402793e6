"""The wire between host and container: a veth pair, made and read by rtnetlink(7).

A namespace is spoken to through a socket that was made in it; nothing else is done there.
"""

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address, ip_interface, ip_network
from struct import pack, unpack, unpack_from
from typing import NamedTuple

from netplane.agent.devices.alias import ALIAS
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
from netplane.cni.attachment import Address, Attachment, Route, canonical
from netplane.cni.errors import CniError, Code

CLONE_NEWNET = 0x40000000
NEWADDR, NEWROUTE, GETROUTE = 20, 24, 26
REPLACE = 0x100
IFF_UP = 1
ADDRESS, IFNAME, MTU, LINK, LINKINFO, IFALIAS, NET_NS_FD = 1, 3, 4, 5, 18, 20, 28
INFO_KIND, INFO_DATA, VETH_INFO_PEER = 1, 2, 1
IFA_ADDRESS, IFA_LOCAL, IFA_BROADCAST, IFA_F_NODAD = 1, 2, 4, 0x02
RTA_DST, RTA_OIF, RTA_GATEWAY = 1, 4, 5
RT_TABLE_MAIN, RTPROT_BOOT, RTN_UNICAST, RTNH_F_ONLINK = 254, 3, 1, 4
FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}
LINK_BODY, ADDRESS_BODY, ROUTE_BODY = 16, 8, 12
"""The lengths of `struct ifinfomsg`, `struct ifaddrmsg` and `struct rtmsg`."""


class Sandbox(NamedTuple):
    """A container's network namespace, opened."""

    descriptor: int
    kernel: Netlink


class Device(NamedTuple):
    """A device of one of the two namespaces."""

    ifindex: int
    mac: str
    mtu: int
    kind: str
    up: bool
    alias: str
    peer: int
    """The ifindex of a pair's other end, in the namespace that it lies in; 0 for none."""


@contextmanager
def opened(path: str) -> Iterator[Sandbox]:
    """A container's namespace; CniError if there is none at this path, or it is the host's own."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as problem:
        raise CniError(Code.UNKNOWN_CONTAINER, f"CNI_NETNS {path!r}: {problem.strerror}") from None
    try:
        with _speaking(path, descriptor) as kernel:
            yield Sandbox(descriptor, kernel)
    finally:
        os.close(descriptor)


def _speaking(path: str, descriptor: int) -> Netlink:
    with open("/proc/thread-self/ns/net", "rb") as home:
        if os.path.samestat(os.fstat(home.fileno()), os.fstat(descriptor)):
            raise CniError(Code.INVALID_ENVIRONMENT, f"CNI_NETNS {path!r} is the host's own namespace")
    try:
        with _inside(descriptor):
            return Netlink()
    except OSError as problem:
        text = f"CNI_NETNS {path!r} cannot be entered: {problem.strerror}"
        raise CniError(Code.INVALID_ENVIRONMENT, text) from None


@contextmanager
def _inside(descriptor: int) -> Iterator[None]:
    """The thread is in a namespace for as long as the block runs: a moment."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _enter(descriptor)
        try:
            yield
        finally:
            _enter(home)
    finally:
        os.close(home)


def _enter(descriptor: int) -> None:
    import ctypes

    if ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def read_device(kernel: Netlink, name: str) -> Device | None:
    """A device by its name, None if there is none."""
    return _read(kernel, 0, encode({IFNAME: name.encode() + b"\0"}))


def read_peer(kernel: Netlink, device: Device) -> Device | None:
    """The other end of a pair, asked for in the namespace where it should lie; None if it does not lie there."""
    peer = _read(kernel, device.peer, b"") if device.peer else None
    return peer if peer is not None and peer.kind == "veth" and peer.peer == device.ifindex else None


def _read(kernel: Netlink, ifindex: int, name: bytes) -> Device | None:
    try:
        [body] = kernel.ask(GETLINK, 0, _link(ifindex) + name)
    except NetlinkRefused as problem:
        if problem.errno == errno.ENODEV:
            return None
        raise
    number, flags = unpack_from("=4xiI", body)
    found = attributes(body[LINK_BODY:])
    return Device(
        ifindex=number,
        mac=found.get(ADDRESS, b"").hex(":"),
        mtu=unpack("=I", found[MTU])[0],
        kind=_text(attributes(found.get(LINKINFO, b"")).get(INFO_KIND, b"")),
        up=bool(flags & IFF_UP),
        alias=_text(found.get(IFALIAS, b"")),
        peer=unpack("=I", found.get(LINK, bytes(4)))[0],
    )


def _text(octets: bytes) -> str:
    return octets.rstrip(b"\0").decode(errors="replace")


def make_pair(host: Netlink, sandbox: Sandbox, wanted: Attachment, interface: str) -> None:
    """A pair with its far end in the sandbox, both ends down."""
    peer = {
        IFNAME: interface.encode() + b"\0",
        ADDRESS: bytes.fromhex(wanted.mac.replace(":", "")),
        MTU: pack("=I", wanted.mtu),
        NET_NS_FD: pack("=i", sandbox.descriptor),
    }
    data = encode({VETH_INFO_PEER: _link(0) + encode(peer)})
    pair = {
        IFNAME: wanted.device.encode() + b"\0",
        MTU: pack("=I", wanted.mtu),
        LINKINFO: encode({INFO_KIND: b"veth\0", INFO_DATA: data}),
    }
    host.ask(NEWLINK, CREATE | EXCLUSIVE, _link(0) + encode(pair))


def allow_ipv6(sandbox: Sandbox, interface: str) -> None:
    """Let an interface of a container have addresses of IPv6: runtimes often have it off unless a plugin says so."""
    with _inside(sandbox.descriptor):
        _set_ipv6(interface, "0")


def configure(kernel: Netlink, wanted: Attachment, ifindex: int) -> tuple[Route, ...]:
    """Give the container's end what the port says; the routes by it that stand then.

    A route to where another interface leads already is left out: a container's first default route is its default.
    """
    link = {ADDRESS: bytes.fromhex(wanted.mac.replace(":", "")), MTU: pack("=I", wanted.mtu)}
    kernel.ask(SETLINK, 0, _link(ifindex, IFF_UP) + encode(link))
    for address in wanted.addresses:
        kernel.ask(NEWADDR, CREATE | REPLACE, _address(address, ifindex))
    links = [ip_network(address.address, strict=False) for address in wanted.addresses]
    for route in wanted.routes:
        far = not any(ip_address(route.gateway) in link for link in links)
        _add_route(kernel, _route(route, ifindex, RTNH_F_ONLINK if far else 0))
    standing = set(read_routes(kernel, ifindex))
    return tuple(route for route in wanted.routes if (canonical(route.destination), route.gateway) in standing)


def _add_route(kernel: Netlink, body: bytes) -> None:
    try:
        kernel.ask(NEWROUTE, CREATE | EXCLUSIVE, body)
    except NetlinkRefused as problem:
        if problem.errno != errno.EEXIST:
            raise


def plug_in(host: Netlink, ifindex: int, device: str, port: str) -> None:
    """Write the port's id on the host's end and bring it up: from here on it is the agent's."""
    silence(device)
    host.ask(SETLINK, 0, _link(ifindex, IFF_UP) + encode({IFALIAS: f"{ALIAS}{port}".encode()}))


def silence(device: str) -> None:
    """Keep what the host's kernel says in IPv6 on its own behalf out of the container."""
    _set_ipv6(device, "1")


def _set_ipv6(device: str, disabled: str) -> None:
    """A kernel without IPv6 has no such setting."""
    try:
        with open(f"/proc/sys/net/ipv6/conf/{device}/disable_ipv6", "w") as setting:
            setting.write(disabled)
    except FileNotFoundError:
        return


def remove(kernel: Netlink, ifindex: int) -> None:
    """Delete a device, and with it the other end of its pair; one that is gone is no error."""
    try:
        kernel.ask(DELLINK, 0, _link(ifindex))
    except NetlinkRefused as problem:
        if problem.errno != errno.ENODEV:
            raise


def read_addresses(kernel: Netlink, ifindex: int) -> Iterator[str]:
    """The addresses of a device, as address/length."""
    for body in kernel.ask(GETADDR, ROOT_MATCH, pack("=BxxxI", socket.AF_UNSPEC, 0)):
        length, number = unpack_from("=xBxxI", body)
        found = attributes(body[ADDRESS_BODY:])
        if number == ifindex:
            yield f"{ip_address(found.get(IFA_LOCAL, found.get(IFA_ADDRESS, b'')))}/{length}"


def read_routes(kernel: Netlink, ifindex: int) -> Iterator[tuple[str, str]]:
    """Destination and gateway of each route of the main table by a device; no gateway is an empty text."""
    for body in kernel.ask(GETROUTE, ROOT_MATCH, pack("=B11x", socket.AF_UNSPEC)):
        family, length, table = unpack_from("=BBxxB", body)
        found = attributes(body[ROUTE_BODY:])
        if table == RT_TABLE_MAIN and found.get(RTA_OIF) == pack("=I", ifindex):
            unspecified = bytes(4 if family == socket.AF_INET else 16)
            gateway = found.get(RTA_GATEWAY)
            yield f"{ip_address(found.get(RTA_DST, unspecified))}/{length}", str(ip_address(gateway)) if gateway else ""


def _link(ifindex: int, flags: int = 0) -> bytes:
    """A `struct ifinfomsg`; of the flags, those that are set are changed."""
    return pack("=BxHiII", socket.AF_UNSPEC, 0, ifindex, flags, flags)


def _address(address: Address, ifindex: int) -> bytes:
    """A `struct ifaddrmsg` and its attributes. No other machine can have it, so IPv6 need not ask around."""
    parsed = ip_interface(address.address)
    own = parsed.packed
    found = {IFA_LOCAL: own, IFA_ADDRESS: own}
    if parsed.version == 4 and parsed.network.prefixlen < 31:
        found[IFA_BROADCAST] = parsed.network.broadcast_address.packed
    flags = IFA_F_NODAD if parsed.version == 6 else 0
    body = pack("=BBBBI", FAMILY[parsed.version], parsed.network.prefixlen, flags, 0, ifindex)
    return body + encode(found)


def _route(route: Route, ifindex: int, flags: int) -> bytes:
    """A `struct rtmsg` and its attributes."""
    where = ip_network(route.destination, strict=False)
    found = {RTA_OIF: pack("=I", ifindex), RTA_GATEWAY: ip_address(route.gateway).packed}
    if where.prefixlen:
        found[RTA_DST] = where.network_address.packed
    body = pack(
        "=BBBBBBBBI", FAMILY[where.version], where.prefixlen, 0, 0, RT_TABLE_MAIN, RTPROT_BOOT, 0, RTN_UNICAST, flags
    )
    return body + encode(found)
