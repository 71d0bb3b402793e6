"""Which controllers an agent's end tries, and in which order."""

import asyncio

import pytest

from netplane.stream.client import Uplink
from netplane.stream.preference import MOST, preferred
from netplane.trust.papers import Papers


def no_papers() -> Papers:
    raise AssertionError("nobody is called here")


def uplink(*controllers: str) -> Uplink:
    return Uplink("h", "192.0.2.1", controllers, no_papers)


def test_those_that_are_there_are_tried_first() -> None:
    made = uplink("a:1", "b:1")
    assert made.round() == preferred("h", ["a:1", "b:1"])
    made.prefer(["c:1", "d:1"])
    assert made.round() == [*preferred("h", ["c:1", "d:1"]), *preferred("h", ["a:1", "b:1"])]


def test_one_that_was_away_for_a_while_is_tried_still() -> None:
    """It may be back when all others are gone, and nobody is left to tell of it."""
    made = uplink("a:1")
    made.prefer(["a:1", "b:1"])
    made.prefer(["a:1"])
    assert made.round() == ["a:1", "b:1"]


def test_not_all_are_remembered_for_ever_but_those_that_it_has_joined_with() -> None:
    made = uplink("a:1")
    for number in range(3 * MOST):
        made.prefer([f"c{number}:1"])
    assert len(made.round()) == MOST + 1
    assert "a:1" in made.round()


def test_what_nobody_has_foreseen_is_told_to_who_listens() -> None:
    async def scenario() -> None:
        async with asyncio.timeout(5), uplink("a:1") as made:
            with pytest.raises(AssertionError, match="nobody is called here"):
                await anext(made)

    asyncio.run(scenario())
