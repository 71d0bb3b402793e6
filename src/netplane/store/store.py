"""The store: opening it, transactions, the feed of changes, reports."""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import datetime
from threading import Condition, Lock, local
from time import monotonic, sleep
from typing import Any

from sqlalchemy import Engine, func, select

from netplane.model import Change
from netplane.store.allocation import Cursors
from netplane.store.checkpoints import Checkpoints, has_log
from netplane.store.clock import Clock, SharedClock, fine_stamp, wall_clock
from netplane.store.engine import Generations, database_url, open_engine, view_of
from netplane.store.errors import Unavailable, Unsettled
from netplane.store.fresh import Fresh
from netplane.store.group import ADVICE, LOCK, Group
from netplane.store.journal import Entry, read_journal
from netplane.store.known import Known
from netplane.store.listening import CHANNEL, Listening
from netplane.store.migrations import check_fit, level_of, read_level, upgrade
from netplane.store.outage import outages
from netplane.store.peers import MAIL, Peers
from netplane.store.reader import Reader
from netplane.store.reports import Report, write_reports
from netplane.store.schema import LEVEL, LOG
from netplane.store.secrets import keep_secret
from netplane.store.settling import settle
from netplane.store.transaction import Transaction
from netplane.store.viewing import Question, View
from netplane.store.writes import Origin

LOGGER = logging.getLogger(__name__)

Listener = Callable[[int], None]

SETTLING = 20.0
"""Seconds that a commit whose end was not heard is asked after."""
RESTART = "restart all controllers"
SETTLING_PAUSE = 0.2
"""Seconds between two such questions."""


class Store:
    """One database. Any thread may use it; writers take turns, readers never wait.

    Whatever it is asked, it raises Unavailable while the database cannot serve, and serves again when that can.
    """

    def __init__(self, writer: Engine, reader: Engine, clock: Clock = wall_clock) -> None:
        self._writer = writer
        self._reader = reader
        self.peers = Peers(writer)
        self._shared_clock = SharedClock()
        is_by_database = self.peers.is_shared and clock is wall_clock
        self.clock: Clock = self._shared_clock if is_by_database else clock
        """The time that goes with what is written: of a database that is shared, its own."""
        self._turn = Lock()
        self._here = local()
        self._cursors = Cursors()
        self._known = Known()
        self._moved = Condition()
        self._announced = 0
        self._looked = 0
        """What was announced when the revision was last looked up: the next look-up shows no less."""
        self._listeners: list[Listener] = []
        self._fresh = Fresh()
        self._generations = Generations(writer, reader)
        self._checkpoints = Checkpoints(writer, self._turn) if has_log(writer.url) else None
        self._driver: Any = writer.dialect.loaded_dbapi
        try:
            with outages(self._driver):
                self._log = _prepare(writer)
                if is_by_database:
                    self._shared_clock.hear(_read_clock(writer))
        except BaseException:
            if self._checkpoints:
                self._checkpoints.close()
            self._generations.close()
            raise
        self._looked_at = self._log
        """The log that was looked at last: with a backup that is brought back under us it is another."""
        ears: dict[str, Callable[[str], None]] = {CHANNEL: self._hear, MAIL: self.peers.ring}
        self._listening = Listening(reader, ears, self._look, self._generations.renew) if self.peers.is_shared else None

    @classmethod
    def open(cls, database: str, clock: Clock = wall_clock) -> "Store":
        """Open a database: the path of an SQLite file, `sqlite:///PATH` or `postgresql://...`.

        An empty one gets its tables, and an SQLite file of an older netplane is brought up to date, since nobody else
        works on it. ValueError if it is named wrongly, Unfit if this netplane cannot work with it, Unavailable.
        """
        url = database_url(database)
        return cls(open_engine(url, write=True), open_engine(url, write=False), clock)

    def close(self) -> None:
        """Close every connection."""
        if self._listening:
            self._listening.stop()
        if self._checkpoints:
            self._checkpoints.close()
        self._generations.close()

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

        `request` is the id of the API's request that it is for, empty for none. Unsettled if nobody knows which.
        """
        origin = Origin(actor, self.clock(), request)
        group = self._group
        with nullcontext(group) if group else self.group() as joined, outages(self._driver):
            transaction: Transaction | None = None
            try:
                with joined.transaction(origin) as transaction:
                    yield transaction
            except self._driver.IntegrityError as error:
                if transaction is None or joined.is_broken:
                    raise
                with self.read() as reader:
                    raise transaction.conflict(reader) from error

    @contextmanager
    def group(self) -> Iterator[Group]:
        """All that this thread writes in the block is kept by one commit, at its end.

        Each transaction stays one: those that raise are dropped, the others not. What the thread reads meanwhile has
        what it wrote. Unavailable or Unsettled if the end fails; Broken if nothing is kept because of one of them.
        """
        group = self._here.group = Group(self._writer, self._turn, self._cursors, self._known, self._fresh)
        with outages(self._driver):
            try:
                yield group
                self._commit(group)
                self._fresh.add(group.entries)
            finally:
                self._here.group = None
                group.close()
                if view := self._view:
                    view.close()  # it does not show what was written
        if group.entries:
            self._announce(group.revision)

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """A consistent view of now."""
        group = self._group
        with outages(self._driver):
            if group is not None and group.connection is not None:
                yield Reader(group.connection)
                return
            if view := self._view:
                yield Reader(view.connection)
                return
            with view_of(self._reader) as connection:
                yield Reader(connection)

    @contextmanager
    def view(self) -> Iterator[Callable[[Iterable[Question]], None]]:
        """What this thread reads in the block it sees as of one moment, that of the first look-up.

        Gives what is to be told of questions that will be asked in it.
        """
        view = self._here.view = View(self._reader)

        def foresee(questions: Iterable[Question]) -> None:
            with outages(self._driver):
                view.foresee(questions)

        try:
            yield foresee
        finally:
            self._here.view = None
            with outages(self._driver):
                view.close()

    def changes(self, after: int, limit: int = 1000) -> list[Change]:
        """Up to `limit` changes that follow a revision, in order; none is ever skipped."""
        return [entry.change for entry in self.journal(after, limit)]

    def journal(self, after: int, limit: int = 1000) -> list[Entry]:
        """As `changes`, with who made each and when."""
        with outages(self._driver), view_of(self._reader) as connection:
            return read_journal(connection, after, limit)

    @property
    def heard(self) -> int:
        """The last revision that listeners were told of."""
        return self._announced

    def fresh(self, after: int, limit: int) -> list[Entry]:
        """As `journal`, from memory, of what was written through this store; nothing if others have come between."""
        return self._fresh.after(after, limit)

    @property
    def is_fresh_coming(self) -> bool:
        """Whether what others have just written is about to be `fresh`, since a writer here reads it in any case."""
        return self._fresh.is_coming

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with the revision after commits, whoever made them; answers how to stop that.

        It is called from any thread. Several commits may be told as one.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def wait(self, after: int, timeout: float) -> int:
        """Wait until there are changes after a revision, at most `timeout` seconds; answers the last revision."""
        with self._moved:
            self._moved.wait_for(lambda: self.revision > after, timeout)
        return self.revision

    def report(self, kind: str, bodies: Mapping[str, Any], rank: int = 0) -> None:
        """Replace the reports of a kind about some records (id to body); those about no record are dropped.

        A report stays that has a higher rank: it was made by somebody who knew more.
        """
        assert self._group is None, "it has a transaction of its own"
        with self._turn, outages(self._driver), self._writer.begin() as connection:
            LOCK.first(connection, {})
            write_reports(connection, kind, bodies, fine_stamp(self.clock()), rank)

    def reports(self, kind: str, ids: Collection[str] | None = None) -> dict[str, Report]:
        """The latest reports of a kind by the id of what they are about: all, or of these."""
        with self.read() as reader:
            return reader.reports(kind, ids)

    def secret(self, name: str, make: Callable[[], bytes]) -> bytes:
        """What the controllers of this database share under a name; `make` makes it for the first of them."""
        assert self._group is None, "it has a transaction of its own"
        with self._turn, outages(self._driver), self._writer.begin() as connection:
            return keep_secret(connection, name, make)

    @property
    def _view(self) -> View | None:
        """The one that this thread has."""
        found: View | None = getattr(self._here, "view", None)
        return found

    @property
    def _group(self) -> Group | None:
        """The one that this thread is in."""
        found: Group | None = getattr(self._here, "group", None)
        return found

    def _commit(self, group: Group) -> None:
        try:
            with outages(self._driver):
                group.commit()
        except Unavailable as outage:
            group.undo()  # or whoever asks whether it is kept waits for it
            if group.entries and not self._is_kept(group, outage):
                raise

    def _is_kept(self, group: Group, outage: Unavailable) -> bool:
        """How a commit ended of which nothing was heard."""
        deadline = monotonic() + SETTLING
        while True:
            self._generations.renew()
            try:
                with outages(self._driver), self._writer.begin() as connection:
                    return group.is_kept(connection)
            except Unavailable:
                if monotonic() > deadline:
                    raise Unsettled(f"whether it was kept is not known: {outage}") from outage
            sleep(SETTLING_PAUSE)

    def _hear(self, told: str) -> None:
        """A revision; or anything else, since whoever may connect to the database may say it."""
        try:
            revision = int(told)
        except ValueError:
            return
        self._announce(revision)

    def _look(self, log: str, revision: int, now: datetime) -> None:
        """The revision was looked up; whatever was not heard of is to be seen now."""
        self._shared_clock.hear(now)
        if log != self._looked_at:
            self._looked_at = log
            LOGGER.error("this is another database now, its log is %s instead of %s: %s", log, self._log, RESTART)
        if revision < self._looked:
            LOGGER.error("the database has lost changes that it had kept, %d among them: %s", self._looked, ADVICE)
            self._fresh.forget()
            with self._moved:
                self._announced = revision  # or of what comes instead nobody would be told
        self._announce(revision)
        self._looked = self._announced
        self.peers.ring()

    def _announce(self, revision: int) -> None:
        with self._moved:
            if revision <= self._announced:
                return
            self._announced = revision
            self._moved.notify_all()
        for listener in tuple(self._listeners):
            listener(revision)


def _prepare(engine: Engine) -> str:
    """Make or check the tables; answers the identity of the log."""
    if level_of(engine) == 0 or engine.dialect.name == "sqlite":
        upgrade(engine)
    with engine.begin() as connection:
        check_fit(connection)
        if read_level(connection) <= LEVEL:  # what a later netplane writes is for that to judge
            settle(connection)
        return str(connection.execute(select(LOG.c.identity)).scalar())


def _read_clock(engine: Engine) -> datetime:
    with engine.connect() as connection:
        now: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        return now
