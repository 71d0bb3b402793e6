"""SQLite's log copied into its file beside whoever writes, so that no commit waits for it.

A commit goes into the log (`-wal`), and what is in the log has to come into the file at some time. SQLite lets that
commit do it at which the log has grown large; beside a database of several hundred megabytes it is held up by 60 to
85 ms. Here a thread with a connection of its own does it, begun once enough rows were written:

    commit -> rows written -> ROWS of them -> PASSIVE, which locks out neither readers nor writers
                                               |  all that it saw is copied, and the log is LARGE
                                               +-> RESTART, in a turn of its own among the writers

Usually the next to write finds all copied and begins the log anew. Where writers follow each other so closely that some
frames are always left, the log grows; so when it is large, the last few are copied while nobody writes.

Should none of that succeed, the disk being full or a reader keeping an old state, SQLite does it at commits again from
CEILING on. Whoever closes the database as the last copies all that is left; what a killed process has left in the log
is read from there. Nothing of when what is written reaches the disk changes: `synchronous` is as it was.
"""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

from sqlalchemy import URL, Engine, event

LOGGER = logging.getLogger(__name__)

ROWS = 500
"""How many rows are written between two checkpoints; beside a large database each changes one to three pages."""
REST = 0.25
"""Seconds between two, at least: many rows at once, as states of ports are, lie on few pages."""
LARGE = 16_000
"""Pages (of 4 KiB) of a log that is to be begun anew even if that makes writers wait for a moment."""
PASSES = 3
"""How often a large log is copied before writers have to wait: SQLite has the disk keep the file only after a pass
during which nobody wrote, and what has gathered by then would take long while they wait."""
CEILING = 32_000
"""Pages of a log that a commit copies itself."""
SIZE = 64 << 20
"""Bytes that the log's file keeps when the log is begun anew, of those it once had."""
PATIENCE = 20
"""Milliseconds that writers wait for readers, when the log is large."""
ENDING = 10.0
"""Seconds that closing waits for a checkpoint; it ends by itself in any case."""

PASSIVE = "PRAGMA wal_checkpoint(PASSIVE)"
_SEEN = "rows counted"


class Checkpoints:
    """Those of one SQLite file, for what is written through an engine; `turn` is what its writers take in turn."""

    def __init__(self, writer: Engine, turn: Lock) -> None:
        self._path = Path(writer.url.database or "").absolute()
        self._turn = turn
        self._rows = 0
        self._running = Lock()
        """Held as long as there is a checkpoint, or a rest after one."""
        self._has_failed = False
        self._closed = Event()
        event.listen(writer, "connect", _raise_ceiling)
        event.listen(writer, "checkin", self._count)

    def close(self) -> None:
        """Begin no other, and wait for the one that there may be."""
        self._closed.set()
        if self._running.acquire(timeout=ENDING):
            self._running.release()
        else:
            LOGGER.warning("a checkpoint of %s takes long; it ends without being waited for", self._path)

    def _count(self, connection: Any, record: Any) -> None:
        """A writer is done. Several at once may be counted as one, and then it is due a little later."""
        if connection is None:  # it broke
            return
        written = connection.total_changes
        self._rows += written - record.info.get(_SEEN, 0)
        record.info[_SEEN] = written
        if self._rows >= ROWS and self._running.acquire(blocking=False):
            self._begin()

    def _begin(self) -> None:
        try:
            if not self._closed.is_set():
                Thread(target=self._run, name="checkpoint", daemon=True).start()
                return
        except RuntimeError:  # there can be no more threads now: a later commit tries again
            pass
        self._running.release()

    def _run(self) -> None:
        try:
            is_due = True
            while is_due:
                self._rows = 0
                self._try()
                is_due = not self._closed.wait(REST) and self._rows >= ROWS
        finally:
            self._running.release()

    def _try(self) -> None:
        try:
            with closing(self._connect()) as connection:
                self._copy(connection)
            if self._has_failed:
                LOGGER.warning("the log of %s is copied into it again", self._path)
            self._has_failed = False
        except sqlite3.Error as error:
            if not self._has_failed:
                LOGGER.warning("the log of %s cannot be copied into it: %s; commits will do it", self._path, error)
            self._has_failed = True

    def _connect(self) -> sqlite3.Connection:
        """One that does not make the file, were it gone."""
        return sqlite3.connect(
            f"{self._path.as_uri()}?mode=rw", timeout=PATIENCE / 1000, isolation_level=None, uri=True
        )

    def _copy(self, connection: sqlite3.Connection) -> None:
        _, pages, copied = connection.execute(PASSIVE).fetchone()
        if pages == copied >= LARGE:
            for _ in range(PASSES):
                connection.execute(PASSIVE).fetchone()
            with self._turn:  # or writers would poll for the lock
                connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()


def has_log(url: URL) -> bool:
    """Whether a database is a file of SQLite's, which has one."""
    path = url.database or ""
    return url.get_backend_name() == "sqlite" and bool(path) and not path.startswith((":", "file:"))


def _raise_ceiling(connection: Any, _record: Any) -> None:
    connection.execute(f"PRAGMA wal_autocheckpoint={CEILING}").close()
    connection.execute(f"PRAGMA journal_size_limit={SIZE}").close()
