"""What is asked of PostgreSQL below its driver: values, errors, and a connection that goes on afterwards."""

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import psycopg
import pytest
from sqlalchemy import Connection, Engine, text

from netplane.model import Network, Subnet
from netplane.store import Ahead, Store
from netplane.store.engine import database_url, open_engine
from netplane.store.inserting import insert_rows
from netplane.store.libpq import CHUNK, Line
from netplane.store.prepared import Prepared, hear, is_going_on, post, together
from netplane.store.schema import SECRET
from tests.contract.stores import new_network, new_subnet, open_store, postgresql

ECHO = Prepared(
    text("SELECT CAST(:text AS TEXT), CAST(:number AS BIGINT), CAST(:bytes AS BYTEA), CAST(:truth AS BOOL)")
)
ONE = Prepared(text("SELECT CAST(:number AS BIGINT)"))
WRONG = Prepared(text("SELECT x FROM nowhere"))
PUT = Prepared(SECRET.insert())
COUNT = Prepared(text("SELECT count(*) FROM secret"))
SLEEP = Prepared(text("SELECT pg_sleep(0.3)"))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_engine(database_url(postgresql(tmp_path)), write=True)
    yield opened
    opened.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as opened, opened.begin():
        yield opened


def test_options_of_the_address_outdo_only_what_they_name(tmp_path: Path) -> None:
    """A schema that is named there takes neither the plans nor the limit of a stopped writer away."""
    url = database_url(postgresql(tmp_path)).update_query_dict({"options": "-c search_path=other -c jit=on"})
    names = ("search_path", "jit", "enable_seqscan", "idle_in_transaction_session_timeout", "lock_timeout")
    engine = open_engine(url, write=True)
    with engine.connect() as opened:
        told = [opened.execute(text(f"SHOW {name}")).scalar() for name in names]
    engine.dispose()
    assert told == ["other", "on", "off", "30s", "10s"]


ROWS = [
    ("", 0, b"", False),
    ("a'\"\\ %s $1 \u2603", -1, bytes(range(256)), True),
    (None, None, None, None),
    ("x" * 100_000, 2**63 - 1, b"\0" * 100_000, True),
    ("y", -(2**63), b"y", False),
]


@pytest.mark.parametrize("row", ROWS)
def test_values_come_back_as_they_went(connection: Connection, row: tuple[object, ...]) -> None:
    values = dict(zip(("text", "number", "bytes", "truth"), row, strict=True))
    for _ in range(2):  # the second time it is prepared
        assert ECHO.rows(connection, values) == [row]


def test_what_no_text_can_have_is_refused_before_it_is_sent(connection: Connection) -> None:
    """Libpq would end the text there, and find what has another name."""
    with pytest.raises(psycopg.DataError):
        ECHO.run(connection, {"text": "a\0b", "number": 1, "bytes": b"", "truth": True})
    assert ONE.first(connection, {"number": 3}) == 3


def test_many_are_sent_together(connection: Connection) -> None:
    """More than go at a time; each gets its own answer."""
    with together(connection):
        answers = [ONE.run(connection, {"number": number}) for number in range(3 * CHUNK + 1)]
        assert answers[7].fetchone() == (7,), "whoever asks in between is answered"
        answers.append(ONE.run(connection, {"number": 5}))
    assert [answer.fetchall() for answer in answers[:7]] == [[(number,)] for number in range(7)]
    assert answers[-1].fetchone() == (5,)


def fail(connection: Connection) -> None:
    with together(connection):
        PUT.run(connection, {"name": "a", "body": b""})
        WRONG.run(connection, {})
        ONE.run(connection, {"number": 1})


def test_an_error_is_raised_once_and_the_connection_goes_on(engine: Engine) -> None:
    with engine.connect() as connection:
        for _ in range(2):
            connection.begin()
            with pytest.raises(psycopg.errors.UndefinedTable):
                fail(connection)
            assert not is_going_on(connection)
            connection.rollback()
            connection.begin()
            assert (ONE.first(connection, {"number": 2}), COUNT.first(connection, {})) == (2, 0)
            assert is_going_on(connection)
            connection.rollback()


def test_what_is_prepared_outlives_what_the_driver_does(engine: Engine) -> None:
    """It would have the server forget all that is prepared when it rolls back, had it prepared anything itself."""
    with engine.connect() as connection:
        for _ in range(3):
            for _ in range(8):
                connection.exec_driver_sql("SELECT 1").all()
                assert ONE.first(connection, {"number": 1}) == 1
            connection.rollback()


def test_what_others_have_prepared_is_not_taken_for_ours(engine: Engine) -> None:
    """A pooler may give a server to one process after the other, each of which counts its statements for itself."""
    with engine.connect() as connection:
        names = [Prepared(text(sql)).text(connection).told.name for sql in ("SELECT 1", "SELECT 2", "SELECT 1")]
    assert names[0] == names[2] != names[1]


def test_a_server_that_has_forgotten_is_told_again(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.begin()
        assert ONE.first(connection, {"number": 1}) == 1
        connection.exec_driver_sql("DEALLOCATE ALL")
        with pytest.raises(psycopg.OperationalError):
            ONE.first(connection, {"number": 2})
        connection.rollback()
        connection.begin()
        assert ONE.first(connection, {"number": 3}) == 3


AWKWARD = ["", "a,b", 'a"b', "a\\b", "{a}", "NULL", "ä", "a\tb\nc", "\\N"]


@pytest.mark.parametrize("count", [1, 2, 500])
def test_rows_are_written(engine: Engine, count: int) -> None:
    """By one statement; what is there already is refused in the same way."""
    rows = [{"name": f"{number}{AWKWARD[number % 9]}", "body": bytes([number % 256]) * 99} for number in range(count)]
    with engine.begin() as connection, together(connection):
        insert_rows(connection, PUT, rows)
    with engine.connect() as connection:
        found = [row._asdict() for row in connection.execute(SECRET.select())]
        assert sorted(found, key=str) == sorted(rows, key=str)
        with pytest.raises(psycopg.errors.UniqueViolation), together(connection):
            insert_rows(connection, PUT, rows)
        connection.rollback()
        with pytest.raises(psycopg.DataError):
            insert_rows(connection, PUT, [{"name": "a\0b", "body": b""}] * 2)


def test_values_of_every_type_go_in_arrays(connection: Connection) -> None:
    columns: dict[str, list[object]] = {
        "text": ["a", None, 'b"\\', ""],
        "number": [1, -(2**63), None, 2**63 - 1],
        "bytes": [b"", None, bytes(range(256)), b"{}"],
        "truth": [True, False, None, True],
    }
    echo = Prepared(
        text(
            "SELECT * FROM unnest(CAST(:text AS TEXT[]), CAST(:number AS BIGINT[]), CAST(:bytes AS BYTEA[]),"
            " CAST(:truth AS BOOL[]))"
        )
    )
    assert echo.rows(connection, columns) == [*zip(*columns.values(), strict=True)]
    assert echo.rows(connection, {name: [] for name in columns}) == []


def test_what_is_posted_is_heard_with_what_follows(engine: Engine) -> None:
    """In its order, whatever asks next; and what the server refuses is raised there, once."""
    row = {"name": "a", "body": b""}
    with engine.connect() as connection:
        connection.begin()
        with post(connection):
            ONE.run(connection, {"number": 1})
        with post(connection):
            insert_rows(connection, PUT, [row])
        assert COUNT.first(connection, {}) == 1
        with post(connection):
            insert_rows(connection, PUT, [row | {"name": "b"}, row | {"name": "c"}])
        hear(connection)
        assert connection.exec_driver_sql("SELECT count(*) FROM secret").scalar() == 3
        with post(connection):
            insert_rows(connection, PUT, [row])
        with pytest.raises(psycopg.errors.UniqueViolation):
            ONE.first(connection, {"number": 1})
        hear(connection)
        assert not is_going_on(connection)
        connection.rollback()
        connection.begin()
        assert COUNT.first(connection, {}) == 0
        with post(connection):
            WRONG.run(connection, {})
        assert not is_going_on(connection), "who asks has heard it"
        connection.rollback()
        connection.begin()
        assert ONE.first(connection, {"number": 7}) == 7


def test_more_than_a_socket_holds_is_posted(engine: Engine) -> None:
    """Neither end waits for the other: what does not go is sent when it is heard."""
    rows = [{"name": str(number), "body": bytes(50_000)} for number in range(100)]
    with engine.connect() as connection:
        connection.begin()
        with post(connection):
            insert_rows(connection, PUT, rows)
        assert COUNT.first(connection, {}) == 100
        connection.rollback()


def fail_early(store: Store, network: Network, ahead: Ahead) -> None:
    with store.read() as reader:
        reader.look_ahead(Network, network.id, ahead)
        raise KeyError


def test_what_will_be_asked_is_answered_with_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one way there and back instead of three; whatever was foreseen, nobody is told what was so before."""
    packets: list[int] = []
    send = Line.sync

    def sync(line: Line) -> None:
        packets.extend([len(line._queue)] if line._queue else [])
        send(line)

    monkeypatch.setattr(Line, "sync", sync)
    store = open_store(postgresql(tmp_path))
    network = new_network(1)
    with store.write("test") as transaction:
        transaction.add(network)
    ahead = Ahead(("port_status",), ((Subnet, "network_id"),))

    def look(states: str, subnets: int) -> None:
        packets.clear()
        with store.read() as reader:
            reader.look_ahead(Network, network.id, ahead)
            assert reader.get(Network, network.id) is not None
            assert [report.body for report in reader.reports("port_status", [network.id]).values()] == [*states]
            assert len(reader.group(Subnet, "network_id", [network.id])[network.id]) == subnets
            assert packets == [3]
            assert reader.get(Network, network.id) is not None, "what was answered is asked anew"

    look("", 0)
    with store.read() as reader:
        reader.look_ahead(Network, network.id, ahead)  # and nothing of it is asked
    with pytest.raises(KeyError):
        fail_early(store, network, ahead)
    store.report("port_status", {network.id: "A"})
    with store.write("test") as transaction:
        transaction.add(new_subnet(network))
    look("A", 1)
    store.close()


def test_whoever_waits_for_the_database_lets_others_go_on(connection: Connection) -> None:
    ticks: list[float] = []
    waiting = Thread(target=lambda: [SLEEP.run(connection, {}) for _ in range(2)])
    waiting.start()
    while waiting.is_alive():
        ticks.append(time.monotonic())
        time.sleep(0.01)
    waiting.join()
    assert len(ticks) > 15


def test_a_connection_that_is_cut_is_an_outage(engine: Engine) -> None:
    with engine.connect() as connection, engine.connect() as other:
        ONE.first(connection, {"number": 1})
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        other.exec_driver_sql(f"SELECT pg_terminate_backend({pid})")
        for statement, values in ((ONE, {"number": 1}), (SLEEP, {})):
            with pytest.raises(psycopg.OperationalError):
                statement.run(connection, values)
        connection.invalidate()
