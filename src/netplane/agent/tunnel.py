"""The VXLAN device: one a host, in external mode, so that the datapath names network and host with each packet.

It is made once and found again: an agent that restarts, or a machine's device that comes or goes, never touches one
that is right, since packets are in flight on it.
"""

from collections.abc import Mapping
from typing import Any

from pyroute2 import IPRoute, NetlinkError

from netplane.agent.punt import silence_ipv6

PORT = 4789
"""RFC 7348, section 5."""

OVERHEAD = 50
"""Bytes that VXLAN over IPv4 adds to an Ethernet frame's payload: 14 inner Ethernet, 8 VXLAN, 8 UDP, 20 IPv4."""

COMMON_MTU = 1500


class TunnelRefused(Exception):
    """The tunnel device cannot be made or used; says why."""


def ensure_tunnel(name: str, address: str) -> int:
    """The ifindex of the tunnel device, made if there is none, up, and as large as the underlay allows.

    `address` is the host's in the underlay; the device that carries it bounds the size of packets. TunnelRefused
    if the kernel does not make it, or something else has its name.
    """
    try:
        with IPRoute() as kernel:
            return _ensure(kernel, name, address)
    except NetlinkError as problem:
        raise TunnelRefused(f"{name}: {problem}") from problem


def remove_device(name: str) -> None:
    """Delete a device of this namespace, if it is there."""
    with IPRoute() as kernel:
        for ifindex in kernel.link_lookup(ifname=name):
            kernel.link("del", index=ifindex)


def _ensure(kernel: IPRoute, name: str, address: str) -> int:
    found = kernel.link_lookup(ifname=name)
    if not found:
        metadata = {"vxlan_collect_metadata": True, "vxlan_learning": False, "vxlan_port": PORT}
        kernel.link("add", ifname=name, kind="vxlan", **metadata)
        found = kernel.link_lookup(ifname=name)
    link = kernel.link("get", index=found[0])[0]
    if not _is_ours(link):
        raise TunnelRefused(f"{name} exists and is no external VXLAN device on port {PORT}")
    _raise_to(kernel, name, link, _underlay_mtu(kernel, address) - OVERHEAD)
    return int(found[0])


def _is_ours(link: Any) -> bool:
    kind = link.get(("linkinfo", "kind"))
    data: Mapping[str, Any] = link.get(("linkinfo", "data")) or {}
    return kind == "vxlan" and bool(data.get("vxlan_collect_metadata")) and data.get("vxlan_port") == PORT


def _raise_to(kernel: IPRoute, name: str, link: Any, mtu: int) -> None:
    if link.get("mtu") != mtu:
        kernel.link("set", index=link["index"], mtu=mtu)
    if not link["flags"] & 1:
        silence_ipv6(name)
        kernel.link("set", index=link["index"], state="up")


def _underlay_mtu(kernel: IPRoute, address: str) -> int:
    for found in kernel.get_addr():
        if found.get("address") == address or found.get("local") == address:
            return int(kernel.link("get", index=found["index"])[0].get("mtu"))
    return COMMON_MTU
