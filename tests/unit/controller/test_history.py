"""What a host missed."""

import pytest
from msgspec import Raw

from netplane.controller.history import Batch, History
from netplane.stream.codec import Key
from netplane.stream.outbox import Parcel

A, B = ("port", "a"), ("port", "b")
OLD, NEW = Raw(b"old"), Raw(b"new")


def history(limit: int = 9, limit_records: int = 99) -> History:
    made = History(10, limit, limit_records)
    made.add(Batch(10, 12, {"h": {A: OLD, B: OLD}}))
    made.add(Batch(12, 13, {"other": {A: OLD}}))
    made.add(Batch(13, 15, {"h": {A: NEW, B: None}}))
    return made


@pytest.mark.parametrize(
    ("revision", "missed"),
    [
        (10, {A: NEW, B: None}),
        (11, {A: NEW, B: None}),
        (13, {A: NEW, B: None}),
        (14, {A: NEW, B: None}),
        (15, {}),
    ],
)
def test_the_last_state_of_each_record_is_what_was_missed(revision: int, missed: dict[Key, Raw | None]) -> None:
    assert history().since("h", revision) == Parcel(15, missed)


@pytest.mark.parametrize("revision", [0, 9, 16])
def test_what_is_too_long_ago_or_yet_to_come_is_not_known(revision: int) -> None:
    assert history().since("h", revision) is None


@pytest.mark.parametrize(("limit", "limit_records"), [(1, 99), (9, 2)])
def test_the_oldest_batches_go(limit: int, limit_records: int) -> None:
    short = history(limit, limit_records)
    assert short.since("h", 12) is None
    assert short.since("h", 13) == Parcel(15, {A: NEW, B: None})
