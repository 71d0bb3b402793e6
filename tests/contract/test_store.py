"""What every store keeps to, whichever database is below it."""

from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from threading import Thread

import pytest
from msgspec.structs import replace

from netplane.model import (
    Binding,
    Change,
    Host,
    Identity,
    Network,
    Operation,
    Port,
    RbacPolicy,
    Record,
    Route,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    SubnetPool,
    identity_id,
)
from netplane.model.network import MOST_HOST_ROUTES
from netplane.model.prefixes import prefix_claim, prefix_space, span_start
from netplane.store import Conflict, Exhausted, InUse, Malformed, Missing, Store, StoreError
from netplane.store.past import as_it_was
from netplane.store.reader import VALUE
from tests.contract.stores import (
    DATABASES,
    new_group,
    new_host,
    new_network,
    new_port,
    new_rule,
    new_subnet,
    open_store,
)

MACS = [f"fa:16:3e:00:00:{number:02x}" for number in range(100)]


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return DATABASES[request.param](tmp_path)


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    opened = open_store(database)
    yield opened
    opened.close()


def add(store: Store, *records: Record) -> None:
    with store.write("test") as transaction:
        for record in records:
            transaction.add(record)


def remove(store: Store, *records: Record) -> None:
    with store.write("test") as transaction:
        for record in records:
            transaction.delete(record)


def ids(store: Store, kind: type[Record]) -> set[str]:
    with store.read() as reader:
        return {record.id for record in reader.list(kind)}


def check_refused(store: Store, error: type[StoreError], *records: Record) -> StoreError:
    """Adding the records fails, and nothing is written."""
    before = store.revision
    with pytest.raises(error) as caught:
        add(store, *records)
    assert store.revision == before
    assert store.changes(before) == []
    return caught.value


def test_a_new_store_is_empty(store: Store) -> None:
    assert store.revision == 0
    assert store.changes(0) == []
    assert len(store.log) == 36


def test_a_record_is_read_as_it_was_written(store: Store) -> None:
    network = new_network()
    add(store, network)
    with store.read() as reader:
        found = reader.get(Network, network.id)
    assert found is not None
    times = {"created_at": "2030-01-01T00:00:01Z", "updated_at": "2030-01-01T00:00:01Z"}
    assert found == replace(network, **times)


def test_a_write_counts_and_takes_the_time(store: Store) -> None:
    network = new_network()
    add(store, network)
    with store.write("test") as transaction:
        stored = transaction.get(Network, network.id)
        assert stored is not None
        changed = transaction.put(replace(stored, name="other"))
    assert (changed.revision_number, changed.created_at, changed.updated_at) == (
        1,
        "2030-01-01T00:00:01Z",
        "2030-01-01T00:00:02Z",
    )


def test_writing_what_is_there_changes_nothing(store: Store) -> None:
    network = new_network()
    add(store, network)
    with store.write("test") as transaction:
        stored = transaction.get(Network, network.id)
        assert stored is not None
        assert transaction.put(stored) == stored
    assert store.revision == 1


def test_a_transaction_that_raises_leaves_nothing(store: Store) -> None:
    def fail() -> None:
        with store.write("test") as transaction:
            transaction.add(new_network())
            transaction.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert store.revision == 0
    assert ids(store, Network) == set()


def test_changes_are_read_in_order_and_in_parts(store: Store) -> None:
    network = new_network()
    subnet = new_subnet(network)
    add(store, network, subnet)
    remove(store, network)
    changes = store.changes(0)
    assert [(change.revision, change.operation, change.kind, change.id) for change in changes] == [
        (1, Operation.UPSERT, "network", network.id),
        (2, Operation.UPSERT, "subnet", subnet.id),
        (3, Operation.DELETE, "subnet", subnet.id),
        (4, Operation.DELETE, "network", network.id),
    ]
    assert isinstance(changes[1].record, Subnet)
    assert changes[3].record is None
    assert store.changes(1, limit=2) == changes[1:3]


def test_the_journal_says_who_and_when(store: Store) -> None:
    add(store, new_network())
    entry = store.journal(0)[0]
    assert (entry.actor, entry.time, entry.request) == ("test", "2030-01-01T00:00:01.000000Z", "")
    assert isinstance(entry.change, Change)


def test_the_log_tells_for_which_request(store: Store) -> None:
    with store.write("test", "req-1") as transaction:
        transaction.add(new_network())
    assert [entry.request for entry in store.journal(0)] == ["req-1"]


def test_a_record_written_twice_in_a_transaction_is_one_change(store: Store) -> None:
    network = new_network()
    with store.write("test") as transaction:
        added = transaction.add(network)
        transaction.put(replace(added, name="other"))
    assert [change.revision for change in store.changes(0)] == [1]


def test_a_record_made_and_deleted_in_a_transaction_is_gone(store: Store) -> None:
    with store.write("test") as transaction:
        transaction.delete(transaction.add(new_host()))
        transaction.add(new_host())
    assert ids(store, Host) == {"h1"}


def test_a_transaction_sees_its_own_writes(store: Store) -> None:
    network = new_network()
    subnet = new_subnet(network)
    with store.write("test") as transaction:
        transaction.add(network)
        assert transaction.find(Subnet, "network_id", network.id) == []
        transaction.add(subnet)
        assert [found.id for found in transaction.find(Subnet, "network_id", network.id)] == [subnet.id]
        assert [found.id for found in transaction.list(Subnet)] == [subnet.id]
        assert transaction.holder("vni", "1") == network.id
        assert transaction.is_referred(Subnet, "network_id", network.id)
        assert not transaction.is_referred(Port, "network_id", network.id)


def test_records_are_listed_by_project_and_by_id(store: Store) -> None:
    blue, red = new_network(1, "blue"), new_network(2, "red")
    add(store, blue, red)
    with store.read() as reader:
        assert {record.id for record in reader.list(Network)} == {blue.id, red.id}
        assert [record.id for record in reader.list(Network, "red")] == [red.id]
        assert [record.id for record in reader.list(Network, ids=[blue.id, "none"])] == [blue.id]
        assert reader.list(Network, "red", [blue.id]) == []


def test_records_are_read_in_pages(store: Store) -> None:
    blue, red = [new_network(number, "blue") for number in range(1, 6)], new_network(9, "red")
    add(store, *blue, red)
    ordered = sorted(network.id for network in blue)
    with store.read() as reader:
        assert [record.id for record in reader.page(Network, "", 3, "blue")] == ordered[:3]
        assert [record.id for record in reader.page(Network, ordered[2], 3, "blue")] == ordered[3:]
        assert len(reader.page(Network, "", 100)) == 6


def test_all_records_of_some_kinds_are_walked_through(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netplane.store.reader.STRIDE", 3)
    networks, hosts = [new_network(vni=vni) for vni in range(1, 6)], [new_host(number) for number in (1, 2)]
    add(store, *networks, *hosts)
    with store.read() as reader:
        walked = sorted(record.id for record in reader.walk([Network, Host]))
        assert walked == sorted(one.id for one in (*networks, *hosts))
        assert list(reader.walk([Host])) == hosts
        assert list(reader.walk([Subnet])) == []


def test_what_has_changed_lately_is_known_as_it_was(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = new_network(1), new_network(2)
    add(store, first, second)
    with store.write("tester") as transaction:
        transaction.put(replace(first, name="new"))
    with store.write("tester") as transaction:
        transaction.delete(second)
    made, renamed = (change.record for change in store.changes(0) if change.id == first.id)

    def as_of(revision: int, *records: Record | None) -> None:
        with store.read() as reader:
            past = reader.past([Network])
            assert (past.revision, len(past.since)) == (revision, 4 - revision)
            assert list(as_it_was(reader.walk([Network]), past)) == [*records]

    as_of(0)
    monkeypatch.setattr("netplane.store.past.COUNT", 2)
    with store.read() as reader:
        gone = reader.past([Network]).before["network", second.id]
    as_of(2, made, gone)
    monkeypatch.setattr("netplane.store.past.EARLIER", 0)
    as_of(3, renamed, gone)
    monkeypatch.setattr("netplane.store.past.SECONDS", -1.0)
    as_of(4, renamed)


def test_records_are_found_by_their_names(store: Store) -> None:
    """And by what else their kind says, as they are now, whatever the values look like."""
    network, others = new_network(1), [new_network(number) for number in (2, 3)]
    add(store, network, *(replace(other, name="web") for other in others))
    port = replace(new_port(network, MACS[0]), device_id=network.id, name=network.id)
    add(store, port)
    with store.read() as reader:
        found = reader.find(Network, "name", f"{VALUE}web")
        assert [record.id for record in found] == sorted(other.id for other in others)
        assert reader.referring(Network, "name", f"{VALUE}web", found[0].id, 9) == found[1:]
        assert reader.find(Network, "name", VALUE) == []
        assert [one.id for one in reader.find(Port, "device_id", VALUE + network.id)] == [port.id]
        assert reader.find(Port, "device_id", network.id) == []  # a name points at nothing
    with store.write("test") as transaction:
        transaction.put(replace(found[0], name="mail"))
        transaction.delete(found[1])
        transaction.delete(port)
        transaction.delete(network)
    with store.read() as reader:
        assert reader.find(Network, "name", f"{VALUE}web") == []
        assert [one.id for one in reader.find(Network, "name", f"{VALUE}mail")] == [found[0].id]
        assert reader.find(Port, "device_id", VALUE + network.id) == []


def test_records_are_found_by_what_they_refer_to(store: Store) -> None:
    one, two, empty = new_network(1), new_network(2), new_network(3)
    first, second = new_subnet(one), new_subnet(two)
    add(store, one, two, empty, first, second)
    with store.read() as reader:
        groups = reader.group(Subnet, "network_id", [one.id, two.id, empty.id])
    assert {target: [record.id for record in records] for target, records in groups.items()} == {
        one.id: [first.id],
        two.id: [second.id],
        empty.id: [],
    }


def test_a_reference_needs_its_target(store: Store) -> None:
    network = new_network()
    error = check_refused(store, Missing, new_subnet(network))
    assert isinstance(error, Missing)
    assert (error.field, error.target) == ("network_id", network.id)


def test_a_reference_to_what_the_transaction_deleted_is_refused(store: Store) -> None:
    network = new_network()
    add(store, network)

    def swap() -> None:
        with store.write("test") as transaction:
            transaction.delete(network)
            transaction.add(new_subnet(network))

    with pytest.raises(Missing):
        swap()
    assert ids(store, Network) == {network.id}


def test_a_reference_needs_a_target_of_its_kind(store: Store) -> None:
    """Whatever else has that id, and whatever it looks like."""
    network, host = new_network(), new_host()
    add(store, network, host)
    check_refused(store, Missing, new_subnet(replace(network, id=host.id)))
    check_refused(store, Missing, new_subnet(replace(network, id=f"{VALUE}web")))

    def both() -> None:
        with store.write("test") as transaction:
            assert transaction.get(Host, host.id) == host
            transaction.add(new_subnet(replace(network, id=host.id)))

    with pytest.raises(Missing):
        both()
    assert ids(store, Subnet) == set()


def test_what_shares_its_id_with_another_kind_is_neither_held_nor_followed_for_it(store: Store) -> None:
    network, group, remote = new_network(), new_group(), new_group("remote")
    subnet, rule = new_subnet(network), new_rule(group, remote)
    policy = RbacPolicy(
        id=network.id, object_type="network", object_id=network.id, action="access_as_shared", target_project="red"
    )
    add(store, network, group, remote, subnet, rule, policy, new_port(network, MACS[0], (subnet, "10.0.0.2")))
    twins = [replace(new_host(number), id=id) for number, id in enumerate((network.id, remote.id, subnet.id), 1)]
    for twin in twins:
        add(store, twin)
        remove(store, twin)
    assert (ids(store, Subnet), ids(store, SecurityGroupRule)) == ({subnet.id}, {rule.id})
    assert ids(store, RbacPolicy) == {policy.id}
    add(store, *twins)
    with pytest.raises(InUse):
        remove(store, subnet)
    remove(store, remote)
    assert ids(store, SecurityGroupRule) == set()
    assert ids(store, Host) == {twin.id for twin in twins}


def test_what_is_held_back_is_so_by_its_own_kind_alone(store: Store) -> None:
    """A port on a network holds back the host of that name only if a binding names the host too."""
    network = new_network()
    host = replace(new_host(), id=network.id)
    port = new_port(network, MACS[0])
    add(store, network, host, port, Binding(id=port.id, host_id=host.id))
    with pytest.raises(InUse) as caught:
        remove(store, host)
    assert (caught.value.kind, caught.value.field) == ("binding", "host_id")
    with pytest.raises(InUse) as caught:
        remove(store, network)
    assert (caught.value.kind, caught.value.field) == ("port", "network_id")


def test_what_nobody_could_read_again_is_not_written(store: Store) -> None:
    """A record that is not as its kind declares would stop whoever lists its kind or follows the log."""
    network = new_network()
    add(store, network)
    routes = tuple(Route(f"10.{number}.0.0/16", "10.0.0.1") for number in range(MOST_HOST_ROUTES + 1))
    error = check_refused(store, Malformed, replace(new_subnet(network), host_routes=routes))
    assert isinstance(error, Malformed)
    assert "`$.host_routes`" in error.reason
    check_refused(store, Malformed, replace(network, id="n", name="x" * 256, vni=2))
    check_refused(store, Malformed, replace(new_port(network, MACS[0]), profile={"a": 2**70}))
    assert ids(store, Network) == {network.id}
    assert len(store.changes(0)) == 1


def test_what_is_in_use_stays(store: Store) -> None:
    network = new_network()
    subnet = new_subnet(network)
    port = new_port(network, MACS[0], (subnet, "10.0.0.2"))
    add(store, network, subnet, port)
    for record in (network, subnet):
        with pytest.raises(InUse) as caught:
            remove(store, record)
        assert (caught.value.target, caught.value.kind, caught.value.source) == (record.id, "port", port.id)
    assert store.revision == 3
    remove(store, port)
    remove(store, network)
    assert ids(store, Subnet) == set()


def test_what_belongs_goes_along(store: Store) -> None:
    group, other = new_group("one"), new_group("two")
    add(store, group, other, new_rule(group, group), new_rule(other, group), new_rule(other))
    remove(store, group)
    with store.read() as reader:
        assert [rule.security_group_id for rule in reader.list(SecurityGroupRule)] == [other.id]


def test_a_binding_goes_with_its_port_and_goes_alone(store: Store) -> None:
    network, host = new_network(), new_host()
    port = new_port(network, MACS[0])
    binding = Binding(id=port.id, host_id=host.id)
    add(store, network, host, port, binding)
    remove(store, binding)
    assert ids(store, Port) == {port.id}
    add(store, binding)
    with pytest.raises(InUse):
        remove(store, host)
    remove(store, port)
    assert ids(store, Binding) == set()
    remove(store, host)
    assert ids(store, Host) == set()


def test_a_claim_has_one_holder(store: Store) -> None:
    network = new_network()
    subnet = new_subnet(network)
    first = new_port(network, MACS[0], (subnet, "10.0.0.2"))
    add(store, network, subnet, first)
    error = check_refused(store, Conflict, new_port(network, MACS[1], (subnet, "10.0.0.2")))
    assert isinstance(error, Conflict)
    assert (error.space, error.value, error.owner) == (f"address:{subnet.id}", "0a000002", first.id)
    check_refused(store, Conflict, new_port(network, MACS[0]))


def test_a_claim_has_one_holder_within_a_transaction(store: Store) -> None:
    network = new_network()
    check_refused(store, Conflict, network, new_port(network, MACS[0]), new_port(network, MACS[0]))


def test_an_id_is_given_once(store: Store) -> None:
    network = new_network()
    add(store, network)
    check_refused(store, Conflict, replace(network, vni=2))


def test_a_claim_moves_within_a_transaction(store: Store) -> None:
    network = new_network()
    first, second = new_port(network, MACS[0]), new_port(network, MACS[1])
    add(store, network, first, second)
    with store.write("test") as transaction:
        transaction.put(replace(first, mac_address=MACS[2]))
        transaction.put(replace(second, mac_address=MACS[0]))
    with store.read() as reader:
        assert [reader.holder(f"mac:{network.id}", mac) for mac in MACS[:3]] == [second.id, None, first.id]


def test_a_claim_is_free_when_its_record_is_gone(store: Store) -> None:
    network = new_network()
    add(store, network)
    remove(store, network)
    add(store, new_network())


def test_references_follow_the_record(store: Store) -> None:
    network = new_network()
    one, two = new_subnet(network, "10.0.0.0/24"), new_subnet(network, "10.0.1.0/24")
    port = new_port(network, MACS[0], (one, "10.0.0.2"))
    add(store, network, one, two, port)
    moved = new_port(network, MACS[0], (two, "10.0.1.2"))
    with store.write("test") as transaction:
        transaction.put(replace(port, fixed_ips=moved.fixed_ips))
    remove(store, one)
    with pytest.raises(InUse):
        remove(store, two)


def test_numbers_are_given_once(store: Store) -> None:
    with store.write("test") as transaction:
        given = [transaction.allocate("vni", 1, 50) for _ in range(50)]
        assert sorted(given) == list(range(1, 51))
        with pytest.raises(Exhausted):
            transaction.allocate("vni", 1, 50)


def test_numbers_that_are_claimed_are_passed_over(store: Store) -> None:
    add(store, *(new_network(number) for number in (1, 2, 4)))
    with store.write("test") as transaction:
        assert [transaction.allocate("vni", 1, 6) for _ in range(3)] == [3, 5, 6]


def test_the_search_goes_on_where_it_stopped_and_comes_round(store: Store) -> None:
    given = []
    for _ in range(3):
        with store.write("test") as transaction:
            given.append(transaction.allocate("vni", 1, 3))
            network = transaction.add(new_network(given[-1]))
    assert given == [1, 2, 3]
    remove(store, network)
    with store.write("test") as transaction:
        assert transaction.allocate("vni", 1, 3) == 3


def test_a_number_claimed_by_hand_in_the_same_transaction_is_not_given(store: Store) -> None:
    with store.write("test") as transaction:
        assert transaction.allocate("vni", 1, 9) == 1
        transaction.add(new_network(2))
        assert transaction.allocate("vni", 1, 9) == 3


def test_claims_are_read_in_order_and_counted(store: Store) -> None:
    pool = SubnetPool(
        id="pool", prefixes=("0.0.0.0/0",), ip_version=4, min_prefixlen=8, max_prefixlen=32, default_prefixlen=8
    )
    network, cidrs = new_network(), ("192.168.0.0/16", "9.0.0.0/8", "10.0.0.0/24", "10.0.0.0/8", "100.0.0.0/8")
    pieces = [Subnet(id=cidr, network_id=network.id, cidr=cidr, subnetpool_id=pool.id) for cidr in cidrs]
    add(store, pool, network, *pieces)
    space, claims = prefix_space(pool.id), [prefix_claim(cidr) for cidr in sorted(cidrs, key=ip_network)]
    with store.read() as reader:
        assert reader.claimed(space) == reader.claimed_from(space, "") == claims
        assert reader.claimed_from(space, span_start(11 << 24, 4)) == claims[3:]
        assert reader.claimed_before(space, span_start(11 << 24, 4)) == claims[2]
        assert reader.claimed_before(space, span_start(1 << 32, 4)) == claims[-1]
        assert reader.claimed_before(space, span_start(9 << 24, 4)) is None
        assert reader.counts([space, "address:none"]) == {space: 5, "address:none": 0}


def test_reports_are_replaced_and_go_with_their_record(store: Store) -> None:
    network = new_network()
    port = new_port(network, MACS[0])
    add(store, network, port)
    store.report("port_status", {port.id: "ACTIVE", "nobody": "ACTIVE"})
    store.report("port_status", {port.id: "DOWN"})
    assert {id: report.body for id, report in store.reports("port_status").items()} == {port.id: "DOWN"}
    assert store.reports("port_status", [port.id])[port.id].time == "2030-01-01T00:00:03.000000Z"
    assert store.reports("port_status", []) == {}
    assert store.revision == 2
    remove(store, port)
    assert store.reports("port_status") == {}


def test_listeners_hear_of_commits_only(store: Store) -> None:
    heard: list[int] = []
    stop = store.subscribe(heard.append)
    add(store, new_network(1), new_network(2))
    with store.write("test"):
        pass
    check_refused(store, Conflict, new_network(1))
    stop()
    add(store, new_network(3))
    assert heard == [2]


def test_a_reader_of_the_feed_is_woken(store: Store) -> None:
    reached: list[int] = []
    reader = Thread(target=lambda: reached.append(store.wait(0, timeout=30)))
    reader.start()
    add(store, new_network())
    reader.join()
    assert reached == [1]
    assert store.wait(1, timeout=0) == 1


def test_a_view_stays_as_it_was(store: Store) -> None:
    with store.read() as reader:
        assert reader.list(Network) == []
        add(store, new_network())
        assert reader.list(Network) == []
        assert reader.revision == 0


def test_writers_in_many_threads_take_turns(store: Store) -> None:
    def work() -> None:
        for _ in range(10):
            with store.write("test") as transaction:
                transaction.add(new_network(transaction.allocate("vni", 1, 1000)))

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as reader:
        assert sorted(network.vni for network in reader.list(Network)) == list(range(1, 41))
    assert [change.revision for change in store.changes(0)] == list(range(1, 41))


def test_a_thousand_records_in_one_transaction(store: Store) -> None:
    network = new_network()
    subnet = new_subnet(network, "10.0.0.0/16")
    group = new_group()
    identity = Identity(id=identity_id([group.id]), number=1, groups=(group.id,))
    ports = [
        replace(
            new_port(
                network, f"fa:16:3e:00:{index >> 8:02x}:{index & 255:02x}", (subnet, f"10.0.{index >> 8}.{index & 255}")
            ),
            identity_id=identity.id,
        )
        for index in range(1000)
    ]
    add(store, network, subnet, group, identity, *ports)
    assert store.revision == 1004
    with pytest.raises(InUse):
        remove(store, group)
    remove(store, *ports, identity, group, network)
    for kind in (Port, Identity, SecurityGroup, Subnet, Network):
        assert ids(store, kind) == set()


def test_it_is_the_same_log_when_opened_again(store: Store, database: str) -> None:
    add(store, new_network())
    again = open_store(database)
    assert (again.log, again.revision) == (store.log, 1)
    again.close()


def test_what_a_project_has_is_counted_as_it_comes_and_goes(store: Store) -> None:
    first, second, third = new_network(1), new_network(2), new_network(3)
    add(store, first, second, new_subnet(first))
    with store.write("test") as transaction:
        assert transaction.used(Network, "blue") == 2
        transaction.add(third)
        assert transaction.used(Network, "blue") == 3
        transaction.delete(second)
        assert transaction.used(Network, "blue") == 2
        assert transaction.used(Network, "red") == transaction.used(Port, "blue") == 0
    with store.read() as reader:
        assert reader.used("blue") == {"network": 2, "subnet": 1}
    remove(store, first)  # its subnet goes with it
    with store.read() as reader:
        assert reader.used("blue") == {"network": 1, "subnet": 0}
    add(store, first)
    with pytest.raises(Conflict):
        add(store, new_network(9), first)
    with store.read() as reader:
        assert reader.used("blue")["network"] == 2


def test_what_comes_and_goes_in_one_transaction_counts_for_nothing(store: Store) -> None:
    network = new_network(1)
    with store.write("test") as transaction:
        transaction.add(network)
        transaction.flush()
        transaction.delete(network)
        assert transaction.used(Network, "blue") == 0
    with store.read() as reader:
        assert sum(reader.used("blue").values()) == 0


def test_what_was_just_written_is_known_without_reading(store: Store, database: str) -> None:
    network = new_network()
    with store.write("ann", "req-1") as transaction:
        network = transaction.add(network)
        transaction.flush()
        transaction.add(new_subnet(network))
    with pytest.raises(Conflict), store.write("ann") as transaction:
        transaction.add(new_network(network.vni))
    with store.write("bob") as transaction:
        transaction.put(replace(network, name="other"))
    with store.write("bob") as transaction:
        transaction.delete(transaction.list(Subnet)[0])
    with store.write("bob") as transaction:
        transaction.get(Network, network.id)
    whole = store.journal(0)
    assert store.heard == store.revision == len(whole)
    assert store.fresh(0, 100) == whole
    assert store.fresh(1, 2) == whole[1:3]
    assert store.fresh(len(whole), 100) == []
    other = open_store(database)
    with other.write("eve") as transaction:
        transaction.add(new_group())
    with store.write("ann") as transaction:
        transaction.add(new_group())
    if store.peers.is_shared:
        assert store.fresh(0, 100) == store.journal(0), "it has met them when it wrote"
    else:
        assert store.fresh(0, 100) == store.fresh(len(whole), 100) == []
    assert store.fresh(len(whole) + 1, 100) == store.journal(len(whole) + 1)
    assert other.fresh(len(whole), 100) == store.journal(len(whole), 1)
    other.close()
