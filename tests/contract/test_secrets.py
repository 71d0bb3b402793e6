"""Secrets of the store: made once, shared, and in no change."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

from netplane.store import Store


def test_the_first_makes_it_and_all_get_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/netplane.db"
    stores = [Store.open(url) for _ in range(4)]
    numbers = count()
    with ThreadPoolExecutor(8) as pool:
        wanted = [stores[index % 4] for index in range(32)]
        found = set(pool.map(lambda store: store.secret("key", lambda: b"secret %d" % next(numbers)), wanted))
    assert len(found) == 1
    assert stores[0].secret("other", lambda: b"other") == b"other"
    assert (stores[0].revision, stores[0].changes(0)) == (0, [])
    for store in stores:
        store.close()
    again = Store.open(url)
    assert {again.secret("key", lambda: b"new")} == found
    again.close()


def test_nobody_else_reads_the_file_that_holds_them(tmp_path: Path) -> None:
    path = tmp_path / "netplane.db"
    store = Store.open(str(path))
    store.secret("key", lambda: b"secret")
    modes = {each.name: each.stat().st_mode & 0o777 for each in tmp_path.iterdir()}
    assert modes == dict.fromkeys(("netplane.db", "netplane.db-wal", "netplane.db-shm"), 0o600)
    store.close()


def test_a_file_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "netplane.db"
    path.touch(mode=0o640)
    Store.open(str(path)).close()
    assert path.stat().st_mode & 0o777 == 0o640
