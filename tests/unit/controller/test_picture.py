"""From changes to what hosts are told, and what is remembered of it."""

from msgspec.msgpack import decode

from netplane.controller.picture import Picture
from netplane.controller.ports import ACTIVE
from netplane.model import AnyRecord, Change, Endpoint, NamedRecord, Record
from netplane.store import Entry
from netplane.stream.codec import Run, decode_down, encode, snapshot
from netplane.stream.messages import Snapshot, apart
from netplane.stream.outbox import Parcel
from tests.unit.interest.world import BLUE, H1, H2, RED, WORLD, bound, deletes, machine, upserts

A, B = machine("a", RED, 1), machine("b", RED, 2)


def picture() -> Picture:
    return Picture((*WORLD, *bound(A, H1)), 100, {})


def told(revision: int, runs: list[Run]) -> list[AnyRecord]:
    """What an agent reads of a slice."""
    message = decode_down(encode(snapshot(revision, runs, first=True, last=True)))
    assert isinstance(message, Snapshot)
    return [*message.records, *message.endpoints]


def in_order(records: list[Record]) -> list[Record]:
    """Endpoints come last."""
    named, endpoints = apart(records)
    return [*named, *endpoints]


def entries(made: Picture, changes: list[Change]) -> list[Entry]:
    numbered = enumerate(changes, made.revision + 1)
    return [Entry(change._replace(revision=number), "test", f"t{number}") for number, change in numbered]


def test_a_change_becomes_a_parcel_of_bytes_and_is_remembered() -> None:
    made = picture()
    parcels = made.take(entries(made, upserts(*bound(B, H1))))
    assert parcels.keys() == {"h1"}
    assert parcels["h1"].revision == made.revision == 102
    found = {
        key: raw and decode(raw, type=Endpoint if key[0] == "endpoint" else NamedRecord)
        for key, raw in parcels["h1"].records.items()
    }
    assert found["port", "b"] == B
    assert made.history.since("h1", 100) == parcels["h1"]
    assert made.history.since("h2", 100) == Parcel(102, {})
    batch = made.revisions.find(101)
    assert batch is not None
    assert list(batch.waiting) == ["h1"]


def test_a_slice_is_all_that_a_host_needs_in_bytes() -> None:
    made = picture()
    revision, runs = made.slice("h1")
    assert revision == 100
    assert told(revision, runs) == in_order(made.interest.slice("h1"))


def test_what_hosts_have_in_common_is_encoded_once_until_it_changes() -> None:
    made = picture()
    there = (*bound(B, H2), *bound(machine("d", BLUE, 1), H1), *bound(machine("e", BLUE, 2), H2))
    made.take(entries(made, upserts(*there)))

    def common() -> list[bytes]:
        """The bytes that both hosts get."""
        first, second = ([run.octets for run in made.slice(host)[1]] for host in ("h1", "h2"))
        return [octets for octets in first if any(octets is other for other in second)]

    before = common()
    assert len(before) == 8, (
        "of each of two domains its endpoints and all else, and what both hold: an identity, a group, two hosts"
    )
    made.take(entries(made, upserts(*bound(machine("c", RED, 3), H1))))
    after = common()
    changed = [octets for octets in before if not any(octets is other for other in after)]
    assert len(changed) == 2, "what is of the network's domain and nothing else"
    for host in ("h1", "h2"):
        assert told(*made.slice(host)) == in_order(made.interest.slice(host))


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
