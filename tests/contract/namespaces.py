"""Network namespaces of the tests' own: this thread enters one, and is back where it was at the end."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pyroute2 import IPRoute

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)
HERE = Path("/proc/thread-self/ns/net")


@contextmanager
def new_namespace() -> Iterator[int]:
    """A new namespace as a file descriptor; it lives as long as that, or anything in it."""
    with _return_here():
        if _libc.unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "cannot make a network namespace")
        fd = os.open(HERE, os.O_RDONLY)
    try:
        yield fd
    finally:
        os.close(fd)


@contextmanager
def inside(namespace: int) -> Iterator[None]:
    """Have this thread in a namespace."""
    with _return_here():
        _enter(namespace)
        yield


@contextmanager
def _return_here() -> Iterator[None]:
    with ExitStack() as stack:
        before = os.open(HERE, os.O_RDONLY)
        stack.callback(os.close, before)
        stack.callback(_enter, before)
        yield


def _enter(namespace: int) -> None:
    if _libc.setns(namespace, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "cannot enter a network namespace")


def add_veth(name: str, peer: str, peer_namespace: int | None = None) -> int:
    """A veth pair, down, its far end in another namespace if one is given; the ifindex of the near end."""
    with IPRoute() as links:
        links.link("add", ifname=name, kind="veth", peer={"ifname": peer})
        if peer_namespace is not None:
            links.link("set", ifname=peer, net_ns_fd=peer_namespace)
    return find_link(name)


def find_link(name: str) -> int:
    """The ifindex of a device in this namespace."""
    with IPRoute() as links:
        [ifindex] = links.link_lookup(ifname=name)
    return int(ifindex)


def bring_up(ifindex: int, *, mac: bytes | None = None, address: str | None = None) -> None:
    """Set a device up, with a MAC address and an IPv4 address with its prefix's length if given."""
    with IPRoute() as links:
        if mac is not None:
            links.link("set", index=ifindex, address=mac.hex(":"))
        if address is not None:
            host, length = address.split("/")
            links.addr("add", index=ifindex, address=host, prefixlen=int(length))
        links.link("set", index=ifindex, state="up")


def remove_link(ifindex: int) -> None:
    """Remove a device; a veth's other end goes with it."""
    with IPRoute() as links:
        links.link("del", index=ifindex)
