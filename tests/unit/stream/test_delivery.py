"""What goes out on a session, in which frames."""

from collections.abc import Sequence

import pytest
from msgspec import Raw
from msgspec.msgpack import encode

from netplane.model import Host
from netplane.stream.codec import Run, decode_down
from netplane.stream.delivery import PART, Slice, begin, frames
from netplane.stream.messages import Ask, Delta, Down, Hello, Snapshot, Welcome
from netplane.stream.outbox import Outbox, Parcel
from netplane.stream.session import AgentSession, ControllerSession

H1 = Host(id="h1", number=1, address="192.0.2.1")
RAW = Raw(encode(H1))
RUN = Run(1, encode(H1))
KEY = ("host", "h1")
WHOLE = PART // len(RUN.octets)
"""Runs of a part."""


def session(hello: Hello) -> ControllerSession:
    made = ControllerSession()
    made.receive(AgentSession().send(hello))
    made.send(Welcome(1, "log"))
    return made


def no_slice() -> Slice:
    raise AssertionError("nobody needs the slice")


def check(made: ControllerSession, outbox: Outbox, records: Sequence[Run] | None, *expected: Down) -> None:
    found = frames(made, outbox, no_slice if records is None else lambda: (7, records))
    assert [decode_down(frame) for frame in found] == list(expected)


def test_a_new_agent_gets_everything() -> None:
    made, outbox = session(Hello("h1", "192.0.2.1")), Outbox()
    begin(made, outbox, lambda _: pytest.fail("it has nothing to resume from"))
    check(made, outbox, [RUN], Snapshot(7, True, True, [H1]))
    check(made, outbox, None)


@pytest.mark.parametrize(("count", "sizes"), [(0, [0]), (WHOLE, [WHOLE]), (WHOLE + 1, [WHOLE, 1])])
def test_a_snapshot_goes_in_parts(count: int, sizes: list[int]) -> None:
    made, outbox = session(Hello("h1", "192.0.2.1")), Outbox()
    outbox.renew()
    parts = [Snapshot(7, index == 0, index == len(sizes) - 1, [H1] * size) for index, size in enumerate(sizes)]
    check(made, outbox, [RUN] * count, *parts)


def test_an_agent_that_comes_back_gets_what_it_missed() -> None:
    made, outbox = session(Hello("h1", "192.0.2.1", "log", 5)), Outbox()
    begin(made, outbox, lambda revision: Parcel(revision + 1, {KEY: RAW, ("port", "p"): None}))
    check(made, outbox, None, Delta(6, [H1], [("port", "p")]))


def test_an_agent_that_was_away_too_long_gets_everything() -> None:
    made, outbox = session(Hello("h1", "192.0.2.1", "log", 5)), Outbox()
    begin(made, outbox, lambda _: None)
    check(made, outbox, [], Snapshot(7, True, True, []))


def test_questions_do_not_wait_for_records() -> None:
    made, outbox = session(Hello("h1", "192.0.2.1")), Outbox()
    outbox.say(Ask(1, "tables", {}))
    outbox.renew()
    check(made, outbox, [], Ask(1, "tables", {}), Snapshot(7, True, True, []))
