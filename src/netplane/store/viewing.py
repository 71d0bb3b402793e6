"""One view of the database that a thread has for several look-ups: opened by the first, and shared by the rest."""

from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from typing import Any

from sqlalchemy import Connection, Engine

from netplane.store.distance import is_distant, line_of
from netplane.store.engine import view_of
from netplane.store.prepared import together
from netplane.store.reader import Reader

Question = Callable[[Reader], None]
"""Says what will be asked, by `Reader.look_ahead`."""


class View:
    """One thread's. All that it shows is of the moment at which it was first looked at, unless the database fails."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._stack = ExitStack()
        self._connection: Connection | None = None

    @property
    def connection(self) -> Connection:
        """What sees it; anew when the one before has failed whoever had it."""
        if self._connection is not None and _has_failed(self._connection):
            self.close()
        if self._connection is None:
            self._connection = self._stack.enter_context(view_of(self._engine))
        return self._connection

    def foresee(self, questions: Iterable[Question]) -> None:
        """A distant database answers together what will be asked."""
        connection = self.connection
        if not is_distant(connection):
            return
        driver: Any = connection.dialect.loaded_dbapi
        try:
            with together(connection):
                for question in questions:
                    with suppress(driver.DataError):  # whoever asks it is told
                        question(Reader(connection))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let it go; with the next look-up another begins."""
        self._connection = None
        self._stack.close()


def _has_failed(connection: Connection) -> bool:
    return connection.invalidated or (is_distant(connection) and line_of(connection).has_failed)
