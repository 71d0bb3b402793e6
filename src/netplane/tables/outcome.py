"""What a run of the datapath takes and gives: the same for its specification, the real programs and the fake."""

from enum import Enum
from typing import NamedTuple

from netplane.base.addresses import NO_ADDRESS
from netplane.tables.decisions import Reason, Stage, Verdict


class Program(Enum):
    """The programs, by where they are attached."""

    FROM_MACHINE = "from_machine"
    """Ingress of a machine's device: what the machine sends."""
    FROM_TUNNEL = "from_tunnel"
    """Ingress of the VXLAN device: what other hosts send."""
    FROM_SERVICE = "from_service"
    """Ingress of the device to the host's services: what those answer machines."""


class Synthetic(NamedTuple):
    """Where a made packet is said to come from: `ifindex` serves FROM_MACHINE, `vni` and `outer_source` FROM_TUNNEL."""

    ifindex: int = 0
    """The device of the port that sends it."""
    vni: int = 0
    """The network that the tunnel header names."""
    outer_source: bytes = NO_ADDRESS
    """The underlay address of the sender, 16 bytes, IPv4 mapped."""
    dry: bool = False
    """Whether the run leaves connections and counters as they are."""
    offset: int = 0
    """Seconds added to the clock, so that timeouts can be tried without waiting."""


class Step(NamedTuple):
    """One stage's decision, and what it found where it did not end the packet's way.

    | stage | a | b | c |
    |---|---|---|---|
    | PORT | ifindex | VNI | PortFlag |
    | PARSE | EtherType | protocol | source and destination port, or an echo's identifier twice |
    | ANTI_SPOOF, SOURCE | identity | host | |
    | LOCAL_ANSWER | EtherType | Punt | |
    | ROUTING | VNI of the destination | router, 0 if none | identity of the destination |
    | POLICY_OUT, POLICY_IN | rule | identity whose rules it is | identity of the other side |
    | CONNECTION | 0 new, 1 known, 2 judged again, 3 an ICMP error about one, 4 none kept | ConnectionState before | |
    | FIREWALL | rule, 0 if none matches | Direction of its rules | |
    | DELIVERY | Verdict; of a copy 65536 times its VLAN id more | ifindex, or host | VNI of the destination |
    | FLOOD | copies | | |
    | SERVICE | ifindex of the machine | | |
    """

    stage: Stage
    reason: Reason = Reason.NONE
    a: int = 0
    b: int = 0
    c: int = 0


class Outcome(NamedTuple):
    """What became of a packet."""

    verdict: Verdict
    reason: Reason
    target: int
    """The device it leaves by (DELIVER, ANSWER, PUNT, SERVE), the number of the host it goes to (TUNNEL), how many
    copies of it leave (FLOOD), or 0."""
    vni: int
    """The network named in the tunnel header (TUNNEL, FLOOD), or 0."""
    frame: bytes
    """The frame as it leaves, each copy alike; as it came if dropped."""
    steps: tuple[Step, ...]
    """The stages it went through, in order. There is room for those of some dozens of copies, not of thousands."""

    @property
    def copies(self) -> tuple[tuple[Verdict, int, int], ...]:
        """Where each copy of a packet to many leaves, as its steps say: DELIVER by a device, or TUNNEL to a host.

        Third, the VLAN tag that it leaves the device with; 0 for none.
        """
        if self.verdict is not Verdict.FLOOD:
            return ()
        left = (step for step in self.steps if step.stage is Stage.DELIVERY and not step.reason)
        return tuple((Verdict(step.a & 0xFFFF), step.b, step.a >> 16) for step in left)
