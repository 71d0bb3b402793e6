"""No packet leaves its domain, proven over the tables of random worlds; and the proof sees every leak made."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings

from netplane.model import AnyRecord
from netplane.tables.pipeline import DEVICE, ENDPOINT, GATEWAY, HOP, PAIR, PORT, RANGE, ROUTE
from netplane.verify.isolation import prove_isolation
from netplane.verify.world import World
from tests.worlds import Tables, all_tables, random_world, worlds


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_random_worlds_are_isolated(records: list[AnyRecord]) -> None:
    assert prove_isolation(all_tables(records), World(records)) == []


def leaky_route(tables: Tables, stranger: int) -> str:
    """A router that leads into another domain."""
    gateway = next(iter(tables["gateway"]))
    router = GATEWAY.unpack_value(tables["gateway"][gateway])["router"]
    tables["route"][ROUTE.pack_key(32, router, bytes(16))] = ROUTE.pack_value(stranger, bytes(6), 0, 0, 0, 0)
    return f"router {router} leads"


def leaky_hop(tables: Tables, stranger: int) -> str:
    """A router whose next hop is in another domain."""
    gateway = next(iter(tables["gateway"]))
    router = GATEWAY.unpack_value(tables["gateway"][gateway])["router"]
    tables["hop"][HOP.pack_key(router, bytes(16), 0, 0)] = HOP.pack_value(bytes(16), stranger, bytes(6), 0, 0)
    return f"router {router} leads"


def foreign_gateway(tables: Tables, stranger: int) -> str:
    """A router that answers in another domain."""
    value = next(iter(tables["gateway"].values()))
    tables["gateway"][GATEWAY.pack_key(stranger, bytes(6), 0)] = value
    return f"leads from VNI {stranger}"


def foreign_endpoint(tables: Tables, stranger: int) -> str:
    """An address of a domain that the host has no part in."""
    tables["endpoint"][ENDPOINT.pack_key(stranger, bytes(16))] = ENDPOINT.pack_value(bytes(6), 0, 65_000, 0)
    return f"endpoint entries of VNI {stranger}"


def foreign_pair(tables: Tables, stranger: int) -> str:
    """An address of another domain that a port here may use."""
    tables["pair"][PAIR.pack_key(224, stranger, bytes(6), 0, bytes(16))] = PAIR.pack_value(bytes(6), 0, 65_000, 0)
    return f"pair entries of VNI {stranger}"


def foreign_range(tables: Tables, stranger: int) -> str:
    """A range of addresses of nobody's network."""
    key = RANGE.pack_key(64, 0, 0, bytes(16))
    tables["range"][key] = RANGE.pack_value(bytes(6), 0, 65_000, 0)
    return "range entries of VNI 0"


def crossed_device(tables: Tables, stranger: int) -> str:
    """A MAC address behind another port's device."""
    key = next(iter(tables["device"]))
    tables["device"][key] = DEVICE.pack_value(64_000, 0, 0, 0, 0)
    return "device 64000 is not both"


def open_door(tables: Tables, stranger: int) -> str:
    """A device whose packets count as those of another port."""
    tables["port"][PORT.pack_key(64_001, 0)] = next(iter(tables["port"].values()))
    return "device 64001 is not both"


def lie(tables: Tables, stranger: int) -> str:
    """An address that one host believes elsewhere."""
    for key, value in tables["endpoint"].items():
        fields = ENDPOINT.unpack_value(value)
        tables["endpoint"][key] = ENDPOINT.pack_value(fields["mac"], fields["flags"], fields["host"], 64_002)
    return "what others do not"


LEAKS = (
    *(leaky_route, leaky_hop, foreign_gateway, foreign_endpoint, foreign_pair, foreign_range),
    *(crossed_device, open_door, lie),
)


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.__name__)
def test_leaks_are_found(leak: Callable[[Tables, int], str]) -> None:
    world, tables = world_with_much()
    assert prove_isolation(tables, world) == []
    text = leak(tables["h1"], 0xFFFFFF)
    assert any(text in problem.text for problem in prove_isolation(tables, world))


def world_with_much() -> tuple[World, dict[str, Tables]]:
    """The first random world whose first host has an entry for every leak, and shares them with another."""
    for seed in range(1000):
        records = random_world(Random(seed))
        tables = all_tables(records)
        first, *others = tables.values()
        shared = any(first["endpoint"].keys() & other["endpoint"].keys() for other in others)
        if shared and all(first[name] for name in ("gateway", "route", "device", "port")):
            return World(records), tables
    raise AssertionError("no such world")
