"""Agents: hosts as OpenStack Networking's clients know them. They come by themselves; operators let dead ones go."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from netplane.api.bodies import Wish
from netplane.api.context import Context
from netplane.api.errors import conflict
from netplane.api.rules.kind import Extra, Rules, Services
from netplane.api.views import View
from netplane.model import Agent, Host
from netplane.store import Reader, Transaction
from netplane.store.bindings import remove_host
from netplane.store.clock import parse_fine_stamp
from netplane.store.reports import HEARTBEAT, Report

DOWN_TIME = timedelta(seconds=30)
"""How long an agent may be silent before it counts as dead."""

EXTRAS = (
    Extra("agent_type"),
    Extra("binary"),
    Extra("topic"),
    Extra("alive"),
    Extra("heartbeat_timestamp"),
    Extra("started_at"),
    Extra("configurations"),
    Extra("resources_synced"),
)


def update(transaction: Transaction, _context: Context, agent: Agent, wish: Wish) -> Agent:
    """What operators say of it."""
    return transaction.put(replace(agent, **wish))


def delete(transaction: Transaction, _context: Context, agent: Agent) -> None:
    """The host is gone for good, and so is what it carried; 409 if it is alive, since it would be back at once."""
    if is_alive(transaction.reader.reports(HEARTBEAT, [agent.id]).get(agent.id), transaction.origin.now):
        raise conflict("AgentInUse", f"Unable to complete operation on agent {agent.id}. It is alive.")
    remove_host(transaction, agent.host)


def show(reader: Reader, services: Services, _context: Context, agents: Sequence[Agent]) -> list[View]:
    """Whether it is alive, and where its tunnels end."""
    heard = reader.reports(HEARTBEAT, [agent.id for agent in agents])
    hosts = {host.id: host for host in reader.list(Host, None, [agent.host for agent in agents])}
    now = services.now()
    return [_shown(hosts[agent.host], heard.get(agent.id), now) for agent in agents]


def _shown(host: Host, heard: Report | None, now: datetime) -> View:
    return {
        "agent_type": "netplane agent",
        "binary": "netplane-agent",
        "topic": "N/A",
        "alive": is_alive(heard, now),
        "heartbeat_timestamp": None if heard is None else _spoken(heard.time),
        "started_at": None if heard is None else _spoken(str(heard.body)),
        "configurations": {"tunneling_ip": host.address, "tunnel_types": ["vxlan"], "bridge_mappings": {}},
        "resources_synced": None,
    }


def is_alive(heard: Report | None, now: datetime) -> bool:
    """Whether a host's agent has been heard of lately."""
    return heard is not None and now - parse_fine_stamp(heard.time) < DOWN_TIME


def _spoken(time: str) -> str:
    """A moment as agents' clients read it."""
    return parse_fine_stamp(time).strftime("%Y-%m-%d %H:%M:%S")


AGENTS = Rules(Agent, None, update, delete, EXTRAS, show, filled=frozenset({"host"}))
