"""Two controllers on one PostgreSQL: each answers about all hosts, and hosts go from one to the other."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from netplane.base.problem import Problem
from netplane.controller import controller as heart
from netplane.model import Decision, Port
from netplane.stream.client import Connected, Disconnected
from netplane.stream.messages import Claim, Controllers, Decisions, Snapshot, Trouble
from tests.contract.southbound import PATIENCE, Site, agent, site
from tests.contract.stores import postgresql


def run(scenario: Callable[[Path], Coroutine[Any, Any, None]], folder: Path) -> None:
    asyncio.run(scenario(folder))


@asynccontextmanager
async def two(folder: Path) -> AsyncIterator[tuple[Site, Site]]:
    database = postgresql(folder)
    for name in ("a", "b"):
        (folder / name).mkdir()
    async with site(folder / "a", database=database) as one, site(folder / "b", database=database) as other:
        await until(lambda: one.controller.correspondence.others and other.controller.correspondence.others)
        yield one, other


async def until(is_so: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not is_so():
            await asyncio.sleep(0.01)


async def reports(place: Site, port: str, status: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while (await place.call("GET", f"/v2.0/ports/{port}")).body["port"]["status"] != status:
            await asyncio.sleep(0.02)


def test_each_knows_of_the_other(tmp_path: Path) -> None:
    async def scenario(folder: Path) -> None:
        async with two(folder) as (one, other):
            expected = ["http://a", "http://b"]
            assert (await one.call("GET", "/netplane/v1/status")).body["controllers"] == expected
            assert (await other.call("GET", "/netplane/v1/status")).body["controllers"] == expected

    run(scenario, tmp_path)


def test_each_answers_about_hosts_of_the_other(tmp_path: Path) -> None:
    async def scenario(folder: Path) -> None:
        async with two(folder) as (one, other), agent(one, "h1", 1) as first, agent(other, "h2", 2) as second:
            network, _ = await one.subnet("10.0.0.0/24")
            port = await one.create("port", network_id=network, **{"binding:host_id": "h2"})
            second.send(Claim([port["id"]]))
            await second.reaches(port["revision"])
            for place in (one, other):
                await reports(place, port["id"], "ACTIVE")
                path = f"/netplane/v1/revisions/{port['revision']}?wait=5"
                revision = (await place.call("GET", path)).body
                assert (set(revision["realised"]), revision["pending"]) == ({"h2"}, [])
                tables = (await place.call("GET", "/netplane/v1/hosts/h2/tables")).body
                assert tables == {"table": ["tables"]}
                tables = (await place.call("GET", "/netplane/v1/hosts/h1/tables")).body
                assert tables == {"table": ["tables"]}
                hosts = (await place.call("GET", "/netplane/v1/status")).body["hosts"]
                assert [(host["name"], host["alive"]) for host in hosts] == [("h1", True), ("h2", True)]
                assert hosts[1]["revision"] >= port["revision"]
            trouble = Problem("port", port["id"], "is odd")
            second.send(Trouble([trouble]))
            said = [{"host": "h2", "kind": "port", "id": port["id"], "text": "is odd"}]
            for place in (one, other):
                async with asyncio.timeout(PATIENCE):
                    while (await place.call("GET", "/netplane/v1/problems")).body["problems"] != said:
                        await asyncio.sleep(0.02)
            first.send(Trouble([]))
        refused = await other.call("GET", "/netplane/v1/hosts/h1/tables")
        assert refused.status == 503

    run(scenario, tmp_path)


def test_hosts_are_told_of_controllers_that_come_and_go_and_prefer_those_that_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heart, "HEARTBEAT", 0.1)

    async def scenario(folder: Path) -> None:
        database = postgresql(folder)
        for name in ("a", "b"):
            (folder / name).mkdir()
        async with site(folder / "b", database=database) as other, AsyncExitStack() as first:
            one = await first.enter_async_context(site(folder / "a", database=database))
            async with agent(one, "h1", 1) as host:
                both = tuple(sorted((one.address, other.address)))
                await host.until(lambda: host.said(Controllers) and host.said(Controllers)[-1].addresses == both)
                host.uplink.prefer(both)
                await first.aclose()
                await host.until(lambda: host.said(Connected)[-1].controller == other.address)
                await host.until(lambda: host.said(Controllers)[-1].addresses == (other.address,))

    run(scenario, tmp_path)


def test_decisions_of_all_hosts_are_read_on_from_any(tmp_path: Path) -> None:
    async def scenario(folder: Path) -> None:
        async with two(folder) as (one, other), agent(one, "h1", 1) as first, agent(other, "h2", 2) as second:
            network, _ = await one.subnet("10.0.0.0/24")
            ports = [
                (await one.create("port", network_id=network, **{"binding:host_id": host}))["id"]
                for host in ("h1", "h2")
            ]
            await until(lambda: all(place.controller.picture.carrier(ports[1]) for place in (one, other)))
            first.send(Decisions([decision(1, ports[0])]))
            second.send(Decisions([decision(2, ports[1])]))
            for place in (one, other):
                last = await read(place, "", [1, 2])
                await read(place, f"?after={last}", [])
            last = await read(one, "?limit=2", [1, 2])
            second.send(Decisions([decision(3, ports[1])]))
            await read(one, f"?after={last}", [3])

    run(scenario, tmp_path)


async def read(place: Site, query: str, numbers: list[int]) -> str:
    """Read decisions until they are these; what to read on from."""
    async with asyncio.timeout(PATIENCE):
        while True:
            body = (await place.call("GET", f"/netplane/v1/decisions{query}")).body
            if [each["source_port"] for each in body["decisions"]] == numbers:
                return str(body["last"])
            await asyncio.sleep(0.02)


def decision(number: int, port: str) -> Decision:
    at = f"2030-01-01T00:00:{number:02}.000000Z"
    words = (port, "blue", "ingress", "DROP", 6, "10.0.0.9", "10.0.0.5", number, 22, 1, 0, (), ())
    return Decision(number, at, *words, reason="POLICY_IN")


def test_an_agent_goes_to_another_controller_and_goes_on_from_where_it_was(tmp_path: Path) -> None:
    async def scenario(folder: Path) -> None:
        database = postgresql(folder)
        for name in ("a", "b"):
            (folder / name).mkdir()
        async with (
            site(folder / "b", database=database) as other,
            site(folder / "a", database=database) as one,
            agent(one, "h1", 1, others=[other]) as follower,
        ):
            network, _ = await one.subnet("10.0.0.0/24")
            port = await other.create("port", network_id=network, **{"binding:host_id": "h1"})
            follower.send(Claim([port["id"]]))
            await follower.reaches(port["revision"])
            await reports(other, port["id"], "ACTIVE")
            holder = one if "h1" in one.controller.southbound.connected else other
            rest = other if holder is one else one
            snapshots = len(follower.said(Snapshot))
            await holder.controller.southbound.stop(holder.controller.picture.revision)
            await follower.until(lambda: len(follower.said(Connected)) == 2)
            assert follower.said(Disconnected)
            more = await rest.create("port", network_id=network, **{"binding:host_id": "h1"})
            follower.send(Claim([port["id"], more["id"]]))
            await follower.reaches(more["revision"])
            assert follower.kinds(Port) == {port["id"], more["id"]}
            assert len(follower.said(Snapshot)) == snapshots, "it has resumed"
            for place in (one, other):
                await reports(place, more["id"], "ACTIVE")
                await reports(place, port["id"], "ACTIVE")

    run(scenario, tmp_path)


def test_a_host_that_has_gone_to_another_without_a_word_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heart, "AUDIT", 0.2)

    async def scenario(folder: Path) -> None:
        async with two(folder) as (one, other), agent(one, "h1", 1) as stale:
            await asyncio.sleep(0.5)
            async with agent(other, "h1", 1):
                await stale.until(lambda: stale.said(Disconnected))
                assert "another controller" in stale.said(Disconnected)[0].reason

    run(scenario, tmp_path)
