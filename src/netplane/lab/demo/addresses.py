"""Item 1: every machine obtains address, gateway, DNS, MTU and routes by DHCP."""

import json
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

from netplane.lab import Machine
from netplane.lab.demo.check import Check
from netplane.lab.demo.scene import Scene
from netplane.lab.demo.tenant import DNS, EXTRA_ROUTE, Segment
from netplane.lab.dhcp import parse_routes
from netplane.lab.machine import DEVICE
from netplane.lab.wait import NotReached


def checks(scene: Scene) -> Iterator[Check]:
    """Addresses first; then what each machine's kernel has been told."""
    without = [problem for machine in scene.machines if (problem := _obtain(machine))]
    total = len(scene.machines)
    slowest = max((machine.client.read_seconds() for machine in scene.machines if machine.lease), default=0.0)
    measured = f"{total - len(without)} of {total} machines, the slowest {slowest:.1f} s after its client's start"
    yield Check("address by DHCP (dhclient)", not without, measured, "; ".join(without))
    segment_of = {
        machine.name: tenant.segments["left" if name.startswith("a") else "right"]
        for tenant in scene.tenants.values()
        for name, machine in tenant.machines.items()
    }
    for name, test in PROPERTIES.items():
        yield _everywhere(scene, name, lambda one, test=test: test(one, segment_of[one.name]))  # type: ignore[misc]


def _obtain(machine: Machine) -> str:
    """Why a machine has no lease for its own address; empty if it has."""
    try:
        lease = machine.obtain()
    except NotReached as problem:
        log = machine.client.child.tail() if machine.client.child else ""
        return f"{problem}\n{log}"
    return "" if lease.ip == machine.address == read_address(machine) else f"{machine.name} has {lease.address}"


def _everywhere(scene: Scene, name: str, test: Callable[[Machine], tuple[bool, str]]) -> Check:
    results = [(machine.name, *test(machine)) for machine in scene.machines]
    wrong = [f"{who} has {value or 'none'}" for who, ok, value in results if not ok]
    values = ", ".join(sorted({value for _, ok, value in results if ok}))
    return Check(name, not wrong, f"{len(results) - len(wrong)} of {len(results)} machines: {values}", "; ".join(wrong))


def _gateway(machine: Machine, segment: Segment) -> tuple[bool, str]:
    found = next((route.get("gateway", "") for route in read_routes(machine) if route["dst"] == "default"), "")
    return found == segment.gateway, found


def _dns(machine: Machine, segment: Segment) -> tuple[bool, str]:
    found = machine.client.read_resolvers()
    return found == [DNS], " ".join(found)


def _mtu(machine: Machine, segment: Segment) -> tuple[bool, str]:
    found: int = _ip(machine, "link", "show", DEVICE)[0]["mtu"]
    return found == segment.mtu, str(found)


def _routes(machine: Machine, segment: Segment) -> tuple[bool, str]:
    """Option 121 carries the extra route on the left network, and the default route everywhere."""
    told = dict(parse_routes(machine.lease.routes)) if machine.lease else {}
    kernel = {route["dst"]: route.get("gateway") for route in read_routes(machine)}
    left = machine.address.startswith("10.0.1.")
    ok = told.get("0.0.0.0/0") == segment.gateway and (EXTRA_ROUTE in told) == (EXTRA_ROUTE in kernel) == left
    return ok, " ".join(sorted(told))


PROPERTIES: dict[str, Callable[[Machine, Segment], tuple[bool, str]]] = {
    "default gateway": _gateway,
    "DNS server": _dns,
    "MTU of the device": _mtu,
    "classless static routes": _routes,
}


def read_address(machine: Machine) -> str:
    """The IPv4 address that the machine's kernel has."""
    found = [info["local"] for link in _ip(machine, "-4", "address", "show", DEVICE) for info in link["addr_info"]]
    return str(found[0]) if found else ""


def read_routes(machine: Machine) -> list[dict[str, Any]]:
    """The machine's IPv4 routes."""
    return _ip(machine, "-4", "route", "show")


def _ip(machine: Machine, *words: str) -> list[dict[str, Any]]:
    text = subprocess.check_output(["ip", "-n", machine.namespace, "-j", *words], text=True)
    found: list[dict[str, Any]] = json.loads(text or "[]")
    return found
