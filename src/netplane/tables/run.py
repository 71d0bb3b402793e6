"""One packet on its way through the machine: the tables that it meets, the steps it took, what it will have changed."""

from collections.abc import Mapping
from typing import NoReturn

from netplane.tables import lookup
from netplane.tables.decisions import Direction, Reason, Stage, Verdict
from netplane.tables.lookup import Entries
from netplane.tables.outcome import Step
from netplane.tables.packet import Packet

Count = tuple[int, bytes, Direction, int]
"""The vni, MAC address, direction and class of a counter."""


class End(Exception):
    """The end of a packet's way."""

    def __init__(self, verdict: Verdict, reason: Reason, target: int = 0, vni: int = 0, frame: bytes = b"") -> None:
        super().__init__(verdict, reason)
        self.verdict, self.reason, self.target, self.vni, self.frame = verdict, reason, target, vni, frame


class Run:
    """One packet on its way: the tables that it meets, the steps it took and what it will have changed."""

    def __init__(self, entries: Entries, frame: bytes, now: int, rooms: Mapping[str, int]) -> None:
        self.entries = entries
        self.rooms = rooms
        self.frame = frame
        self.vlan = 0
        """The tag that the machine's device had on the frame."""
        self.now = now
        self.settings = lookup.settings(entries)
        self.steps: list[Step] = []
        self.connections: dict[bytes, bytes] = {}
        self.budgets: dict[bytes, bytes] = {}
        self.projects: dict[bytes, bytes] = {}
        self.paces: dict[bytes, bytes] = {}
        self.fragments: dict[bytes, bytes] = {}
        """Kept only if the packet meets no obstacle."""
        self.counts: list[Count] = []
        self.packet: Packet | None = None
        self.own: dict[Direction, tuple[int, bytes]] = {}
        """The vni and MAC address of the machines of this host that it is about: its sender, its receiver."""
        self.identities: dict[Direction, int] = {}
        """Of its sender (EGRESS) and its receiver (INGRESS), as far as known."""
        self.rules: dict[Direction, int] = {}
        """The rule of each that lets it pass."""
        self.opened = False
        """Whether rules were asked about the first packet of a connection, and let it pass."""
        self.logging: dict[bytes, bytes] = {}
        self.decisions: list[bytes] = []

    def step(self, stage: Stage, reason: Reason = Reason.NONE, a: int = 0, b: int = 0, c: int = 0) -> None:
        """Note what a stage decided."""
        self.steps.append(Step(stage, reason, a, b, c))

    def drop(self, stage: Stage, reason: Reason) -> NoReturn:
        """End the packet's way here."""
        self.step(stage, reason)
        raise End(Verdict.DROP, reason)
