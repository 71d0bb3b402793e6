"""netplane's own lists on a real controller: the audit log, hosts, bindings, revisions, problems."""

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from netplane.base.problem import Problem
from netplane.store.bindings import register_host
from tests.contract.southbound import Reply, Site, site


async def get(place: Site, path: str, token: str = "admin") -> Any:
    reply = await place.call("GET", f"/netplane/v1/{path}", token=token)
    assert reply.status == 200, reply.body
    return reply.body


async def write(place: Site, method: str, path: str, body: Any = None, token: str = "blue") -> Reply:
    reply = await place.call(method, f"/v2.0/{path}", body, token)
    assert reply.status < 300, reply.body
    return reply


def test_every_write_is_in_the_audit_log(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place:
            made = await write(place, "POST", "networks", {"network": {"name": "secret-name"}})
            id = made.body["network"]["id"]
            await write(place, "PUT", f"networks/{id}", {"network": {"name": "b"}})
            await write(place, "DELETE", f"networks/{id}")
            await write(place, "POST", "networks", {"network": {}}, "admin")
            lines = (await get(place, f"audit?id={id}", "blue"))["audit"]
            assert [line["operation"] for line in lines] == ["delete", "upsert", "upsert"]
            assert [line["revision"] for line in lines] == sorted((line["revision"] for line in lines), reverse=True)
            first = lines[-1]
            assert first | {"time": "", "revision": 0} == {
                "revision": 0,
                "kind": "network",
                "id": id,
                "operation": "upsert",
                "project_id": "blue",
                "actor": "blue",
                "request_id": made.headers["x-openstack-request-id"],
                "time": "",
            }
            assert "secret-name" not in str(lines)
            everything = (await get(place, "audit"))["audit"]
            assert {line["project_id"] for line in everything} >= {"blue", "operators"}
            for query, count in {
                f"request_id={made.headers['x-openstack-request-id']}&kind=network": 1,
                "operation=delete": 1,
                "actor=operators&kind=network": 1,
                "project_id=blue&kind=network": 3,
                "kind=network&since=2020-01-01T00:00:00Z": 4,
                "until=2020-01-01": 0,
            }.items():
                assert len((await get(place, f"audit?{query}"))["audit"]) == count, query
            owners = {line["project_id"] for line in (await get(place, "audit", "blue"))["audit"]}
            assert owners == {"blue"}

    asyncio.run(scenario())


def test_pages_of_the_audit_log(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place:
            for _ in range(3):
                await write(place, "POST", "networks", {"network": {}})
            whole = [line["revision"] for line in (await get(place, "audit"))["audit"]]
            found: list[int] = []
            path = "audit?limit=2"
            while path:
                body = await get(place, path)
                found += [line["revision"] for line in body["audit"]]
                links = body.get("audit_links", [])
                path = f"audit?{urlsplit(links[0]['href']).query}" if links else ""
            assert found == whole == list(range(len(whole), 0, -1))

    asyncio.run(scenario())


def test_bad_questions(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place:
            for path, token, status in (
                ("audit?limit=0", "admin", 400),
                ("audit?limit=1001", "admin", 400),
                ("audit?marker=x", "admin", 400),
                ("audit?since=x", "admin", 400),
                ("audit?operation=create", "admin", 400),
                ("audit?who=me", "admin", 400),
                ("audit?project_id=red", "blue", 403),
                ("hosts", "blue", 403),
                ("hosts/none", "blue", 403),
                ("hosts/none", "admin", 404),
                ("hosts?nonsense=1", "admin", 400),
                ("hosts?limit=x", "admin", 400),
                ("hosts?marker=none", "admin", 404),
                ("bindings", "blue", 403),
                ("bindings?host=1", "admin", 400),
                ("revisions", "blue", 403),
                ("problems?what=1", "admin", 400),
            ):
                assert (await place.call("GET", f"/netplane/v1/{path}", token=token)).status == status, path

    asyncio.run(scenario())


def test_hosts_bindings_revisions_and_problems(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place:
            with place.controller.store.write("test") as transaction:
                for number in (1, 2, 3):
                    register_host(transaction, f"h{number}", f"192.0.2.{number}")
            assert [host["name"] for host in (await get(place, "hosts"))["hosts"]] == ["h1", "h2", "h3"]
            assert [host["name"] for host in (await get(place, "hosts?limit=1&marker=h1"))["hosts"]] == ["h2"]
            assert (await get(place, "hosts?alive=true"))["hosts"] == []
            assert (await get(place, "hosts/h2"))["host"]["address"] == "192.0.2.2"
            network, _ = await place.subnet("10.0.0.0/24")
            port = await place.create("port", network_id=network, **{"binding:host_id": "h2"})
            pairs = (await get(place, "bindings?host_id=h2&host_id=h3"))["bindings"]
            assert pairs == [{"port_id": port["id"], "host_id": "h2"}]
            assert (await get(place, "bindings?host_id=h1"))["bindings"] == []
            while place.controller.picture.revision < port["revision"]:
                await asyncio.sleep(0.005)
            youngest = (await get(place, "revisions?limit=1"))["revisions"][0]
            assert youngest["revision"] == place.controller.picture.revision
            assert (youngest["realised"], youngest["pending"]) == ({}, [])
            place.controller.problems.say("h1", [Problem("port", "p", "broken"), Problem("network", "n", "worse")])
            assert [one["text"] for one in (await get(place, "problems?kind=port"))["problems"]] == ["broken"]

    asyncio.run(scenario())
