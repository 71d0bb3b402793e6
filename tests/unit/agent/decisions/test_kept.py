"""What is kept of decisions for the controller."""

from msgspec.structs import replace

from netplane.agent.decisions.kept import AT_ONCE, KEPT, Kept
from tests.unit.agent.decisions.decision import ONE, numbered


def numbers(kept: Kept) -> list[list[int]]:
    return [[decision.number for decision in message.decisions] for message in kept.say()]


def test_each_is_said_once_a_session() -> None:
    kept = Kept()
    kept.add(numbered(1, 2))
    assert numbers(kept) == [[1, 2]]
    assert numbers(kept) == []
    kept.add(numbered(3))
    assert numbers(kept) == [[3]]
    kept.renew()
    assert numbers(kept) == [[1, 2, 3]]


def test_the_youngest_are_kept_and_the_lost_counted() -> None:
    kept = Kept()
    kept.add(numbered(*range(KEPT)))
    list(kept.say())
    kept.add(numbered(*range(KEPT, KEPT + 5)))
    assert [message.lost for message in kept.say()] == [0]
    more = list(range(KEPT + 5, 3 * KEPT + 5))
    kept.add(numbered(*more))
    said = list(kept.say())
    assert sum(message.lost for message in said) == KEPT
    assert [decision.number for message in said for decision in message.decisions] == more[KEPT:]
    assert all(len(message.decisions) <= AT_ONCE for message in said)
    assert not any(message.lost for message in kept.say())


def test_a_project_that_is_loud_drowns_no_other() -> None:
    kept = Kept()
    kept.add([replace(ONE, number=1, project_id="quiet")])
    kept.add(numbered(*range(2, 2 * KEPT)))
    said = [decision.number for message in kept.say() for decision in message.decisions]
    assert said == [1, *range(KEPT + 1, 2 * KEPT)]
