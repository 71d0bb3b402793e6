"""From the datapath's events to decisions as people read them: whose port it was, which rule, which groups."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from netplane.agent.slice import Slice
from netplane.agent.tracing.why import WHY
from netplane.base.addresses import pack_mac, unpack_address
from netplane.model import Decision, Identity, Logged, Network, SecurityGroupRule
from netplane.tables.decisions import Direction, Reason
from netplane.tables.rings import DECISION

NS = 1_000_000_000


class Directory:
    """Who is behind the numbers of the datapath, as one revision of the slice has it."""

    def __init__(self, slice: Slice) -> None:
        networks = slice.all(Network)
        self.revision = (slice.log, slice.revision)
        self.ports = {
            (networks[port.network_id].vni, pack_mac(port.mac_address)): port
            for port in slice.machine_ports()
            if port.network_id in networks
        }
        self.identities = {identity.number: identity.groups for identity in slice.all(Identity).values()}
        self.rules: dict[str, list[SecurityGroupRule]] = {}
        for rule in slice.all(SecurityGroupRule).values():
            self.rules.setdefault(rule.id[:8], []).append(rule)

    def groups(self, identity: int) -> tuple[str, ...]:
        """The groups of an identity."""
        return self.identities.get(identity, ())

    def rule(self, number: int, groups: Iterable[str]) -> SecurityGroupRule | None:
        """The rule of some groups that a number stands for: the first 4 bytes of its id."""
        known = self.rules.get(f"{number:08x}", ())
        return next((rule for rule in known if rule.security_group_id in groups), None)


class Telling:
    """Decisions of this host, one after the other."""

    def __init__(self, slice: Slice, first: int) -> None:
        """`first` is the number of the first decision."""
        self._slice = slice
        self._directory = Directory(slice)
        self._number = first
        self._unlogged: dict[tuple[int, bytes], int] = {}

    def tell(self, events: Iterable[bytes], began: int) -> Iterator[Decision]:
        """The decisions that somebody still wishes to have logged; `began` is when CLOCK_MONOTONIC was 0, in ns."""
        if self._directory.revision != (self._slice.log, self._slice.revision):
            self._directory = Directory(self._slice)
        for event in map(DECISION.unpack, events):
            decision = self._tell(event, began)
            if decision is not None:
                self._number += 1
                yield decision

    def _tell(self, event: dict[str, Any], began: int) -> Decision | None:
        place = (event["vni"], event["mac"])
        port = self._directory.ports.get(place)
        logged = None if port is None else self._slice.get(Logged, port.id)
        if port is None or logged is None:
            return None
        groups = self._directory.groups(event["identity"])
        rule = None if event["reason"] else self._directory.rule(event["rule"], groups)
        if not (logged.drops if event["reason"] else rule is None or rule.security_group_id in logged.accepts):
            return None
        before, self._unlogged[place] = self._unlogged.get(place, event["unlogged"]), event["unlogged"]
        reason = _reason(event["reason"])
        return Decision(
            number=self._number,
            time=datetime.fromtimestamp((event["time"] + began) / NS, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            port_id=port.id,
            project_id=port.project_id,
            direction=Direction(event["direction"]).name.lower(),
            event="DROP" if event["reason"] else "ACCEPT",
            protocol=event["protocol"],
            source=unpack_address(event["source"]),
            destination=unpack_address(event["destination"]),
            source_port=int.from_bytes(event["source_port"], "big"),
            destination_port=int.from_bytes(event["service"], "big"),
            identity=event["identity"],
            remote=event["remote"],
            security_groups=groups,
            remote_groups=self._directory.groups(event["remote"]),
            rule_id="" if rule is None else rule.id,
            reason=reason.name if reason else "",
            text=WHY[reason] if reason else "",
            unlogged=max(0, event["unlogged"] - before),
        )

    def forget(self) -> None:
        """Let go of ports that are no longer here."""
        self._unlogged = {place: count for place, count in self._unlogged.items() if place in self._directory.ports}


def _reason(number: int) -> Reason:
    return Reason(number) if number in Reason.__members__.values() else Reason.NONE
