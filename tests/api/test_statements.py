"""What calls ask of the database, in statements: what is counted here is what a port costs, and grows unnoticed else.

A number that must go up needs a reason: each statement takes a port 10 to 30 µs, and a way to PostgreSQL and back.
"""

from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from tests.api.support import World


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """All that SQLite is told."""
    told: list[str] = []

    def trace(connection: Any, _record: Any) -> None:
        connection.set_trace_callback(told.append)

    event.listen(Engine, "connect", trace)
    yield told
    event.remove(Engine, "connect", trace)


@pytest.fixture
def world(statements: list[str], tmp_path: Path) -> Iterator[World]:
    """Ports on a network; what is made with the first is there."""
    assert not statements
    made = World(tmp_path)
    network = made.make("network", name="n")["id"]
    made.make("subnet", network_id=network, cidr="10.0.0.0/16")
    ports = [{"network_id": network, "name": f"p{index}"} for index in range(40)]
    assert made.ask("POST", "/v2.0/ports", {"ports": ports}).status == 201
    yield made
    made.close()


def count(statements: list[str], work: Callable[[], object]) -> int:
    """How many, rows of one kind that are written together counted once; those of the transaction too."""
    statements.clear()
    work()
    return len([beginning for beginning, _ in groupby(" ".join(each.split()[:3]) for each in statements)])


def test_a_port_is_made(world: World, statements: list[str]) -> None:
    network = world.get("networks")["networks"][0]["id"]
    world.make("port", network_id=network)  # what it asks about its network is remembered
    assert count(statements, lambda: world.make("port", network_id=network)) <= 9, statements


def test_many_ports_are_made(world: World, statements: list[str]) -> None:
    network = world.get("networks")["networks"][0]["id"]
    body = {"ports": [{"network_id": network}] * 100}
    assert count(statements, lambda: world.ask("POST", "/v2.0/ports", body)) <= 12, statements


def test_a_port_is_shown(world: World, statements: list[str]) -> None:
    port = world.get("ports?limit=1")["ports"][0]["id"]
    assert count(statements, lambda: world.get(f"ports/{port}")) <= 5, statements


LISTS = {"": 7, "?limit=20": 7, "?name=p7": 7, "?network_id={network}&limit=20": 7, "?status=DOWN&limit=20": 9}
"""What may be asked, and in how many statements; a filter that needs views makes them twice."""


@pytest.mark.parametrize("query", LISTS)
def test_ports_are_listed(world: World, statements: list[str], query: str) -> None:
    asked = query.format(network=world.get("networks")["networks"][0]["id"])
    assert count(statements, lambda: world.get(f"ports{asked}")) <= LISTS[query], statements


def test_a_page_reads_no_more_than_it_shows(world: World, statements: list[str]) -> None:
    network = world.get("networks")["networks"][0]["id"]
    world.get(f"ports?network_id={network}&limit=5")
    read = [each for each in statements if "resource.body" in each and "LIMIT" in each]
    assert read, statements
    assert all("LIMIT 5" in " ".join(each.split()) for each in read), read


def test_a_pool_of_a_scope_is_made(world: World, statements: list[str]) -> None:
    """It costs the same whatever is in the scope: nobody's pools are read for it."""
    world.lift_quota("subnetpool")
    scope = world.make("address_scope", ip_version=4)["id"]

    def make(first: int, last: int) -> None:
        wishes = [
            {"prefixes": [f"10.{number >> 8}.{number & 255}.0/24"], "address_scope_id": scope}
            for number in range(first, last)
        ]
        assert world.ask("POST", "/v2.0/subnetpools", {"subnetpools": wishes}).status == 201

    make(0, 1)
    before = count(statements, lambda: make(1, 2))
    make(2, 302)
    assert count(statements, lambda: make(302, 303)) <= before, statements
    read = [each for each in statements if "resource.body" in each]
    assert len(read) <= 3, read
