"""Named cases of what hosts are told; `tests/property/test_interest.py` has the rest."""

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from netplane.interest import SLICED, Interest, Key
from netplane.model import AddressGroup, Change, Endpoint, Host, Presence, Record, SecurityGroupRule, kind_of
from tests.unit.interest.world import (
    BLUE,
    H1,
    H2,
    H3,
    LONE,
    RED,
    RED_SUBNET,
    RULE_2,
    WORLD,
    bound,
    deletes,
    interface,
    led,
    machine,
    names,
    upserts,
)

A, B, C = machine("a", RED, 1), machine("b", RED, 2), machine("c", BLUE, 3)
LEFT, RIGHT = interface(RED), interface(BLUE)
RED_DOMAIN = {"network red", "subnet red-subnet", "identity web", "security_group_rule u1"}


def interest(*records: Record) -> Interest:
    made = Interest()
    made.load((*WORLD, *records), 0)
    return made


def check(before: Interest, changes: list[Change], **told: tuple[set[str], set[str]]) -> None:
    """Each host is told these upserts and deletes, and nobody else anything."""
    deltas = before.apply(changes)
    found = {host: (said(delta), said(delta, gone=True)) for host, delta in deltas.items()}
    assert found == told


def said(delta: Mapping[Key, Record | None], *, gone: bool = False) -> set[str]:
    """What a host is told of, or what it needs no more."""
    return {" ".join(key) for key, record in delta.items() if (record is None) is gone}


def test_the_first_port_of_a_host_brings_the_whole_domain() -> None:
    check(
        interest(*bound(A, H1)),
        upserts(*bound(B, H2)),
        h1=({"endpoint b", "host h2", "presence red"}, set()),
        h2=(RED_DOMAIN | {"presence red"} | {"port b", "endpoint a", "endpoint b", "host h1"}, set()),
    )


def test_a_record_is_said_once_however_many_hosts_are_told_of_it() -> None:
    """Of hosts that come into the domain, of those that are of it, and of one that leaves it again."""
    spoken: list[Record] = []

    def say(record: Record) -> Record:
        spoken.append(record)
        return record

    there, leaving = bound(machine("d", RED, 4), H3), bound(machine("e", RED, 5), H3)
    changes = [*upserts(*bound(B, H2), *there, *leaving), *deletes(*reversed(leaving))]
    told = interest(*bound(A, H1)).tell(changes, say)
    assert told.keys() == {"h1", "h2", "h3"}
    assert len(spoken) == len(names(spoken))
    assert all(told[host]["endpoint", "b"] is told["h1"]["endpoint", "b"] for host in told)


def test_who_shares_a_group_learns_nothing_of_who_uses_it() -> None:
    """Ports of two projects are in one group: its rules are on both hosts, and nothing else of the other's."""
    check(
        interest(*bound(replace(A, project_id="red"), H1)),
        upserts(*bound(replace(C, project_id="blue"), H2)),
        h2=(
            {"network blue", "subnet blue-subnet", "identity web", "security_group_rule u1"}
            | {"port c", "endpoint c", "presence blue"},
            set(),
        ),
    )


def test_the_last_port_of_a_host_takes_the_whole_domain_away() -> None:
    check(
        interest(*bound(A, H1), *bound(B, H2)),
        deletes(*bound(B, H2)),
        h1=({"presence red"}, {"endpoint b", "host h2"}),
        h2=(set(), RED_DOMAIN | {"presence red"} | {"port b", "endpoint a", "endpoint b", "host h1"}),
    )


def test_a_port_that_is_bound_nowhere_concerns_nobody() -> None:
    check(interest(*bound(A, H1)), upserts(B))


def test_a_port_in_another_domain_concerns_nobody_here() -> None:
    check(
        interest(*bound(A, H1)),
        upserts(*bound(C, H2)),
        h2=(
            {"network blue", "subnet blue-subnet", "port c", "endpoint c", "identity web", "security_group_rule u1"}
            | {"presence blue"},
            set(),
        ),
    )


def test_a_router_joins_and_parts_domains() -> None:
    made = interest(*bound(A, H1), *bound(C, H2), LEFT)
    far = {"network blue", "subnet blue-subnet", "port router-blue", "endpoint c", "host h2", "presence blue"}
    near = {
        "network red",
        "subnet red-subnet",
        "port router-red",
        "router router",
        "endpoint a",
        "host h1",
        "presence red",
    }
    check(made, upserts(RIGHT), h1=(far, set()), h2=(near | {"port router-blue"}, set()))
    check(made, deletes(RIGHT), h1=(set(), far), h2=(set(), near | {"port router-blue"}))


ENTRY = (*bound(machine("here", RED, 8), H1), *bound(machine("there", BLUE, 9), H1))
"""A host that carries nothing comes into a domain by two of its networks."""


@pytest.mark.parametrize(
    "then",
    [
        deletes(RIGHT),
        [*deletes(RIGHT), *upserts(RIGHT)],
        [*deletes(RIGHT), *deletes(*reversed(ENTRY[:2]))],
        [*deletes(*reversed(ENTRY[:2])), *deletes(RIGHT)],
        deletes(*reversed(ENTRY)),
    ],
    ids=["it parts", "it parts and joins", "it parts, one is left", "one is left, it parts", "both are left"],
)
def test_a_host_that_enters_a_domain_has_all_of_it_whatever_else_happens_at_the_same_time(then: list[Change]) -> None:
    made = interest(*bound(B, H2), *bound(C, H2), LEFT, RIGHT)
    held = {(kind_of(record), record.id): record for record in made.slice("h1")}
    delta = made.apply([*upserts(*ENTRY), *then])["h1"]
    assert led(held, delta) == {(kind_of(record), record.id): record for record in made.slice("h1")}


def test_a_record_changes_for_those_who_have_it() -> None:
    made = interest(*bound(A, H1), *bound(C, H2))
    check(made, upserts(Host(id="h1", number=1, address="192.0.2.9")), h1=({"host h1"}, set()))
    check(made, upserts(LEFT), h1=({"port router-red", "router router"}, set()))


def test_a_rule_goes_to_the_hosts_whose_identities_have_its_group() -> None:
    made = interest(*bound(A, H1), *bound(machine("c", BLUE, 3, "all"), H2))
    check(made, deletes(RULE_2), h2=(set(), {"security_group_rule u2"}))
    check(made, upserts(RULE_2), h2=({"security_group_rule u2"}, set()))


PARTNERS = AddressGroup(id="partners", addresses=("192.0.2.0/24",))


def naming(id: str, group: str) -> SecurityGroupRule:
    return SecurityGroupRule(id=id, security_group_id=group, direction="ingress", remote_address_group_id=PARTNERS.id)


def test_an_address_group_goes_to_the_hosts_whose_identities_rules_name_it() -> None:
    made = interest(*bound(A, H1), *bound(machine("c", BLUE, 3, "all"), H2), PARTNERS)
    check(made, upserts(naming("u3", "g2")), h2=({"security_group_rule u3", "address_group partners"}, set()))
    check(made, upserts(AddressGroup(id="partners")), h2=({"address_group partners"}, set()))
    check(made, deletes(naming("u3", "g2")), h2=(set(), {"security_group_rule u3", "address_group partners"}))
    check(made, upserts(PARTNERS))


def test_an_address_group_stays_as_long_as_a_rule_names_it() -> None:
    made = interest(*bound(machine("a", RED, 1, "all"), H1), naming("u3", "g1"), naming("u4", "g2"), PARTNERS)
    check(made, deletes(naming("u3", "g1")), h1=(set(), {"security_group_rule u3"}))
    check(made, upserts(naming("u3", "g1")), h1=({"security_group_rule u3"}, set()))
    check(
        made,
        upserts(machine("a", RED, 1)),
        h1=(
            {"port a", "endpoint a", "identity web"},
            {"identity all", "security_group_rule u2", "security_group_rule u4"},
        ),
    )
    check(made, deletes(naming("u3", "g1")), h1=(set(), {"security_group_rule u3", "address_group partners"}))


def test_another_identity_changes_one_endpoint() -> None:
    made = interest(*bound(A, H1), *bound(B, H1), *bound(machine("d", RED, 4, "all"), H2))
    check(
        made,
        upserts(machine("b", RED, 2, "all")),
        h1=({"endpoint b", "port b"}, set()),
        h2=({"endpoint b"}, set()),
    )


def test_a_port_that_moves_is_lost_by_one_and_gained_by_the_other() -> None:
    made = interest(*bound(A, H1), *bound(B, H2))
    deltas = made.apply(upserts(bound(A, H2)[1]))
    assert said(deltas["h2"]) >= {"port a", "endpoint a"}
    assert names(made.slice("h1")) == {"host h1"}
    assert not said(deltas["h1"])


def test_a_host_is_present_on_a_network_as_long_as_it_carries_machines_of_it() -> None:
    made = interest(*bound(A, H1), *bound(B, H1), *bound(machine("d", RED, 4), H2))
    check(made, deletes(*bound(A, H1)), h1=(set(), {"port a", "endpoint a"}), h2=(set(), {"endpoint a"}))
    left = made.apply(deletes(*bound(B, H1)))["h2"]
    assert left == {("presence", "red"): Presence(id="red", hosts=(2,)), ("endpoint", "b"): None, ("host", "h1"): None}


def test_a_host_that_nothing_is_bound_to_has_itself() -> None:
    assert names(interest().slice("h1")) == {"host h1"}
    assert interest().slice("unknown") == []


def test_what_comes_and_goes_in_one_batch_leaves_nothing() -> None:
    made = interest(*bound(A, H1))
    deltas = made.apply(upserts(*bound(B, H1)) + deletes(*reversed(bound(B, H1))))
    assert deltas["h1"] == {("port", "b"): None, ("endpoint", "b"): None}


@pytest.mark.parametrize("size", [10, 1_000])
def test_joining_a_group_costs_the_hosts_and_not_its_members(size: int) -> None:
    """What is touched does not grow with the group: one endpoint for the host that looks on."""
    members = [record for number in range(size) for record in bound(machine(f"m{number}", RED, number % 250), H1)]
    made = interest(*members, *bound(machine("onlooker", RED, 251), H2))
    check(
        made,
        upserts(*bound(machine("new", RED, 252), H1)),
        h1=({"port new", "endpoint new"}, set()),
        h2=({"endpoint new"}, set()),
    )


def test_dangling_references_are_left_out() -> None:
    made = Interest()
    made.apply(upserts(*bound(A, H1), LEFT, H1))
    assert names(made.slice("h1")) == {"host h1", "port a"}
    made.apply(upserts(RED))
    assert names(made.slice("h1")) == {
        "host h1",
        "port a",
        "network red",
        "endpoint a",
        "presence red",
        "port router-red",
    }
    made.apply(deletes(LONE))


def test_hosts_are_told_who_may_ask_for_addresses_when_dhcp_goes() -> None:
    """And nobody is told anything of the machines of a subnet that is otherwise changed."""
    made, silent = interest(*bound(A, H1), *bound(C, H2)), replace(RED_SUBNET, enable_dhcp=False)
    check(made, upserts(replace(RED_SUBNET, name="other")), h1=({"subnet red-subnet"}, set()))
    check(made, upserts(silent), h1=({"subnet red-subnet", "endpoint a"}, set()))
    assert [record.asks for record in made.slice("h1") if isinstance(record, Endpoint)] == [True]
    check(made, upserts(RED_SUBNET), h1=({"subnet red-subnet", "endpoint a"}, set()))
    assert [record.asks for record in made.slice("h1") if isinstance(record, Endpoint)] == [False]


def test_all_kinds_that_changes_handle_are_loaded_and_no_others() -> None:
    assert {kind_of(kind) for kind in SLICED} == Interest()._handlers.keys()
