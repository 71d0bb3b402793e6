"""Hosts that are gone for good: what agents' records tell of them, and what the others then know."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from netplane.model import Endpoint, Host, agent_id
from netplane.store import Store
from netplane.store.bindings import claim_port, release_port
from netplane.store.clock import fine_stamp, wall_clock
from netplane.store.reports import HEARTBEAT
from netplane.stream.messages import Claim
from tests.contract.southbound import PATIENCE, Site, agent, site
from tests.contract.test_southbound import run, settles, status_becomes


async def show(place: Site, host: str) -> Any:
    return (await place.call("GET", f"/v2.0/agents/{agent_id(host)}")).body["agent"]


def test_a_host_that_is_gone_is_let_go_and_may_come_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place, agent(place, "h1", 1) as one:
            network, _ = await place.subnet("10.0.0.0/24")
            here = await place.create("port", network_id=network, **{"binding:host_id": "h1"})
            port = await place.create("port", network_id=network)
            async with agent(place, "h2", 2) as two:
                two.send(Claim([port["id"]]))
                await status_becomes(place, port["id"], "ACTIVE")
                await one.until(lambda: one.kinds(Endpoint) == {here["id"], port["id"]})
                assert one.kinds(Host) == {"h1", "h2"}
            assert (await show(place, "h1"))["host"] == "h1"
            path = f"/v2.0/agents/{agent_id('h2')}"
            past = Store.open(f"sqlite:///{tmp_path}/netplane.db", clock=lambda: wall_clock() - timedelta(minutes=1))
            past.report(HEARTBEAT, {agent_id("h2"): fine_stamp(wall_clock())})
            past.close()
            assert not (await show(place, "h2"))["alive"]
            assert (await place.call("DELETE", path)).status == 204
            await one.until(lambda: one.kinds(Host) == {"h1"})
            await one.until(lambda: one.kinds(Endpoint) == {here["id"]})
            await settles(place, ("h1", one))
            await status_becomes(place, port["id"], "DOWN")
            async with agent(place, "h2", 7) as two:
                two.send(Claim([port["id"]]))
                await status_becomes(place, port["id"], "ACTIVE")
                await settles(place, ("h1", one), ("h2", two))

    run(scenario)


def test_a_port_that_is_free_for_a_moment_is_active_again(tmp_path: Path) -> None:
    """However short that is: with the binding goes what was said of the port."""

    async def scenario() -> None:
        async with site(tmp_path) as place, agent(place, "h1", 1) as one:
            network, _ = await place.subnet("10.0.0.0/24")
            port = await place.create("port", network_id=network)
            one.send(Claim([port["id"]]))
            await status_becomes(place, port["id"], "ACTIVE")
            store = place.controller.store
            with store.write("test") as transaction:
                release_port(transaction, port["id"], "h1")
            with store.write("test") as transaction:
                claim_port(transaction, port["id"], "h1")
            await settles(place, ("h1", one))
            await status_becomes(place, port["id"], "ACTIVE")

    run(scenario)


def test_a_host_with_a_session_is_alive(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place, agent(place, "h1", 1):
            await place.controller.until(lambda: bool(place.controller.store.reports(HEARTBEAT)), PATIENCE + 2)
            shown = await show(place, "h1")
            assert shown["alive"]
            assert (await place.call("DELETE", f"/v2.0/agents/{shown['id']}")).status == 409

    run(scenario)
