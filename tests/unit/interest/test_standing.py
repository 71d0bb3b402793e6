"""Ports of a network in parts, and its hosts."""

from netplane.interest.standing import LARGE, Standing
from netplane.model import Presence


def test_parts_stay_small_and_hold_each_port_once() -> None:
    standing, ports = Standing("n"), [f"p{number}" for number in range(20 * LARGE)]
    for port in ports:
        changed = standing.add(port)
        assert len(changed) == 1 or not set(changed) & set(standing.parts), "parts that have doubled are no more"
    assert sorted(standing) == sorted(ports)
    assert len(standing) == len(ports)
    assert max(len(part.ports) for part in standing.parts) < 2 * LARGE
    for port in ports:
        assert standing.remove(port) in standing.parts
    assert not standing


def test_ports_that_stand_there_already_are_as_those_that_come() -> None:
    ports = [f"p{number}" for number in range(5 * LARGE)]
    filled, came = Standing("n", ports, [number % 3 for number in range(len(ports))]), Standing("n")
    for number, port in enumerate(ports):
        came.add(port)
        came.appear(number % 3)
    assert [list(part.ports) for part in filled.parts] == [list(part.ports) for part in came.parts]
    assert filled.presence == came.presence == Presence(id="n", hosts=(0, 1, 2))
    assert not filled.disappear(1)


def test_a_host_is_present_from_its_first_machine_to_its_last() -> None:
    standing = Standing("n")
    assert [standing.appear(host) for host in (7, 2, 7)] == [True, True, False]
    assert standing.presence == Presence(id="n", hosts=(2, 7))
    assert [standing.disappear(host) for host in (7, 7, 2)] == [False, True, True]
    assert standing.presence == Presence(id="n", hosts=())
