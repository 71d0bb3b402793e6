"""What a store remembers between transactions is what the database would say, whoever has changed it meanwhile."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from threading import Thread
from time import monotonic, sleep

import pytest
from msgspec.msgpack import Encoder
from msgspec.structs import replace
from sqlalchemy import create_engine, text

from netplane.interest import Interest
from netplane.model import STORED, Network, Subnet
from netplane.store import Conflict, Exhausted, InUse, Reader, Store, StoreError, Transaction
from netplane.store.engine import database_url
from netplane.store.group import MANY
from netplane.store.known import FEW, LIMIT, Known
from tests.contract.stores import DATABASES, new_network, new_subnet, open_store, postgresql

VNIS = 8
NETWORKS = [new_network(vni) for vni in range(1, 4)]


class Refused(StoreError):
    """A test's own."""


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return DATABASES[request.param](tmp_path)


@pytest.fixture
def stores(database: str) -> Iterator[tuple[Store, Store]]:
    """Two controllers' on one database."""
    opened = open_store(database), open_store(database)
    yield opened
    for store in opened:
        store.close()


def answers(look: Transaction | Reader) -> list[object]:
    records = [look.get(Network, network.id) for network in NETWORKS]
    subnets = [look.find(Subnet, "network_id", network.id) for network in NETWORKS]
    return [records, subnets, [look.holder("vni", str(vni)) for vni in range(1, VNIS)]]


def check(transaction: Transaction) -> None:
    """What is remembered is what is there, and numbers are given that nobody has."""
    remembered = answers(transaction)
    assert remembered == answers(transaction.reader)
    with suppress(Exhausted):
        assert transaction.reader.holder("vni", str(transaction.allocate("vni", 1, VNIS))) is None


def change(transaction: Transaction, random: Random) -> None:
    network = random.choice(NETWORKS)
    known = transaction.get(Network, network.id)
    subnets = transaction.find(Subnet, "network_id", network.id)
    match random.randrange(4), known, subnets:
        case 0, None, _:
            transaction.add(replace(network, vni=transaction.allocate("vni", 1, VNIS)))
        case ((0 | 1), Network(), _):
            transaction.put(replace(known, vni=random.randrange(1, VNIS), name=str(random.random())))
        case 2, Network(), _:
            transaction.add(new_subnet(known))
        case 3, _, [subnet, *_]:
            transaction.delete(subnet)
        case 3, Network(), []:
            transaction.delete(known)


def work(store: Store, random: Random) -> None:
    with suppress(Conflict, Exhausted, InUse, Refused), store.write("test") as transaction:
        check(transaction)
        change(transaction, random)
        check(transaction)
        if random.random() < 0.3:
            raise Refused


@pytest.mark.parametrize("seed", range(3))
def test_it_is_what_the_database_says(stores: tuple[Store, Store], seed: int) -> None:
    random = Random(seed)
    for _ in range(60):
        store = random.choice(stores)
        with suppress(Refused), store.group():
            for _ in range(random.randrange(1, 4)):
                work(store, random)
            if random.random() < 0.2:
                raise Refused


def test_much_that_others_have_changed(stores: tuple[Store, Store]) -> None:
    mine, other = stores
    network = new_network()
    with mine.write("test") as transaction:
        transaction.add(network)
    with mine.write("test") as transaction:
        assert transaction.get(Network, network.id)
    for number in range(MANY + 1):
        with other.write("test") as transaction:
            known = transaction.get(Network, network.id)
            assert known is not None
            transaction.put(replace(known, name=str(number)))
    with mine.write("test") as transaction:
        known = transaction.get(Network, network.id)
        assert known is not None
        assert known.name == str(MANY)


def test_a_found_record_is_not_asked_for_again(stores: tuple[Store, Store]) -> None:
    store, _ = stores
    network = new_network()
    with store.write("test") as transaction:
        transaction.add(network)
    with store.write("test") as transaction:
        found = transaction.get(Network, network.id)
    with store.write("test") as transaction:
        assert transaction.get(Network, network.id) is found


def test_it_is_bounded() -> None:
    known = Known()
    for number in range(LIMIT):
        known.note(("network", str(number)), None)
    known.note(("network", "more"), None)
    assert len(known.records) == 1
    known.note_found("subnet", "network_id", "n", [NETWORKS[0]] * (FEW + 1))
    assert known.found("subnet", "network_id", "n") is None


def test_what_only_a_later_netplane_knows_stops_nobody(stores: tuple[Store, Store], database: str) -> None:
    mine, later = stores
    network = new_network()
    with mine.write("test") as transaction:
        transaction.add(network)
    with later.write("test") as transaction:
        transaction.add(replace(new_network(2), id="of-another-kind"))
    engine = create_engine(database_url(database))
    with engine.begin() as connection:
        for table in ("change", "resource"):
            values = {"body": Encoder().encode({"kind": "teleport", "id": "of-another-kind"})}
            connection.execute(
                text(f"update {table} set kind = 'teleport', body = :body where id = 'of-another-kind'"), values
            )
    engine.dispose()
    with mine.write("test") as transaction:
        check(transaction)
        transaction.add(new_network(3))
    *_, foreign, last = mine.journal(0)
    assert (foreign.change.kind, foreign.record, foreign.is_foreign) == ("teleport", None, True)
    assert not last.is_foreign
    interest = Interest()
    assert not interest.apply([foreign.change])
    with mine.read() as reader:
        assert {each.id for each in reader.walk(STORED)} == {each.id for each in reader.list(Network)}


def test_a_server_takes_over_that_has_lost_changes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Others write as many as were lost: the revision is what it was, and what it stands for is not."""
    database = postgresql(tmp_path)
    mine, other = open_store(database), open_store(database)
    network, lost, instead = new_network(1), new_network(2), new_network(3)
    for record in (network, lost):
        with mine.write("test") as transaction:
            transaction.add(record)
            assert transaction.get(Network, lost.id) is None or record is lost
    with mine._writer.begin() as connection:
        connection.execute(text("DELETE FROM change WHERE revision = 2"))
        connection.execute(text("DELETE FROM claim WHERE value = '2'"))
        connection.execute(text("DELETE FROM resource WHERE id = :id"), {"id": lost.id})
        connection.execute(text("UPDATE log SET revision = 1"))
    with other.write("test") as transaction:
        transaction.add(instead)
    with mine.write("test") as transaction:
        assert transaction.get(Network, lost.id) is None
        assert transaction.get(Network, instead.id) is not None
        assert transaction.holder("vni", "2") is None
    assert "has lost changes" in caplog.text
    assert mine.fresh(0, 10) == []
    caplog.clear()
    for vni in range(4, 9):
        for store in (mine, other):
            with store.write("test") as transaction:
                transaction.add(new_network(vni if store is mine else vni + 100))
    assert not caplog.records, "from then on it is the log"
    mine.close()
    other.close()


def test_what_a_writer_waits_for_is_coming(tmp_path: Path) -> None:
    """Whoever follows the log need not read it himself: it is there as soon as the writer has his turn."""
    database = postgresql(tmp_path)
    mine, other = open_store(database), open_store(database)
    with mine.write("test") as transaction:
        transaction.add(new_network(1))

    def is_coming() -> bool:
        return mine.is_fresh_coming

    def write() -> None:
        with mine.write("test") as transaction:
            transaction.add(new_network(3))

    assert not is_coming()
    waiting = Thread(target=write)
    with other.group():
        with other.write("test") as transaction:
            transaction.add(new_network(2))
        waiting.start()
        deadline = monotonic() + 10
        while not is_coming() and monotonic() < deadline:
            sleep(0.001)
        assert is_coming()
    waiting.join()
    assert not is_coming()
    assert [entry.change.revision for entry in mine.fresh(1, 10)] == [2, 3]
    mine.close()
    other.close()
