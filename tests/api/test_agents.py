"""Agents: hosts as OpenStack Networking's clients see them, and hosts that are gone for good."""

from datetime import timedelta
from pathlib import Path

import pytest

from netplane.model import Agent, Binding, Host, agent_id
from netplane.store import Store
from netplane.store.bindings import register_host
from netplane.store.clock import fine_stamp, wall_clock
from netplane.store.reports import HEARTBEAT
from tests.api.support import Json, World


def come(world: World, host: str, number: int = 1) -> str:
    """A host has come; answers the id of its agent."""
    with world.store.write(f"host:{host}") as transaction:
        register_host(transaction, host, f"192.0.2.{number}")
    return agent_id(host)


def beat(world: World, id: str) -> None:
    world.store.report(HEARTBEAT, {id: fine_stamp(wall_clock() - timedelta(hours=1))})


def show(world: World, id: str) -> Json:
    return world.get(f"agents/{id}", "admin")["agent"]


def test_an_agent(world: World) -> None:
    id = come(world, "h1")
    agent = show(world, id)
    assert (agent["host"], agent["agent_type"], agent["binary"]) == ("h1", "netplane agent", "netplane-agent")
    assert (agent["alive"], agent["heartbeat_timestamp"], agent["started_at"]) == (False, None, None)
    assert (agent["admin_state_up"], agent["availability_zone"], agent["description"]) == (True, "nova", "")
    assert agent["configurations"]["tunneling_ip"] == "192.0.2.1"
    beat(world, id)
    agent = show(world, id)
    assert agent["alive"] is True
    assert agent["started_at"] < agent["heartbeat_timestamp"]
    assert world.get("agents?host=h1&alive=true", "admin")["agents"] == [agent]
    assert world.get("agents?alive=false", "admin")["agents"] == []
    changed = world.change("agent", id, "admin", description="rack 7", admin_state_up=False, availability_zone="east")
    assert (changed["description"], changed["admin_state_up"], changed["availability_zone"]) == (
        "rack 7",
        False,
        "east",
    )
    come(world, "h1")
    assert show(world, id) == changed


def test_a_host_that_is_gone_for_good(world: World, tmp_path: Path) -> None:
    id = come(world, "h1")
    come(world, "h2", 2)
    network = world.make("network")["id"]
    here, there = (world.make("port", "admin", network_id=network, binding__host_id=host) for host in ("h1", "h2"))
    beat(world, id)
    assert world.refused("DELETE", f"agents/{id}", token="admin") == (409, "AgentInUse")
    with world.store.read() as reader:
        assert {binding.id for binding in reader.list(Binding)} == {here["id"], there["id"]}
    past = Store.open(f"sqlite:///{tmp_path}/netplane.db", clock=lambda: wall_clock() - timedelta(minutes=1))
    past.report(HEARTBEAT, {id: fine_stamp(wall_clock())})
    past.close()
    assert show(world, id)["alive"] is False
    world.remove("agent", id, "admin")
    with world.store.read() as reader:
        assert [host.id for host in reader.list(Host)] == ["h2"]
        assert [agent.host for agent in reader.list(Agent)] == ["h2"]
        assert [binding.id for binding in reader.list(Binding)] == [there["id"]]
    assert world.refused("GET", f"agents/{id}", token="admin") == (404, "AgentNotFound")
    assert come(world, "h1", 3) == id
    with world.store.read() as reader:
        assert len(reader.list(Binding)) == 2
    assert show(world, id)["alive"] is False


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_agents_are_administrators(world: World, method: str) -> None:
    id = come(world, "h1")
    body = {"agent": {"description": "mine"}} if method == "PUT" else None
    assert world.refused(method, f"agents/{id}", body) == (404, "AgentNotFound")
    assert world.get("agents")["agents"] == []


def test_what_makes_no_sense(world: World) -> None:
    id = come(world, "h1")
    for body in ({"host": "h2"}, {"alive": True}, {"availability_zone": ""}, {"admin_state_up": "perhaps"}):
        assert world.refused("PUT", f"agents/{id}", {"agent": body}, "admin")[0] == 400
    assert world.refused("POST", "agents", {"agent": {"host": "h9"}}, "admin") == (405, "HTTPMethodNotAllowed")
