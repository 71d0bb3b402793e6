"""Whatever happens to a slice, and in whatever order: the entries are those that its records now give from scratch.

The records come from a small set of ids and values, so that they meet: addresses are contested, groups shared,
references dangle, values are malformed, and everything goes and comes back.
"""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netplane.base.delta import diff, merge
from netplane.compiler import Compiler, compile_slice
from netplane.model import (
    ROUTER_INTERFACE,
    AddressGroup,
    AddressPair,
    Change,
    Device,
    Endpoint,
    FixedIP,
    Host,
    Identity,
    More,
    Network,
    Operation,
    Pair,
    Port,
    Presence,
    Record,
    Route,
    Router,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    Wall,
    WallRule,
    kind_of,
)

Key = tuple[str, str]


def ids(prefix: str, count: int = 3) -> st.SearchStrategy[str]:
    return st.sampled_from([f"{prefix}{number}" for number in range(count)])


def some(*values: object) -> st.SearchStrategy[object]:
    return st.sampled_from(values)


PORTS, NETWORKS, SUBNETS, ROUTERS, GROUPS = ids("p", 4), ids("n", 2), ids("s"), ids("r", 2), ids("g")
ADDRESS_GROUPS = ids("d", 2)
GROUP_SETS = st.sets(GROUPS, max_size=2).map(lambda groups: tuple(sorted(groups)))
MAC_TEXTS = some("02:00:00:00:00:01", "02:00:00:00:00:02", "bad")
ADDRESS_TEXTS = some("10.0.0.1", "10.0.0.2", "10.0.0.1", "fd00::1", "bad")
MACS = some(b"\x02\0\0\0\0\1", b"\x02\0\0\0\0\2", b"\x02")
ADDRESSES = some(*(bytes(10) + b"\xff\xff\x0a\0\0" + bytes((last,)) for last in (1, 2, 3)))
PAIRS = st.builds(
    Pair,
    address=some(*(bytes(10) + b"\xff\xff\x0a\0\0" + bytes((last,)) for last in (0, 1, 2)), bytes(16), b"short"),
    length=some(128, 128, 126, 96, 0),
    mac=MACS,
)
FIXED = st.builds(FixedIP, subnet_id=SUBNETS, ip_address=ADDRESS_TEXTS)
RULES = st.builds(
    SecurityGroupRule,
    id=ids("a", 5),
    security_group_id=GROUPS,
    direction=some("ingress", "egress", "ingress", "sideways"),
    ethertype=some("IPv4", "IPv4", "IPv6"),
    protocol=some(None, "tcp", "udp", "icmp", "any", "hopopt", "nonsense"),
    port_range_min=some(None, None, 0, 22, 80),
    port_range_max=some(None, None, 80, 81, 65535),
    remote_ip_prefix=some(None, None, "0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/24", "::/0", "bad"),
    remote_group_id=st.none() | GROUPS,
    remote_address_group_id=st.none() | st.none() | ADDRESS_GROUPS,
)
RANGES = some("0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/24", "10.0.0.7/32", "fd00::/8", "bad")
NUMBERS = some(1, 2, 3, 0)
ROUTES = st.builds(
    Route,
    destination=some("0.0.0.0/0", "10.0.0.0/24", "10.0.0.1/32", "10.0.0.2/31", "fd00::/8", "bad"),
    nexthop=some("10.0.0.1", "10.0.0.2", "10.0.0.9", "10.0.1.9", "192.0.2.9", "bad"),
)

WALL_RULES = st.lists(
    st.builds(
        WallRule,
        id=ids("fr"),
        action=some("allow", "deny", "allow", "perhaps"),
        ip_version=some(4, 6),
        source=some(None, None, "10.0.0.0/8", "bad"),
        destination_port=some(None, "80"),
    ),
    max_size=2,
).map(tuple)

RECORDS: st.SearchStrategy[Record] = st.one_of(
    st.builds(Host, id=ids("h"), number=NUMBERS, address=some("192.0.2.1", "192.0.2.2", "bad")),
    st.builds(Network, id=NETWORKS, vni=some(10, 20, -1), admin_state_up=some(True, True, False)),
    st.builds(
        Subnet,
        id=SUBNETS,
        network_id=NETWORKS,
        cidr=some("10.0.0.0/24", "10.0.0.0/25", "10.0.1.0/24", "bad"),
        enable_dhcp=st.booleans(),
    ),
    st.builds(Presence, id=NETWORKS, hosts=st.lists(st.integers(1, 4), max_size=3, unique=True).map(sorted).map(tuple)),
    st.builds(
        Router,
        id=ROUTERS,
        number=NUMBERS,
        admin_state_up=some(True, True, False),
        routes=st.lists(ROUTES, max_size=4).map(tuple),
    ),
    st.builds(SecurityGroup, id=GROUPS),
    st.builds(AddressGroup, id=ADDRESS_GROUPS, addresses=st.lists(RANGES, max_size=3).map(tuple)),
    RULES,
    st.builds(Identity, id=ids("i"), number=NUMBERS, groups=GROUP_SETS),
    st.builds(
        Port,
        id=PORTS,
        network_id=NETWORKS,
        mac_address=MAC_TEXTS,
        fixed_ips=st.lists(FIXED, max_size=2).map(tuple),
        device_id=ROUTERS,
        device_owner=some("", ROUTER_INTERFACE),
        admin_state_up=some(True, True, False),
        port_security_enabled=some(True, True, False),
        allowed_address_pairs=st.lists(st.builds(AddressPair, ADDRESS_TEXTS, MAC_TEXTS), max_size=2).map(tuple),
    ),
    st.builds(
        Endpoint.of,
        PORTS,
        vni=some(10, 20),
        mac=some(b"\x02\0\0\0\0\1", b"\x02\0\0\0\0\2"),
        addresses=st.lists(ADDRESSES, max_size=2).map(tuple),
        identity=NUMBERS,
        host=NUMBERS,
        stateless=st.booleans(),
        secured=some(True, True, False),
        pairs=st.lists(PAIRS, max_size=3).map(tuple),
    ),
    st.builds(
        Endpoint,
        id=PORTS,
        key=st.builds(lambda vni, address: vni + address, some(b"\x0a\0\0\0", b"vni"), ADDRESSES | some(b"", b"short")),
        value=some(b"\x02\0\0\0\0\1" + bytes(10), b"\x02\0\0\0\0\1\4" + bytes(9), b"short"),
        more=st.none() | st.builds(More, addresses=st.lists(ADDRESSES | some(b"short"), max_size=2).map(tuple)),
    ),
    st.builds(Wall, id=PORTS, ingress=WALL_RULES, egress=WALL_RULES),
    st.builds(Device, id=PORTS, ifindex=some(7, 8, 9), peer=st.booleans()),
)

STEP = st.tuples(RECORDS, some(True, True, False))


@pytest.fixture(autouse=True, scope="module")
def shortcuts_are_taken() -> Iterator[None]:
    """From two records on, so that worlds of few take them too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("netplane.base.incremental.MANY", 2)
        yield


BATCHES = st.lists(st.lists(STEP, min_size=1, max_size=8), min_size=1, max_size=8)


def change(record: Record, stays: object) -> Change:
    """An upsert, or a delete of whatever has this record's id."""
    if stays:
        return Change(1, Operation.UPSERT, kind_of(record), record.id, record)
    return Change(1, Operation.DELETE, kind_of(record), record.id, None)


@settings(max_examples=400, deadline=None)
@given(BATCHES)
def test_incremental_equals_from_scratch(batches: list[list[tuple[Record, object]]]) -> None:
    compiler = Compiler()
    records: dict[Key, Record] = {}
    applied: dict[str, dict[bytes, bytes]] = {table: {} for table in compiler.desired}
    for batch in batches:
        before = {table: dict(entries) for table, entries in compiler.desired.items()}
        changes = [change(record, stays) for record, stays in batch]
        delta = compiler.apply(changes)
        for _, _, kind, id, record in changes:
            records.pop((kind, id), None)
            if record is not None:
                records[kind, id] = record
        expected = compile_slice(records.values())
        assert compiler.desired == expected
        minimal = diff(expected, before)
        assert delta.writes == minimal.writes
        assert {t: set(keys) for t, keys in delta.deletes.items()} == {t: set(k) for t, k in minimal.deletes.items()}
        delta.apply_to(applied)
        assert applied == expected
        check_owners(compiler, records)
    check_same_as_fresh(compiler, records)
    check_that_nothing_is_left(compiler, records)


def check_owners(compiler: Compiler, records: dict[Key, Record]) -> None:
    """Every entry has owners, each once, all of them there."""
    for table, entries in compiler.desired.items():
        for key in entries:
            owners = compiler.owners(table, key)
            assert owners
            assert sorted(owners) == sorted(set(owners))
            assert all(owner in records for owner in owners)


def check_same_as_fresh(compiler: Compiler, records: dict[Key, Record]) -> None:
    """A compiler that saw only the outcome knows the same, problems and all, in either order; and so does a load."""
    for order in (list(records.values()), list(reversed(records.values()))):
        fresh = Compiler()
        fresh.apply(change(record, True) for record in order)
        assert fresh.desired == compiler.desired
        assert fresh.problems == compiler.problems
        # Which references have been asked for is a matter of what has happened.
        assert fresh.footprint() | {"buckets": 0} == compiler.footprint() | {"buckets": 0}
        assert not fresh.load(order)


def check_that_nothing_is_left(compiler: Compiler, records: dict[Key, Record]) -> None:
    """Deletes, in a few batches, bring everything back to nothing."""
    names = list(records)
    parts = [names[start::3] for start in range(3)]
    deltas = [compiler.apply(change(records[name], False) for name in part) for part in parts]
    assert not any(compiler.footprint().values())
    assert not compiler.problems
    assert not any(compiler.desired.values())
    assert not merge(merge(deltas[0], deltas[1]), deltas[2]).writes
