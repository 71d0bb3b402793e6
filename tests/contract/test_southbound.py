"""Agents and a controller over a real Unix socket and TLS, with a real store: who is told what, and who is not."""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from netplane.base.problem import Problem
from netplane.interest import slice_of
from netplane.model import WORLD, Endpoint, Host, Network, Port, Record, Router
from netplane.store import Store
from netplane.stream import connection
from netplane.stream.client import Connected, Disconnected, Uplink
from netplane.stream.codec import encode
from netplane.stream.messages import Ack, Claim, Delta, Hello, Release, Snapshot, Trouble, Welcome
from netplane.stream.preference import preferred
from netplane.trust.authority import make_authority
from netplane.trust.names import HostIdentity
from netplane.trust.own import wall_clock
from netplane.trust.papers import write_papers
from tests.contract.southbound import PATIENCE, Follower, Site, agent, certified, last_word, site


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scenario())


def specified(store: Store, host: str) -> dict[tuple[str, str], Record]:
    with store.read() as reader:
        return slice_of([record for kind in WORLD for record in reader.list(kind)], host)


async def settles(place: Site, *followers: tuple[str, Follower]) -> None:
    """Each follower arrives at the slice that the specification gives for the store as it is."""
    for host, follower in followers:
        await follower.until(partial(is_specified, place, host, follower))


def is_specified(place: Site, host: str, follower: Follower) -> bool:
    return follower.slice == specified(place.controller.store, host)


def test_a_port_is_told_to_the_hosts_that_need_it_and_to_no_other(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place, agent(place, "h1", 1) as one, agent(place, "h2", 2) as two:
            assert (one.kinds(Host), two.kinds(Host)) == ({"h1"}, {"h2"})
            blue, _ = await place.subnet("10.0.0.0/24")
            port = await place.create("port", network_id=blue, **{"binding:host_id": "h1"})
            await one.reaches(port["revision"])
            assert one.kinds(Port) == one.kinds(Endpoint) == {port["id"]}
            red, _ = await place.subnet("10.0.0.0/24")
            other = await place.create("port", network_id=red, **{"binding:host_id": "h2"})
            await two.reaches(other["revision"])
            await settles(place, ("h1", one), ("h2", two))
            assert ("network", blue) not in two.ever
            assert ("network", red) not in one.ever
            assert two.said(Delta)[0].revision >= other["revision"], "nothing was said to it before it was concerned"

    run(scenario)


def test_domains_join_and_part_with_router_interfaces(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place, agent(place, "h1", 1) as one, agent(place, "h2", 2) as two:
            (left, left_subnet), (right, right_subnet) = (
                await place.subnet("10.0.0.0/24"),
                await place.subnet("10.1.0.0/24"),
            )
            near = await place.create("port", network_id=left, **{"binding:host_id": "h1"})
            far = await place.create("port", network_id=right, **{"binding:host_id": "h2"})
            router = await place.create("router")
            path = f"/v2.0/routers/{router['id']}"
            for subnet in (left_subnet, right_subnet):
                await place.call("PUT", f"{path}/add_router_interface", {"subnet_id": subnet})
            await settles(place, ("h1", one), ("h2", two))
            assert one.kinds(Endpoint) == two.kinds(Endpoint) == {near["id"], far["id"]}
            assert one.kinds(Router) == {router["id"]}
            await place.call("PUT", f"{path}/remove_router_interface", {"subnet_id": right_subnet})
            await settles(place, ("h1", one), ("h2", two))
            assert (one.kinds(Network), two.kinds(Network)) == ({left}, {right})
            await place.call("DELETE", f"/v2.0/ports/{near['id']}")
            await settles(place, ("h1", one))
            assert one.slice.keys() == {("host", "h1")}

    run(scenario)


def test_an_agent_that_comes_back_is_told_only_what_it_missed(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place:
            network, _ = await place.subnet("10.0.0.0/24")
            async with agent(place, "h1", 1) as before:
                first = await place.create("port", network_id=network, **{"binding:host_id": "h1"})
                await before.reaches(first["revision"])
            second = await place.create("port", network_id=network, **{"binding:host_id": "h1"})
            await place.call("DELETE", f"/v2.0/ports/{first['id']}")
            async with agent(place, "h1", 1, position=before.position) as after:
                after.slice |= before.slice
                assert not after.said(Snapshot)
                deleted = {id for delta in after.said(Delta) for _, id in delta.deletes}
                assert first["id"] in deleted
                # The records were given to it after the first delta had been applied to nothing.
                after.slice = {key: record for key, record in after.slice.items() if key[1] not in deleted}
                await settles(place, ("h1", after))
                assert after.kinds(Port) == {second["id"]}

    run(scenario)


def test_a_controller_that_restarts_finds_everything_and_lets_agents_resume(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place:
            address = place.address
            network, _ = await place.subnet("10.0.0.0/24")
            follower = agent(place, "h1", 1)
            one = await follower.__aenter__()
            port = await place.create("port", network_id=network, **{"binding:host_id": "h1"})
            await one.reaches(port["revision"])
            unrelated = await place.create("network")
            await place.controller.until(lambda: place.controller.picture.revision >= unrelated["revision"], PATIENCE)
        await one.until(lambda: one.said(Disconnected))
        async with site(tmp_path) as place:
            assert place.address == address
            await one.until(lambda: len(one.said(Connected)) == 2)
            later = await place.create("port", network_id=network, **{"binding:host_id": "h1"})
            await one.reaches(later["revision"])
            assert len([part for part in one.said(Snapshot) if part.first]) == 1, "it resumed"
            await settles(place, ("h1", one))
            await follower.__aexit__(None, None, None)

    run(scenario)


def test_a_log_that_is_not_the_agents_begins_with_a_snapshot(tmp_path: Path) -> None:
    async def scenario() -> None:
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
        async with site(tmp_path / "a") as place, agent(place, "h1", 1) as one:
            position = one.position
        async with site(tmp_path / "b") as place, agent(place, "h1", 1, position=position) as one:
            assert [part.first for part in one.said(Snapshot)] == [True]
            await settles(place, ("h1", one))

    run(scenario)


def test_claims_bind_ports_and_acknowledgements_make_them_active(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place, agent(place, "h1", 1) as one, agent(place, "h2", 2) as two:
            network, _ = await place.subnet("10.0.0.0/24")
            port = await place.create("port", network_id=network)
            assert port["status"] == "DOWN"
            one.send(Claim([port["id"], "unknown"]))
            await status_becomes(place, port["id"], "ACTIVE")
            await settles(place, ("h1", one))
            two.send(Claim([port["id"]]))
            await two.until(lambda: two.kinds(Port) == {port["id"]})
            await settles(place, ("h1", one), ("h2", two))
            assert one.kinds(Port) == set()
            await status_becomes(place, port["id"], "ACTIVE")
            two.send(Release([port["id"]]))
            await status_becomes(place, port["id"], "DOWN")
            await settles(place, ("h2", two))
            problems = (await place.call("GET", "/netplane/v1/problems")).body["problems"]
            assert [(problem["host"], problem["id"]) for problem in problems] == [("h1", "unknown")]

    run(scenario)


def test_what_the_last_session_still_says_while_a_host_comes_again_takes_no_port_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place, agent(place, "h1", 1) as host:
            controller = place.controller
            network, _ = await place.subnet("10.0.0.0/24")
            port = await place.create("port", network_id=network, **{"binding:host_id": "h1"})
            host.send(Claim([port["id"]]))
            await host.reaches(port["revision"])
            await status_becomes(place, port["id"], "ACTIVE")

            async def recall(name: str) -> None:
                """Takes a moment on PostgreSQL, in which the former session is there still."""
                controller.hear(name, Ack(port["revision"]))

            monkeypatch.setattr(controller._arrivals, "recall", recall)
            papers = await asyncio.to_thread(place.enrol, "h1")
            await controller.admit(Hello("h1", "192.0.2.1"), papers.identity)
            assert controller.picture.ports.news() == {}

    run(scenario)


def test_a_claim_of_a_port_that_is_requested_elsewhere_is_refused_until_it_no_longer_is(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place, agent(place, "h1", 1) as one, agent(place, "h2", 2):
            network, _ = await place.subnet("10.0.0.0/24")
            port = await place.create("port", network_id=network, **{"binding:host_id": "h2"})
            one.send(Claim([port["id"]]))
            one.send(Trouble([Problem("host", "h1", "on fire")]))
            async with asyncio.timeout(PATIENCE):
                while len(found := (await place.call("GET", "/netplane/v1/status")).body["problems"]) < 2:
                    await asyncio.sleep(0.01)
            assert {problem["id"] for problem in found} == {port["id"], "h1"}
            assert one.kinds(Port) == set()
            await place.call("PUT", f"/v2.0/ports/{port['id']}", {"port": {"binding:host_id": ""}})
            await one.until(lambda: one.kinds(Port) == {port["id"]})
            await status_becomes(place, port["id"], "ACTIVE")

    run(scenario)


def test_ports_that_wait_for_a_host_are_bound_when_it_first_comes(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place:
            network, _ = await place.subnet("10.0.0.0/24")
            port = await place.create("port", network_id=network, **{"binding:host_id": "h1"})
            async with agent(place, "h1", 1) as one:
                await one.until(lambda: one.kinds(Port) == {port["id"]})

    run(scenario)


def test_a_host_keeps_its_number_and_may_change_its_address(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place:
            async with agent(place, "h1", 1) as one:
                before = one.slice["host", "h1"]
            async with agent(place, "h2", 2), agent(place, "h1", 9) as one:
                after = one.slice["host", "h1"]
            assert isinstance(before, Host)
            assert isinstance(after, Host)
            assert (before.number, after.number, after.address) == (1, 1, "192.0.2.9")

    run(scenario)


def test_a_host_that_nothing_concerns_is_told_of_the_revision_too(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place, agent(place, "h1", 1) as one:
            network = await place.create("network")
            await place.controller.until(lambda: place.controller.picture.revision >= network["revision"], PATIENCE)
            place.controller.southbound.advance(network["revision"])
            await one.reaches(network["revision"])
            assert one.slice.keys() == {("host", "h1")}

    run(scenario)


def test_revisions_tell_when_they_are_realised_and_where(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place, agent(place, "h1", 1) as one, agent(place, "h2", 2):
            network, _ = await place.subnet("10.0.0.0/24")
            port = await place.create("port", network_id=network, **{"binding:host_id": "h1"})
            path = f"/netplane/v1/revisions/{port['revision']}"
            found = (await place.call("GET", f"{path}?wait=5")).body
            assert list(found["realised"]) == ["h1"]
            assert found["pending"] == []
            assert found["committed_at"] < found["realised"]["h1"]
            one.acknowledges = False
            renamed = await place.call("PUT", f"/v2.0/ports/{port['id']}", {"port": {"name": "new"}})
            path = f"/netplane/v1/revisions/{renamed.revision}"
            assert (await place.call("GET", f"{path}?wait=0.1")).body["pending"] == ["h1"]
            host, _ = (await place.call("GET", "/netplane/v1/status")).body["hosts"]
            assert host["behind_since"] == (await place.call("GET", path)).body["committed_at"]
            waiting = asyncio.create_task(place.call("GET", f"{path}?wait=5", token="blue"))
            await one.reaches(renamed.revision)
            one.send(Ack(renamed.revision))
            assert list((await waiting).body["realised"]) == ["1"], "members learn no names of hosts"
            for none in (999, 1 << 63, 1 << 80):
                assert (await place.call("GET", f"/netplane/v1/revisions/{none}")).status == 404
            assert (await place.call("GET", f"{path}?wait=long")).status == 400

    run(scenario)


def test_status_shows_hosts_and_administrators_only_see_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place, agent(place, "h1", 1) as one:
            async with agent(place, "h2", 2):
                pass
            await one.reaches(1)
            async with asyncio.timeout(PATIENCE):
                while (body := (await place.call("GET", "/netplane/v1/status")).body)["hosts"][1]["alive"]:
                    await asyncio.sleep(0.01)
            assert [(host["name"], host["alive"], host["ports"]) for host in body["hosts"]] == [
                ("h1", True, 0),
                ("h2", False, 0),
            ]
            assert (await place.call("GET", "/netplane/v1/status", token="blue")).status == 403

    run(scenario)


def test_a_trace_goes_on_at_the_host_that_the_packet_crosses_to(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place, agent(place, "h1", 1) as one:
            blue, _ = await place.subnet("10.0.0.0/24")
            near, far = [await place.create("port", network_id=blue, **{"binding:host_id": "h1"}) for _ in range(2)]
            wish = {"port_id": near["id"], "packet": "icmp dst=10.0.0.2"}
            onward = {"host": 2, "port": far["id"], "vni": 7, "frame": "00ff"}
            begun = {"verdict": "TUNNEL", "reason": "", "steps": [], "onward": onward}
            one.answers["trace"] = begun, ""
            async with agent(place, "h2", 2) as two:
                two.answers["arrival"] = {"verdict": "DELIVER", "reason": "", "steps": []}, ""
                found = (await place.call("POST", "/netplane/v1/trace", wish)).body
                assert (found["verdict"], found["host"]) == ("TUNNEL", "h1")
                assert found["then"] == {"verdict": "DELIVER", "reason": "", "steps": [], "host": "h2"}
                assert two.asked == [{"frame": "00ff", "vni": "7", "source": "192.0.2.1", "hosts": "told"}]
                one.answers["trace"] = begun | {"onward": onward | {"port": "of another project"}}, ""
                assert (await place.call("POST", "/netplane/v1/trace", wish)).body["then"] is None
            one.answers["trace"] = begun, ""
            await becomes(lambda: "h2" not in place.controller.southbound.connected, PATIENCE)
            [step] = (await place.call("POST", "/netplane/v1/trace", wish)).body["then"]["steps"]
            assert step["text"] == "Host h2 is not connected."

    run(scenario)


def test_a_trace_of_a_port_on_no_host_says_why(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place:
            network, _ = await place.subnet("10.0.0.0/24")
            for host, said in (("", "none has a device of it"), ("h9", "requested on host h9, which has never joined")):
                port = await place.create("port", network_id=network, **{"binding:host_id": host})
                wish = {"port_id": port["id"], "packet": "icmp dst=10.0.0.1"}
                refused = await place.call("POST", "/netplane/v1/trace", wish)
                assert refused.status == 409
                assert said in refused.body["NeutronError"]["message"]

    run(scenario)


def test_a_trace_that_fails_tells_a_tenant_no_host(tmp_path: Path) -> None:
    """Neither where a port is requested, nor who does not answer."""

    async def scenario() -> None:
        async with site(tmp_path) as place:
            network, _ = await place.subnet("10.0.0.0/24")
            for host in ("h1", "h9"):
                wanted = {"network_id": network, "project_id": "blue", "binding:host_id": host}
                port = await place.create("port", **wanted)
                if host == "h1":
                    async with agent(place, host, 1) as one:
                        await one.reaches(port["revision"])
                    await becomes(lambda: not place.controller.southbound.connected, PATIENCE)
                wish = {"port_id": port["id"], "packet": "icmp dst=10.0.0.1"}
                refused = await place.call("POST", "/netplane/v1/trace", wish, token="blue")
                assert refused.status == (503 if host == "h1" else 409)
                assert host not in refused.body["NeutronError"]["message"]

    run(scenario)


def test_questions_go_to_the_host_and_its_answer_comes_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place, agent(place, "h1", 1):
            assert (await place.call("GET", "/netplane/v1/hosts/h1/tables")).body == {"table": ["tables"]}
            assert (await place.call("GET", "/netplane/v1/hosts/h9/tables")).status == 404
            assert (await place.call("GET", "/netplane/v1/hosts/h1/tables", token="blue")).status == 403
            network, _ = await place.subnet("10.0.0.0/24")
            port = await place.create("port", network_id=network, **{"binding:host_id": "h1"})
            wish = {"port_id": port["id"], "packet": "no packet"}
            refused = await place.call("POST", "/netplane/v1/trace", wish)
            assert (refused.status, refused.body["NeutronError"]["message"]) == (400, "no packet")
            assert (await place.call("POST", "/netplane/v1/trace", wish, token="blue")).status == 404
            assert (await place.call("POST", "/netplane/v1/trace", {"port_id": port["id"]})).status == 400
            nonsense = await place.call("POST", "/netplane/v1/trace", wish | {"packet": ""})
            assert nonsense.status == 502

    run(scenario)


def test_a_host_that_is_away_cannot_be_asked(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place:
            async with agent(place, "h1", 1):
                pass
            await place.controller.until(lambda: not place.controller.southbound.connected, PATIENCE)
            assert (await place.call("GET", "/netplane/v1/hosts/h1/tables")).status == 503

    run(scenario)


def test_two_hosts_cannot_have_one_address(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place, agent(place, "h1", 1), agent(place, "h2", 1) as two:
            await two.until(lambda: two.said(Disconnected))
            assert two.said(Disconnected)[0].reason == "host h2: 192.0.2.1 in underlay is held by h1"

    run(scenario)


def test_a_second_session_of_a_host_ends_the_first(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place, agent(place, "h1", 1) as first, agent(place, "h1", 1):
            await first.until(lambda: first.said(Disconnected))
            assert "another session" in first.said(Disconnected)[0].reason

    run(scenario)


def test_an_agent_goes_on_to_the_next_controller_of_its_list(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place:
            nobody = (f"unix://{tmp_path}/nobody{number}" for number in range(100))
            dead = next(one for one in nobody if preferred("h1", [one, place.address])[0] == one)
            papers = place.enrol("h1")
            async with Uplink("h1", "192.0.2.1", [dead, place.address], lambda: papers) as uplink:
                events = [type(await anext(uplink)) for _ in range(3)]
            assert events == [Disconnected, Connected, Welcome]

    run(scenario)


def test_a_session_over_tcp(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path, "127.0.0.1:0") as place, agent(place, "h1", 1) as one:
            assert place.address.startswith("127.0.0.1:")
            await settles(place, ("h1", one))

    run(scenario)


def test_a_session_in_which_nothing_is_said_lasts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each end hears from time to time that the other is there."""
    monkeypatch.setattr(connection, "BEAT", 0.02)

    async def scenario() -> None:
        async with site(tmp_path) as place, agent(place, "h1", 1) as one:
            await asyncio.sleep(10 * 0.02 * connection.SILENCE)
            assert not one.said(Disconnected)
            assert place.controller.southbound.connected == {"h1"}

    run(scenario)


AGENT = """
import asyncio, pathlib, sys
from netplane.stream.client import Uplink
from netplane.trust.papers import read_papers

async def follow():
    papers = read_papers(pathlib.Path(sys.argv[2]))
    async with Uplink("h1", "192.0.2.1", [sys.argv[1]], lambda: papers) as uplink:
        async for event in uplink:
            print(event, flush=True)

asyncio.run(follow())
"""


def test_an_agent_that_hangs_is_away(tmp_path: Path) -> None:
    """Stopped by SIGSTOP its connection stays, as that of a host whose network is cut off."""

    async def scenario() -> None:
        async with site(tmp_path) as place:
            write_papers(tmp_path / "h1", place.enrol("h1"))
            words = (sys.executable, "-c", AGENT, place.address, str(tmp_path / "h1"))
            process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
            try:
                assert process.stdout is not None
                while b"Snapshot" not in await process.stdout.readline():
                    continue
                process.send_signal(signal.SIGSTOP)
                await becomes(lambda: not place.controller.southbound.connected, 25)
            finally:
                process.kill()
                await process.communicate()

    run(scenario)


async def becomes(is_so: Callable[[], bool], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not is_so():
            await asyncio.sleep(0.1)


def test_what_an_agent_says_without_a_session_is_dropped(tmp_path: Path) -> None:
    async def scenario() -> None:
        papers = certified(make_authority(wall_clock()), HostIdentity("h1", "0" * 16))
        async with Uplink("h1", "192.0.2.1", [f"unix://{tmp_path}/nobody"], lambda: papers) as uplink:
            assert not uplink.send(Claim(["p"]))
            assert isinstance(await anext(uplink), Disconnected)
            assert not uplink.send(Claim(["p"]))

    run(scenario)


HELLO = Hello("h1", "192.0.2.1")


BROKEN = {
    "no msgpack": [b"\xc1"],
    "a type that does not fit": [b"\x93\xa5hello\xa2h1\x01"],
    "no greeting": [encode(Ack(1))],
    "no name": [encode(Hello("", "192.0.2.1"))],
    "no address": [encode(Hello("h1", "nowhere"))],
    "two greetings": [encode(HELLO), encode(HELLO)],
    "no msgpack after the greeting": [encode(HELLO), b"\xc1"],
    "what controllers say": [encode(HELLO), encode(Delta(1, [], []))],
    "a revision below 0": [encode(HELLO), encode(Ack(-1))],
    "deep nesting": [encode(HELLO), b"\x91" * 100_000],
    "too many claims": [encode(HELLO), encode(Claim([f"{number}" for number in range(70_000)]))],
}


@pytest.mark.parametrize("frames", BROKEN.values(), ids=BROKEN)
def test_whoever_breaks_the_rules_is_cut_off_and_nobody_else(tmp_path: Path, frames: list[bytes]) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place, agent(place, "h2", 2) as other:
            assert (await last_word(place, place.enrol("h1"), *frames)).startswith("this agent broke the rules: ")
            network, _ = await place.subnet("10.0.0.0/24")
            port = await place.create("port", network_id=network, **{"binding:host_id": "h2"})
            await other.reaches(port["revision"])
            assert not other.said(Disconnected)

    run(scenario)


async def status_becomes(place: Site, port: str, status: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while (await place.call("GET", f"/v2.0/ports/{port}")).body["port"]["status"] != status:
            await asyncio.sleep(0.01)
