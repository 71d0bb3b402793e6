"""Several controllers' stores on one PostgreSQL, and one that goes away."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from netplane.lab.controller import free_port
from netplane.model import Change, Network
from netplane.store import Conflict, Store, Transaction, Unavailable
from netplane.store.listening import CHANNEL
from tests import postgres
from tests.contract.stores import new_network, open_store, postgresql
from tests.cutting import Cut, Wire

PROCESSES, COMMITS = 16, 5


@pytest.fixture
def database(tmp_path: Path) -> str:
    return postgresql(tmp_path)


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    opened = open_store(database)
    yield opened
    opened.close()


@pytest.fixture
def other(database: str) -> Iterator[Store]:
    opened = open_store(database)
    yield opened
    opened.close()


def name_of(database: str) -> str:
    return database.partition("?")[0].rpartition("/")[2]


def cut(database: str) -> None:
    """End all connections to it, from the server's side."""
    with psycopg.connect(postgres.cluster().driver_url("postgres"), autocommit=True) as connection:
        end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s"
        connection.execute(end, [name_of(database)])


def test_no_reader_of_the_feed_skips_a_change(database: str, store: Store, other: Store) -> None:
    """While 16 processes write, whoever reads on from what it has read gets every revision, once, in order."""
    argv = [sys.executable, "-m", "tests.contract.writing", database, str(PROCESSES), str(COMMITS)]
    seen: dict[Store, list[Change]] = {store: [], other: []}
    looks = 0
    with subprocess.Popen(argv) as writers:
        while (has_ended := writers.poll()) is None or looks == 0:
            looks += _read_on(seen)
            time.sleep(0.001)
        assert has_ended == 0
    _read_on(seen)
    revision = store.revision
    assert revision >= PROCESSES * COMMITS
    assert looks > 20, "the readers must have read meanwhile"
    for changes in seen.values():
        assert [change.revision for change in changes] == list(range(1, revision + 1))
        vnis = [change.record.vni for change in changes if isinstance(change.record, Network)]
        assert len(set(vnis)) == revision, "what one writer has taken no other takes"


def _read_on(seen: dict[Store, list[Change]]) -> int:
    news = 0
    for reader, changes in seen.items():
        found = reader.changes(changes[-1].revision if changes else 0, limit=7)
        changes += found
        news += bool(found)
        while found and len(found) == 7:
            found = reader.changes(changes[-1].revision, limit=7)
            changes += found
    return news


def test_one_hears_what_another_commits(store: Store, other: Store) -> None:
    heard: list[int] = []
    stop = other.subscribe(heard.append)
    before = time.monotonic()
    with store.write("one") as transaction:
        transaction.add(new_network())
    assert other.wait(0, 5) == 1
    assert time.monotonic() - before < 1
    _until(lambda: heard == [1])
    stop()


@pytest.mark.parametrize("said", ["", "now", "9" * 5000])
def test_what_is_no_revision_deafens_nobody(database: str, store: Store, other: Store, said: str) -> None:
    """Whoever may connect to the database may say anything where commits are told of."""
    _tell(store, other)  # it listens
    with psycopg.connect(postgres.cluster().driver_url(name_of(database)), autocommit=True) as stranger:
        stranger.execute("SELECT pg_notify(%s, %s)", (CHANNEL, said))
    _tell(store, other)


def test_who_only_listens_hears_of_a_server_that_has_lost_changes(
    database: str, store: Store, other: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """And of what comes instead of them."""
    for _ in range(3):
        _tell(store, other)
    time.sleep(1.1)  # it has looked since
    heard: list[int] = []
    other.subscribe(heard.append)
    with psycopg.connect(postgres.cluster().driver_url(name_of(database)), autocommit=True) as server:
        server.execute("DELETE FROM change WHERE revision > 1")
        server.execute("UPDATE log SET revision = 1")
    _until(lambda: "has lost changes" in caplog.text)
    with store.write("test") as transaction:
        transaction.add(new_network(100))
    _until(lambda: heard[-1:] == [2])


def test_a_claim_of_another_is_a_conflict(store: Store, other: Store) -> None:
    first = new_network(7)
    with store.write("one") as transaction:
        transaction.add(first)
    with pytest.raises(Conflict) as caught, other.write("two") as transaction:
        transaction.add(new_network(7))
    assert caught.value.owner == first.id


def test_a_report_that_comes_late_does_not_count(store: Store, other: Store) -> None:
    network = new_network()
    with store.write("one") as transaction:
        transaction.add(network)
    store.report("port_status", {network.id: "ACTIVE"}, rank=5)
    other.report("port_status", {network.id: "DOWN"}, rank=4)
    assert store.reports("port_status")[network.id].body == "ACTIVE"
    other.report("port_status", {network.id: "DOWN"}, rank=5)
    assert store.reports("port_status")[network.id].body == "DOWN"


def test_it_goes_on_after_its_connections_were_cut(database: str, store: Store) -> None:
    with store.write("one") as transaction:
        transaction.add(new_network(1))
    cut(database)
    outages = 0
    while True:
        try:
            with store.write("one") as transaction:
                transaction.add(new_network(2))
            break
        except Unavailable:
            outages += 1
            assert outages < 5
    assert store.revision == 2
    # Its ear is back too.
    again = open_store(database)
    with again.write("two") as transaction:
        transaction.add(new_network(3))
    again.close()
    assert store.wait(2, 5) == 3


@pytest.mark.parametrize("is_written", [False, True])
def test_whoever_asks_when_it_is_cut_is_told(database: str, store: Store, is_written: bool) -> None:
    """Also where Core asks, which knows then that the connection is gone."""

    def ask() -> None:
        with store.write("one") if is_written else store.read() as asking:
            reader = asking.reader if isinstance(asking, Transaction) else asking
            assert reader.revision == 0
            cut(database)
            reader.reports("seen")

    with pytest.raises(Unavailable):
        ask()


def test_it_cannot_be_opened_when_nobody_listens() -> None:
    with pytest.raises(Unavailable):
        Store.open(postgres.cluster().tcp_url("n1", free_port()))


@pytest.mark.parametrize("cut", [Cut.BEFORE, Cut.AFTER])
def test_a_commit_whose_end_is_not_heard_is_found_out(database: str, cut: Cut) -> None:
    """Acknowledged is what is there, refused what is not, whenever the wire breaks."""
    wire = Wire(postgres.cluster().port)
    store = Store.open(postgres.cluster().tcp_url(name_of(database), wire.port))
    with store.write("one") as transaction:
        transaction.add(new_network(1))
    wire.cut = cut
    is_acknowledged = True
    try:
        with store.write("one") as transaction:
            transaction.add(new_network(2))
    except Unavailable:
        is_acknowledged = False
    assert is_acknowledged == (cut is Cut.AFTER)
    assert wire.cut is Cut.NEVER, "it was cut"
    assert store.revision == (2 if is_acknowledged else 1)
    with store.write("one") as transaction:
        transaction.add(new_network(3))
    assert [change.revision for change in store.changes(0)] == list(range(1, store.revision + 1))
    store.close()
    wire.close()


def _until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _tell(store: Store, other: Store) -> None:
    """Commit, and wait until the other has heard of it."""
    with store.write("test") as transaction:
        transaction.add(new_network(store.heard + 1))
    _until(lambda: other.heard == store.heard)
