"""What machines say of addresses, from the session of their host to the store, and what becomes of it."""

from pathlib import Path

import pytest

from netplane.model import Announcement, Binding
from netplane.store.announcements import MOST, note_announcement
from netplane.store.bindings import register_host
from tests.api.support import Json, World

HOST, MAC, VIRTUAL = "h1", "02:00:00:00:00:0a", "00:00:5e:00:01:01"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def bound(world: World, network: str, **fields: Json) -> str:
    """A port that the host carries."""
    made = str(world.make("port", network_id=network, **fields)["id"])
    with world.store.write("test") as transaction:
        register_host(transaction, HOST, "192.0.2.1")
        transaction.put(Binding(id=made, host_id=HOST))
    return made


def hear(world: World, port: str, address: str, mac: str, host: str = HOST) -> list[tuple[str, str, str]]:
    """What is known after a host has said something."""
    with world.store.write("test") as transaction:
        note_announcement(transaction, host, port, address, mac)
    with world.store.read() as reader:
        return sorted((said.port_id, said.address, said.mac) for said in reader.list(Announcement))


def test_an_address_is_where_it_was_said_to_be_last(world: World) -> None:
    network = world.make("network")["id"]
    pairs = [{"ip_address": "10.0.0.100"}, {"ip_address": "10.9.0.0/24", "mac_address": VIRTUAL}]
    one = bound(world, network, mac_address=MAC, allowed_address_pairs=pairs)
    two = bound(world, network, mac_address="02:00:00:00:00:0b", allowed_address_pairs=pairs)
    assert hear(world, one, "10.0.0.100", MAC) == [(one, "10.0.0.100", MAC)]
    before = world.store.revision
    assert hear(world, one, "10.0.0.100", MAC) == [(one, "10.0.0.100", MAC)]
    assert world.store.revision == before
    assert hear(world, two, "10.0.0.100", "02:00:00:00:00:0b") == [(two, "10.0.0.100", "02:00:00:00:00:0b")]
    assert len(hear(world, one, "10.9.0.7", VIRTUAL)) == 2
    world.remove("port", two)
    assert hear(world, one, "10.9.0.7", VIRTUAL) == [(one, "10.9.0.7", VIRTUAL)]
    world.change("port", one, allowed_address_pairs=[{"ip_address": "10.0.0.100"}])
    assert hear(world, one, "10.9.0.7", VIRTUAL) == []


def test_what_may_not_be_said_is_not_heard(world: World) -> None:
    network = world.make("network")["id"]
    port = bound(world, network, mac_address=MAC, allowed_address_pairs=[{"ip_address": "10.0.0.100"}])
    for address, mac in (
        ("10.0.0.101", MAC),
        ("10.0.0.100", VIRTUAL),
        ("224.0.0.1", MAC),
        ("nonsense", MAC),
        ("fd00::1", MAC),
        ("::ffff:10.0.0.100", MAC),
    ):
        assert hear(world, port, address, mac) == []
    assert hear(world, port, "10.0.0.100", MAC, host="h2") == []
    assert hear(world, "nobody", "10.0.0.100", MAC) == []


def test_a_port_without_security_says_a_number_of_addresses_and_no_more(world: World) -> None:
    port = bound(world, world.make("network")["id"], mac_address=MAC, port_security_enabled=False)
    for number in range(MOST + 5):
        hear(world, port, f"10.0.{number}.1", MAC)
    assert len(hear(world, port, "10.0.0.1", MAC)) == MOST
    world.remove("port", port)
    with world.store.read() as reader:
        assert reader.list(Announcement) == []


def test_nobody_says_an_address_by_another_name_of_it(world: World) -> None:
    """A pair of IPv6 covers no address of IPv4, though its mapped form lies in the range."""
    everything = [{"ip_address": "::/0"}]
    port = bound(world, world.make("network")["id"], mac_address=MAC, allowed_address_pairs=everything)
    assert hear(world, port, "::ffff:10.0.0.5", MAC) == []
    assert hear(world, port, "fe80::5%eth0", MAC) == []
    assert hear(world, port, "fd00::5", MAC) == [(port, "fd00::5", MAC)]
