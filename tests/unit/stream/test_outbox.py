"""What waits for a slow agent."""

from msgspec import Raw

from netplane.stream.messages import Ask, Controllers, Renewed
from netplane.stream.outbox import Outbox, Parcel

A, B = ("port", "a"), ("port", "b")
OLD, NEW = Raw(b"old"), Raw(b"new")


def test_parcels_that_wait_become_one() -> None:
    outbox = Outbox()
    outbox.put(Parcel(1, {A: OLD, B: OLD}))
    outbox.put(Parcel(2, {A: NEW, B: None}))
    assert outbox.take() == Parcel(2, {A: NEW, B: None})
    assert outbox.take() is None
    assert not outbox


def test_an_empty_parcel_moves_the_revision_on() -> None:
    outbox = Outbox()
    outbox.put(Parcel(7, {}))
    assert outbox.take() == Parcel(7, {})


def test_too_much_becomes_a_snapshot() -> None:
    outbox = Outbox(limit=1)
    outbox.put(Parcel(1, {A: OLD}))
    assert not outbox.take_snapshot()
    outbox.put(Parcel(2, {B: OLD}))
    outbox.put(Parcel(3, {A: NEW}))
    assert outbox.take() is None
    assert outbox.take_snapshot()
    assert outbox.revision == 3


def test_what_comes_after_a_snapshot_was_taken_waits() -> None:
    outbox = Outbox()
    outbox.renew()
    assert outbox.take_snapshot()
    outbox.put(Parcel(3, {A: NEW}))
    assert not outbox.take_snapshot()
    assert outbox.take() == Parcel(3, {A: NEW})


def test_questions_are_asked_once() -> None:
    outbox = Outbox()
    outbox.say(Ask(1, "tables", {}))
    assert outbox
    assert list(outbox.take_words()) == [Ask(1, "tables", {})]
    assert not list(outbox.take_words())


def test_questions_that_nobody_waits_for_are_not_asked() -> None:
    outbox = Outbox()
    first, second = Ask(1, "tables", {}), Ask(2, "tables", {})
    outbox.words += (first, second)
    outbox.withdraw(first)
    assert list(outbox.take_words()) == [second]
    outbox.withdraw(second)
    assert not outbox


def test_of_papers_and_of_where_controllers_are_only_the_last_waits() -> None:
    outbox = Outbox()
    for number in range(100):
        outbox.say(Renewed(f"certificate {number}", ""))
        outbox.say(Ask(number % 2, "tables", {}))
        outbox.say(Controllers((f"192.0.2.{number}:1",)))
    asked = [word for word in outbox.words if isinstance(word, Ask)]
    assert len(asked) == 100, "a question is no other's"
    others = [word for word in outbox.take_words() if not isinstance(word, Ask)]
    assert others == [Renewed("certificate 99", ""), Controllers(("192.0.2.99:1",))]
