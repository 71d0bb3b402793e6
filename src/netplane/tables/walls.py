"""FIREWALL: what firewalls on routers' ports say of a connection whose packets cross them.

A firewall guards the networks behind an interface, as OpenStack's FWaaS has it: its egress rules are asked where a
connection leaves them, which is where it comes to the router, its ingress rules where it goes into them. It is asked
when a connection begins, on each host that has a part in it, and again when any firewall on the way has changed: what
stands in `gateway` and `route` is a fingerprint of all rules, and the connection's stamp is made of them.
"""

from typing import NamedTuple

from netplane.base.addresses import is_ipv4
from netplane.tables import lookup
from netplane.tables.connection import Side
from netplane.tables.decisions import Action, Direction, Family, Limit, Reason, Stage
from netplane.tables.lookup import Entries, WallRuleValue
from netplane.tables.packet import Packet
from netplane.tables.run import Run

U64 = (1 << 64) - 1


class Wall(NamedTuple):
    """A firewall that a packet crosses."""

    firewall: int
    is_left: bool
    """Whether it stands where the packet leaves the router, and not where it comes in."""


class Walls(NamedTuple):
    """Those that the packets of a connection cross, and whether they are seen from the other end of it."""

    crossed: tuple[Wall, ...] = ()
    turned: bool = False

    def turn(self) -> "Walls":
        """The same, seen from the other end: where a packet comes in the other's go out."""
        return self._replace(turned=not self.turned)

    def asked(self) -> list[tuple[int, Direction]]:
        """Each firewall, and whose rules of it are asked about a connection in this direction."""
        return [
            (wall.firewall, Direction.INGRESS if wall.is_left != self.turned else Direction.EGRESS)
            for wall in self.crossed
        ]

    def stamp(self) -> int:
        """What a connection in this direction is allowed under; 0 where there is no firewall."""
        total = 0
        for firewall, direction in self.asked():
            total += firewall if direction is Direction.EGRESS else (firewall << 1 | firewall >> 63) & U64
        return total & U64


NO_WALLS = Walls()


def crossing(*firewalls: int) -> tuple[Wall, ...]:
    """The firewalls where a packet comes to a router and where it leaves it, in that order; 0 for none."""
    return tuple(Wall(firewall, bool(place)) for place, firewall in enumerate(firewalls) if firewall)


def judge_walls(run: Run, walls: Walls, packet: Packet, sides: tuple[Side, Side], service: int) -> Reason:
    """Whether all firewalls let a connection from the first side to the second be; the first that does not, why."""
    for firewall, direction in walls.asked():
        rule = deciding_rule(run.entries, firewall, direction, packet.protocol, sides, service)
        action = Action.DENY if rule is None else Action(rule.action)
        reason = {Action.ALLOW: Reason.NONE, Action.DENY: Reason.FIREWALL, Action.REJECT: Reason.FIREWALL_REJECTED}
        run.step(Stage.FIREWALL, reason[action], 0 if rule is None else rule.rule, direction)
        if action is not Action.ALLOW:
            return reason[action]
    return Reason.NONE


def deciding_rule(
    entries: Entries, firewall: int, direction: Direction, protocol: int, sides: tuple[Side, Side], service: int
) -> WallRuleValue | None:
    """The first rule that speaks of a connection."""
    for index in range(Limit.FIREWALL_RULES):
        rule = lookup.wall_rule(entries, firewall, direction, index)
        if rule is None or speaks_of(rule, protocol, sides, service):
            return rule
    return None


def speaks_of(rule: WallRuleValue, protocol: int, sides: tuple[Side, Side], service: int) -> bool:
    """Whether a rule is about such connections; of protocols without ports all have all."""
    source, destination = sides
    return (
        rule.family == (Family.IPV4 if is_ipv4(source.address) else Family.IPV6)
        and rule.protocol in (0, protocol)
        and _lies_in(source.address, rule.source, rule.source_mask)
        and _lies_in(destination.address, rule.destination, rule.destination_mask)
        and rule.source_first <= source.port <= rule.source_last
        and rule.destination_first <= service <= rule.destination_last
    )


def _lies_in(address: bytes, range: bytes, mask: bytes) -> bool:
    return (int.from_bytes(address, "big") ^ int.from_bytes(range, "big")) & int.from_bytes(mask, "big") == 0
