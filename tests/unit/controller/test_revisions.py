"""When and where revisions were realised."""

from datetime import UTC, datetime, timedelta

from netplane.controller.revisions import Revisions

EARLY = datetime(2026, 1, 1, tzinfo=UTC)
NOW, LATER = EARLY + timedelta(seconds=1), EARLY + timedelta(seconds=2)


def test_a_batch_is_realised_host_by_host() -> None:
    revisions = Revisions(4)
    revisions.add(5, ["t5", "t6"], ["a", "b"])
    batch = revisions.find(6)
    assert batch is not None
    assert batch is revisions.find(5)
    assert (batch.first, batch.last, batch.times) == (5, 6, ["t5", "t6"])
    revisions.acknowledge("a", 5, EARLY)
    assert list(batch.waiting) == ["a", "b"]
    revisions.acknowledge("a", 6, NOW)
    assert (list(batch.waiting), batch.realised) == (["b"], {"a": NOW})
    revisions.acknowledge("a", 7, LATER)
    assert batch.realised == {"a": NOW}


def test_one_acknowledgement_covers_all_before_it() -> None:
    revisions = Revisions(0)
    for number in (1, 2, 3):
        revisions.add(number, ["t"], ["a"])
    revisions.acknowledge("a", 2, NOW)
    waiting = [bool(batch.waiting) for number in (1, 2, 3) if (batch := revisions.find(number))]
    assert waiting == [False, False, True]


def test_only_the_latest_are_known() -> None:
    revisions = Revisions(0, limit=2)
    for number in (1, 2, 3):
        revisions.add(number, ["t"], ["a"])
    assert revisions.find(1) is None
    assert revisions.find(4) is None
    revisions.acknowledge("a", 3, NOW)
    batch = revisions.find(3)
    assert batch is not None
    assert batch.realised == {"a": NOW}
    assert revisions.reached == 3


def test_a_host_that_was_told_nothing_may_acknowledge() -> None:
    revisions = Revisions(0)
    revisions.acknowledge("a", 3, NOW)
    assert revisions.find(3) is None


def test_a_host_is_behind_since_the_oldest_change_that_it_has_not_acknowledged() -> None:
    revisions = Revisions(0)
    for number in (1, 2):
        revisions.add(number, [f"t{number}"], ["a"])
    assert [revisions.behind_since(host) for host in ("a", "b")] == ["t1", None]
    revisions.acknowledge("a", 1, NOW)
    assert revisions.behind_since("a") == "t2"
    revisions.acknowledge("a", 2, NOW)
    assert revisions.behind_since("a") is None
