"""Listening machines of this host: asked every two minutes, heard at any time, and made entries of.

    reports ────────────▶ Members ── entries ──▶ the worker, which brings them into the datapath
    the clock ── queries ──▶ machines

What an earlier agent had learnt is recalled from the datapath itself, so that nobody has to join again.
"""

import asyncio
from collections.abc import Callable, Mapping
from time import monotonic

from netplane.agent.answers.punt import Place
from netplane.agent.listening.members import Members, entries
from netplane.agent.listening.queries import INTERVAL, RESPONSE, igmp_query, mld_query
from netplane.agent.listening.reports import read_reports
from netplane.agent.slice import Slice
from netplane.base.addresses import pack_address, pack_mac
from netplane.model import Network, Port
from netplane.tables.pipeline import MEMBER

TICK = 5.0
"""Seconds between looks at the clock."""

SOON = 1.0
"""Seconds within which a machine answers that has just been plugged in."""

Send = Callable[[Place, bytes], None]


class Listening:
    """The listeners of this host. `send` gets a place and a frame; `changed` is called when entries have."""

    def __init__(self, slice: Slice, send: Send, changed: Callable[[], None]) -> None:
        self.entries: Mapping[bytes, bytes] | None = None
        """What `member` should hold; None before it is known what it has held."""
        self._slice = slice
        self._send = send
        self._changed = changed
        self._members = Members()
        self._ports: Mapping[Place, str] = {}
        self._unasked: set[Place] = set()
        self._ask_at = monotonic() + INTERVAL
        self._timer: asyncio.TimerHandle | None = None

    def plug(self, ports: Mapping[Place, str]) -> None:
        """From now on these devices are there: the port of each."""
        self._unasked = (self._unasked | (ports.keys() - self._ports.keys())) & ports.keys()
        self._ports = ports
        self._members.keep(ports.values())
        self.note()

    def note(self) -> None:
        """Records or devices have changed."""
        for place in sorted(self._unasked):
            if self._ask(place, SOON):
                self._unasked.discard(place)
        self._renew()
        if self._timer is None:
            self._tick()

    def recall(self, held: Mapping[bytes, bytes]) -> None:
        """What the datapath holds of former times."""
        ports = {place: port for port, place in self._places().items()}
        now = monotonic()
        for key, value in held.items():
            fields = MEMBER.unpack_key(key)
            port = ports.get((fields["vni"], MEMBER.unpack_value(value)["mac"]))
            if port is not None:
                self._members.recall(port, fields["address"], now)
        self.entries = dict(held)
        self._renew()

    def hear(self, port: Port, frame: bytes) -> None:
        """What a machine says of groups."""
        if self._members.hear(port.id, read_reports(frame), monotonic()):
            self._renew()

    def close(self) -> None:
        """Ask no more; who listens stays."""
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self) -> None:
        now = monotonic()
        if self._members.expire(now):
            self._renew()
        if now >= self._ask_at:
            self._ask_at = now + INTERVAL
            for place in self._ports:
                self._ask(place, RESPONSE)
        self._timer = asyncio.get_running_loop().call_later(TICK, self._tick)

    def _ask(self, place: Place, seconds: float) -> bool:
        """Send queries of the families that a machine has addresses of; whether its port is known."""
        port = self._slice.get(Port, self._ports[place])
        if port is None:
            return False
        subnets, _ = self._slice.surroundings(port)
        versions = {subnet.ip_version for subnet in subnets.values()}
        if 4 in versions:
            gateways = (subnet.gateway_ip for subnet in subnets.values() if subnet.ip_version == 4)
            gateway = next((gateway for gateway in gateways if gateway), "0.0.0.0")
            self._send(place, igmp_query(pack_address(gateway)[12:], seconds))
        if 6 in versions:
            self._send(place, mld_query(seconds))
        return bool(versions)

    def _renew(self) -> None:
        if self.entries is None:
            return
        found = entries(self._members, self._places())
        if found != self.entries:
            self.entries = found
            self._changed()

    def _places(self) -> dict[str, tuple[int, bytes]]:
        """The VNI and MAC address of each port that is plugged in."""
        places = {}
        for id in self._ports.values():
            port = self._slice.get(Port, id)
            network = port and self._slice.get(Network, port.network_id)
            if port and network:
                places[id] = network.vni, pack_mac(port.mac_address)
        return places
