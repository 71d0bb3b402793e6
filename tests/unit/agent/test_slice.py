"""The slice, by the messages that it is made of."""

from collections.abc import Sequence

from msgspec.structs import replace

from netplane.agent.slice import Slice, Told
from netplane.model import AnyRecord, Change, Filled, Network, Operation, Port, kind_of, one_by_one
from netplane.stream.messages import Delta, Snapshot, Welcome
from tests.unit.agent.records import FAR, HERE, NEAR, NETWORK, PORT, SLICE, SUBNET

WELCOME = Welcome(1, "log")


def snapshot(revision: int, *records: AnyRecord, first: bool = True, last: bool = True) -> Snapshot:
    return Snapshot.of(revision, records, first=first, last=last)


def take(slice: Slice, *messages: Told) -> list[tuple[Operation, str]]:
    """What several messages have changed: the operation and the id."""
    return [(change.operation, change.id) for message in messages for change in one_by_one(slice.take(message))]


def upserts(*records: AnyRecord) -> list[tuple[Operation, str]]:
    return [(Operation.UPSERT, record.id) for record in records]


def test_a_snapshot_counts_when_its_last_part_has_come() -> None:
    slice = Slice()
    assert take(slice, WELCOME, snapshot(4, HERE, last=False)) == []
    assert (slice.number, slice.log, slice.revision) == (1, "", 0)
    assert take(slice, snapshot(4, NETWORK, first=False)) == upserts(HERE, NETWORK)
    assert (slice.log, slice.revision) == ("log", 4)


def test_a_snapshot_that_broke_off_is_forgotten() -> None:
    slice = Slice()
    take(slice, WELCOME, snapshot(4, HERE, last=False))
    assert take(slice, WELCOME, snapshot(5, NETWORK)) == upserts(NETWORK)


def test_a_second_snapshot_tells_only_what_is_different() -> None:
    slice = Slice()
    take(slice, WELCOME, snapshot(4, HERE, NETWORK, FAR))
    renamed = replace(NETWORK, name="green")
    changed = take(slice, Welcome(1, "other"), snapshot(2, HERE, renamed, SUBNET))
    assert changed == [*upserts(renamed, SUBNET), (Operation.DELETE, FAR.id)]
    assert (slice.log, slice.revision) == ("other", 2)


def test_a_delta_moves_on() -> None:
    slice = Slice()
    take(slice, WELCOME, snapshot(4, HERE, NETWORK))
    assert take(slice, Delta(5, [PORT, NETWORK], [("host", HERE.id), ("host", "unknown"), ("novelty", "x")])) == [
        *upserts(PORT),
        (Operation.DELETE, HERE.id),
    ]
    assert slice.revision == 5
    assert take(slice, Delta(9, [], [])) == []
    assert slice.revision == 9
    assert slice.get(Port, PORT.id) == PORT


def test_changes_say_everything_that_the_compiler_needs() -> None:
    slice = Slice()
    take(slice, WELCOME)
    assert list(slice.take(snapshot(4, NETWORK))) == [Filled(4, "network", {NETWORK.id: NETWORK})]
    other = replace(NETWORK, id="other")
    assert list(slice.take(snapshot(4, NETWORK, other))) == [Change(4, Operation.UPSERT, "network", other.id, other)]
    assert list(slice.take(Delta(5, [], [("network", NETWORK.id)]))) == [
        Change(5, Operation.DELETE, "network", "net", None)
    ]


def test_what_is_told_of_a_whole_kind_stays_as_it_was() -> None:
    slice = Slice()
    take(slice, WELCOME)
    told = list(slice.take(snapshot(4, NETWORK, NEAR, FAR)))
    before = [(each.kind, dict(each.records)) for each in told if isinstance(each, Filled)]
    take(slice, Delta.of(5, [PORT], [("network", NETWORK.id), ("endpoint", FAR.id)]))
    assert [(each.kind, each.records) for each in told if isinstance(each, Filled)] == before
    assert before == [("network", {NETWORK.id: NETWORK}), ("endpoint", {NEAR.id: NEAR, FAR.id: FAR})]


def test_surroundings_of_a_port() -> None:
    slice = Slice()
    assert slice.surroundings(PORT) == ({}, None)
    take(slice, WELCOME, snapshot(1, *SLICE))
    assert slice.surroundings(PORT) == ({SUBNET.id: SUBNET}, NETWORK)
    assert list(slice.machine_ports()) == [PORT]


def check_told_again(records: Sequence[AnyRecord], *, size: int) -> None:
    slice, copy = Slice(), Slice()
    take(slice, WELCOME, snapshot(7, *records))
    take(copy, *slice.messages(size))
    assert (copy.number, copy.log, copy.revision) == (1, "log", 7)
    for record in records:
        assert copy.get(type(record), record.id) == record
    assert {(kind_of(r), r.id) for r in records} == {(kind_of(k), id) for k in map(type, records) for id in copy.all(k)}


def test_a_slice_can_be_told_again_in_parts() -> None:
    for size in (1, 3, 100):
        check_told_again(SLICE, size=size)
    check_told_again((), size=3)


def test_nothing_is_left_when_everything_is_gone() -> None:
    slice = Slice()
    take(slice, WELCOME, snapshot(1, *SLICE), Delta(2, [], [(kind_of(record), record.id) for record in SLICE]))
    assert slice.all(Network) == {}
    assert list(slice.machine_ports()) == []
