"""That the packets of random worlds really meet what routers do: it would be easy to test roads that nobody takes."""

from collections import Counter
from collections.abc import Iterator
from ipaddress import IPv4Address
from random import Random

from netplane.model import Port
from netplane.tables.decisions import Reason, Stage, Verdict
from netplane.tables.outcome import Outcome
from netplane.verify.intent import Kind
from netplane.verify.world import World, addresses
from tests.conversation import some_port
from tests.fabric import specified
from tests.frames import Sender
from tests.worlds import all_tables, random_maze

WORLDS = range(60)
PACKETS = 80


def test_all_sorts_of_routes_are_met() -> None:
    met: Counter[str] = Counter()
    for seed in WORLDS:
        random = Random(seed)
        records = random_maze(random)
        tables = all_tables(records)
        fabric = specified(records, tables)
        met["a range with several next hops"] += sum(
            value[10] > 1 for host in tables.values() for value in host["route"].values()
        )
        for _ in range(PACKETS):
            port = some_port(random, records)
            frame = Sender(random, records, port).journey()
            fate = fabric.send(port.id, frame)
            receiver = World(records).get(Port, fate.port_id) if fate.kind is Kind.DELIVERED else None
            if receiver is not None and IPv4Address(frame[30:34]) not in addresses(receiver):
                met["a machine that leads on"] += 1
            met.update(sort for outcome in fabric.outcomes for sort in sorts(outcome))
    expected = {
        "several routers, to a machine",
        "several routers, to another host",
        "several routers, to one of them",
        "several routers, no time left",
        "several routers, no route",
        "several routers, nobody there",
        "a range with several next hops",
        "round in circles",
        "a machine that leads on",
    }
    assert {sort for sort in expected if met[sort] >= 4} == expected, met


def sorts(outcome: Outcome) -> Iterator[str]:
    """What a packet met."""
    routers = [step for step in outcome.steps if step.stage is Stage.ROUTING]
    if outcome.reason is Reason.TOO_MANY_ROUTERS:
        yield "round in circles"
    if len(routers) < 2:
        return
    match outcome.verdict, outcome.reason:
        case Verdict.DELIVER, _:
            yield "several routers, to a machine"
        case Verdict.TUNNEL, _:
            yield "several routers, to another host"
        case Verdict.ANSWER, Reason.NONE:
            yield "several routers, to one of them"
        case Verdict.ANSWER, Reason.TTL_EXCEEDED:
            yield "several routers, no time left"
        case Verdict.ANSWER, Reason.NO_ROUTE:
            yield "several routers, no route"
        case Verdict.ANSWER, Reason.NO_ENDPOINT:
            yield "several routers, nobody there"
