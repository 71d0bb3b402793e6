"""Random worlds, consistent or not: the incremental slices are the specified ones, and deltas lead to them."""

from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from netplane.interest import Interest, Key, Section, slice_of
from netplane.model import (
    ROUTER_INTERFACE,
    AddressGroup,
    AddressPair,
    Binding,
    Change,
    FirewallGroup,
    FirewallPolicy,
    FirewallRule,
    FixedIP,
    Host,
    Identity,
    LogResource,
    Network,
    Operation,
    Port,
    Record,
    Router,
    SecurityGroupRule,
    Subnet,
    kind_of,
)
from tests.unit.interest.world import led

HOSTS = ("h1", "h2", "h3")
World = dict[Key, Record]


def ids(prefix: str, count: int) -> st.SearchStrategy[str]:
    return st.sampled_from([f"{prefix}{number}" for number in range(count)])


NETWORK = ids("n", 5)
GROUPS = st.lists(ids("g", 3), max_size=2).map(tuple)
NAME = st.sampled_from(["", "new"])
MACHINE = st.builds(
    Port,
    id=ids("p", 6),
    name=NAME,
    network_id=NETWORK,
    mac_address=st.sampled_from(["02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:03", "broken"]),
    fixed_ips=st.sampled_from(
        [
            (),
            (FixedIP("s0", "10.0.0.1"),),
            (FixedIP("s0", "10.0.0.2"), FixedIP("s1", "broken"), FixedIP("s1", "fd00::1")),
        ]
    ),
    identity_id=st.sampled_from(["", "i0", "i1", "i2"]),
    port_security_enabled=st.sampled_from([True, True, False]),
    allowed_address_pairs=st.sampled_from(
        [(), (AddressPair("10.0.0.9", "broken"), AddressPair("10.0.0.9", "02:00:00:00:00:09"))]
    ),
    project_id=st.sampled_from(["blue", "red"]),
    security_groups=GROUPS,
)
INTERFACE = st.builds(
    Port,
    id=ids("p", 6),
    name=NAME,
    network_id=NETWORK,
    mac_address=st.just("02:00:00:00:01:00"),
    device_owner=st.just(ROUTER_INTERFACE),
    device_id=ids("r", 3),
)
BINDING = st.builds(Binding, id=ids("p", 6), host_id=st.sampled_from(HOSTS))
RECORD: st.SearchStrategy[Record] = st.one_of(
    MACHINE,
    INTERFACE,
    BINDING,
    st.builds(Host, id=st.sampled_from(HOSTS), number=st.integers(1, 4), address=st.sampled_from(["a", "b"])),
    st.builds(Network, id=NETWORK, name=NAME, vni=st.integers(1, 3)),
    st.builds(Subnet, id=ids("s", 2), network_id=NETWORK, cidr=st.just("10.0.0.0/24"), enable_dhcp=st.booleans()),
    st.builds(Router, id=ids("r", 3), name=NAME, number=st.just(1)),
    st.builds(Identity, id=ids("i", 3), number=st.integers(1, 3), groups=GROUPS),
    st.builds(
        SecurityGroupRule,
        id=ids("u", 3),
        name=NAME,
        security_group_id=ids("g", 3),
        direction=st.just("ingress"),
        remote_address_group_id=st.sampled_from([None, "d0", "d1"]),
    ),
    st.builds(AddressGroup, id=ids("d", 2), name=NAME),
)
LOG = st.builds(
    LogResource,
    id=ids("l", 4),
    name=NAME,
    project_id=st.sampled_from(["blue", "red"]),
    resource_type=st.just("security_group"),
    resource_id=st.sampled_from([None, "g0", "g1", "g2"]),
    target_id=st.one_of(st.none(), ids("p", 6)),
    event=st.sampled_from(["ALL", "ACCEPT", "DROP"]),
    enabled=st.sampled_from([True, True, False]),
)
POLICY = st.sampled_from([None, "f0", "f1"])
FIREWALL = st.one_of(
    st.builds(
        FirewallGroup,
        id=ids("w", 2),
        name=NAME,
        admin_state_up=st.sampled_from([True, True, False]),
        ingress_firewall_policy_id=POLICY,
        egress_firewall_policy_id=POLICY,
        ports=st.lists(ids("p", 6), max_size=3, unique=True).map(tuple),
    ),
    st.builds(FirewallPolicy, id=ids("f", 2), firewall_rules=st.lists(ids("fr", 3), max_size=3).map(tuple)),
    st.builds(FirewallRule, id=ids("fr", 3), name=NAME, protocol=st.sampled_from([None, "tcp"]), enabled=st.booleans()),
)
PLUGGED = st.one_of(LOG, FIREWALL, MACHINE, INTERFACE, BINDING)


def steps(record: st.SearchStrategy[Record]) -> st.SearchStrategy[tuple[Record, bool]]:
    return st.tuples(record, st.sampled_from([True, True, False]))


SOLID: tuple[Record, ...] = (
    *(Host(id=host, number=number, address=host) for number, host in enumerate(HOSTS, 1)),
    *(Network(id=f"n{number}", vni=number) for number in range(1, 6)),
    *(Router(id=f"r{number}", number=number) for number in range(1, 4)),
    *(Identity(id=f"i{number}", number=number + 1, groups=(f"g{number}", "g0")) for number in range(3)),
    *(AddressGroup(id=f"d{number}") for number in range(2)),
    *(
        SecurityGroupRule(
            id=f"u{number}",
            security_group_id=f"g{number}",
            direction="egress",
            remote_address_group_id=(None, "d0", "d0")[number],
        )
        for number in range(3)
    ),
)

BUSY: tuple[Record, ...] = (
    *SOLID,
    *(
        record
        for number in range(4)
        for record in (
            Port(
                id=f"p{number}",
                network_id=f"n{number % 3 + 1}",
                mac_address=f"02:00:00:00:02:0{number}",
                identity_id=f"i{number % 3}",
                project_id=("blue", "red")[number % 2],
                security_groups=(f"g{number % 3}", "g0"),
            ),
            Binding(id=f"p{number}", host_id=HOSTS[number % 3]),
        )
    ),
    FirewallGroup(id="w0", ingress_firewall_policy_id="f0", egress_firewall_policy_id="f1", ports=("p4",)),
    FirewallPolicy(id="f0", firewall_rules=("fr0", "fr1")),
    FirewallPolicy(id="f1", firewall_rules=("fr1",)),
    FirewallRule(id="fr0", action="allow"),
    FirewallRule(id="fr1"),
    *(
        Port(
            id=f"p{number}",
            network_id=f"n{number - 3}",
            mac_address="02:00:00:00:01:00",
            device_owner=ROUTER_INTERFACE,
            device_id="r1",
        )
        for number in (4, 5)
    ),
)
"""Two domains with machines on every host: most changes concern somebody."""


def as_changes(sequence: Sequence[tuple[Record, bool]]) -> list[Change]:
    return [
        Change(
            revision,
            Operation.UPSERT if keep else Operation.DELETE,
            kind_of(record),
            record.id,
            record if keep else None,
        )
        for revision, (record, keep) in enumerate(sequence, 1)
    ]


def follow(world: World, change: Change) -> None:
    if change.record is None:
        world.pop((change.kind, change.id), None)
    else:
        world[change.kind, change.id] = change.record


def by_key(records: Sequence[Record]) -> World:
    found = {(kind_of(record), record.id): record for record in records}
    assert len(found) == len(records), "a slice holds each record once"
    return found


@given(
    st.sampled_from([(), SOLID, BUSY]),
    st.lists(st.one_of(steps(RECORD), steps(PLUGGED)), max_size=60).map(as_changes),
    st.lists(st.integers(1, 5), min_size=1, max_size=12),
)
def test_slices_and_deltas_are_those_of_the_specification(
    base: Sequence[Record], changes: list[Change], sizes: list[int]
) -> None:
    interest = Interest()
    interest.load(base, 0)
    world = by_key(base)
    held = {host: slice_of(world.values(), host) for host in HOSTS}
    kept: dict[Section, list[Record]] = {}
    while changes:
        size = sizes[len(changes) % len(sizes)]
        batch, changes = changes[:size], changes[size:]
        exact = size == 1 and not any(moves(world, change) for change in batch)
        for change in batch:
            follow(world, change)
        deltas = interest.apply(batch)
        for section in interest.take_stale():
            kept.pop(section, None)
        for host in HOSTS:
            needed = slice_of(world.values(), host)
            assert by_key(interest.slice(host)) == needed
            assert by_key(out_of_sections(interest, host, kept)) == needed
            if host in deltas:
                if exact:
                    check_exact(held[host], deltas[host])
                held[host] = led(held[host], deltas[host])
            assert held[host] == needed


def out_of_sections(interest: Interest, host: str, kept: dict[Section, list[Record]]) -> list[Record]:
    """A host's slice, with what is known of the sections that nobody has called stale."""
    sections = list(interest.sections(host))
    for section in sections:
        if section not in kept:
            kept[section] = interest.records(section)
    return [*interest.own(host), *(record for section in sections for record in kept[section])]


def moves(world: World, change: Change) -> bool:
    """Whether a port may go from one place to another: the new place is then taken before the old one is left."""
    return change.kind in ("port", "binding") and change.record is not None and (change.kind, change.id) in world


def check_exact(before: World, told: Mapping[Key, Record | None]) -> None:
    """Nothing is deleted that the host never had, and nothing is sent twice."""
    assert all(before.get(key) != record for key, record in told.items())
    assert all(record is None or (kind_of(record), record.id) == key for key, record in told.items())


@given(st.lists(steps(RECORD), max_size=60).map(as_changes))
def test_loading_a_world_gives_the_slices_that_its_changes_lead_to(changes: list[Change]) -> None:
    world: World = {}
    for change in changes:
        follow(world, change)
    loaded = Interest()
    loaded.load(world.values(), 7)
    for host in HOSTS:
        assert by_key(loaded.slice(host)) == slice_of(world.values(), host)
    assert loaded.apply([]) == {}
