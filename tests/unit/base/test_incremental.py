"""The engine, on records of its own: who runs again, and when."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from netplane.base.delta import Delta
from netplane.base.desired import Entries
from netplane.base.incremental import Feature, Incremental, Item
from netplane.base.problem import Problem
from netplane.base.world import View


class Ref(NamedTuple):
    field: str
    target: str


@dataclass(frozen=True)
class Person:
    id: str
    name: str
    house: str = ""

    def references(self) -> Iterable[Ref]:
        return [Ref("house", self.house)] if self.house else []


@dataclass(frozen=True)
class House:
    id: str
    street: str

    def references(self) -> Iterable[Ref]:
        return []


@dataclass
class Town:
    """An engine that writes down which owners ran."""

    ran: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        features: dict[type, Feature] = {Person: self.person, House: self.house}
        self.engine = Incremental(
            {"person": Person, "house": House}, features, ["names", "doors"], lambda t, k: t, lambda t, v: 0
        )

    def person(self, person: Person, view: View) -> list[Item]:
        """A person reads nothing else."""
        self.ran.append(person.id)
        return [("names", person.id.encode(), person.name.encode())]

    def house(self, house: House, view: View) -> list[Item]:
        """A house reads those who live in it and the house that its street names."""
        self.ran.append(house.id)
        people = view.find(Person, "house", house.id)
        neighbour = view.get(House, house.street)
        found: list[Item] = [("doors", house.id.encode(), ",".join(person.name for person in people).encode())]
        return found if neighbour is not None else [*found, Problem("house", house.id, "stands alone")]

    def apply(self, *records: Person | House, gone: tuple[tuple[type, str], ...] = ()) -> Delta:
        self.ran.clear()
        return self.engine.apply([*((type(r), r.id, r) for r in records), *((kind, id, None) for kind, id in gone)])


def test_a_change_runs_its_readers_and_no_others() -> None:
    town = Town()
    town.apply(House("h1", "h2"), House("h2", "h1"), *(Person(f"p{n}", "x") for n in range(5)))
    assert sorted(town.ran) == ["h1", "h2", "p0", "p1", "p2", "p3", "p4"]
    assert town.apply(Person("p1", "Ada", "h1")) == Delta({"names": {b"p1": b"Ada"}, "doors": {b"h1": b"Ada"}})
    assert sorted(set(town.ran)) == ["h1", "p1"]
    assert town.apply(Person("p1", "Ada", "h2")) == Delta({"doors": {b"h1": b"", b"h2": b"Ada"}})
    assert town.apply(Person("p1", "Bea", "h2")) == Delta({"names": {b"p1": b"Bea"}, "doors": {b"h2": b"Bea"}})
    assert town.apply(gone=((Person, "p1"),)) == Delta({"doors": {b"h2": b""}}, {"names": [b"p1"]})


def test_found_records_are_sorted_by_id() -> None:
    town = Town()
    town.apply(House("h", "h"), *(Person(f"p{n}", str(n), "h") for n in (3, 1, 2)))
    assert town.engine.tables["doors"][b"h"] == b"1,2,3"


def test_reading_what_is_missing_is_a_read_too() -> None:
    town = Town()
    town.apply(House("h1", "h2"))
    assert town.engine.problems == [Problem("house", "h1", "stands alone")]
    town.apply(House("h2", "h1"))
    assert town.ran.count("h1") == 1
    assert town.engine.problems == []
    town.apply(gone=((House, "h2"),))
    assert town.engine.problems == [Problem("house", "h1", "stands alone")]


def test_a_batch_of_many_changes_of_one_record_counts_once() -> None:
    town = Town()
    town.apply(Person("p", "a"))
    delta = town.apply(Person("p", "b"), gone=((Person, "p"),))
    assert delta == Delta({}, {"names": [b"p"]})
    assert not town.apply(Person("p", "c"), gone=((Person, "p"),))
    assert not any(town.engine.footprint().values())


def test_an_owner_that_reads_only_itself_leaves_no_trace() -> None:
    town = Town()
    town.apply(*(Person(f"p{n}", "x") for n in range(5)))
    assert town.engine.footprint() == {
        "records": 5,
        "buckets": 0,
        "entries": 5,
        "contested": 0,
        "memories": 0,
        "reads": 0,
        "troubled": 0,
    }


def test_load_makes_these_all_the_records() -> None:
    town = Town()
    town.engine.load([Person("p", "a"), Person("q", "b"), House("h", "h")])
    delta = town.engine.load([Person("q", "c"), House("i", "i")])
    assert delta == Delta({"names": {b"q": b"c"}, "doors": {b"i": b""}}, {"names": [b"p"], "doors": [b"h"]})
    town.engine.load([])
    assert not any(town.engine.footprint().values())


def test_a_delete_of_what_is_not_there_is_no_harm() -> None:
    assert not Town().apply(gone=((Person, "nobody"),))


def street(house: House, view: View) -> list[Item]:
    """A house says all who live in it at once, by their first letters."""
    people = view.find(Person, "house", house.id)
    return [Entries("doors", {person.name[:1].encode(): person.name.encode() for person in people})] if people else []


def test_many_entries_of_an_owner_come_and_go_as_single_ones_do() -> None:
    kinds: dict[str, type] = {"person": Person, "house": House}
    engine = Incremental(kinds, {House: street}, ["doors"], lambda table, key: key.decode(), lambda table, value: 0)
    ada, bob, cy = Person("p1", "Ada", "h1"), Person("p2", "Bob", "h1"), Person("p3", "Cy", "h1")

    def apply(*records: Person | House) -> Delta:
        return engine.apply([(type(record), record.id, record) for record in records])

    assert apply(House("h1", ""), ada, bob) == Delta({"doors": {b"A": b"Ada", b"B": b"Bob"}})
    assert apply(cy) == Delta({"doors": {b"C": b"Cy"}})
    assert apply(Person("p2", "Bea", "h1")) == Delta({"doors": {b"B": b"Bea"}})
    assert not apply(House("h2", ""), Person("p4", "Alf", "h2"))
    assert engine.problems == [Problem("house", "h2", "A also belongs to house h1, whose value stands")]
    assert engine.apply([(House, "h1", None)]) == Delta({"doors": {b"A": b"Alf"}}, {"doors": [b"B", b"C"]})
    assert engine.apply([(Person, "p4", None)]) == Delta({}, {"doors": [b"A"]})
    engine.load([])
    assert not any(engine.footprint().values())
