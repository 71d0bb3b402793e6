"""From changes to what hosts are told, and what is remembered of it."""

from msgspec.msgpack import decode

from netplane.controller.picture import Picture
from netplane.controller.ports import ACTIVE
from netplane.model import AnyRecord, Change
from netplane.store import Entry
from netplane.stream.outbox import Parcel
from tests.unit.interest.world import H1, RED, WORLD, bound, deletes, machine, upserts

A, B = machine("a", RED, 1), machine("b", RED, 2)


def picture() -> Picture:
    return Picture((*WORLD, *bound(A, H1)), 100, {})


def entries(made: Picture, changes: list[Change]) -> list[Entry]:
    numbered = enumerate(changes, made.revision + 1)
    return [Entry(change._replace(revision=number), "test", f"t{number}") for number, change in numbered]


def test_a_change_becomes_a_parcel_of_bytes_and_is_remembered() -> None:
    made = picture()
    parcels = made.take(entries(made, upserts(*bound(B, H1))))
    assert parcels.keys() == {"h1"}
    assert parcels["h1"].revision == made.revision == 102
    told = {key: raw and decode(raw, type=AnyRecord) for key, raw in parcels["h1"].records.items()}
    assert told["port", "b"] == B
    assert made.history.since("h1", 100) == parcels["h1"]
    assert made.history.since("h2", 100) == Parcel(102, {})
    batch = made.revisions.find(101)
    assert batch is not None
    assert list(batch.waiting) == ["h1"]


def test_a_slice_is_all_that_a_host_needs_in_bytes() -> None:
    made = picture()
    revision, records = made.slice("h1")
    found = [decode(raw, type=AnyRecord) for raw in records]
    assert revision == 100
    assert found == made.interest.slice("h1")


def test_bindings_move_the_states_of_ports() -> None:
    made = picture()
    made.ports.open("h1")
    made.ports.claim("h1", ["a"])
    made.ports.acknowledge("h1", 100)
    assert made.ports.news() == {"a": ACTIVE}
    made.take(entries(made, deletes(*reversed(bound(A, H1)))))
    assert made.ports.news() == {}
    assert made.carrier("a") is None


def test_a_port_that_lost_its_binding_goes_back_to_who_has_its_device() -> None:
    made = picture()
    made.ports.claim("h1", ["a", "later"])
    lost = entries(made, deletes(bound(A, H1)[1]))
    made.take(lost)
    assert made.unbound(lost) == {"h1": ["a"]}
    late = entries(made, upserts(machine("later", RED, 9)))
    made.take(late)
    assert made.unbound(late) == {"h1": ["later"]}
    gone = entries(made, deletes(A))
    made.take(gone)
    assert made.unbound(gone) == {}
