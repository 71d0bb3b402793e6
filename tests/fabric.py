"""All hosts of a world, joined: carries a packet from a machine through every host's datapath to whoever gets it.

Anything that runs packets as the specification does can stand on the hosts: the specification, the fake, the kernel.
"""

from ipaddress import ip_address
from typing import Any, Protocol

from netplane.base.addresses import pack_address, unpack_address
from netplane.model import AnyRecord, Binding, Device, Host, Port
from netplane.tables.decisions import Direction, Punt, Reason, Verdict
from netplane.tables.machine import Machine
from netplane.tables.outcome import Outcome, Program, Synthetic
from netplane.tables.packet import take_tag
from netplane.tables.peers import INSIDE_V6
from netplane.tables.pipeline import CLIENT, PEER
from netplane.tables.rings import DECISION
from netplane.verify.datagram import write_readdressed
from netplane.verify.family import read_packet
from netplane.verify.intent import DROPPED, Fate, Kind
from netplane.verify.services import SERVICES_V6
from netplane.verify.world import World, mac_of
from tests.worlds import PUNT, SERVICE, Tables, hosts_of, underlay

SECOND = 1_000_000_000
NO_DEVICE = 64999
PLACES = {False: (12, 16), True: (8, 24)}
"""Where source and destination stand in an IP header, by whether it is IPv6."""


class Runner(Protocol):
    """A host's datapath."""

    def run(self, program: Program, frame: bytes, origin: Synthetic) -> Outcome:
        """Run a program on a made packet."""

    def read(self, table: str) -> dict[bytes, bytes]:
        """All entries of a table."""

    def take_decisions(self, most: int) -> list[bytes]:
        """Take out what stands first in the ring `decision`."""


class Specification:
    """The machine, with a clock that stands still but for the packets' offsets."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.machine = Machine(tables)

    def run(self, program: Program, frame: bytes, origin: Synthetic) -> Outcome:
        """Run a program on a made packet."""
        now = origin.offset * SECOND
        if program is Program.FROM_MACHINE:
            return self.machine.run_from_machine(origin.ifindex, frame, now_ns=now, dry=origin.dry)
        if program is Program.FROM_SERVICE:
            return self.machine.run_from_service(frame, now_ns=now, dry=origin.dry)
        return self.machine.run_from_tunnel(origin.vni, origin.outer_source, frame, now_ns=now, dry=origin.dry)

    def read(self, table: str) -> dict[bytes, bytes]:
        """All entries of a table."""
        return dict(self.tables[table])

    def take_decisions(self, most: int) -> list[bytes]:
        """Take out what stands first in the ring `decision`."""
        taken, self.machine.decisions = self.machine.decisions[:most], self.machine.decisions[most:]
        return taken


class Fabric:
    """The hosts of a world and their datapaths."""

    def __init__(self, records: list[AnyRecord], runners: dict[str, Runner]) -> None:
        self.runners = runners
        self.hosts = hosts_of(records)
        world = World(records)
        self.places = {port.id: (world.network(port).vni, mac_of(port)) for port in world.all(Port)}
        self.numbers = {host.number: host for host in self.hosts.values()}
        self.bindings = {record.id: record.host_id for record in records if isinstance(record, Binding)}
        self.devices = {record.id: (record.ifindex, record.vlan) for record in records if isinstance(record, Device)}
        self.outcomes: list[Outcome] = []
        """What each host that the last packet met did."""
        self.decided: list[dict[str, Any]] = []
        """What those hosts wrote down."""

    def send(self, port_id: str, frame: bytes, offset: int = 0) -> Fate:
        """What becomes of a frame on the device of a machine's port, tag and all; `offset` in seconds."""
        self.outcomes, self.decided = [], []
        host = self.hosts[self.bindings.get(port_id, next(iter(self.hosts)))]
        ifindex, _ = self.devices.get(port_id, (NO_DEVICE, 0))
        outcome = self._run(host, Program.FROM_MACHINE, frame, Synthetic(ifindex=ifindex, offset=offset))
        if outcome.verdict is Verdict.FLOOD:
            return self._flood(host, outcome, offset)
        if outcome.verdict is not Verdict.TUNNEL:
            return self._fate(host, port_id, outcome)
        return self.tunnel(self.numbers[outcome.target], outcome.vni, underlay(host), outcome.frame, offset)

    def tunnel(self, host: Host, vni: int, outer_source: bytes, frame: bytes, offset: int = 0) -> Fate:
        """What becomes of a frame that reaches a host by the tunnel."""
        origin = Synthetic(vni=vni, outer_source=outer_source, offset=offset)
        outcome = self._run(host, Program.FROM_TUNNEL, frame, origin)
        return self._flood(host, outcome, offset) if outcome.verdict is Verdict.FLOOD else self._fate(host, "", outcome)

    def _flood(self, host: Host, outcome: Outcome, offset: int) -> Fate:
        """What becomes of all copies of a frame; each port gets one at most."""
        assert len(outcome.copies) == outcome.target
        got: list[str] = []
        for verdict, where, vlan in outcome.copies:
            if verdict is Verdict.DELIVER:
                got.append(self._port(host, where, vlan))
            else:
                assert where != host.number
                fate = self.tunnel(self.numbers[where], outcome.vni, underlay(host), outcome.frame, offset)
                assert fate.kind in (Kind.FLOODED, Kind.DROPPED)
                got += fate.copies
        assert len(got) == len(set(got))
        return Fate(Kind.FLOODED, "", outcome.frame, tuple(sorted(got))) if got else DROPPED

    def reply(self, host_id: str, port_id: str, frame: bytes) -> Fate:
        """What becomes of a frame that a host's services send to a machine; its destination is the machine's own."""
        host, place, to = self.hosts[host_id], self.devices[port_id], read_packet(frame)
        assert to is not None
        source, destination = PLACES[to.is_ipv6]
        own = CLIENT.pack_key(*place, pack_address(str(to.destination)))
        peer = ip_address(unpack_address(self.runners[host_id].read("client")[own]))
        said = write_readdressed(frame, to, destination, peer)
        said = write_readdressed(said, to, source, INSIDE_V6) if to.is_ipv6 else said
        return self._fate(host, port_id, self._run(host, Program.FROM_SERVICE, said, Synthetic()))

    def _served(self, host: Host, outcome: Outcome) -> Fate:
        """The services know who asks by the address that they see: here it is put back."""
        assert outcome.target == SERVICE
        got = read_packet(outcome.frame)
        assert got is not None
        source, destination = PLACES[got.is_ipv6]
        peer = PEER.unpack_value(self.runners[host.id].read("peer")[pack_address(str(got.source))])
        frame = write_readdressed(outcome.frame, got, source, ip_address(unpack_address(peer["address"])))
        if got.is_ipv6:
            assert got.destination == INSIDE_V6
            frame = write_readdressed(frame, got, destination, SERVICES_V6)
        return Fate(Kind.SERVED, self._port(host, peer["ifindex"], peer["vlan"]), frame)

    def _run(self, host: Host, program: Program, frame: bytes, origin: Synthetic) -> Outcome:
        outcome = self.runners[host.id].run(program, frame, origin)
        self.outcomes.append(outcome)
        self.decided += map(DECISION.unpack, self.runners[host.id].take_decisions(10))
        return outcome

    @property
    def noted(self) -> list[tuple[str, str, str]]:
        """The same as intent has it: port, direction, and whether it was let pass."""
        return [
            (
                next(id for id, place in self.places.items() if place == (event["vni"], event["mac"])),
                Direction(event["direction"]).name.lower(),
                "DROP" if event["reason"] else "ACCEPT",
            )
            for event in self.decided
        ]

    def _fate(self, host: Host, sender: str, outcome: Outcome) -> Fate:
        if outcome.verdict is Verdict.DROP:
            assert outcome.reason is not Reason.NONE
            return DROPPED
        if outcome.verdict is Verdict.PUNT:
            assert outcome.target == PUNT
            assert outcome.frame[0] == 2
            assert Punt(outcome.frame[1])
            ifindex = int.from_bytes(outcome.frame[2:6], "big")
            return Fate(Kind.PUNTED, self._port(host, ifindex, take_tag(outcome.frame)[0]), outcome.frame[6:])
        if outcome.verdict is Verdict.SERVE:
            return self._served(host, outcome)
        kind = {Verdict.DELIVER: Kind.DELIVERED, Verdict.ANSWER: Kind.ANSWERED}[outcome.verdict]
        return Fate(kind, self._port(host, outcome.target, take_tag(outcome.frame)[0]), outcome.frame)

    def _port(self, host: Host, ifindex: int, vlan: int) -> str:
        behind = [
            id for id, found in self.devices.items() if found == (ifindex, vlan) and self.bindings.get(id) == host.id
        ]
        assert len(behind) == 1, f"device {ifindex} of {host.id}"
        return behind[0]


def specified(records: list[AnyRecord], tables: dict[str, Tables]) -> Fabric:
    """The fabric of machines over each host's tables."""
    return Fabric(records, {host: Specification(of) for host, of in tables.items()})
