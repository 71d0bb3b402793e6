"""Statements to PostgreSQL below the driver's cursors.

A cursor costs 25 µs of processor a statement, and as much in a pipeline; libpq itself 7, and 2 in a pipeline
(measured). Connections are the driver's in all else: it opens them, ends their transactions and is asked for whatever
is asked seldom.

Values go as text or bytes, answers come in binary. Statements are prepared on the server, once a connection, but for
those that begin and end transactions.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from select import POLLIN, POLLOUT, poll
from typing import Any

import psycopg
from psycopg import errors, pq
from psycopg.pq.abc import PGresult

from netplane.store.arrays import array
from netplane.store.distance import Told

CHUNK = 100
"""Statements that are sent before their answers are read: few enough that neither end waits for the other's buffer."""

PATIENCE = 60.0
"""Seconds without a word from the server after which it is taken for gone, though its machine may still answer."""

Row = tuple[Any, ...]
Column = Callable[[bytes], Any]


def _number(content: bytes) -> int:
    return int.from_bytes(content, signed=True)


DECODED: dict[int, Column] = {
    16: lambda content: content == b"\1",  # bool
    17: lambda content: content,  # bytea
    20: _number,  # bigint
    23: _number,  # integer
    25: bytes.decode,  # text
    1043: bytes.decode,  # varchar
    2278: lambda _: None,  # void
}
"""How answers are read, by the number of their type."""


class Answer:
    """What a statement has answered, or will: as the driver's cursors tell it."""

    def __init__(self, line: "Line", told: Told, values: Sequence[Any]) -> None:
        self._line = line
        self.told = told
        told_values = [_content(value) for value in values]
        self.content: Any = [content for content, _ in told_values]
        self.formats = [is_binary for _, is_binary in told_values]
        self._rows: Iterator[Row] | None = None

    def fetchone(self) -> Row | None:
        """The next row, or None."""
        return next(self._answered, None)

    def fetchall(self) -> list[Row]:
        """The rows that are left."""
        return [*self._answered]

    def close(self) -> None:
        """Nothing: it holds nothing of the server's."""

    def hear(self, result: PGresult) -> None:
        """The server has answered."""
        columns = [DECODED[result.ftype(index)] for index in range(result.nfields)]
        self._rows = iter([_row(result, row, columns) for row in range(result.ntuples)])

    @property
    def _answered(self) -> Iterator[Row]:
        if self._rows is None:
            self._line.sync()
        assert self._rows is not None, "it was dropped"
        return self._rows


class Line:
    """One connection. One thread's at a time."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._connection = connection
        self._server = connection.pgconn
        self._prepared: set[bytes] = set()
        self._queue: list[Answer] = []
        self._posted: list[Answer | bytes] = []
        self._depth = 0
        self._expected: dict[tuple[bytes, tuple[Any, ...]], Answer] = {}
        self._poll = poll()
        self._poll.register(self._server.socket, POLLIN)

    @property
    def is_going_on(self) -> bool:
        """Whether it is in a transaction in which nothing has failed."""
        with suppress(psycopg.Error):  # then it is not
            self.hear()
        return self._server.transaction_status == pq.TransactionStatus.INTRANS

    @property
    def has_failed(self) -> bool:
        """Whether nothing more can be asked before this transaction is ended, or of this connection at all."""
        return self._server.transaction_status in (pq.TransactionStatus.INERROR, pq.TransactionStatus.UNKNOWN)

    def run(self, told: Told, values: Sequence[Any]) -> Answer:
        """Send a statement, in a transaction; at the end of `together`, if that is begun."""
        if self._expected and (expected := self._expected.pop((told.name, tuple(values)), None)):
            return expected
        answer = Answer(self, told, values)
        self._queue.append(answer)
        if not self._depth:
            self.sync()
        return answer

    def expect(self, told: Told, values: Sequence[Any]) -> None:
        """A question that will be asked in this transaction, which only reads: its answer is fetched with others."""
        question = (told.name, tuple(values))
        if question not in self._expected:
            self._expected[question] = self.run(told, values)

    def end(self) -> None:
        """End a transaction that has only read; if it has failed, whoever has the connection sees to it."""
        self._expected.clear()
        if self.is_going_on:
            self._check(self._server.exec_(b"COMMIT"))

    def __enter__(self) -> "Line":
        """What follows is sent together."""
        self._depth += 1
        return self

    def __exit__(self, *_fault: object) -> None:
        """Also if the block has raised: what was said before is said."""
        self._depth -= 1
        if not self._depth:
            self.sync()

    @contextmanager
    def posting(self) -> Iterator[None]:
        """What is said in the block is sent at its end, and need not be answered yet."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth:
                self.post()

    def sync(self) -> None:
        """Send what is collected, and hear what is answered; what the server refuses is raised as the driver would."""
        queue = self._collected()
        self.hear()
        if len(queue) == 1 and queue[0].told.name in self._prepared:
            self._ask(queue[0])
        else:
            self._post(queue)
            self.hear()

    def post(self) -> None:
        """Send what is collected; what is answered is heard before anything else is sent, or by `hear`.

        The server works on it meanwhile. Until then only a `Line` may use the connection.
        """
        queue = self._collected()
        self.hear()
        self._post(queue)

    def hear(self) -> None:
        """Wait for the answers to what was posted."""
        if not self._posted:
            return
        posted, self._posted = self._posted, []
        fault: psycopg.Error | None = None
        try:
            for answer in posted:
                result = self._result()
                if result.status == pq.ExecStatus.PIPELINE_ABORTED:
                    continue
                try:
                    self._check(result)
                except psycopg.Error as error:
                    fault = fault or error
                    continue
                if isinstance(answer, bytes):
                    self._prepared.add(answer)
                else:
                    answer.hear(result)
            self._result()
        finally:
            if self._server.status == pq.ConnStatus.OK:
                self._server.exit_pipeline_mode()
        if fault is not None:
            raise fault

    def _collected(self) -> list[Answer]:
        """What was said since the last time, behind the beginning of a transaction, if that must be.

        It is dropped if what was said before turns out to have failed.
        """
        queue, self._queue = self._queue, []
        is_begun = self._connection.autocommit or self._server.transaction_status != pq.TransactionStatus.IDLE
        if queue and not is_begun:
            queue.insert(0, Answer(self, Told(b"", _beginning(self._connection)), ()))
        return queue

    def _ask(self, answer: Answer) -> None:
        server = self._server
        result = server.exec_prepared(answer.told.name, answer.content, answer.formats, pq.Format.BINARY)
        self._check(result)
        answer.hear(result)

    def _post(self, queue: Sequence[Answer]) -> None:
        for start in range(0, len(queue), CHUNK):
            self.hear()
            self._post_some(queue[start : start + CHUNK])

    def _post_some(self, queue: Sequence[Answer]) -> None:
        server = self._server
        server.enter_pipeline_mode()
        try:
            self._posted = [*self._send(queue)]
            server.pipeline_sync()
            server.flush()  # what the server has no room for now goes when it is heard
        except psycopg.Error:
            self._posted = []
            if server.status == pq.ConnStatus.OK:
                server.exit_pipeline_mode()
            raise

    def _send(self, queue: Sequence[Answer]) -> Iterator[Answer | bytes]:
        """Send statements; gives what will be answered: them, and names that are prepared first."""
        coming: set[bytes] = set()
        for answer in queue:
            name, sql = answer.told
            if not name:
                self._server.send_query_params(sql, answer.content, None, answer.formats, pq.Format.BINARY)
            else:
                if name not in self._prepared and name not in coming:
                    self._server.send_prepare(name, sql)
                    coming.add(name)
                    yield name
                self._server.send_query_prepared(name, answer.content, answer.formats, pq.Format.BINARY)
            yield answer

    def _result(self) -> PGresult:
        """The next one. libpq would wait for it with the interpreter locked, in which others must go on meanwhile."""
        server = self._server
        while True:
            while server.flush():
                self._wait(POLLIN | POLLOUT)
                server.consume_input()
            while server.is_busy():
                self._wait(POLLIN)
                server.consume_input()
            result = server.get_result()
            if result is not None:
                return result
            # The end of one statement's results.
            if server.status != pq.ConnStatus.OK:
                raise psycopg.OperationalError("the connection is lost")

    def _wait(self, what: int) -> None:
        self._poll.modify(self._server.socket, what)
        if not self._poll.poll(PATIENCE * 1000):
            self._connection.close()
            raise psycopg.OperationalError(f"the database has not answered for {PATIENCE:g} s")

    def _check(self, result: PGresult) -> None:
        if result.status == pq.ExecStatus.FATAL_ERROR:
            if self._server.status == pq.ConnStatus.BAD:
                raise psycopg.OperationalError(result.get_error_message())
            error = errors.error_from_result(result)
            if isinstance(error, errors.InvalidSqlStatementName):  # the server is another, behind a pooler
                self._prepared.clear()
                raise psycopg.OperationalError("the server has forgotten what it had prepared") from error
            raise error


def _beginning(connection: "psycopg.Connection[Any]") -> bytes:
    level = connection.isolation_level
    return b"BEGIN" if level is None else f"BEGIN ISOLATION LEVEL {level.name.replace('_', ' ')}".encode()


def _content(value: Any) -> tuple[bytes | None, bool]:
    """A value as the server takes it, and whether that is binary; DataError if it takes none such."""
    match value:
        case None:
            return None, False
        case bytes():
            return value, True
        case str():
            if "\0" in value:
                raise psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
            return value.encode(), False
        case bool():
            return b"t" if value else b"f", False
        case int():
            return b"%d" % value, False
        case list():
            return array(value)
    raise TypeError(f"no value for a statement: {value!r}")


def _row(result: PGresult, row: int, columns: Sequence[Column]) -> Row:
    contents = [result.get_value(row, column) for column in range(len(columns))]
    return tuple(None if each is None else decode(each) for each, decode in zip(contents, columns, strict=True))
