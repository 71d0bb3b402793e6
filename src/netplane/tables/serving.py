"""LOCAL_ANSWER, as all its kinds do it: whose an address is, answers to the machine, packets for the agent."""

from typing import NoReturn

from netplane.tables import lookup, owners
from netplane.tables.decisions import PACES, Class, Direction, EndpointFlag, Punt, Reason, Stage, Verdict
from netplane.tables.lookup import EndpointValue, PortValue
from netplane.tables.packet import ethertype, punted, put_tag
from netplane.tables.pipeline import PACE
from netplane.tables.run import End, Run


def owned(run: Run, port: PortValue, address: bytes) -> EndpointValue | None:
    """Who speaks from an address with the frame's MAC address, if that is the port."""
    found = owners.speaker(run.entries, port.vni, run.frame[6:12], address)
    return found if found is not None and found.mac == port.mac else None


def sought(run: Run, port: PortValue, address: bytes, *, is_probe: bool) -> EndpointValue | None:
    """Where the network says an address is found, with the MAC address that it tells; None for the asker's own.

    A probe asks whether an address is free. What several may have is, for whoever takes it over.
    """
    found = owners.holder(run.entries, port.vni, address)
    if found is None or (is_probe and found.flags & EndpointFlag.SHARED):
        return None
    owner = owners.unmasked(run.entries, port.vni, address, found)
    return None if owner is None or owner.mac == port.mac else found


def punt(run: Run, port: PortValue, ifindex: int, kind: Punt, *, in_fragments: bool) -> NoReturn:
    """Hand a packet to the agent, which puts no fragments together."""
    if in_fragments:
        run.drop(Stage.LOCAL_ANSWER, Reason.FRAGMENT)
    if run.settings.punt == 0:
        run.drop(Stage.LOCAL_ANSWER, Reason.PUNT_OFF)
    pay_for_punt(run, port, kind)
    run.step(Stage.LOCAL_ANSWER, Reason.NONE, ethertype(run.frame), kind)
    serve(run, port, Verdict.PUNT, run.settings.punt, punted(run.frame, kind, ifindex))


def pay_for_punt(run: Run, port: PortValue, kind: Punt, stage: Stage = Stage.LOCAL_ANSWER) -> None:
    """No machine asks so often that the agent does not hear the others."""
    pace, until = PACES[kind], lookup.pace(run.entries, port.vni, port.mac, kind)
    key = PACE.pack_key(port.vni, port.mac, kind)
    full = key not in run.entries["pace"] and len(run.entries["pace"]) >= run.rooms["pace"]
    if full or until > run.now + pace.burst - pace.pause:
        run.drop(stage, Reason.PUNT_LIMIT)
    run.paces[key] = PACE.pack_value(max(until, run.now) + pace.pause)


def serve(
    run: Run, port: PortValue, verdict: Verdict, target: int, frame: bytes, *, reason: Reason = Reason.NONE
) -> NoReturn:
    """Let an answer or a punted packet out."""
    run.counts.append((port.vni, port.mac, Direction.EGRESS, Class.SERVICE))
    tagged = frame if verdict is Verdict.SERVE else put_tag(frame, run.vlan)
    raise End(verdict, reason, target, 0, tagged)
