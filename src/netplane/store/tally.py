"""How many resources of each kind each project has: a number that is kept as they come and go.

It belongs to the transaction that changes it, and writers take turns: so it is exact, and a limit that is compared with
it before the commit is never exceeded, whoever races. Nothing is ever counted one by one.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, update

from netplane.model import STORED, kind_of
from netplane.model.resource import Resource
from netplane.store.prepared import Prepared
from netplane.store.schema import TALLY
from netplane.store.writes import Write

_AT = (TALLY.c.project == bindparam("at_project")) & (TALLY.c.kind == bindparam("at_kind"))
MOVE = Prepared(update(TALLY).where(_AT).values(used=TALLY.c.used + bindparam("more")).returning(TALLY.c.used))
START = Prepared(insert(TALLY))
USED = Prepared(select(TALLY.c.used).where(_AT))
COUNTED = tuple(kind_of(kind) for kind in STORED if issubclass(kind, Resource))
"""The kinds whose resources are counted."""


class Place(NamedTuple):
    """What is counted together."""

    project: str
    kind: str


class Tally:
    """The numbers as one transaction leaves them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._more: Counter[Place] = Counter()

    def note(self, writes: Iterable[Write]) -> None:
        """Resources have come and gone."""
        for before, after in writes:
            if isinstance(before, Resource):
                self._more[Place(before.project_id, kind_of(before))] -= 1
            if isinstance(after, Resource):
                self._more[Place(after.project_id, kind_of(after))] += 1

    def used(self, project: str, kind: str) -> int:
        """How many there are."""
        place = Place(project, kind)
        more = self._more.pop(place, 0)
        if more:
            return self._move(place, more)
        found = USED.first(self._connection, {"at_project": project, "at_kind": kind})
        return found or 0

    def send(self) -> None:
        """Write down what is not yet."""
        for place, more in self._more.items():
            if more:
                self._move(place, more)
        self._more.clear()

    def _move(self, place: Place, more: int) -> int:
        used = MOVE.first(self._connection, {"at_project": place.project, "at_kind": place.kind, "more": more})
        if used is None:
            START.run(self._connection, {"project": place.project, "kind": place.kind, "used": more}).close()
            return more
        return int(used)
