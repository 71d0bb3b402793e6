"""The controllers that share a database: who is there, which hosts each has, and letters between them.

Nothing of it is intent: it is in no change, and what is lost of it is told again. A controller counts as long as its
number `seen` goes up, by the clock of whoever watches it: no two machines' clocks are ever compared. Letters are
heard of by NOTIFY; so controllers need no way to each other but the database.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from uuid import uuid4

from sqlalchemy import Connection, Engine, bindparam, delete, insert, select, text

from netplane.store.outage import outages
from netplane.store.prepared import Prepared, together
from netplane.store.schema import CONTROLLER, LETTER, SESSION

MAIL = "netplane_mail"
"""The channel on which letters are told of, with the receiver's id."""

BEAT = Prepared(
    text(
        "INSERT INTO controller (id, url, southbound, seen) VALUES (:id, :url, :southbound, 1)"
        " ON CONFLICT (id) DO UPDATE"
        " SET url = excluded.url, southbound = excluded.southbound, seen = controller.seen + 1"
    )
)
HOLD = Prepared(
    text(
        "INSERT INTO session (host, controller) VALUES (:host, :controller)"
        " ON CONFLICT (host) DO UPDATE SET controller = excluded.controller"
    )
)
LOSE = Prepared(
    delete(SESSION).where(SESSION.c.host == bindparam("host"), SESSION.c.controller == bindparam("controller"))
)
WRITE = Prepared(insert(LETTER))
RING = Prepared(text(f"SELECT pg_notify('{MAIL}', :receiver)"))
TAKE = Prepared(delete(LETTER).where(LETTER.c.receiver == bindparam("receiver")).returning(LETTER.c.body))


class Peer(NamedTuple):
    """A controller, and how often it has said that it is there."""

    id: str
    url: str
    """Where clients find it, for operators to read."""
    southbound: tuple[str, ...]
    """Where agents find it, and others that it was told of: `host:port` or `unix:///path`."""
    seen: int


class Letter(NamedTuple):
    """What one controller says to another."""

    receiver: str
    body: bytes


class Peers:
    """The tables of controllers, through one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._driver: Any = engine.dialect.loaded_dbapi
        self.is_shared = engine.dialect.name == "postgresql"
        """Whether there can be others."""
        self._bells: dict[str, Callable[[], None]] = {}

    def subscribe(self, id: str, bell: Callable[[], None]) -> Callable[[], None]:
        """Call `bell` from any thread when there may be letters for a controller; answers how to stop that."""
        self._bells[id] = bell

        def stop() -> None:
            self._bells.pop(id, None)

        return stop

    def ring(self, id: str | None = None) -> None:
        """There are letters for a controller; None: nobody knows for whom."""
        for known, bell in tuple(self._bells.items()):
            if id in (None, known):
                bell()

    def beat(self, id: str, url: str, southbound: Sequence[str]) -> list[Peer]:
        """Say that a controller is there; answers all that have said so and are not forgotten."""
        with self._soft() as connection:
            BEAT.run(connection, {"id": id, "url": url, "southbound": "\n".join(southbound)})
            rows = connection.execute(select(CONTROLLER))
            return [Peer(row.id, row.url, tuple(row.southbound.splitlines()), row.seen) for row in rows]

    def forget(self, ids: Collection[str]) -> None:
        """Controllers are gone, and with them their sessions and their mail."""
        with self._soft() as connection:
            for column in (CONTROLLER.c.id, SESSION.c.controller, LETTER.c.receiver):
                connection.execute(delete(column.table).where(column.in_(list(ids))))

    def hold(self, id: str, opened: Collection[str], closed: Collection[str]) -> None:
        """Hosts have opened their sessions with a controller, or have left it."""
        with self._soft() as connection, together(connection):
            if closed:
                LOSE.run_many(connection, [{"host": host, "controller": id} for host in sorted(closed)])
            if opened:
                HOLD.run_many(connection, [{"host": host, "controller": id} for host in sorted(opened)])

    def sessions(self, hosts: Collection[str] | None = None) -> Mapping[str, str]:
        """The controller of each host that has one: of these hosts, or of all."""
        statement = select(SESSION.c.host, SESSION.c.controller)
        if hosts is not None:
            statement = statement.where(SESSION.c.host.in_(list(hosts)))
        with self._soft() as connection:
            return {str(host): str(controller) for host, controller in connection.execute(statement)}

    def send(self, letters: Sequence[Letter]) -> None:
        """Leave letters for other controllers."""
        with self._soft() as connection, together(connection):
            rows = [{"id": str(uuid4()), "receiver": letter.receiver, "body": letter.body} for letter in letters]
            WRITE.run_many(connection, rows)
            for receiver in {letter.receiver for letter in letters}:
                RING.run(connection, {"receiver": receiver})

    def receive(self, id: str) -> list[bytes]:
        """The letters for a controller, which are gone then."""
        with self._soft() as connection:
            return [bytes(body) for body in TAKE.column(connection, {"receiver": id})]

    @contextmanager
    def _soft(self) -> Iterator[Connection]:
        """A transaction that nobody waits for to reach the disk."""
        with outages(self._driver), self._engine.begin() as connection:
            if self.is_shared:
                connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
            yield connection
