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
    assert list(said.plugged({"b", "a"}, set())) == [Claim(["a", "b"])]
    assert list(said.plugged({"b", "a"}, set())) == []
    assert list(said.plugged({"b", "c"}, {"a"})) == [Claim(["c"]), Release(["a"])]
    assert list(said.plugged({"b", "c"}, {"a"})) == []
    assert list(said.plugged({"a", "b", "c"}, {"a"})) == [Claim(["a"])]
    assert list(said.plugged({"b", "c"}, {"a"})) == [Release(["a"])]


def test_what_is_bound_here_without_a_device_is_released_once() -> None:
    said = Said()
    assert list(said.plugged(set(), {"a"})) == [Release(["a"])]
    assert list(said.plugged(set(), {"a"})) == []
    assert list(said.plugged(set(), set())) == []
    assert list(said.plugged(set(), {"a"})) == [Release(["a"])]


def test_a_claim_that_came_to_nothing_is_made_again() -> None:
    said = Said()
    list(said.plugged({"a", "b"}, set()))
    said.unheard({"a"})
    assert list(said.plugged({"a", "b"}, set())) == [Claim(["a"])]


def test_problems_are_told_when_they_change() -> None:
    said, problem = Said(), Problem("port", "a", "is upside down")
    assert list(said.troubled([])) == []
    assert list(said.troubled([problem])) == [Trouble([problem])]
    assert list(said.troubled([problem])) == []
    assert list(said.troubled([])) == [Trouble([])]
