"""Transactions of one thread that are kept together, by one commit.

A commit costs a small transaction more than all of its statements: SQLite copies each page that it touched, PostgreSQL
waits for the disk, and other writers wait for both. So calls that have queued up share one. Each is a transaction of
its own to whoever makes it, and a savepoint to the database:

```
begin, lock the log      the first transaction
                         ├─ kept       nothing to be undone yet: no savepoint
savepoint                ├─ kept       before the first statement that writes
roll back to savepoint   ├─ refused    the others never hear of it
                         ╰─ refused    before it wrote: nothing to do
move the log on, commit  all of them, or none
```

Nobody may be answered before `commit` has returned. From its first transaction on the group has the store's turn and
the log's lock, for which all other writers wait: so it is to last no longer than a few milliseconds.
"""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from threading import Lock
from time import monotonic
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, select, text, update
from sqlalchemy.exc import DBAPIError

from netplane.store.allocation import Cursors
from netplane.store.distance import is_distant
from netplane.store.fresh import Fresh
from netplane.store.journal import READ, Entry, entry_of, mark_of
from netplane.store.known import Known
from netplane.store.listening import CHANNEL
from netplane.store.prepared import Prepared, is_going_on, together
from netplane.store.schema import CHANGE, LOG
from netplane.store.transaction import Transaction
from netplane.store.writes import Origin

LOCK = Prepared(select(LOG.c.revision).with_for_update())
ADVANCE = Prepared(update(LOG).values(revision=bindparam("reached")))
TELL = Prepared(text(f"SELECT pg_notify('{CHANNEL}', :reached)"))
"""PostgreSQL's own: others hear of the revision when the group is kept."""
SAVE = Prepared(text("SAVEPOINT call"))
RELEASE = Prepared(text("RELEASE SAVEPOINT call"), is_kept=False)
UNDO = Prepared(text("ROLLBACK TO SAVEPOINT call"), is_kept=False)
COMMIT = Prepared(text("COMMIT"), is_kept=False)
ADVICE = "restart all controllers and agents, and have a replica that takes over be synchronous"
MANY = 200
"""Changes of others that are looked at; after more than that nothing is taken to be known."""
KEPT = Prepared(
    select(CHANGE.c.id, CHANGE.c.actor, CHANGE.c.time, CHANGE.c.request).where(
        CHANGE.c.revision == bindparam("revision")
    )
)

LOGGER = logging.getLogger(__name__)


class Broken(Exception):
    """A group that the database gave up before its end: nothing of it is kept, whatever its transactions were told."""


class Group:
    """What has been written and not yet committed. One thread's."""

    def __init__(self, engine: Engine, turn: Lock, cursors: Cursors, known: Known, fresh: Fresh) -> None:
        self._engine = engine
        self._driver: Any = engine.dialect.loaded_dbapi
        self._turn = turn
        self._cursors = cursors
        self._known = known
        self._fresh = fresh
        self._stack = ExitStack()
        self.waited = 0.0
        """Seconds that it had to wait for other writers."""
        self._has_savepoint = False
        self._is_committed = False
        self.connection: Connection | None = None
        """What sees all that the group has written; None as long as it has no transaction."""
        self.entries: list[Entry] = []
        """What its transactions have written, as the log will have it."""
        self.revision = 0
        """The revision of the last change."""
        self.is_broken = False
        """Whether all that it had is gone."""

    @contextmanager
    def transaction(self, origin: Origin) -> Iterator[Transaction]:
        """One more, dropped if the block raises. Broken if there is nothing left that it could follow."""
        self._check()
        connection = self._begin()
        made = Transaction(connection, origin, self._cursors, self._known, self._save, self.revision)
        try:
            yield made
            made.finish()
        except BaseException:
            self._drop(made)
            raise
        self._known.take((entry.change for entry in made.entries), made.claims)
        self.entries += made.entries
        self.revision = self._known.revision = made.revision
        if made.entries:
            self._known.mark = mark_of(made.entries[-1])

    def commit(self) -> None:
        """Move the log on and keep everything. Broken if there is nothing left to keep."""
        self._check()
        if self.connection is None:
            return
        with together(self.connection):
            if self.entries:
                ADVANCE.run(self.connection, {"reached": self.revision})
            if self.entries and is_distant(self.connection):
                TELL.run(self.connection, {"reached": str(self.revision)})
            COMMIT.run(self.connection, {})
        self._is_committed = True
        self.connection.commit()  # for Core to know of it

    def is_kept(self, connection: Connection) -> bool:
        """Whether the database has it, when nobody could tell how the commit ended: seen from another connection."""
        # Whoever holds the lock may still be about to keep it; when we have it, it is kept or gone.
        LOCK.first(connection, {})
        rows = KEPT.rows(connection, {"revision": self.revision})
        last = self.entries[-1]
        return [tuple(row) for row in rows] == [(last.change.id, last.actor, last.time, last.request)]

    def undo(self) -> None:
        """Drop what is not committed, and the locks on it: behind a savepoint they outlive a commit that has failed."""
        if self.connection is not None and not self._is_committed:
            self._known.forget()
            is_going_on(self.connection)  # or the database's last answers were left to be heard
            with suppress(self._driver.Error, DBAPIError):  # if it is broken, nothing is to be undone
                self.connection.rollback()

    def close(self) -> None:
        """Drop what is not committed, and let others write."""
        with self._stack:
            self.undo()
            self.connection = None
            self._has_savepoint = False

    def _begin(self) -> Connection:
        if self.connection is None:
            begun = monotonic()
            with ExitStack() as stack:
                stack.enter_context(self._turn)
                connection = stack.enter_context(self._engine.connect())
                connection.begin()
                self._fresh.is_coming = is_distant(connection)
                try:
                    self._lock(connection)
                except self._driver.OperationalError as outage:
                    connection.invalidate(outage)  # or that its transaction cannot be ended would be told instead
                    raise
                finally:
                    self._fresh.is_coming = False
                self._stack = stack.pop_all()
            self.connection = connection
            self.waited += monotonic() - begun
        return self.connection

    def _lock(self, connection: Connection) -> None:
        """Take the log's lock, and learn what others have written since what is known."""
        known = self._known
        with together(connection):
            lock = LOCK.run(connection, {})
            others = self._ask_on(connection)
        self.revision = int(lock.fetchone()[0])
        lock.close()
        entries = [] if others is None else [entry_of(*row) for row in others.fetchall()]
        if others is not None and not (entries and mark_of(entries.pop(0)) == known.mark):
            LOGGER.error("the database has lost changes that it had kept, %d among them: %s", known.revision, ADVICE)
            known.forget()
            self._fresh.forget()
        elif known.revision is None or known.revision + len(entries) != self.revision:
            known.forget()
        else:
            if any(entry.is_foreign for entry in entries):
                known.forget()  # what such a record claims nobody here can tell
            changes = [entry.change for entry in entries]
            known.take(changes, (claim for each in changes if each.record for claim in each.record.claims()))
            self._fresh.add(entries)  # whoever follows the log need not read them again
            if entries:
                known.mark = mark_of(entries[-1])
        known.revision = self.revision

    def _ask_on(self, connection: Connection) -> Any:
        """Ask for what follows what is known, and its last change: a server that has taken over may have another."""
        known = self._known
        if not is_distant(connection) or known.revision is None:
            return None
        if known.mark is None:
            known.forget()
            return None
        return READ.run(connection, {"after": known.revision - 1, "count": MANY + 1})

    def _save(self) -> None:
        """A transaction is about to write for the first time: what the others have written is to survive it."""
        assert self.connection is not None
        if self.entries:
            # PostgreSQL may as well have one within the other; SQLite would copy pages for each.
            if self._has_savepoint and not is_distant(self.connection):
                RELEASE.run(self.connection, {})
            SAVE.run(self.connection, {})
            self._has_savepoint = True

    def _drop(self, refused: Transaction) -> None:
        """Undo one transaction, and no more if that can be."""
        connection = self.connection
        assert connection is not None
        has_failed = not is_going_on(connection)
        if not (refused.has_sent or has_failed):
            return
        self._known.forget()
        if self.entries and refused.has_sent:
            with suppress(self._driver.Error, DBAPIError):
                UNDO.run(connection, {})
                return
        self._give_up()

    def _check(self) -> None:
        """See that the database has not given up, whatever for: what was read outside of a transaction may do it."""
        if self.connection is not None and not is_going_on(self.connection):
            self._give_up()
        if self.is_broken:
            raise Broken

    def _give_up(self) -> None:
        """Nothing is left of what there was; if that was nothing, the next transaction begins anew."""
        self.is_broken = bool(self.entries)
        self.entries.clear()
        self.close()
