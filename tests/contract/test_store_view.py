"""Several look-ups of one thread that share a view, on either database; and calls that do."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from threading import Thread

import psycopg
import pytest
from sqlalchemy import text
from starlette.responses import Response

from netplane.api.glancing import MOST, Foresight, Glances
from netplane.model import Network, Subnet
from netplane.store import Ahead, Question, Reader, Store, Unavailable
from netplane.store.libpq import Line
from netplane.store.prepared import Prepared
from tests.contract.stores import DATABASES, new_network, new_subnet, open_store, postgresql
from tests.contract.test_store_group import WRONG, add_all

Foresee = Callable[[Iterable[Question]], None]
AHEAD = Ahead(("port_status",), ((Subnet, "network_id"),))


@pytest.fixture(params=DATABASES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = open_store(DATABASES[request.param](tmp_path))
    yield opened
    opened.close()


def count(store: Store) -> int:
    with store.read() as reader:
        return len(reader.list(Network))


def elsewhere(store: Store, vni: int) -> None:
    """Another thread writes."""
    thread = Thread(target=add_all, args=(store, new_network(vni)))
    thread.start()
    thread.join()


def test_a_view_is_of_its_first_look_up(store: Store) -> None:
    elsewhere(store, 1)
    with store.view():
        elsewhere(store, 2)
        assert count(store) == 2, "nothing was looked at before"
        elsewhere(store, 3)
        assert count(store) == 2
        add_all(store, new_network(4))
        assert count(store) == 4, "whoever writes sees what he has written"
        elsewhere(store, 5)
    assert count(store) == 5


def test_a_look_up_that_fails_is_nobody_elses(store: Store) -> None:
    elsewhere(store, 1)

    def fail() -> None:
        with store.read() as reader:
            WRONG.run(reader._connection, {})

    with store.view():
        assert count(store) == 1
        with pytest.raises(Exception, match="nowhere"):
            fail()
        assert count(store) == 1


def look(reader: Reader, id: str) -> None:
    reader.look_ahead(Network, id, AHEAD)


def test_what_several_will_ask_is_asked_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(postgresql(tmp_path))
    networks = [new_network(vni) for vni in range(1, 8)]
    add_all(store, *networks, new_subnet(networks[3]))
    ways: list[int] = []
    sync = Line.sync

    def counted(line: Line) -> None:
        ways.extend([len(line._queue)] if line._queue else [])
        sync(line)

    monkeypatch.setattr(Line, "sync", counted)
    with store.view() as foresee:
        foresee([partial(look, id=network.id) for network in networks] + [partial(look, id="a\0b")])
        for network in networks:
            with store.read() as reader:
                look(reader, network.id)
                assert reader.get(Network, network.id) == reader.list(Network, ids=[network.id])[0]
                assert not reader.reports("port_status", [network.id])
                assert len(reader.group(Subnet, "network_id", [network.id])[network.id]) == (network is networks[3])
    assert ways[0] == 3 * len(networks)
    assert ways[1:] == [1] * len(networks), "what was not foreseen is asked by itself"
    store.close()


def test_calls_that_have_queued_up_share_a_view(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that come later do not: they may come from somebody who has been told of what it does not show."""
    networks = [new_network(vni) for vni in range(1, MOST + 9)]
    add_all(store, *networks)
    views: list[Store] = []
    view = Store.view

    def counted(store: Store) -> AbstractContextManager[Foresee]:
        views.append(store)
        return view(store)

    monkeypatch.setattr(Store, "view", counted)

    def show(id: str) -> Response:
        with store.read() as reader:
            look(reader, id)
            network = reader.get(Network, id)
            return Response("" if network is None else str(network.vni))

    def fail() -> Response:
        raise KeyError

    async def scenario() -> None:
        glances = Glances(store)
        foresight = Foresight(glances, look)
        found = await asyncio.gather(*(foresight.look(partial(show, each.id), {"id": each.id}) for each in networks))
        assert [int(response.body) for response in found] == [network.vni for network in networks]
        answers = await asyncio.gather(
            foresight.look(partial(show, "none"), {"id": "none"}),
            glances.run(fail),
            foresight.look(partial(show, networks[0].id), {"id": networks[0].id}),
            return_exceptions=True,
        )
        assert isinstance(answers[1], KeyError)
        assert [bytes(answer.body) for answer in answers[::2] if isinstance(answer, Response)] == [b"", b"1"]
        for vni in range(1000, 1020):
            await asyncio.to_thread(add_all, store, made := new_network(vni))
            assert (await foresight.look(partial(show, made.id), {"id": made.id})).body == str(vni).encode()

    asyncio.run(scenario())
    assert len(views) < len(networks) // 2 + 23


def test_calls_go_on_when_the_database_is_back(tmp_path: Path) -> None:
    """A connection that is cut beneath a view is one call's outage at most."""
    store = open_store(postgresql(tmp_path))
    elsewhere(store, 1)
    cut = Prepared(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    with store.view():
        with pytest.raises(Unavailable), store.read() as reader:
            cut.run(reader._connection, {})
        assert count(store) == 1
    assert count(store) == 1
    store.close()


def test_calls_go_on_after_what_is_no_outage(tmp_path: Path) -> None:
    """What the database refuses for another reason is told whoever asks, and ends with the reason."""
    database = postgresql(tmp_path)
    store = open_store(database)
    add_all(store, network := new_network())

    def show() -> Response:
        with store.read() as reader:
            look(reader, network.id)
            return Response("none" if reader.get(Network, network.id) is None else "found")

    def rename(table: str, name: str) -> None:
        with psycopg.connect(database, autocommit=True) as other:
            other.execute(f"ALTER TABLE {table} RENAME TO {name}")

    async def scenario() -> None:
        foresight = Foresight(Glances(store), look)
        rename("report", "elsewhere")
        try:
            with pytest.raises(psycopg.ProgrammingError, match="report"):
                await asyncio.wait_for(foresight.look(show, {"id": network.id}), 5)
        finally:
            rename("elsewhere", "report")
        assert (await asyncio.wait_for(foresight.look(show, {"id": network.id}), 5)).body == b"found"

    asyncio.run(scenario())
    store.close()
