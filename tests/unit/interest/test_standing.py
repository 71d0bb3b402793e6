"""Ports of a network in parts."""

from netplane.interest.standing import LARGE, Standing


def test_parts_stay_small_and_hold_each_port_once() -> None:
    standing, ports = Standing(), [f"p{number}" for number in range(20 * LARGE)]
    for port in ports:
        changed = standing.add(port)
        assert len(changed) == 1 or not set(changed) & set(standing.parts), "parts that have doubled are no more"
    assert sorted(standing) == sorted(ports)
    assert len(standing) == len(ports)
    assert max(len(part.ports) for part in standing.parts) < 2 * LARGE
    for port in ports:
        assert standing.remove(port) in standing.parts
    assert not standing
