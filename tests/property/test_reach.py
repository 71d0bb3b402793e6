"""That random worlds and packets meet what they are meant to: each outcome of IPv6 is there."""

from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest

from netplane.tables.decisions import Reason, Stage, Verdict
from netplane.tables.outcome import Outcome
from tests.conversation import Conversation, some_port
from tests.fabric import specified
from tests.frames import Sender, rest_of
from tests.property.conftest import build_specification
from tests.property.test_intent import PACKETS, STEPS, WORLDS
from tests.worlds import all_tables, random_world

SEEDS = WORLDS
ENOUGH = 1

EXPECTED = (
    (Verdict.DELIVER, Reason.NONE),
    (Verdict.TUNNEL, Reason.NONE),
    (Verdict.PUNT, Reason.NONE),
    *(
        (Verdict.ANSWER, reason)
        for reason in (
            Reason.NONE,
            Reason.NO_ROUTE,
            Reason.NO_ENDPOINT,
            Reason.TTL_EXCEEDED,
            Reason.ROUTER_CLOSED,
            Reason.LINK_LOCAL,
        )
    ),
    *(
        (Verdict.DROP, reason)
        for reason in (
            Reason.MALFORMED,
            Reason.SPOOFED_ADDRESS,
            Reason.ROGUE_DHCP,
            Reason.ROGUE_ROUTER,
            Reason.ND_UNKNOWN,
            Reason.ND_NOT_ASKED,
            Reason.ROUTING_HEADER,
            Reason.FRAGMENT,
            Reason.NO_CONNECTION,
            Reason.POLICY_IN,
            Reason.POLICY_OUT,
        )
    ),
)
ABOUT_CONNECTIONS = {"a new one": 0, "a known one": 1, "an error about one": 3}


@pytest.fixture(scope="module")
def met() -> Counter[object]:
    """How often packets of IPv6 meet each outcome, and each finding about connections."""
    found: Counter[object] = Counter()
    for seed in SEEDS:
        found.update(of_packets(Random(seed)))
        found.update(of_conversations(Random(seed)))
    return found


def of_packets(random: Random) -> Iterator[object]:
    """As `test_packets` sends them."""
    records = random_world(random)
    fabric = specified(records, all_tables(records))
    for _ in range(PACKETS):
        port = some_port(random, records)
        frame = Sender(random, records, port).frame()
        for part in (frame, *rest_of(random, frame)):
            fabric.send(port.id, part)
            yield from of_outcomes(part, fabric.outcomes)


def of_conversations(random: Random) -> Iterator[object]:
    """As `test_conversations` has them."""
    build, talk = build_specification(), Conversation(random, random_world(random))
    fabric = build(talk.records, all_tables(talk.records))
    for _ in range(STEPS):
        said = talk.next()
        if said is None:
            fabric = build(talk.records, all_tables(talk.records))
            continue
        talk.note(said, fabric.send(*said))
        yield from of_outcomes(said.frame, fabric.outcomes)


def of_outcomes(frame: bytes, outcomes: list[Outcome]) -> Iterator[object]:
    """What counts of them, if the frame was of IPv6."""
    for outcome in outcomes if frame[12:14] == b"\x86\xdd" else ():
        yield outcome.verdict, outcome.reason
        yield from (step.a for step in outcome.steps if step.stage is Stage.CONNECTION and not step.reason)


@pytest.mark.parametrize("outcome", EXPECTED, ids=lambda pair: f"{pair[0].name}-{pair[1].name}")
def test_outcomes(met: Counter[object], outcome: tuple[Verdict, Reason]) -> None:
    assert met[outcome] >= ENOUGH


@pytest.mark.parametrize("finding", ABOUT_CONNECTIONS)
def test_connections(met: Counter[object], finding: str) -> None:
    assert met[ABOUT_CONNECTIONS[finding]] >= ENOUGH
