"""Hearing of commits that others make on the same PostgreSQL: by NOTIFY, and by looking now and then.

A thread with a connection of its own. While the connection is lost it tries again; what was missed meanwhile is told
as soon as it is back, since what counts is the last revision, not how it was heard of.
"""

import logging
import select
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from threading import Thread
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

LOGGER = logging.getLogger(__name__)

CHANNEL = "netplane_log"
"""Where commits are told of, with the revision."""
POLL = 1.0
"""Seconds after which the revision is looked up, whatever was heard: connection poolers swallow NOTIFY."""
PAUSE = 0.25
"""Seconds between attempts to connect."""


class Listening:
    """One store's ear."""

    def __init__(
        self,
        engine: Engine,
        ears: Mapping[str, Callable[[str], None]],
        looked: Callable[[str, int, datetime], None],
        lost: Callable[[], None],
    ) -> None:
        """`ears` are told what is said on each channel; `looked` what was looked up: which log, its revision, when.

        `lost` is told that connections have broken.
        """
        self._engine = engine
        self._ears = ears
        self._looked = looked
        self._lost = lost
        self._inner, self._outer = socket.socketpair()
        self._thread = Thread(target=self._run, name="store-listening", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._outer.send(b"x")
        self._thread.join()
        self._outer.close()
        self._inner.close()

    def _run(self) -> None:
        driver: Any = self._engine.dialect.loaded_dbapi
        is_known_lost = False
        while not self._stopped(PAUSE if is_known_lost else 0):
            try:
                connection = self._connect()
            except (SQLAlchemyError, driver.Error):  # nobody is there, or all connections are in use
                is_known_lost = True
                continue
            is_known_lost = False
            try:
                self._listen(connection)
                return
            except driver.Error as error:
                LOGGER.warning("the connection to the database is lost: %s", str(error).strip().partition("\n")[0])
                is_known_lost = True
                self._lost()
            finally:
                with suppress(driver.Error):
                    connection.close()

    def _connect(self) -> Any:
        pooled = self._engine.raw_connection()
        connection: Any = pooled.dbapi_connection
        pooled.detach()
        connection.autocommit = True
        return connection

    def _listen(self, connection: Any) -> None:
        for channel in self._ears:
            connection.execute(f"LISTEN {channel}")
        while True:
            row = connection.execute("SELECT identity, revision, clock_timestamp() FROM log").fetchone()
            if row is not None:
                self._looked(*row)
            while self._is_readable(connection):
                for notice in connection.notifies(timeout=0):
                    self._ears[notice.channel](notice.payload)
            if self._stopped(0):
                return

    def _is_readable(self, connection: Any) -> bool:
        """Whether the database has said something within POLL seconds; False also if this is to end."""
        ready, _, _ = select.select([connection.fileno(), self._inner], [], [], POLL)
        return bool(ready) and self._inner not in ready

    def _stopped(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._inner], [], [], seconds)
        return bool(ready)
