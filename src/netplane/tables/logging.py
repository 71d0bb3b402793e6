"""What is written down of decisions: who was let pass by which rule, who was not, and why; so often and no oftener.

A decision is written down for each machine of this host that it is about, if its device says so: for the sender unless
the receiver's rules refused the packet, for the receiver unless the sender's did. What was let pass is written down
once a connection; what was dropped, packet by packet. A flood uses up its port's rate (a generic cell rate algorithm)
and is then only counted.
"""

from netplane.tables import lookup
from netplane.tables.decisions import DeviceFlag, Direction, Limit, Reason, Verdict
from netplane.tables.packet import Packet
from netplane.tables.pipeline import LOGGING
from netplane.tables.rings import DECISION
from netplane.tables.run import End, Run

NOT_ABOUT = {Direction.EGRESS: Reason.POLICY_IN, Direction.INGRESS: Reason.POLICY_OUT}
"""The refusal that concerns the other end only."""


def write_down(run: Run, end: End) -> None:
    """Note what was decided about the machines of this host, at the end of a packet's way."""
    dropped = end.verdict is Verdict.DROP or end.reason is Reason.FIREWALL_REJECTED
    if not dropped and not run.opened:
        return
    reason = end.reason if dropped else Reason.NONE
    for direction in run.own:
        if reason is not NOT_ABOUT[direction]:
            write_about(run, direction, reason)


def write_about(run: Run, direction: Direction, reason: Reason) -> None:
    """Note what was decided about one machine, if its port logs that and has not used up its rate."""
    vni, mac = run.own[direction]
    device = lookup.device(run.entries, vni, mac)
    wanted = DeviceFlag.LOG_DROPS if reason else DeviceFlag.LOG_ACCEPTS
    if device is None or not device.flags & wanted or run.packet is None:
        return
    written = lookup.logging(run.entries, vni, mac)
    if written.paid > run.now + Limit.LOG_BURST - Limit.LOG_PAUSE:
        after = written._replace(unlogged=written.unlogged + 1)
    else:
        after = written._replace(paid=max(written.paid, run.now) + Limit.LOG_PAUSE)
        run.decisions.append(pack(run, run.packet, direction, reason, written.unlogged))
    run.logging[LOGGING.pack_key(vni, mac)] = LOGGING.pack_value(*after)


def pack(run: Run, packet: Packet, direction: Direction, reason: Reason, unlogged: int) -> bytes:
    """The event."""
    vni, mac = run.own[direction]
    other = Direction.INGRESS if direction is Direction.EGRESS else Direction.EGRESS
    return DECISION.pack(
        run.now,
        unlogged,
        packet.source,
        packet.destination,
        vni,
        mac,
        reason,
        0 if reason else run.rules.get(direction, 0),
        run.identities.get(direction, 0),
        run.identities.get(other, 0),
        packet.numbers[0].to_bytes(2, "big"),
        packet.service.to_bytes(2, "big"),
        packet.protocol,
        direction,
    )
