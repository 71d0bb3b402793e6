"""Ids: neighbours in every index, and still what clients take for random UUIDs."""

from itertools import pairwise
from threading import Thread
from uuid import RFC_4122, UUID

from netplane.api.ids import new_id


def test_ids_are_uuids() -> None:
    ids = [new_id() for _ in range(100)]
    assert all(str(UUID(id)) == id and UUID(id).version == 4 and UUID(id).variant == RFC_4122 for id in ids)


def test_neighbours_follow_one_another() -> None:
    ids = [new_id() for _ in range(1000)]
    # Once in four billion the digits that count begin anew.
    assert sum(first > second for first, second in pairwise(ids)) <= 1


def test_rules_are_told_apart_by_four_bytes_and_devices_by_eleven_characters() -> None:
    ids: list[str] = []
    threads = [Thread(target=lambda: ids.extend(new_id() for _ in range(5000))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id[:8] for id in ids}) == len(ids)


def test_nobody_guesses_the_rest() -> None:
    assert len({new_id()[-12:] for _ in range(100)}) == 100
