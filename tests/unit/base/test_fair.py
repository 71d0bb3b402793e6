"""Whoever has most gives way."""

from netplane.base.fair import Fair


def test_up_to_the_limit_all_stay() -> None:
    fair: Fair[str, int] = Fair(3)
    assert [fair.add("a", number) for number in range(3)] == [None] * 3
    assert len(fair) == 3
    assert fair.add("a", 3) == 0
    assert list(fair.items["a"]) == [1, 2, 3]


def test_who_has_most_loses_his_oldest() -> None:
    fair: Fair[str, int] = Fair(4)
    for number in range(4):
        fair.add("loud", number)
    assert [fair.add("quiet", number) for number in (10, 11)] == [0, 1]
    assert fair.add("loud", 4) == 2
    assert {owner: list(items) for owner, items in fair.items.items()} == {"loud": [3, 4], "quiet": [10, 11]}


def test_who_has_nothing_left_is_forgotten() -> None:
    fair: Fair[int, int] = Fair(2)
    for owner in range(10):
        fair.add(owner, owner)
    assert len(fair.items) == len(fair) == 2
