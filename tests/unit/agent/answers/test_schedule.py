"""When machines hear router advertisements unasked."""

from netplane.agent.answers.advert import Advert, Says
from netplane.agent.answers.schedule import SOON, Schedule

ONE = Advert(b"\2" * 6, Says(0), 1800, (), 1400, (), (), 1800)
OTHER = ONE._replace(mac=b"\4" * 6)
NEVER = float("inf")


def make() -> Schedule[int]:
    return Schedule(lambda low, high: (low + high) / 2)


def test_at_once_twice_more_and_then_now_and_again() -> None:
    schedule = make()
    schedule.set({5: (ONE,)}, 100)
    assert schedule.next == 100
    assert schedule.due(100) == [(5, (ONE,))]
    assert (schedule.due(100), schedule.next) == ([], 100 + SOON)
    assert schedule.due(100 + SOON) == schedule.due(100 + 2 * SOON) == [(5, (ONE,))]
    assert schedule.next == 100 + 2 * SOON + 400
    assert schedule.due(1000) == [(5, (ONE,))]
    assert schedule.next == 1400


def test_what_is_the_same_changes_nothing() -> None:
    schedule = make()
    schedule.set({5: (ONE,)}, 0)
    schedule.due(0)
    schedule.set({5: (ONE,), 6: ()}, 1)
    assert schedule.next == SOON


def test_news_are_told_at_once_and_then_what_holds() -> None:
    schedule = make()
    schedule.set({5: (ONE,)}, 0)
    schedule.due(0)
    schedule.set({5: (OTHER,)}, 10)
    farewell = ONE._replace(lifetime=0, told=0)
    for round in range(3):
        assert schedule.due(10 + round * SOON) == [(5, (farewell, OTHER))]
    assert schedule.due(1000) == [(5, (OTHER,))]


def test_the_last_farewell_is_the_end() -> None:
    schedule = make()
    schedule.set({5: (ONE,)}, 0)
    schedule.due(0)
    schedule.set({5: ()}, 10)
    farewell = ONE._replace(lifetime=0, told=0)
    assert [schedule.due(10 + round * SOON) for round in range(3)] == 3 * [[(5, (farewell,))]]
    assert schedule.next == NEVER


def test_a_device_that_has_gone_hears_nothing() -> None:
    schedule = make()
    schedule.set({5: (ONE,)}, 0)
    schedule.set({}, 0)
    assert (schedule.due(0), schedule.next) == ([], NEVER)
