"""Entries with several owners."""

from typing import NamedTuple

from netplane.base.delta import Delta
from netplane.base.desired import Desired
from netplane.base.problem import Problem


class Owner(NamedTuple):
    kind: str
    id: str


A, B, C = Owner("k", "a"), Owner("k", "b"), Owner("k", "c")
KEY = b"key"


def desired() -> Desired:
    return Desired(
        ["t"],
        name=tuple,
        describe=lambda table, key: f"{table}/{key.decode()}",
        rank=lambda _table, value: int(value.isupper()),
    )


def test_equal_values_stay_until_the_last_owner_lets_go() -> None:
    wanted = desired()
    wanted.add([("t", KEY, b"1")], A)
    wanted.add([("t", KEY, b"1")], B)
    assert wanted.take() == Delta({"t": {KEY: b"1"}})
    assert wanted.owners("t", KEY) == [A, B]
    assert not list(wanted.problems())
    wanted.remove("t", KEY, A)
    assert not wanted.take()
    assert wanted.owners("t", KEY) == [B]
    wanted.remove("t", KEY, B)
    assert wanted.take() == Delta({}, {"t": [KEY]})
    assert wanted.owners("t", KEY) == []
    assert wanted.contested == 0


def test_the_smallest_owner_wins_whatever_the_order() -> None:
    for order in ([A, B, C], [C, B, A], [B, A, C], [B, C, A]):
        wanted = desired()
        for owner in order:
            wanted.add([("t", KEY, owner.id.encode())], owner)
        assert wanted.take() == Delta({"t": {KEY: b"a"}})
        assert wanted.owners("t", KEY) == [A, B, C]
        text = "t/key also belongs to k a, whose value stands"
        assert sorted(wanted.problems()) == [Problem("k", "b", text), Problem("k", "c", text)]


def test_the_next_owner_follows_the_winner() -> None:
    wanted = desired()
    for owner in (A, B, C):
        wanted.add([("t", KEY, owner.id.encode())], owner)
    wanted.take()
    wanted.remove("t", KEY, A)
    assert wanted.take() == Delta({"t": {KEY: b"b"}})
    wanted.remove("t", KEY, C)
    assert not wanted.take()
    assert not list(wanted.problems())
    wanted.remove("t", KEY, B)
    assert wanted.take() == Delta({}, {"t": [KEY]})


def test_a_delta_is_net() -> None:
    wanted = desired()
    wanted.add([("t", KEY, b"1")], A)
    wanted.take()
    wanted.remove("t", KEY, A)
    wanted.add([("t", KEY, b"2")], B)
    wanted.add([("t", KEY, b"1")], A)
    assert not wanted.take()
    wanted.remove("t", KEY, A)
    wanted.remove("t", KEY, B)
    assert wanted.take() == Delta({}, {"t": [KEY]})
    wanted.add([("t", KEY, b"1")], A)
    wanted.remove("t", KEY, A)
    assert not wanted.take()


def test_a_value_that_comes_back_within_a_batch_is_still_written() -> None:
    wanted = desired()
    wanted.add([("t", KEY, b"1")], C)
    wanted.add([("t", KEY, b"2")], B)
    wanted.add([("t", KEY, b"1")], A)
    assert wanted.take() == Delta({"t": {KEY: b"1"}})


def test_an_owner_may_say_the_same_twice() -> None:
    wanted = desired()
    wanted.add([("t", KEY, b"1")], A)
    wanted.add([("t", KEY, b"1")], A)
    assert wanted.owners("t", KEY) == [A]
    wanted.remove("t", KEY, A)
    wanted.remove("t", KEY, A)
    assert wanted.tables == {"t": {}}


def test_an_owner_that_takes_over_and_says_it_twice_changes_nothing() -> None:
    wanted = desired()
    wanted.add([("t", KEY, b"1")], B)
    assert wanted.take() == Delta({"t": {KEY: b"1"}})
    wanted.add([("t", KEY, b"1"), ("t", KEY, b"1")], A)
    assert wanted.owners("t", KEY) == [A, B]
    assert not wanted.take()


def test_an_owner_that_wants_nothing_removes_nothing() -> None:
    wanted = desired()
    wanted.add([("t", KEY, b"1")], A)
    wanted.remove("t", KEY, B)
    assert wanted.tables == {"t": {KEY: b"1"}}


def test_values_of_a_higher_rank_give_way_without_a_word() -> None:
    for order in ([A, B, C], [C, B, A], [B, A, C], [B, C, A]):
        wanted = desired()
        values = {A: b"X", B: b"Y", C: b"z"}
        for owner in order:
            wanted.add([("t", KEY, values[owner])], owner)
        assert wanted.take() == Delta({"t": {KEY: b"z"}})
        assert wanted.owners("t", KEY) == [C, A, B]
        assert not list(wanted.problems())
        wanted.remove("t", KEY, C)
        assert wanted.take() == Delta({"t": {KEY: b"X"}})
        wanted.remove("t", KEY, B)
        assert not wanted.take()
        assert wanted.contested == 0
        wanted.add([("t", KEY, b"c")], C)
        wanted.add([("t", KEY, b"b")], B)
        assert list(wanted.problems()) == [Problem("k", "c", "t/key also belongs to k b, whose value stands")]
