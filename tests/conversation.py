"""Random conversations in a world that changes: packets, replies, retransmissions, pauses."""

from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from netplane.model import AnyRecord, Device, Port
from netplane.verify.intent import Fate, Kind
from netplane.verify.world import World
from tests.frames import Sender, error_about, reply_to, rest_of, tagged, under_its_tag
from tests.worlds import Members, changed, random_members

PAUSES = (1, 11, 31, 121, 601, 433_000)
REMEMBERED = 10


class Said(NamedTuple):
    """A frame that a machine sends, at a time in seconds."""

    port_id: str
    frame: bytes
    now: int


@dataclass
class Conversation:
    """All that is said in a world."""

    random: Random
    records: list[AnyRecord]
    before: list[AnyRecord] | None = None
    """The world before its last change."""
    now: int = 0
    members: Members = frozenset()
    passed: list[tuple[str, bytes]] = field(default_factory=list)
    """Frames that were delivered, and what their receivers may answer: (port's id, frame)."""

    def next(self) -> Said | None:
        """What is said next; None if the world has changed instead."""
        what = self.random.random()
        if what < 0.1:
            self.change()
            return None
        if what < 0.15:
            self.now += self.random.choice(PAUSES)
        if self.passed and self.random.random() < 0.7:
            return Said(*self.random.choice(self.passed[-REMEMBERED:]), self.now)
        port = some_port(self.random, self.records)
        return Said(port.id, Sender(self.random, self.records, port).wire(), self.now)

    def change(self) -> None:
        """Something changes, or the last change is taken back."""
        after = self.before if self.random.random() < 0.5 else None
        self.before, self.records = self.records, after or changed(self.random, self.records)
        if self.random.random() < 0.3:
            self.members = random_members(self.random, self.records)

    def note(self, said: Said, fate: Fate) -> None:
        """What became of it, so that somebody may answer."""
        if fate.kind is Kind.DELIVERED:
            self.passed += [
                (said.port_id, said.frame),
                (fate.port_id, under_its_tag(reply_to, self.random, fate.frame)),
            ]
            self.passed += [(fate.port_id, under_its_tag(error_about, self.random, fate.frame))]
        if fate.kind is Kind.FLOODED:
            vlans = {record.id: record.vlan for record in self.records if isinstance(record, Device)}
            replies = [(port, reply_to(self.random, fate.frame)) for port in fate.copies if is_ip(fate.frame)]
            self.passed += [(said.port_id, said.frame)]
            self.passed += [(port, tagged(frame, vlans.get(port, 0))) for port, frame in replies]
        if fate.kind in (Kind.DELIVERED, Kind.FLOODED):
            self.passed += [(said.port_id, rest) for rest in rest_of(self.random, said.frame)]


def some_port(random: Random, records: list[AnyRecord]) -> Port:
    """A machine's port; mostly one that can send."""
    world = World(records)
    machines = [port for port in world.all(Port) if not port.is_router_interface]
    plugged = [port for port in machines if world.plugged(port)]
    return random.choice(plugged if plugged and random.random() < 0.95 else machines)


def is_ip(frame: bytes) -> bool:
    """Whether a frame holds an IP packet."""
    return frame[12:14] in (b"\x08\x00", b"\x86\xdd")
