"""`GET /netplane/v1/decisions`: what was decided at ports that log it, and why nothing let a packet pass.

A tenant is shown decisions at his own ports; of the other side he is shown the address, which was in his packet.
"""

import asyncio
from collections.abc import Sequence

from starlette.requests import Request

from netplane.api import Context
from netplane.api.app import context_of
from netplane.api.errors import invalid, not_found
from netplane.api.policy import check_call, may_call
from netplane.controller import everywhere
from netplane.controller.connected import Filter
from netplane.controller.controller import Controller
from netplane.controller.decisions import Heard
from netplane.controller.explanation import closest, protocol_name, summary
from netplane.controller.parameters import check_known, parse_number
from netplane.controller.walls import REASONS, refusal, said
from netplane.model import AddressGroup, Decision, Port, SecurityGroupRule
from netplane.model.log import ACCEPT, DROP
from netplane.store import Reader

MOST, USUAL = 1_000, 100
"""Decisions in an answer."""
TRUE = ("true", "1", "yes")

PARAMETERS = ("port", "event", "direction", "after", "limit", "explain")


async def decisions(controller: Controller, request: Request) -> object:
    """The youngest decisions that pass the filters, the oldest of them first; `after` is the `last` of an answer."""
    context = context_of(request)
    wanted, after = _parse(context, request)
    if wanted.port:
        await asyncio.to_thread(_check_port, controller, context, wanted.port)
    found, last = await everywhere.decisions(controller, wanted, after)
    explains = request.query_params.get("explain", "").lower() in TRUE
    shown = await asyncio.to_thread(_show, controller, context, found, explains=explains)
    return {"decisions": shown, "last": _last(last)}


def _parse(context: Context, request: Request) -> tuple[Filter, dict[str, int]]:
    query = request.query_params
    check_known(query, PARAMETERS)
    event, direction = query.get("event", ""), query.get("direction", "")
    if event not in ("", ACCEPT, DROP):
        raise invalid(f"'event' is ACCEPT or DROP, not {event!r}")
    if direction not in ("", "ingress", "egress"):
        raise invalid(f"'direction' is ingress or egress, not {direction!r}")
    limit = parse_number("limit", query.get("limit", str(USUAL)), 1, MOST)
    after = _after(query.get("after", "0"))
    if not context.may_see(context.project):
        check_call(context, "decisions")
    project = None if may_call(context, "decisions") else context.project
    return Filter(project, query.get("port", ""), event, direction, after.pop("", 0), limit), after


def _after(text: str) -> dict[str, int]:
    """The places after which decisions are asked for, by controller; under no name for all: see `_last`."""
    pairs = [pair.rpartition("=") for pair in text.split(",")]
    return {id: parse_number("after", place, 0, (1 << 63) - 1) for id, _, place in pairs}


def _last(places: dict[str, int]) -> int | str:
    """What to give as `after` for the decisions that follow: a place, or one for each of several controllers."""
    if len(places) == 1:
        return next(iter(places.values()))
    return ",".join(f"{id}={place}" for id, place in sorted(places.items()))


def _check_port(controller: Controller, context: Context, id: str) -> None:
    with controller.store.read() as reader:
        port = reader.get(Port, id)
    if port is None or not context.may_see(port.project_id):
        raise not_found(Port, id)


def _show(
    controller: Controller, context: Context, found: Sequence[Heard], *, explains: bool
) -> list[dict[str, object]]:
    if not explains:
        return [_view(heard.decision) for heard in found]
    with controller.store.read() as reader:
        return [_view(heard.decision) | {"why": _explain(reader, context, heard.decision)} for heard in found]


def _view(decision: Decision) -> dict[str, object]:
    return {
        "time": decision.time,
        "port_id": decision.port_id,
        "project_id": decision.project_id,
        "direction": decision.direction,
        "event": decision.event,
        "protocol": protocol_name(decision.protocol),
        "source": decision.source,
        "destination": decision.destination,
        **_service(decision),
        "security_groups": list(decision.security_groups),
        "rule_id": decision.rule_id or None,
        "reason": decision.reason or None,
        "text": decision.text,
        "unlogged": decision.unlogged,
    }


def _service(decision: Decision) -> dict[str, int | None]:
    """Ports of what has ports, type and code of ICMP."""
    asked = decision.destination_port
    if protocol_name(decision.protocol) in ("icmp", "ipv6-icmp", "icmpv6"):
        return {"source_port": None, "destination_port": None, "icmp_type": asked >> 8, "icmp_code": asked & 0xFF}
    ports = {"source_port": decision.source_port or None, "destination_port": asked or None}
    return {**ports, "icmp_type": None, "icmp_code": None}


def _explain(reader: Reader, context: Context, decision: Decision) -> dict[str, object] | None:
    """Why a packet was dropped, by the rules as they are; None for one that was not."""
    if decision.event != DROP:
        return None
    groups = list(decision.security_groups)
    rules = [rule for found in reader.group(SecurityGroupRule, "security_group_id", groups).values() for rule in found]
    named = {rule.remote_address_group_id for rule in rules} - {None}
    lists = {id: group for id in named if id is not None and (group := reader.get(AddressGroup, id)) is not None}
    near = closest(decision, rules, lists) if decision.reason.startswith("POLICY_") else []
    told = [
        {"rule_id": one.rule.id, "security_group_id": one.rule.security_group_id, "misses": list(one.misses)}
        for one in near
    ]
    wall = refusal(reader, decision) if decision.reason in REASONS else None
    firewall = None if wall is None else said(reader, context, wall)
    return {"text": summary(decision, near), "closest": told, "firewall": firewall}
