"""What any controller answers about all hosts, whichever controllers they are connected to."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import convert, to_builtins

from netplane.controller.connected import Filter
from netplane.controller.controller import Controller
from netplane.controller.correspondence import merged
from netplane.controller.decisions import Heard
from netplane.stream.faults import Unanswered

PATIENCE = 2.0
"""Seconds that another controller has to answer; what it would have said is missing otherwise."""


async def hosts(controller: Controller) -> dict[str, dict[str, Any]]:
    """How far each host is that is connected to any controller, and what is wrong there."""
    answers = await controller.correspondence.ask_all("hosts", {}, PATIENCE)
    return merged(answers) | controller.here.hosts()


async def problems(controller: Controller) -> list[dict[str, str]]:
    """Every problem, with the host that it was met on: as we know it of those that are connected nowhere."""
    connected = await hosts(controller)
    said = {host: controller.problems.of(host) for host in controller.problems.hosts} | {
        host: known["problems"] for host, known in connected.items()
    }
    return [{"host": host, **problem} for host, found in sorted(said.items()) for problem in found]


async def realised(controller: Controller, number: int, wait: float) -> tuple[dict[str, str], list[str]]:
    """When a revision was realised on which hosts, and which it waits for."""
    question = {"number": number, "wait": wait}
    own, answers = await asyncio.gather(
        controller.here.realised(number, wait),
        controller.correspondence.ask_all("realised", question, wait + PATIENCE),
    )
    fate = _joined([own, *answers.values()])
    return fate["realised"], fate["pending"]


async def fates(controller: Controller, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """The same of several revisions, as it is now: `realised` and `pending` of each."""
    answers = await controller.correspondence.ask_all("fates", {"numbers": numbers}, PATIENCE)
    own = [controller.here.fate(number) for number in numbers]
    return [_joined(said) for said in zip(own, *answers.values(), strict=True)]


def _joined(said: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What several controllers say of a revision: the first time on each host counts."""
    found: dict[str, str] = {}
    for answer in said:
        for host, time in answer["realised"].items():
            found[host] = min(time, found.get(host, time))
    waiting = dict.fromkeys(host for answer in said for host in answer["pending"])
    return {"realised": found, "pending": [host for host in waiting if host not in found]}


async def ask(controller: Controller, host: str, topic: str, body: dict[str, str], timeout: float) -> dict[str, object]:
    """What a host's agent answers. Unanswered if it is connected nowhere or does not answer; Refused if it says so."""
    if host in controller.southbound.connected or not controller.store.peers.is_shared:
        return await controller.southbound.ask(host, topic, body, timeout)
    holder = (await asyncio.to_thread(controller.store.peers.sessions, [host])).get(host)
    if holder is None or holder not in controller.correspondence.others:
        raise Unanswered(f"host {host} is not connected")
    question = {"host": host, "topic": topic, "body": body, "timeout": timeout}
    answer: dict[str, object] = await controller.correspondence.ask(holder, "ask", question, timeout + PATIENCE)
    return answer


async def decisions(
    controller: Controller, filter: Filter, after: dict[str, int]
) -> tuple[list[Heard], dict[str, int]]:
    """The youngest decisions that are asked for, the oldest first, and what to give as `after` for those that follow.

    Places are each controller's own, so `after` has one for each; those without get the filter's. A host that has
    changed controllers has told its decisions to both: each is answered once.
    """
    own = controller.correspondence.id

    def question(id: str) -> Filter:
        return convert(to_builtins(filter) | {"after": after.get(id, filter.after)}, Filter)

    others = controller.correspondence.others
    asked = (controller.correspondence.ask(id, "decisions", to_builtins(question(id)), PATIENCE) for id in others)
    answers = await asyncio.gather(*asked, return_exceptions=True)
    found = {own: controller.here.find(question(own))}
    for id, answer in zip(others, answers, strict=True):
        if not isinstance(answer, BaseException):
            found[id] = convert(answer, list[Heard])
    last = {own: filter.after} | after | {id: heard[-1].place for id, heard in found.items() if heard}
    told = {(each.decision.port_id, each.decision.number): each for heard in found.values() for each in heard}
    ordered = sorted(told.values(), key=lambda heard: heard.decision.time) if others else found[own]
    return ordered[-filter.limit :], last
