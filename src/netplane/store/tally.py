"""How many resources of each kind each project has: a number that is kept as they come and go.

It belongs to the transaction that changes it, and writers take turns: so it is exact, and a limit that is compared with
it before the commit is never exceeded, whoever races. Nothing is ever counted one by one.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, select, text

from netplane.model import STORED, kind_of
from netplane.model.resource import Resource
from netplane.store.distance import is_distant
from netplane.store.prepared import Prepared
from netplane.store.schema import TALLY
from netplane.store.writes import Write

MOVE = Prepared(
    text(
        "INSERT INTO tally (project, kind, used) VALUES (:project, :kind, :more)"
        " ON CONFLICT (project, kind) DO UPDATE SET used = tally.used + excluded.used RETURNING used"
    )
)
USED = Prepared(select(TALLY.c.used).where(TALLY.c.project == bindparam("project"), TALLY.c.kind == bindparam("kind")))
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
        self._used: dict[Place, int] = {}
        self._more: Counter[Place] = Counter()
        self._told: dict[Place, Any] = {}

    def count(self, writes: Iterable[Write]) -> None:
        """Resources come and go."""
        more = self._more
        for before, after in writes:
            if isinstance(before, Resource):
                more[Place(before.project_id, kind_of(before))] -= 1
            if isinstance(after, Resource):
                more[Place(after.project_id, kind_of(after))] += 1

    def send(self) -> None:
        """Write down what was counted."""
        for place, more in self._more.items():
            if more:
                values = {"project": place.project, "kind": place.kind, "more": more}
                self._told[place] = MOVE.run(self._connection, values)
                if not is_distant(self._connection):
                    self._hear(place)  # SQLite commits nothing while it has still something to say
        self._more.clear()

    def used(self, project: str, kind: str) -> int:
        """How many there are."""
        place = Place(project, kind)
        if place in self._told:
            self._hear(place)
        if place not in self._used:
            self._used[place] = USED.first(self._connection, {"project": project, "kind": kind}) or 0
        return self._used[place]

    def _hear(self, place: Place) -> None:
        told = self._told.pop(place)
        self._used[place] = int(told.fetchone()[0])
        told.close()
