"""The store: opening it, transactions, the feed of changes, reports."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from threading import Condition, Lock
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine, insert, inspect, select

from netplane.model import Change
from netplane.store.allocation import Cursors
from netplane.store.clock import Clock, fine_stamp, wall_clock
from netplane.store.engine import open_engine
from netplane.store.journal import Entry, read_journal
from netplane.store.reader import Reader
from netplane.store.reports import Report, write_reports
from netplane.store.schema import LOG, METADATA, TALLY
from netplane.store.secrets import keep_secret
from netplane.store.tally import FILL
from netplane.store.transaction import Transaction
from netplane.store.writes import Origin

Listener = Callable[[int], None]


class Store:
    """One database. Any thread may use it; writers take turns, readers never wait."""

    def __init__(self, writer: Engine, reader: Engine, clock: Clock = wall_clock) -> None:
        self._writer = writer
        self._reader = reader
        self._clock = clock
        self._turn = Lock()
        self._cursors = Cursors()
        self._moved = Condition()
        self._listeners: list[Listener] = []
        self._refusal: type[Exception] = writer.dialect.loaded_dbapi.IntegrityError
        self._log = _prepare(writer)

    @classmethod
    def open(cls, url: str, clock: Clock = wall_clock) -> "Store":
        """Open a database by its SQLAlchemy URL, such as `sqlite:////var/lib/netplane.db`; makes what is missing."""
        return cls(open_engine(url, write=True), open_engine(url, write=False), clock)

    def close(self) -> None:
        """Close every connection."""
        self._writer.dispose()
        self._reader.dispose()

    @property
    def log(self) -> str:
        """The identity of the change log, made with the database: revisions of different logs do not compare."""
        return self._log

    @property
    def revision(self) -> int:
        """The last revision; 0 before the first change."""
        with self.read() as reader:
            return reader.revision

    @contextmanager
    def write(self, actor: str, request: str = "") -> Iterator[Transaction]:
        """A transaction in the name of `actor`: kept when the block ends, dropped when it raises (StoreError).

        `request` is the id of the API's request that it is for, empty for none.
        """
        with self._turn:
            transaction: Transaction | None = None
            try:
                with self._writer.begin() as connection:
                    transaction = Transaction(connection, Origin(actor, self._clock(), request), self._cursors)
                    yield transaction
                    transaction.finish()
            except self._refusal as error:
                if transaction is None:
                    raise
                with self.read() as reader:
                    raise transaction.conflict(reader) from error
        if transaction.has_changed:
            self._announce(transaction.revision)

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """A consistent view of now."""
        with self._reader.begin() as connection:
            yield Reader(connection)

    def changes(self, after: int, limit: int = 1000) -> list[Change]:
        """Up to `limit` changes that follow a revision, in order; none is ever skipped."""
        return [entry.change for entry in self.journal(after, limit)]

    def journal(self, after: int, limit: int = 1000) -> list[Entry]:
        """As `changes`, with who made each and when."""
        with self._reader.begin() as connection:
            return read_journal(connection, after, limit)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with the revision after every commit, from the writer's thread; answers how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def wait(self, after: int, timeout: float) -> int:
        """Wait until there are changes after a revision, at most `timeout` seconds; answers the last revision."""
        with self._moved:
            self._moved.wait_for(lambda: self.revision > after, timeout)
        return self.revision

    def report(self, kind: str, bodies: Mapping[str, Any]) -> None:
        """Replace the reports of a kind about some records (id to body); those about no record are dropped."""
        with self._turn, self._writer.begin() as connection:
            write_reports(connection, kind, bodies, fine_stamp(self._clock()))

    def reports(self, kind: str, ids: Collection[str] | None = None) -> dict[str, Report]:
        """The latest reports of a kind by the id of what they are about: all, or of these."""
        with self.read() as reader:
            return reader.reports(kind, ids)

    def secret(self, name: str, make: Callable[[], bytes]) -> bytes:
        """What the controllers of this database share under a name; `make` makes it for the first of them."""
        with self._turn, self._writer.begin() as connection:
            return keep_secret(connection, name, make)

    def _announce(self, revision: int) -> None:
        with self._moved:
            self._moved.notify_all()
        for listener in tuple(self._listeners):
            listener(revision)


def _prepare(engine: Engine) -> str:
    with engine.begin() as connection:
        has_tally = inspect(connection).has_table(TALLY.name)
        METADATA.create_all(connection)
        if not has_tally:
            connection.execute(FILL)
        identity = connection.execute(select(LOG.c.identity)).scalar()
        if identity is None:
            identity = str(uuid4())
            connection.execute(insert(LOG), {"identity": identity, "revision": 0})
        return str(identity)
