"""SQLite's log is copied into its file beside those who write: it is bounded, nothing is lost, nobody is held up."""

import logging
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from time import monotonic, sleep

import pytest

from netplane.model import Network
from netplane.store import Store, checkpoints
from tests.contract.stores import new_network

PAGE = 4096 + 24
"""Bytes of a page in the log."""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(checkpoints, "ROWS", 200)
    monkeypatch.setattr(checkpoints, "CEILING", 1000)
    return tmp_path / "a.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    opened = Store.open(str(path))
    yield opened
    opened.close()


def add(store: Store, first: int, count: int) -> None:
    """Networks by their numbers, in one transaction."""
    with store.write("test") as transaction:
        for vni in range(first, first + count):
            transaction.add(new_network(vni))


def vnis(store: Store) -> set[int]:
    with store.read() as reader:
        return {network.vni for network in reader.list(Network)}


def kept(path: Path) -> int:
    """Changes that the file has without its log."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM change").fetchone()[0])


def log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def eventually(holds: Callable[[], bool]) -> None:
    deadline = monotonic() + 10
    while not holds():
        assert monotonic() < deadline
        sleep(0.01)


def is_copied(path: Path, changes: int) -> bool:
    try:
        return kept(path) >= changes
    except sqlite3.DatabaseError:  # it is being written, and whoever takes it for immutable sees halves
        return False


def test_what_is_written_comes_into_the_file(store: Store, path: Path) -> None:
    assert not is_copied(path, 100)
    add(store, 1, 100)
    eventually(lambda: is_copied(path, 100))
    assert vnis(store) == set(range(1, 101))


def test_little_stays_in_the_log_until_it_is_closed(store: Store, path: Path) -> None:
    add(store, 1, 5)
    sleep(0.1)
    assert not is_copied(path, 5)
    store.close()
    assert (kept(path), log_of(path).exists()) == (5, False)


def test_the_log_is_bounded_while_somebody_always_writes_and_reads(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "LARGE", 300)
    written = 0
    for first in range(1, 3000, 10):
        add(store, first, 10)
        with store.read() as reader:
            assert reader.get(Network, "nobody's") is None
        written = first + 9
    assert log_of(path).stat().st_size < 3000 * PAGE
    assert vnis(store) == set(range(1, written + 1))


def test_who_reads_an_old_state_keeps_it_and_holds_nobody_up(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "LARGE", 100)
    add(store, 1, 10)
    with store.read() as reader:
        assert len(reader.list(Network)) == 10
        for first in range(11, 1011, 100):
            add(store, first, 100)
        assert len(reader.list(Network)) == 10
    grown = log_of(path).stat().st_size
    for first in range(1011, 2011, 100):
        add(store, first, 100)
        sleep(0.02)  # whoever copies is to be in time
    assert log_of(path).stat().st_size <= grown + 1000 * PAGE
    assert vnis(store) == set(range(1, 2011))


def test_several_stores_on_one_file_copy_for_each_other(store: Store, path: Path) -> None:
    other = Store.open(str(path))
    for first in range(1, 401, 20):
        add(store, first, 10)
        add(other, first + 10, 10)
    assert vnis(store) == vnis(other) == set(range(1, 401))
    other.close()
    eventually(lambda: is_copied(path, 100))


def test_closing_waits_for_what_is_copied(path: Path) -> None:
    for first in range(1, 301, 100):
        store = Store.open(str(path))
        add(store, first, 100)  # one begins at its end
        store.close()
        assert (kept(path), log_of(path).exists()) == (first + 99, False)


def test_a_file_that_is_gone_is_not_made_again(store: Store, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.unlink()
    with caplog.at_level(logging.WARNING):
        add(store, 1, 100)
        eventually(lambda: "cannot be copied" in caplog.text)
        add(store, 101, 100)
    sleep(0.05)
    assert not path.exists()
    assert caplog.text.count("cannot be copied") == 1, "it is said once"


WRITER = """
import sys
from netplane.store import Store, checkpoints
from tests.contract.test_checkpoints import add
checkpoints.ROWS = 100
store = Store.open(sys.argv[1])
first = int(sys.argv[2])
while True:
    add(store, first, 20)
    first += 20
    print(first, flush=True)
"""


def test_nothing_acknowledged_is_lost_when_it_is_killed_while_it_copies(path: Path) -> None:
    acknowledged = 1
    for pause in (0.05, 0.2):
        command = (sys.executable, "-c", WRITER, str(path), str(acknowledged))
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            acknowledged = int(process.stdout.readline())
            sleep(pause)
            process.send_signal(signal.SIGKILL)
            acknowledged = max([acknowledged, *map(int, process.stdout.read().split())])
        store = Store.open(str(path))
        found = vnis(store)
        store.close()
        assert found >= set(range(1, acknowledged))
        assert len(found) in {acknowledged - 1, acknowledged + 19}, "all of a transaction, or nothing"
        acknowledged = len(found) + 1
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


FULL = """
import sys, resource, signal
from netplane.store import Store, Unavailable, checkpoints
from tests.contract.test_checkpoints import add, vnis
checkpoints.ROWS = 200
store = Store.open(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), hard))
added = 0
try:
    while True:
        add(store, added + 1, 50)
        added += 50
except Unavailable as problem:
    print(problem)
assert len(vnis(store)) == added, "it is still read"
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
add(store, added + 1, 200)
store.close()
print(added + 200)
"""


def test_a_full_disk_refuses_and_loses_nothing(path: Path) -> None:
    command = (sys.executable, "-c", FULL, str(path), "500000")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    store = Store.open(str(path))
    assert vnis(store) == set(range(1, int(done.stdout.split()[-1]) + 1))
    store.close()


def test_a_child_that_was_forked_off_harms_nobody(store: Store, path: Path) -> None:
    add(store, 1, 100)
    child = os.fork()
    if child == 0:
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    add(store, 101, 100)
    assert vnis(store) == set(range(1, 201))
    eventually(lambda: is_copied(path, 200))
