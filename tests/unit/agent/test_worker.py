"""When a piece of work is none."""

import pytest

from netplane.agent.worker import Work, is_in
from netplane.model import Change, Network, Operation, kind_of
from netplane.stream.client import Position
from netplane.tables.outcome import Program

NETWORK = Change(9, Operation.UPSERT, kind_of(Network), "n", Network(id="n", vni=1))
WORK = Work([NETWORK], {7: Program.FROM_MACHINE}, host=1, tunnel=2, punt=3, position=Position("log", 9))
LATER = WORK._replace(changes=[], position=Position("log", 12))


def test_a_later_revision_alone_is_no_work() -> None:
    assert is_in(LATER, WORK)


@pytest.mark.parametrize(
    "work",
    [
        LATER._replace(changes=[NETWORK]),
        LATER._replace(devices={}),
        LATER._replace(tunnel=5),
        LATER._replace(members={b"": b""}),
        LATER._replace(position=Position("another", 12)),
    ],
)
def test_whatever_else_differs_is_work(work: Work) -> None:
    assert not is_in(work, WORK)


def test_nothing_is_in_before_the_slice_is_whole() -> None:
    assert not is_in(LATER, WORK._replace(position=Position()))
