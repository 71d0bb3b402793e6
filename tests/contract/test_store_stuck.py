"""A PostgreSQL that answers late, never, or as another: nobody waits for it for ever, and it is served from again."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import QueuePool

from netplane.store import Store, Unavailable, libpq
from tests import postgres
from tests.contract.stores import new_network, open_store, postgresql
from tests.contract.test_store_shared import name_of


@pytest.fixture
def database(tmp_path: Path) -> str:
    return postgresql(tmp_path)


@pytest.fixture
def stranger(database: str) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    """Somebody else's connection to it, in a transaction."""
    with psycopg.connect(postgres.cluster().driver_url(name_of(database))) as connection:
        yield connection


def process_of(database: str) -> int:
    """The server's process for the one who has the log's lock."""
    with psycopg.connect(postgres.cluster().driver_url(name_of(database))) as server:
        found = server.execute(
            "SELECT pid FROM pg_locks WHERE relation = 'log'::regclass AND mode = 'RowShareLock'"
        ).fetchall()
    assert len(found) == 1
    return int(found[0][0])


def with_setting(database: str, setting: str) -> Store:
    return open_store(f"{database}&options=-c%20{setting}")


def test_who_waits_for_the_log_gives_up(database: str, stranger: "psycopg.Connection[tuple[object, ...]]") -> None:
    store = with_setting(database, "lock_timeout=300")
    stranger.execute("SELECT revision FROM log FOR UPDATE")
    with pytest.raises(Unavailable, match="lock timeout"), store.write("one") as transaction:
        transaction.add(new_network(1))
    stranger.rollback()
    with store.write("one") as transaction:
        transaction.add(new_network(1))
    assert store.revision == 1
    store.close()


def test_who_has_stopped_in_the_middle_is_told_when_it_goes_on(database: str) -> None:
    """Others had to write meanwhile, so the database has dropped what it began."""
    store = with_setting(database, "idle_in_transaction_session_timeout=200")

    def stop() -> None:
        with store.write("one") as transaction:
            transaction.add(new_network(1))
            time.sleep(0.6)

    with pytest.raises(Unavailable):
        stop()
    with store.write("one") as transaction:
        transaction.add(new_network(2))
    assert store.revision == 1
    store.close()


def test_a_database_that_was_put_in_its_place_is_told_of(database: str, caplog: pytest.LogCaptureFixture) -> None:
    """A backup of another log, however far that is."""
    store = open_store(database)
    with store.write("one") as transaction:
        transaction.add(new_network(1))
    with psycopg.connect(postgres.cluster().driver_url(name_of(database)), autocommit=True) as server:
        server.execute("UPDATE log SET revision = 7, identity = gen_random_uuid()")
    deadline = time.monotonic() + 5
    while "another database" not in caplog.text:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    store.close()


def test_a_server_that_says_nothing_is_an_outage(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its machine answers for it, so no timer of TCP's ends the connection."""
    monkeypatch.setattr(libpq, "PATIENCE", 0.3)
    store = open_store(database)
    with store.write("one") as transaction:
        transaction.add(new_network(1))
        process = process_of(database)
    os.kill(process, signal.SIGSTOP)
    try:
        with pytest.raises(Unavailable, match="not answered"), store.write("one") as transaction:
            transaction.add(new_network(2))
        with store.write("one") as transaction:  # by another connection
            transaction.add(new_network(2))
    finally:
        os.kill(process, signal.SIGCONT)
    assert store.revision == 2
    store.close()


def test_who_listens_waits_until_there_is_a_connection(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that there are may all be in use, by calls that wait for a database that is slow."""
    store, other = open_store(database), open_store(database)
    pool = store._reader.pool
    assert isinstance(pool, QueuePool)
    monkeypatch.setattr(pool, "_timeout", 0.1)
    held = [store._reader.connect() for _ in range(16)]
    with psycopg.connect(postgres.cluster().driver_url("postgres"), autocommit=True) as server:
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = %s AND query LIKE '%%clock_timestamp() FROM log'",
            [name_of(database)],
        )
    time.sleep(1.0)
    for connection in held:
        with suppress(Exception):
            connection.close()
    with other.write("two") as transaction:
        transaction.add(new_network(1))
    assert store.wait(0, 5) == 1
    deadline = time.monotonic() + 5
    while store.heard < 1:
        assert time.monotonic() < deadline, "it does not listen any more"
        time.sleep(0.02)
    for each in (store, other):
        each.close()
