"""Records in memory, by id and by what they point at."""

from collections.abc import Iterable
from typing import NamedTuple

from netplane.base.world import World, buckets


class Ref(NamedTuple):
    field: str
    target: str


class Row(NamedTuple):
    id: str
    links: tuple[Ref, ...] = ()

    def references(self) -> Iterable[Ref]:
        return self.links


class Other(NamedTuple):
    id: str

    def references(self) -> Iterable[Ref]:
        return ()


A, B = Ref("a", "x"), Ref("b", "x")


def test_get_and_find_go_by_kind() -> None:
    world = World([Row, Other])
    assert world.replace(Row, "1", Row("1", (A, B))) is None
    world.replace(Row, "0", Row("0", (A,)))
    world.replace(Other, "1", Other("1"))
    assert world.get(Row, "1") == Row("1", (A, B))
    assert world.get(Other, "1") == Other("1")
    assert world.get(Row, "2") is None
    assert [row.id for row in world.find(Row, "a", "x")] == ["0", "1"]
    assert [row.id for row in world.find(Row, "b", "x")] == ["1"]
    assert world.find(Other, "a", "x") == []
    assert world.find(Row, "a", "y") == []
    assert len(world) == 3


def test_a_record_moves_between_buckets_and_leaves_none_behind() -> None:
    world = World([Row])
    world.replace(Row, "1", Row("1", (A, A)))
    assert world.replace(Row, "1", Row("1", (B,))) == Row("1", (A, A))
    assert world.find(Row, "a", "x") == []
    assert world.find(Row, "b", "x") == [Row("1", (B,))]
    assert world.indexed == 1
    assert world.replace(Row, "1", None) == Row("1", (B,))
    assert world.replace(Row, "1", None) is None
    assert (len(world), world.indexed) == (0, 0)


def test_all_and_buckets() -> None:
    world = World([Row, Other])
    world.replace(Row, "1", Row("1", (A,)))
    assert world.all(Row) == {"1": Row("1", (A,))}
    assert world.all(Other) == {}
    assert list(buckets(Row, Row("1", (A, B)))) == [(Row, "a", "x"), (Row, "b", "x")]
