"""Records that are bytes already, in frames."""

from netplane.model import Host
from netplane.stream.codec import Encodings, decode_down, delta, encode, snapshot
from netplane.stream.messages import Delta, Snapshot

KEY = ("host", "h1")
OLD, NEW = (Host(id="h1", number=1, address=address) for address in ("192.0.2.1", "192.0.2.2"))


def test_frames_of_encoded_records_are_those_of_the_records() -> None:
    raw = Encodings().encode(KEY, OLD)
    assert decode_down(encode(delta(3, [raw], [("port", "p1")]))) == Delta(3, [OLD], [("port", "p1")])
    assert decode_down(encode(snapshot(3, [raw], first=True, last=False))) == Snapshot(3, True, False, [OLD])


def test_a_record_is_encoded_once_until_another_takes_its_place() -> None:
    encodings = Encodings()
    first = encodings.encode(KEY, OLD)
    assert encodings.encode(KEY, OLD) is first
    assert bytes(encodings.encode(KEY, NEW)) != bytes(first)
    encodings.forget(KEY)
    assert encodings.encode(KEY, OLD) is not first


def test_what_is_kept_is_bounded() -> None:
    encodings = Encodings(limit=1)
    first = encodings.encode(KEY, OLD)
    encodings.encode(("host", "h2"), NEW)
    assert encodings.encode(KEY, OLD) is not first
