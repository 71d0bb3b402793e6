"""What a change costs does not depend on what else there is: hosts, records, bytes, entries and steps are counted."""

from collections.abc import Callable, Iterator
from dataclasses import replace as other
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from bench.cloud import Project, Rule, Shape
from bench.cloud.stored import add_ports, port_record, rule_record
from netplane import model
from netplane.model import Binding, SecurityGroupRule, identity_id
from netplane.store import Transaction
from tests.scale.running import Effect, Running, running, single

HOSTS = 20
FEW = Shape(projects=8, ports=160, hosts=HOSTS)
MANY = Shape(projects=40, ports=800, hosts=HOSTS)
"""Five times as many projects, each on all hosts."""
GROUPS = Shape(projects=4, ports=80, hosts=HOSTS, flat=(40,)), Shape(projects=4, ports=80, hosts=HOSTS, flat=(400,))
"""One project is ten times as large."""
SLACK = 1.1
NEW, NEW_RULE = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"


class Sizes(NamedTuple):
    """The same in small and in large."""

    few: Running
    many: Running


@pytest.fixture(scope="module")
def sizes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sizes]:
    folder = tmp_path_factory.mktemp("clouds")
    with running(FEW, folder) as few, running(MANY, folder) as many:
        yield Sizes(few, many)


@pytest.fixture(scope="module")
def groups(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sizes]:
    folder = tmp_path_factory.mktemp("groups")
    with running(GROUPS[0], folder) as few, running(GROUPS[1], folder) as many:
        yield Sizes(few, many)


Act = Callable[[Project], Callable[[Transaction], object]]
"""What happens to a project."""


def add(project: Project) -> Callable[[Transaction], object]:
    template = single(project)
    port = other(template, id=NEW, mac="fa:16:3e:ff:ff:ff", address="10.0.200.1", network=project.networks[0].id)
    return lambda transaction: add_ports(transaction, [(project, port)])


def move(project: Project) -> Callable[[Transaction], object]:
    here = stored(project).host_id
    there = next(port.host for port in project.ports if port.host != here)
    return lambda transaction: transaction.put(Binding(id=single(project).id, host_id=there))


def rename(project: Project) -> Callable[[Transaction], object]:
    return lambda transaction: transaction.put(replace(stored(project), name="new", dns_name="new"))


def remove(project: Project) -> Callable[[Transaction], object]:
    return lambda transaction: transaction.delete(model.Port(id=NEW, network_id="", mac_address=""))


def allow(project: Project) -> Callable[[Transaction], object]:
    group = project.groups[1]
    rule = rule_record(project, group, Rule(NEW_RULE, "ingress", "IPv4", "tcp", 9000, 9000))
    return lambda transaction: transaction.add(rule)


def forbid(_project: Project) -> Callable[[Transaction], object]:
    return lambda transaction: transaction.delete(
        SecurityGroupRule(id=NEW_RULE, security_group_id="", direction="ingress")
    )


def stored(project: Project) -> model.Port:
    """As the store has it."""
    return port_record(project, single(project))


RULES = {"policy", "prefix", "profile"}
"""What an identity's rules come to."""
ACTS: tuple[Act, ...] = (rename, move, add, allow, forbid, remove)


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_a_change_in_a_project_costs_the_same_however_many_projects_there_are(act: Act, sizes: Sizes) -> None:
    few, many = (check_one_project(size, act, size.cloud.projects[0]) for size in sizes)
    assert few.octets > 0
    assert many.octets <= SLACK * few.octets
    assert sum(map(len, few.edits.values())) == sum(map(len, many.edits.values()))
    assert many.steps <= SLACK * few.steps, "work grows with what has nothing to do with it"


def check_one_project(size: Running, act: Act, project: Project) -> Effect:
    """Its hosts are told, nobody else is, and each record is encoded once for all of them."""
    effect = size.write(act(project))
    assert effect.parcels.keys() <= size.hosts_of(project)
    known: dict[tuple[str, str], object] = {}
    for parcel in effect.parcels.values():
        for key, raw in parcel.records.items():
            assert raw is None or known.setdefault(key, raw) is raw, f"{key} is encoded again for another host"
    return effect


def test_a_member_that_joins_a_large_group_is_one_entry_for_each_host_and_no_rule(groups: Sizes) -> None:
    """But on its own host, where the rules that it has now may be the first of their sort, as many as they are."""
    few, many = (join(size, size.cloud.projects[-1]) for size in groups)
    assert len(few.parcels) == len(many.parcels) == HOSTS
    assert many.octets <= SLACK * few.octets
    assert many.steps <= SLACK * few.steps


def join(size: Running, project: Project) -> Effect:
    port, groups = single(project), tuple(sorted(group.id for group in project.groups))
    record = replace(port_record(project, port), security_groups=groups, identity_id=identity_id(groups))
    effect = size.write(lambda transaction: transaction.put(record))
    assert effect.parcels.keys() == size.hosts_of(project)
    for host, delta in effect.edits.items():
        is_its_own = host == port.host
        assert delta.writes.keys() <= {"endpoint", *({"device", *RULES} if is_its_own else ())}
        assert delta.deletes.keys() <= (RULES if is_its_own else set())
        assert len(delta.writes["endpoint"]) == 1
        assert ("device" in delta.writes) == is_its_own
    return effect


def test_a_host_holds_what_its_own_domains_need(sizes: Sizes) -> None:
    """Each port of its projects costs it as many entries, however many others there are."""
    per_port = []
    for size in sizes:
        host = size.cloud.hosts[0].name
        near = sum(len(project.ports) for project in size.cloud.projects if host in size.hosts_of(project))
        per_port.append(size.agents[host].entries / near)
    assert per_port[1] <= SLACK * per_port[0]
