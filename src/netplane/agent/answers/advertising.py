"""Router advertisements of this host: what its machines hear of their routers, asked and unasked.

    records, devices ─▶ Link ─▶ adverts ─▶ Schedule ── due ──▶ the machine's device
    a solicitation ─────────────▶ adverts ───────────────────▶ the machine's device

Every host speaks for a network's routers to its own machines, as it routes for them: nothing of this crosses the
tunnel. Records change in bursts, so they are looked at a moment after the first change of one.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from random import uniform
from time import monotonic

from msgspec.structs import replace

from netplane.agent.answers.advert import Advert, write
from netplane.agent.answers.link import Link, adverts
from netplane.agent.answers.punt import Place
from netplane.agent.answers.schedule import Schedule
from netplane.agent.names.directory import domain_of
from netplane.agent.slice import Slice
from netplane.model import ROUTER_INTERFACE, DhcpOption, Network, Port, Router, Subnet

SOON, PAUSE = 0.1, 1.0
"""Seconds from a change to a look at the records, and at least between two looks (RFC 4861, section 6.2.6, would have
three between advertisements)."""

LATEST = 3600.0
"""Seconds after which the clock is looked at in any case."""

Send = Callable[[Place, bytes], None]
Wording = tuple[str, tuple[DhcpOption, ...]]
"""What adverts differ by: the network, and the port's own options of IPv6."""


class Advertising:
    """What is said by routers. `send` gets a place and a frame."""

    def __init__(self, slice: Slice, send: Send) -> None:
        self._slice = slice
        self._send = send
        self._schedule: Schedule[Place] = Schedule(uniform)
        self._ports: Mapping[Place, str] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._look_at = float("inf")
        self._looked_at = 0.0
        self._known: dict[Wording, tuple[Link | None, tuple[Advert, ...]]] = {}

    def note(self, ports: Mapping[Place, str]) -> None:
        """Records or devices may have changed; `ports` are those of the devices."""
        self._ports = ports
        if self._look_at == float("inf"):
            self._look_at = max(monotonic() + SOON, self._looked_at + PAUSE)
            self._set_timer()

    def answer(self, place: Place, port: Port) -> None:
        """Tell a machine that has asked."""
        self._say(place, self._adverts(port, read_link(self._slice, port.network_id)))

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
            self._look_at, self._looked_at = float("inf"), now
            self._schedule.set(self._look(), now)
        for place, said in self._schedule.due(now):
            self._say(place, said)
        self._set_timer()

    def _say(self, place: Place, said: Iterable[Advert]) -> None:
        for advert in said:
            for frame in write(advert):
                self._send(place, frame)

    def _look(self) -> dict[Place, tuple[Advert, ...]]:
        """What each device shall hear; what has not changed is not made again."""
        found = {place: self._slice.get(Port, id) for place, id in self._ports.items()}
        ports = {place: port for place, port in found.items() if port is not None and self._is_up(port)}
        links = {id: read_link(self._slice, id) for id in {port.network_id for port in ports.values()}}
        holds = {place: self._adverts(port, links[port.network_id]) for place, port in ports.items()}
        used = set(map(wording, ports.values()))
        self._known = {one: known for one, known in self._known.items() if one in used}
        return holds

    def _is_up(self, port: Port) -> bool:
        """A machine whose port or network is switched off hears nothing, not even a farewell."""
        network = self._slice.get(Network, port.network_id)
        return port.admin_state_up and network is not None and network.admin_state_up

    def _adverts(self, port: Port, link: Link | None) -> tuple[Advert, ...]:
        before, said = self._known.get(wording(port), (None, ()))
        if before != link:
            said = () if link is None else adverts(link, port)
            self._known[wording(port)] = link, said
        return said


def wording(port: Port) -> Wording:
    """What a port's adverts differ by."""
    return port.network_id, tuple(option for option in port.extra_dhcp_opts if option.ip_version == 6)


def read_link(slice: Slice, id: str) -> Link | None:
    """A network as its routers speak of it; None if they have nothing to say."""
    network = slice.get(Network, id)
    subnets = [subnet for subnet in slice.find(Subnet, "network_id", id) if subnet.ipv6_ra_mode]
    if network is None or not subnets:
        return None
    interfaces = [port for port in slice.find(Port, "network_id", id) if port.device_owner == ROUTER_INTERFACE]
    routers = (slice.get(Router, port.device_id) for port in interfaces)
    named = replace(network, dns_domain=domain_of(network, slice.dns_domain))
    return Link(named, subnets, interfaces, {router.id: router for router in routers if router is not None})
