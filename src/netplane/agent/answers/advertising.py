"""Router advertisements of this host: what its machines hear of their routers, asked and unasked.

    records, devices ─▶ Link ─▶ adverts ─▶ Schedule ── due ──▶ the machine's device
    a solicitation ─────────────▶ adverts ───────────────────▶ the machine's device

Every host speaks for a network's routers to its own machines, as it routes for them: nothing of this crosses the
tunnel. Records change in bursts, so they are looked at a moment after the first change of one.
"""

import asyncio
from collections.abc import Callable, Mapping
from random import uniform
from time import monotonic

from netplane.agent.answers.advert import Advert, write
from netplane.agent.answers.link import Link, adverts
from netplane.agent.answers.schedule import Schedule
from netplane.agent.slice import Slice
from netplane.model import ROUTER_INTERFACE, Network, Port, Router, Subnet

PAUSE = 0.1
"""Seconds between two looks at the records (RFC 4861, section 6.2.6, would have three between advertisements)."""

LATEST = 3600.0
"""Seconds after which the clock is looked at in any case."""

Send = Callable[[int, bytes], None]


class Advertising:
    """What is said by routers. `send` gets an ifindex and a frame."""

    def __init__(self, slice: Slice, send: Send) -> None:
        self._slice = slice
        self._send = send
        self._schedule = Schedule(uniform)
        self._ports: Mapping[int, str] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._look_at = float("inf")

    def note(self, ports: Mapping[int, str]) -> None:
        """Records or devices may have changed; `ports` are those of the devices, by ifindex."""
        self._ports = ports
        if self._look_at == float("inf"):
            self._look_at = monotonic() + PAUSE
            self._set_timer()

    def answer(self, ifindex: int, port: Port) -> None:
        """Tell a machine that has asked."""
        for advert in self._adverts(port, {}):
            self._send(ifindex, write(advert))

    def close(self) -> None:
        """Say nothing more: routers go on without us."""
        if self._timer is not None:
            self._timer.cancel()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        pause = min(self._look_at, self._schedule.next) - monotonic()
        self._timer = asyncio.get_running_loop().call_later(min(max(pause, 0.0), LATEST), self._tick)

    def _tick(self) -> None:
        now = monotonic()
        if now >= self._look_at:
            self._look_at = float("inf")
            links: dict[str, Link | None] = {}
            found = {ifindex: self._slice.get(Port, id) for ifindex, id in self._ports.items()}
            there = {ifindex: port for ifindex, port in found.items() if port is not None}
            self._schedule.set({ifindex: self._adverts(port, links) for ifindex, port in there.items()}, now)
        for ifindex, said in self._schedule.due(now):
            for advert in said:
                self._send(ifindex, write(advert))
        self._set_timer()

    def _adverts(self, port: Port, links: dict[str, Link | None]) -> tuple[Advert, ...]:
        if port.network_id not in links:
            links[port.network_id] = read_link(self._slice, port.network_id)
        link = links[port.network_id]
        return () if link is None else adverts(link, port)


def read_link(slice: Slice, id: str) -> Link | None:
    """A network as its routers speak of it; None if they have nothing to say."""
    network = slice.get(Network, id)
    subnets = [subnet for subnet in slice.find(Subnet, "network_id", id) if subnet.ipv6_ra_mode]
    if network is None or not subnets:
        return None
    interfaces = [port for port in slice.find(Port, "network_id", id) if port.device_owner == ROUTER_INTERFACE]
    routers = (slice.get(Router, port.device_id) for port in interfaces)
    return Link(network, subnets, interfaces, {router.id: router for router in routers if router is not None})
