"""What an agent says, and says once."""

from netplane.agent.saying import Said
from netplane.base.problem import Problem
from netplane.stream.messages import Ack, Claim, Release, Trouble


def test_a_revision_is_acknowledged_once() -> None:
    said = Said()
    assert list(said.realised(4)) == [Ack(4)]
    assert list(said.realised(4)) == []
    assert list(said.realised(5)) == [Ack(5)]


def test_ports_are_claimed_and_released_as_devices_come_and_go() -> None:
    said = Said()
    assert list(said.plugged(frozenset({"b", "a"}), frozenset())) == [Claim(["a", "b"])]
    assert list(said.plugged(frozenset({"b", "a"}), frozenset())) == []
    assert list(said.plugged(frozenset({"b", "c"}), frozenset({"a"}))) == [Claim(["c"]), Release(["a"])]
    assert list(said.plugged(frozenset({"b", "c"}), frozenset({"a"}))) == []
    assert list(said.plugged(frozenset({"a", "b", "c"}), frozenset({"a"}))) == [Claim(["a"])]
    assert list(said.plugged(frozenset({"b", "c"}), frozenset({"a"}))) == [Release(["a"])]


def test_what_is_bound_here_without_a_device_is_released_once() -> None:
    said = Said()
    assert list(said.plugged(frozenset(), frozenset({"a"}))) == [Release(["a"])]
    assert list(said.plugged(frozenset(), frozenset({"a"}))) == []
    assert list(said.plugged(frozenset(), frozenset())) == []
    assert list(said.plugged(frozenset(), frozenset({"a"}))) == [Release(["a"])]


def test_a_claim_that_came_to_nothing_is_made_again() -> None:
    said, ports, idle = Said(), frozenset({"a", "b"}), frozenset[str]()
    list(said.plugged(ports, idle))
    assert list(said.plugged(ports, idle)) == []
    said.unheard({"a"})
    assert list(said.plugged(ports, idle)) == [Claim(["a"])]


def test_problems_are_told_when_they_change() -> None:
    said, problem = Said(), Problem("port", "a", "is upside down")
    assert list(said.troubled([])) == []
    assert list(said.troubled([problem])) == [Trouble([problem])]
    assert list(said.troubled([problem])) == []
    assert list(said.troubled([])) == [Trouble([])]
