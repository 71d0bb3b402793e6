"""Hosts come, ports are bound, claimed and released."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from netplane.model import ROUTER_INTERFACE, Binding, Port, Router
from netplane.store import Conflict, Store
from netplane.store.bindings import bind_requested, claim_port, register_host, release_port
from tests.contract.stores import DATABASES, new_network, new_port, open_store

NETWORK = new_network()
FREE = new_port(NETWORK, "fa:16:3e:00:00:01")
ASKED = new_port(NETWORK, "fa:16:3e:00:00:02", host="a")


@pytest.fixture(params=DATABASES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = open_store(DATABASES[request.param](tmp_path))
    with opened.write("test") as transaction:
        transaction.add(NETWORK)
        for port in (FREE, ASKED):
            bind_requested(transaction, transaction.add(port))
    yield opened
    opened.close()


def register(store: Store, name: str, address: str) -> int:
    with store.write("test") as transaction:
        return register_host(transaction, name, address).number


def bound(store: Store) -> dict[str, str]:
    with store.read() as reader:
        return {binding.id: binding.host_id for binding in reader.list(Binding)}


def claim(store: Store, port: str, host: str) -> str:
    with store.write("test") as transaction:
        problem = claim_port(transaction, port, host)
    return "" if problem is None else problem.text


def release(store: Store, port: Port, host: str) -> None:
    with store.write("test") as transaction:
        release_port(transaction, port.id, host)


def request(store: Store, port: Port, host: str) -> None:
    with store.write("test") as transaction:
        before = transaction.get(Port, port.id)
        assert before is not None
        after = transaction.put(replace(before, host_id=host))
        bind_requested(transaction, after, before)


def test_a_host_keeps_its_number(store: Store) -> None:
    assert register(store, "a", "192.0.2.1") == 1
    assert register(store, "b", "192.0.2.2") == 2
    assert register(store, "a", "192.0.2.3") == 1
    revision = store.revision
    assert register(store, "a", "192.0.2.3") == 1
    assert store.revision == revision


def test_two_hosts_cannot_have_one_address(store: Store) -> None:
    register(store, "a", "192.0.2.1")
    with pytest.raises(Conflict):
        register(store, "b", "192.0.2.1")


def test_no_host_is_called_as_a_network_could_be(store: Store) -> None:
    for name in (NETWORK.id, "0" * 32):
        with pytest.raises(ValueError, match="neither a UUID"):
            register(store, name, "192.0.2.1")


def test_a_port_waits_for_its_host(store: Store) -> None:
    assert bound(store) == {}
    register(store, "b", "192.0.2.2")
    assert bound(store) == {}
    register(store, "a", "192.0.2.1")
    assert bound(store) == {ASKED.id: "a"}


def test_a_request_moves_a_port(store: Store) -> None:
    register(store, "a", "192.0.2.1")
    register(store, "b", "192.0.2.2")
    request(store, ASKED, "b")
    assert bound(store) == {ASKED.id: "b"}
    request(store, ASKED, "unknown")
    assert bound(store) == {}
    request(store, ASKED, "a")
    assert bound(store) == {ASKED.id: "a"}
    request(store, ASKED, "")
    assert bound(store) == {}


def test_a_free_port_is_where_its_device_appeared_last(store: Store) -> None:
    register(store, "a", "192.0.2.1")
    register(store, "b", "192.0.2.2")
    assert claim(store, FREE.id, "a") == ""
    assert claim(store, FREE.id, "b") == ""
    assert bound(store)[FREE.id] == "b"
    release(store, FREE, "a")
    assert bound(store)[FREE.id] == "b"
    release(store, FREE, "b")
    assert FREE.id not in bound(store)


def test_a_requested_port_stays_bound_when_its_device_goes(store: Store) -> None:
    register(store, "a", "192.0.2.1")
    release(store, ASKED, "a")
    assert bound(store) == {ASKED.id: "a"}


def test_claims_that_are_refused(store: Store) -> None:
    register(store, "a", "192.0.2.1")
    register(store, "b", "192.0.2.2")
    with store.write("test") as transaction:
        router = transaction.add(Router(id="r", number=1))
        port = new_port(NETWORK, "fa:16:3e:00:00:03")
        transaction.add(replace(port, device_owner=ROUTER_INTERFACE, device_id=router.id))
    assert claim(store, ASKED.id, "b") == "host b has a device of a port that is requested on a"
    assert claim(store, "none", "b") == "host b has a device of a port that does not exist"
    assert claim(store, port.id, "b") == "host b has a device of a router's port"
    assert bound(store) == {ASKED.id: "a"}
