"""Records and the look-ups by what they refer to."""

from msgspec.structs import replace

from netplane.interest.world import World
from netplane.model import Network, Port, Record, kind_of
from tests.unit.interest.world import BLUE, H1, RED, RED_SUBNET, RULE_1, bound, interface, machine

A, A_ON_H1 = bound(machine("a", RED, 1), H1)


def world(*records: Record) -> World:
    made = World()
    for record in records:
        made.put((kind_of(record), record.id), record)
    return made


def test_records_are_found_by_what_they_refer_to() -> None:
    made = world(A, A_ON_H1, RED_SUBNET, RULE_1, interface(RED), interface(BLUE))
    assert list(made.find("machines_on", "red")) == ["a"]
    assert list(made.find("machines_with", "web")) == ["a"]
    assert list(made.find("bound_to", "h1")) == ["a"]
    assert list(made.find("subnets_on", "red")) == ["red-subnet"]
    assert list(made.find("rules_of", "g1")) == ["u1"]
    assert list(made.find("interfaces_on", "red")) == ["router-red"]
    assert list(made.find("interfaces_of", "router")) == ["router-red", "router-blue"]


def test_what_comes_at_once_is_found_as_what_comes_one_by_one() -> None:
    made, records = World(), (A, machine("b", RED, 2), interface(RED), A_ON_H1, H1)
    made.fill(Port, [record for record in records if isinstance(record, Port)])
    for record in (A_ON_H1, H1):
        made.fill(type(record), [record])
    one_by_one = world(*records)
    for name, target in (("machines_on", "red"), ("machines_with", "web"), ("interfaces_of", "router")):
        assert list(made.find(name, target)) == list(one_by_one.find(name, target)) != []
    assert {host: list(ports) for host, ports in made.found("bound_to").items()} == {"h1": ["a"]}
    made.remove(("port", "a"))
    assert list(made.find("machines_on", "red")) == ["b"]


def test_machines_are_looked_up_by_project_and_group_once_somebody_asks() -> None:
    grouped = replace(A, project_id="p", security_groups=("g1", "g2"))
    made = world(grouped, interface(RED))
    assert list(made.machines("machines_of", "p")) == ["a"]
    made.put(("port", "b"), replace(grouped, id="b", security_groups=("g2",)))
    assert list(made.machines("machines_of", "p")) == ["a", "b"]
    assert list(made.machines("machines_in", "g2")) == ["a", "b"]
    made.remove(("port", "a"))
    assert list(made.machines("machines_in", "g2")) == ["b"]
    assert not made.machines("machines_in", "g1")


def test_look_ups_follow_changes_and_leave_nothing_behind() -> None:
    made = world(A)
    made.put(("port", "a"), replace(A, network_id="blue", identity_id=""))
    assert not made.find("machines_on", "red")
    assert not made.find("machines_with", "web")
    assert list(made.find("machines_on", "blue")) == ["a"]
    made.remove(("port", "a"))
    made.remove(("port", "a"))
    assert not made.find("machines_on", "blue")
    assert made.at(("port", "a")) is None


def test_a_record_is_got_as_its_kind() -> None:
    made = world(RED)
    assert made.get(Network, "red") == RED
    assert made.get(Port, "red") is None
