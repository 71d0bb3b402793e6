"""Backups: of either database into either, whole or not at all."""

import gzip
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from netplane.model import Network
from netplane.store import Store
from netplane.store.backup import NoBackup, back_up, restore
from netplane.store.engine import database_url, open_engine
from tests import postgres
from tests.contract.stores import new_host, new_network, new_port, new_subnet

KINDS = ("sqlite", "postgresql")


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An empty database of each kind."""
    url = postgres.cluster().create()
    yield {"sqlite": f"{tmp_path}/empty.db", "postgresql": url}
    postgres.cluster().drop(url)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A database of each kind with records, a deleted one, a report and a secret."""
    url = postgres.cluster().create()
    databases = {"sqlite": f"{tmp_path_factory.mktemp('full')}/full.db", "postgresql": url}
    for database in databases.values():
        store = Store.open(database)
        network, gone = new_network(1), new_network(2)
        subnet = new_subnet(network)
        port = new_port(network, "fa:16:3e:00:00:01", (subnet, "10.0.0.5"))
        with store.write("ann", "req-1") as transaction:
            for record in (network, gone, subnet, port, new_host()):
                transaction.add(record)
        with store.write("bob") as transaction:
            transaction.delete(gone)
        store.report("port_status", {port.id: "ACTIVE"}, rank=7)
        store.secret("key", lambda: b"\x00secret")
        store.close()
    yield databases
    postgres.cluster().drop(url)


def contents(store: Store) -> list[object]:
    with store.read() as reader:
        records = [reader.list(kind) for kind in (Network,)]
        found = [records, reader.reports("port_status"), reader.revision, reader.claimed("vni")]
    return [*found, store.journal(0), store.secret("key", lambda: b"none")]


def write(database: str, path: Path) -> None:
    engine = open_engine(database_url(database), write=False)
    back_up(engine, path)
    engine.dispose()


def fill(database: str, path: Path, *, replace: bool = False) -> None:
    engine = open_engine(database_url(database), write=True)
    try:
        restore(engine, path, replace=replace)
    finally:
        engine.dispose()


@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("source", KINDS)
def test_what_is_restored_is_what_was_backed_up(
    full: dict[str, str], empty: dict[str, str], tmp_path: Path, source: str, target: str
) -> None:
    path = tmp_path / "backup"
    write(full[source], path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["backup"]
    fill(empty[target], path)
    before, after = Store.open(full[source]), Store.open(empty[target])
    assert contents(after) == contents(before)
    assert after.log != before.log, "agents must take their slices anew"
    revision = before.revision
    with after.write("eve") as transaction:
        transaction.add(new_network(2))
    assert after.revision == revision + 1
    before.close()
    after.close()


def test_a_database_with_anything_in_it_is_not_written_over(full: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "backup"
    for source, target in (KINDS, KINDS[::-1]):
        write(full[source], path)
        store = Store.open(full[target])
        before = contents(store), store.log
        store.close()
        with pytest.raises(NoBackup, match="--replace"):
            fill(full[target], path)
        store = Store.open(full[target])
        assert (contents(store), store.log) == before
        store.close()


def test_what_is_in_it_is_replaced_if_one_says_so(empty: dict[str, str], full: dict[str, str], tmp_path: Path) -> None:
    store = Store.open(empty["postgresql"])
    with store.write("eve") as transaction:
        transaction.add(new_network(77))
    store.close()
    write(full["sqlite"], tmp_path / "backup")
    fill(empty["postgresql"], tmp_path / "backup", replace=True)
    before, after = Store.open(full["sqlite"]), Store.open(empty["postgresql"])
    assert contents(after) == contents(before)
    before.close()
    after.close()


@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("kind", ["nonsense", "empty", "cut", "packed nonsense", "without its end"])
def test_a_file_that_is_no_whole_backup_changes_nothing(
    full: dict[str, str], empty: dict[str, str], tmp_path: Path, kind: str, target: str
) -> None:
    path = tmp_path / "backup"
    write(full["sqlite"], path)
    whole = path.read_bytes()
    broken = {
        "nonsense": b"nonsense",
        "empty": b"",
        "cut": whole[: len(whole) // 2],
        "packed nonsense": gzip.compress(b"\x00\x00\x00\x03abc"),
        "without its end": gzip.compress(gzip.decompress(whole)[:-10]),
    }
    path.write_bytes(broken[kind])
    with pytest.raises(NoBackup):
        fill(empty[target], path)
    store = Store.open(empty[target])
    assert (store.revision, store.changes(0)) == (0, [])
    store.close()


def test_the_command_line(full: dict[str, str], empty: dict[str, str], tmp_path: Path) -> None:
    def run(*words: str) -> tuple[int, str]:
        done = subprocess.run([sys.executable, "-m", "netplane.cli", *words], capture_output=True, text=True)
        return done.returncode, (done.stdout + done.stderr).strip()

    path = str(tmp_path / "backup")
    assert run("backup", path, "--database", full["sqlite"]) == (0, f"{path}: revision 6")
    status, said = run("restore", path, "--database", empty["postgresql"])
    assert (status, said[:19]) == (0, "restored revision 6")
    status, said = run("restore", path, "--database", empty["postgresql"])
    assert (status, said) == (1, "Error: the database is not empty; --replace writes over what is in it")
    status, said = run("backup", path, "--database", f"{tmp_path}/none/none.db")
    assert status == 1, said
