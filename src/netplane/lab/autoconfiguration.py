"""What a machine's kernel has made of router advertisements: addresses, routes, MTU."""

import json
import subprocess
from pathlib import Path
from typing import Any

from netplane.lab.namespace import inside


def read_addresses(namespace: str, device: str = "eth0", scope: str = "global") -> list[str]:
    """The IPv6 addresses that are good for more than the link, or for it, and known to be nobody else's."""
    found = _ip(namespace, "address", "show", "dev", device, "scope", scope)
    # What is filtered out is there as an empty one.
    infos = (info for link in found for info in link.get("addr_info", ()) if info)
    return [info["local"] for info in infos if not info.get("tentative") and not info.get("dadfailed")]


def read_deprecated(namespace: str, device: str = "eth0") -> list[str]:
    """Those among them that are used for nothing new."""
    found = _ip(namespace, "address", "show", "dev", device, "deprecated")
    return [info["local"] for link in found for info in link.get("addr_info", ()) if info]


def read_routers(namespace: str) -> list[str]:
    """The default routers, by their addresses on the link."""
    routes = _ip(namespace, "route", "show", "default")
    return [hop["gateway"] for route in routes for hop in (route, *route.get("nexthops", ())) if "gateway" in hop]


def read_mtu(namespace: str, device: str = "eth0") -> int:
    """Bytes of an IPv6 packet, as routers say."""
    with inside(namespace):
        return int(Path(f"/proc/sys/net/ipv6/conf/{device}/mtu").read_text())


def _ip(namespace: str, *words: str) -> list[dict[str, Any]]:
    text = subprocess.check_output(["ip", "-n", namespace, "-6", "-j", *words], text=True)
    found: list[dict[str, Any]] = json.loads(text or "[]")
    return found
