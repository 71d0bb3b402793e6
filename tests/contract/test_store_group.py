"""Transactions that share a commit: each is refused alone, and all are kept together or none."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Thread
from time import monotonic

import psycopg
import pytest
from msgspec.structs import replace
from sqlalchemy import text
from starlette.responses import Response

from netplane.api.worker import Worker
from netplane.model import Network, Port, Record
from netplane.store import Broken, Conflict, Missing, Store, Transaction, Unavailable
from netplane.store.prepared import Prepared
from netplane.store.transaction import SOME
from tests import postgres
from tests.contract.stores import DATABASES, new_network, new_port, new_subnet, open_store, postgresql
from tests.contract.test_store_shared import name_of
from tests.cutting import Cut, Wire

WRONG = Prepared(text("SELECT x FROM nowhere"))


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return DATABASES[request.param](tmp_path)


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    opened = open_store(database)
    yield opened
    opened.close()


def vnis(store: Store) -> list[int]:
    """The networks that there are, by number."""
    with store.read() as reader:
        return sorted(network.vni for network in reader.list(Network))


def add_all(store: Store, *records: Record) -> None:
    with store.write("test") as transaction:
        for record in records:
            transaction.add(record)


def remove(store: Store, record: Record) -> None:
    with store.write("test") as transaction:
        transaction.delete(record)


def add(store: Store, vni: int) -> None:
    add_all(store, new_network(vni))


def fail(store: Store, vni: int, *, is_sent: bool = True) -> None:
    """A transaction that raises when it has written."""

    def work() -> None:
        with store.write("test") as transaction:
            transaction.add(new_network(vni))
            if is_sent:
                transaction.flush()
            raise KeyError

    with pytest.raises(KeyError):
        work()


def check_kept(store: Store, expected: list[int]) -> None:
    """These networks are there, and the log and the numbers tell of them and of nothing else."""
    assert vnis(store) == expected
    changes = store.changes(0)
    assert [change.revision for change in changes] == list(range(1, store.revision + 1))
    assert sorted(change.record.vni for change in changes if isinstance(change.record, Network)) == expected
    assert [entry.change for entry in store.fresh(0, 100)] == changes
    with store.read() as reader:
        assert reader.used("blue").get("network", 0) == len(expected)


def test_it_is_kept_at_its_end(store: Store) -> None:
    heard: list[int] = []
    store.subscribe(heard.append)
    seen: list[list[int]] = []
    with store.group():
        add(store, 1)
        add(store, 2)
        other = Thread(target=lambda: seen.append(vnis(store)))
        other.start()
        other.join()
        assert vnis(store) == [1, 2], "whoever has written it sees it"
        assert (seen, heard) == ([[]], [])
    check_kept(store, [1, 2])
    assert heard == [2]


@pytest.mark.parametrize("is_sent", [False, True])
@pytest.mark.parametrize("place", range(4))
def test_what_is_refused_leaves_nothing(store: Store, place: int, is_sent: bool) -> None:
    """Wherever it stands among others."""
    with store.group():
        for number in range(4):
            if number == place:
                fail(store, number + 1, is_sent=is_sent)
            else:
                add(store, number + 1)
    check_kept(store, [number + 1 for number in range(4) if number != place])


def test_a_group_of_which_nothing_is_left(store: Store) -> None:
    with store.group():
        fail(store, 1)
        fail(store, 2, is_sent=False)
    with store.group():
        pass
    check_kept(store, [])


def test_a_conflict_is_its_own_alone(store: Store) -> None:
    """Also one that only the database finds, and one with what the same group has made."""
    first = new_network(1)
    with store.group():
        add_all(store, first)
        for clash in (new_network(1), replace(first, vni=9)):
            with pytest.raises(Conflict) as caught:
                add_all(store, new_network(7), clash)
            assert first.id in (caught.value.owner, caught.value.value)
        add(store, 7)
        with pytest.raises(Missing):
            add_all(store, new_port(new_network(3), "fa:16:3e:00:00:01"))
    check_kept(store, [1, 7])


def test_each_sees_those_before_it(store: Store) -> None:
    network = new_network()
    subnet = new_subnet(network)
    with store.group():
        add(store, 5)
        with store.write("one") as transaction:
            transaction.add(network)
            transaction.add(subnet)
        for number in range(3):
            with store.write("two") as transaction:
                address = transaction.allocate("x", 2, 200, str)
                assert transaction.get(Network, network.id) is not None
                assert len(transaction.find(Port, "network_id", network.id)) == number
                assert transaction.used(Port, "blue") == number
                port = new_port(network, f"fa:16:3e:00:00:{number:02x}", (subnet, f"10.0.0.{address}"))
                transaction.add(port)
            assert transaction.revision == 4 + number
    assert store.revision == 6
    assert [entry.actor for entry in store.journal(0)] == ["test", "one", "one", "two", "two", "two"]


def test_a_group_that_breaks_keeps_nothing(store: Store) -> None:
    """As when the database has given the whole transaction up."""

    def ruin() -> None:
        with store.write("test") as transaction:
            _break(transaction)

    def work() -> None:
        with store.group() as group:
            add(store, 1)
            with pytest.raises(Exception, match="nowhere"):
                ruin()
            assert group.is_broken
            add(store, 2)

    with pytest.raises(Broken):
        work()
    check_kept(store, [])
    add(store, 3)
    check_kept(store, [3])


def _break(transaction: Transaction) -> None:
    """What PostgreSQL gives a transaction up for; SQLite does so when its disk is full."""
    connection = transaction._connection
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("ROLLBACK")
    WRONG.run(connection, {})


def test_whoever_shares_with_what_breaks_is_done_again(store: Store) -> None:
    """Each job of the batch by itself: one that breaks it harms nobody."""

    def write(vni: int) -> Response:
        add(store, vni)
        return Response(str(vni))

    def ruin() -> Response:
        with store.write("test") as transaction:
            transaction.add(new_network(9))
            _break(transaction)
        return Response()

    async def scenario() -> None:
        worker = Worker("test", grouping=store.group)
        works: list[Callable[[], Response]] = [partial(write, 1), partial(write, 2), ruin, partial(write, 3)]
        answers = await asyncio.gather(*(worker.run(work) for work in works), return_exceptions=True)
        assert [isinstance(answer, Response) for answer in answers] == [True, True, False, True]

    asyncio.run(scenario())
    check_kept(store, [1, 2, 3])


@pytest.mark.parametrize("cut", [Cut.BEFORE, Cut.AFTER])
def test_a_commit_that_fails_answers_all(tmp_path: Path, cut: Cut) -> None:
    """Nobody is acknowledged of whom nothing is kept, nor refused of whom something is."""
    database = postgresql(tmp_path)
    wire = Wire(postgres.cluster().port)
    store = Store.open(postgres.cluster().tcp_url(name_of(database), wire.port))

    def write(vni: int) -> Response:
        add(store, vni)
        wire.cut = cut
        return Response()

    async def scenario() -> list[Response | BaseException]:
        worker = Worker("test", grouping=store.group)
        return await asyncio.gather(*(worker.run(partial(write, vni)) for vni in range(1, 4)), return_exceptions=True)

    answers = asyncio.run(scenario())
    if cut is Cut.AFTER:
        assert all(isinstance(answer, Response) for answer in answers)
        check_kept(store, [1, 2, 3])
    else:
        assert all(isinstance(answer, Unavailable) for answer in answers)
        check_kept(store, [])
    store.close()
    wire.close()


FULL = """
CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the disk is full' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER fill BEFORE UPDATE ON log FOR EACH ROW EXECUTE FUNCTION fill()
"""
"""The log cannot be moved on any more."""


def test_a_commit_that_is_refused_locks_nobody_out(tmp_path: Path) -> None:
    """Its end is known at once, although it was refused behind a savepoint, which leaves its locks as they were."""
    database = postgresql(tmp_path)
    store = open_store(database)

    def work() -> None:
        with store.group():
            add(store, 1)
            add(store, 2)

    with psycopg.connect(postgres.cluster().driver_url(name_of(database)), autocommit=True) as connection:
        connection.execute(FULL)
        try:
            begun = monotonic()
            with pytest.raises(Unavailable, match="full"):
                work()
            assert monotonic() - begun < 10, "the server ends what waits idly after 30 s"
        finally:
            connection.execute("DROP TRIGGER fill ON log; DROP FUNCTION fill")
    check_kept(store, [])
    work()
    check_kept(store, [1, 2])
    store.close()


def test_a_database_that_is_gone_is_told_to_each(tmp_path: Path) -> None:
    """Nobody of the group waits for ever for those before him."""
    database = postgresql(tmp_path)
    wire = Wire(postgres.cluster().port)
    store = Store.open(postgres.cluster().tcp_url(name_of(database), wire.port))
    add(store, 1)
    wire.close()
    with psycopg.connect(postgres.cluster().driver_url("postgres"), autocommit=True) as connection:
        end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s"
        connection.execute(end, [name_of(database)])
    with store.group():
        for vni in (2, 3, 4):
            with pytest.raises(Unavailable):
                add(store, vni)
    store.close()
    again = open_store(database)
    assert vnis(again) == [1]
    again.close()


def test_what_is_known_follows_what_others_write(tmp_path: Path) -> None:
    """Whatever one controller has looked up, it never goes by it when another has changed it."""
    database = postgresql(tmp_path)
    stores = [open_store(database) for _ in range(2)]
    network = new_network(1)
    subnet = new_subnet(network)
    with stores[0].write("0") as transaction:
        transaction.add(network)
        transaction.add(subnet)
    seen = []
    for turn in range(12):
        with stores[turn % 2].write(str(turn)) as transaction:
            before = transaction.get(Network, network.id)
            assert before is not None
            number = transaction.allocate("address", 1, 100)
            seen.append((before.name, len(transaction.find(Port, "network_id", network.id)), number))
            address = f"{0x0A00000A + turn - 1:08x}"
            assert bool(transaction.holder(f"address:{subnet.id}", address)) == (turn > 0)
            port = new_port(network, f"fa:16:3e:00:00:{turn:02x}", (subnet, f"10.0.0.{10 + turn}"))
            transaction.add(port)
            transaction.put(replace(before, name=f"n{turn}"))
    assert [name for name, _, _ in seen] == ["", *(f"n{turn}" for turn in range(11))]
    assert [count for _, count, _ in seen] == list(range(12))
    for store in stores:
        store.close()


def test_groups_of_several_controllers_take_turns(tmp_path: Path) -> None:
    """What one gives no other gives, and their changes are one log, each group's in a row."""
    database = postgresql(tmp_path)
    stores = [open_store(database) for _ in range(3)]

    def work(store: Store, actor: str) -> None:
        for _ in range(8):
            with store.group():
                for number in range(4):
                    with suppress(KeyError), store.write(actor) as transaction:
                        transaction.add(new_network(transaction.allocate("vni", 1, 10_000)))
                        if number == 2:
                            transaction.flush()
                            raise KeyError

    threads = [Thread(target=work, args=(store, f"w{index}")) for index, store in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    entries = stores[0].journal(0)
    assert [entry.change.revision for entry in entries] == list(range(1, 3 * 8 * 3 + 1))
    assert len(set(vnis(stores[0]))) == len(entries)
    actors = [entry.actor for entry in entries]
    assert all(len(set(actors[start : start + 3])) == 1 for start in range(0, len(actors), 3))
    for store in stores:
        store.close()


SENT_AHEAD = 3 * SOME + 7


@pytest.mark.parametrize("taken", [5, SENT_AHEAD - 1])
def test_of_many_that_are_sent_ahead_none_is_kept_if_one_is_refused(store: Store, taken: int) -> None:
    """Whichever it is, whoever makes them hears why, and what came before in the group stays."""
    holder = new_network(taken)
    add_all(store, holder)

    def make() -> None:
        with store.write("test") as transaction:
            for vni in range(1, SENT_AHEAD + 1):
                transaction.add(new_network(vni))
                transaction.send_some()

    with store.group():
        add(store, 10_000)
        with pytest.raises(Conflict) as refused:
            make()
        assert (refused.value.value, refused.value.owner) == (str(taken), holder.id)
        add(store, 10_001)
    assert vnis(store) == [taken, 10_000, 10_001]
    remove(store, holder)
    make()
    assert vnis(store) == [*range(1, SENT_AHEAD + 1), 10_000, 10_001]
    with store.read() as reader:
        assert reader.used("blue")["network"] == SENT_AHEAD + 2
        assert reader.revision == len(store.changes(0)), "no revision is left out"


def test_what_is_sent_ahead_may_be_changed_again(store: Store) -> None:
    """By as many statements as it takes; each is looked up by its writer as he has written it."""
    with store.write("test") as transaction:
        made = [transaction.add(new_network(vni)) for vni in range(1, SENT_AHEAD + 1)]
        transaction.send_some()
        changed = [transaction.put(replace(network, name="again", vni=network.vni + 10_000)) for network in made]
        transaction.send_some()
        for network in changed[::2]:
            transaction.delete(network)
        transaction.send_some()
        assert transaction.used(Network, "blue") == SENT_AHEAD // 2
    with store.read() as reader:
        assert {network.id: network for network in reader.list(Network)} == {each.id: each for each in changed[1::2]}


def test_who_fails_with_something_sent_ahead_leaves_nothing(store: Store) -> None:
    def work() -> None:
        with store.write("test") as transaction:
            for vni in range(1, SOME + 1):
                transaction.add(new_network(vni))
            transaction.send_some()
            raise KeyError

    for _ in range(2):
        with pytest.raises(KeyError):
            work()
    with store.group():
        add(store, 10_000)
        with pytest.raises(KeyError):
            work()
    assert vnis(store) == [10_000]
