"""Records that are bytes already, in frames."""

from collections.abc import Callable

import pytest
from msgspec import msgpack

from netplane.base.addresses import pack_address as address
from netplane.model import Endpoint, Host, Pair, kind_of
from netplane.stream.codec import OVERHEAD, RUN, Runs, decode_down, delta, encode, raw, runs, snapshot
from netplane.stream.faults import RemoteFault
from netplane.stream.messages import Delta, Snapshot

OLD, NEW = (Host(id="h1", number=1, address=address) for address in ("192.0.2.1", "192.0.2.2"))


def counted(*records: Host) -> tuple[Callable[[str], list[Host]], list[int]]:
    """A way to read these records, and a list that grows each time it is taken."""
    reads: list[int] = []

    def read(_name: str) -> list[Host]:
        reads.append(len(records))
        return list(records)

    return read, reads


def test_frames_of_encoded_records_are_those_of_the_records() -> None:
    assert decode_down(encode(delta(3, {("host", "h1"): raw(OLD), ("port", "p1"): None}))) == Delta(
        3, [OLD], [("port", "p1")]
    )
    parts = [*runs([OLD, NEW]), *runs([]), *runs([NEW])]
    assert decode_down(encode(snapshot(3, parts, first=True, last=False))) == Snapshot(3, True, False, [OLD, NEW, NEW])
    assert decode_down(encode(snapshot(3, [], first=True, last=True))) == Snapshot(3, True, True, [])


def test_endpoints_travel_by_themselves_and_come_back_whole() -> None:
    plain, odd = endpoint("a", addresses=(address("10.0.0.1"),)), endpoint("b", names=("web", "web.example."))
    paired = endpoint("c", addresses=(address("fd00::1"),) * 2, pairs=(Pair(address("10.1.0.0"), 112, b"......"),))
    told = Snapshot.of(3, [plain, OLD, odd, paired])
    assert (told.records, told.endpoints) == ([OLD], [plain, odd, paired])
    assert decode_down(encode(snapshot(3, runs([plain, OLD, odd, paired]), first=True, last=True))) == told
    assert decode_down(
        encode(delta(3, {(kind_of(each), each.id): raw(each) for each in (plain, OLD, paired)}))
    ) == Delta.of(3, [OLD, plain, paired])
    assert [run.number for run in runs([plain, OLD] * RUN)] == [RUN, RUN]


def test_what_has_another_form_is_no_slice_without_endpoints() -> None:
    for former in (["snapshot", 3, True, True, []], ["delta", 3, [], []]):
        with pytest.raises(RemoteFault):
            decode_down(msgpack.encode(former))


def endpoint(id: str, **more: object) -> Endpoint:
    fields: dict[str, object] = {"vni": 7, "mac": b"\2....1", "addresses": (), "identity": 3, "host": 4}
    made = Endpoint.of(id, **fields | more)  # type: ignore[arg-type]
    assert {name: getattr(made, name) for name in fields | more} == fields | more
    return made


def test_a_run_has_no_more_records_than_fit_into_a_part() -> None:
    assert [run.number for run in runs([OLD] * (2 * RUN + 1))] == [RUN, RUN, 1]


def test_what_is_sent_to_many_is_encoded_once_until_it_is_forgotten() -> None:
    kept = Runs[str]()
    read, reads = counted(OLD, NEW)
    once, again = kept.get(["name"], read), kept.get(["name"], read)
    assert all(one is other for one, other in zip(once, again, strict=True))
    assert reads == [2]
    kept.forget("name")
    kept.forget("another")
    assert kept.get(["name"], read) == runs([OLD, NEW])
    assert reads == [2, 2]


def test_what_is_kept_is_bounded_and_the_oldest_goes_first() -> None:
    kept = Runs[str](limit=2 * (OVERHEAD + len(encode_one())))
    first, firsts = counted(OLD)
    second, seconds = counted(NEW)
    for name, read in (("a", first), ("b", second), ("c", second), ("b", second), ("a", first)):
        kept.get([name], read)
    assert (firsts, seconds) == ([1, 1], [1, 1])


def test_what_is_larger_than_all_room_is_made_all_the_same() -> None:
    kept = Runs[str](limit=1)
    read, reads = counted(OLD)
    assert kept.get(["name"], read) == runs([OLD])
    assert kept.get(["other"], read) == runs([OLD])
    assert reads == [1, 1]


def encode_one() -> bytes:
    return bytes(raw(OLD))
