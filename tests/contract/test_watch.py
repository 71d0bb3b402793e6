"""Watching over HTTP, on a real controller: nothing is skipped, whenever one comes, and nothing is told to others."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from starlette.types import Message

from netplane.api.identity.first import make_first
from netplane.controller.watching import stream
from netplane.controller.watching import watchers as hub
from netplane.store.bindings import register_host
from tests.contract.southbound import PATIENCE, Site, site


class Event(NamedTuple):
    name: str
    revision: int
    body: Any


class Stream:
    """The client's side of a watch."""

    def __init__(self) -> None:
        self.status = 0
        self.taking = asyncio.Event()
        self.taking.set()
        self.gone = asyncio.Event()
        self.is_over = False
        self._text = ""
        self._more = asyncio.Event()

    async def send(self, message: Message) -> None:
        await self.taking.wait()
        self.status = message.get("status", self.status)
        self._text += message.get("body", b"").decode()
        self.is_over = self.status != 200 or (message["type"].endswith("body") and not message.get("more_body"))
        self._more.set()

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    @property
    def events(self) -> list[Event]:
        """What has come so far, signs of life left out."""
        found = []
        for block in self._text.split("\n\n"):
            lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
            if "event" in lines:
                found.append(Event(lines["event"], int(lines["id"]), json.loads(lines["data"])))
        return found

    @property
    def position(self) -> int:
        """What one resumes from."""
        return int([line for line in self._text.splitlines() if line.startswith("id: ")][-1].removeprefix("id: "))

    @property
    def changes(self) -> list[tuple[str, str]]:
        return [(event.body["kind"], event.body["operation"]) for event in self.events if "operation" in event.body]

    async def until(self, count: int) -> list[tuple[str, str]]:
        """The changes, once there are so many."""
        async with asyncio.timeout(PATIENCE):
            while len(self.changes) < count:
                self._more.clear()
                await self._more.wait()
        return self.changes


@asynccontextmanager
async def watching(place: Site, query: str = "", token: str = "admin", **headers: str) -> AsyncIterator[Stream]:
    stream = Stream()
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": "/netplane/v1/watch",
        "raw_path": b"/netplane/v1/watch",
        "query_string": query.encode(),
        "headers": [(b"x-auth-token", token.encode()), (b"host", b"test"), *named],
        "server": ("test", 80),
        "scheme": "http",
    }
    serving = place.app(scope, stream.receive, stream.send)
    task = asyncio.ensure_future(serving)
    async with asyncio.timeout(PATIENCE):
        while not (stream.is_over or stream.status):
            await asyncio.sleep(0.005)
    yield stream
    stream.gone.set()
    await asyncio.wait_for(task, PATIENCE)
    assert len(place.controller.watchers) == 0


async def network(place: Site, token: str = "blue", **fields: Any) -> dict[str, Any]:
    reply = await place.call("POST", "/v2.0/networks", {"network": fields}, token)
    assert reply.status == 201, reply.body
    found: dict[str, Any] = reply.body["network"] | {"revision": reply.revision}
    return found


def test_what_happens_is_told(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place, watching(place, "kind=network", "blue") as stream:
            one = await network(place, name="a")
            await place.call("PUT", f"/v2.0/networks/{one['id']}", {"network": {"name": "b"}}, "blue")
            await network(place, "admin", name="hidden")
            await place.call("DELETE", f"/v2.0/networks/{one['id']}", None, "blue")
            assert await stream.until(3) == [("network", "upsert"), ("network", "upsert"), ("network", "delete")]
            begin, lent, *changes = stream.events
            assert (begin.name, begin.body) == ("begin", {"revision": 0, "log": place.controller.log})
            assert (lent.name, lent.body["lent"]) == ("lent", [])
            assert [change.body["resource"] and change.body["resource"]["name"] for change in changes] == [
                "a",
                "b",
                None,
            ]
            assert "provider:segmentation_id" not in changes[0].body["resource"]
            assert changes[-1].body["project_id"] == "blue"
            assert [change.revision for change in changes] == [change.body["revision"] for change in changes]

    asyncio.run(scenario())


@pytest.mark.parametrize("batch", [1, 3, 1000])
def test_nothing_is_skipped_on_the_way_from_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    """Clients that come and go while others write see each change once, in order."""
    monkeypatch.setattr(stream, "BATCH", batch)

    async def scenario() -> None:
        async with site(tmp_path) as place:

            async def write() -> None:
                for _ in range(40):
                    await network(place)

            writer = asyncio.create_task(write())
            seen: list[int] = []
            since = 0
            while len(seen) < 40:
                async with watching(place, f"kind=network&since={since}", "blue") as client:
                    wanted = min(7, 40 - len(seen))
                    await client.until(wanted)
                    seen += [event.revision for event in client.events if "operation" in event.body][:wanted]
                    since = seen[-1]
            await writer
            entries = place.controller.store.journal(0, 1000)
            assert seen == [entry.change.revision for entry in entries if entry.change.kind == "network"]

    asyncio.run(scenario())


def test_resuming_as_browsers_do(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place:
            one, two = await network(place), await network(place)
            last = str(one["revision"])
            async with watching(place, "kind=network&since=0", "blue", last_event_id=last) as client:
                await client.until(1)
                assert [event.body["id"] for event in client.events if "operation" in event.body] == [two["id"]]

    asyncio.run(scenario())


def test_a_project_that_has_missed_too_much_lists_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading the whole log for it would keep everybody else waiting."""
    monkeypatch.setattr(stream, "MOST_MISSED", 2)

    async def scenario() -> None:
        async with site(tmp_path) as place:
            for _ in range(4):
                last = (await network(place))["revision"]
            for since, token, status in ((last - 2, "blue", 200), (last - 3, "blue", 410), (1, "admin", 200)):
                async with watching(place, f"since={since}", token) as client:
                    assert client.status == status

    asyncio.run(scenario())


def test_revisions_that_are_not_in_the_log(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place:
            await network(place)
            for since in (1_000, 10**17):
                async with watching(place, f"since={since}") as client:
                    assert client.status == 410
            for query in ("since=x", "since=-1", "since=", "kind=host", "kind=none", "port=1"):
                async with watching(place, query, "blue") as client:
                    assert client.status == 400, query

    asyncio.run(scenario())


def test_a_watch_ends_with_its_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "RECHECK", 0.05)
    who = {"user": {"name": "admin", "domain": {"id": "default"}, "password": "secret"}}
    login = {"auth": {"identity": {"methods": ["password"], "password": who}}}

    async def scenario() -> None:
        async with site(tmp_path) as place:
            make_first(place.controller.store, "secret")
            reply = await place.call("POST", "/v3/auth/tokens", login)
            token = reply.headers["x-subject-token"]
            async with watching(place, "", token) as client, watching(place, "") as other:
                await network(place)
                await client.until(1)
                revoked = await place.call("DELETE", "/v3/auth/tokens", None, token, {"X-Subject-Token": token})
                assert revoked.status == 204
                async with asyncio.timeout(PATIENCE):
                    while not client.is_over:
                        await asyncio.sleep(0.01)
                assert client.events[-1].name == "end"
                await asyncio.sleep(0.2)
                assert not other.is_over

    asyncio.run(scenario())


def test_what_others_let_one_use(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place:
            lent = await network(place, "admin", shared=True, name="lent")
            async with watching(place, "", "blue") as client:
                await client.until(0)
                while len(client.events) < 2:
                    await asyncio.sleep(0.005)
                [shown] = client.events[1].body["lent"]
                assert (shown["kind"], shown["resource"]["name"]) == ("network", "lent")
                await place.call("PUT", f"/v2.0/networks/{lent['id']}", {"network": {"name": "renamed"}})
                assert await client.until(1) == [("network", "upsert")]
                await place.call("PUT", f"/v2.0/networks/{lent['id']}", {"network": {"shared": False}})
                async with asyncio.timeout(PATIENCE):
                    while not client.is_over:
                        await asyncio.sleep(0.005)
                assert client.events[-1].name == "end"
            async with watching(place, f"since={client.position}", "blue") as again:
                while len(again.events) < 2:
                    await asyncio.sleep(0.005)
                assert again.events[1].body["lent"] == []
                assert again.changes == []

    asyncio.run(scenario())


def test_who_shares_anothers_network_sees_nobodys_ports_on_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place:
            lent = await network(place)
            wish = {"object_type": "network", "object_id": lent["id"], "action": "access_as_shared"}
            await place.call("POST", "/v2.0/rbac-policies", {"rbac_policy": {**wish, "target_tenant": "red"}})
            for watcher, seen in (("jim", ["operators"]), ("blue", ["red", "blue", "operators"])):
                async with watching(place, "kind=port", watcher) as client:
                    for token in ("red", "blue", "admin"):
                        reply = await place.call("POST", "/v2.0/ports", {"port": {"network_id": lent["id"]}}, token)
                        assert reply.status == 201, reply.body
                    await client.until(len(seen))
                    assert [event.body["project_id"] for event in client.events[2:]] == seen

    asyncio.run(scenario())


def test_what_follows_the_end_of_sharing_is_not_told_from_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sharing changes after what is lent was looked up, and before the log is read."""
    look = stream._with_lent

    async def scenario() -> None:
        async with site(tmp_path) as place:
            loop = asyncio.get_running_loop()
            lent = await network(place, "red")
            wish = {"object_type": "network", "object_id": lent["id"], "action": "access_as_shared"}
            body = {"rbac_policy": {**wish, "target_tenant": "blue"}}
            policy = (await place.call("POST", "/v2.0/rbac-policies", body, "red")).body["rbac_policy"]["id"]

            async def change() -> None:
                path = f"/v2.0/networks/{lent['id']}"
                await place.call("PUT", path, {"network": {"name": "still"}}, "red")
                body = {"rbac_policy": {"target_tenant": "green"}}
                assert (await place.call("PUT", f"/v2.0/rbac-policies/{policy}", body, "red")).status == 200
                reply = await place.call("PUT", path, {"network": {"name": "secret"}}, "red")
                while place.controller.watchers.revision < reply.revision:
                    await asyncio.sleep(0.005)

            def looked(*args: Any) -> Any:
                found = look(*args)
                asyncio.run_coroutine_threadsafe(change(), loop).result(PATIENCE)
                return found

            monkeypatch.setattr(stream, "_with_lent", looked)
            async with watching(place, f"since={place.controller.watchers.revision}", "blue") as client:
                async with asyncio.timeout(PATIENCE):
                    while not client.is_over:
                        await asyncio.sleep(0.005)
                told = [event.body["resource"]["name"] for event in client.events if "operation" in event.body]
                assert (told, client.events[-1].name) == (["still"], "end")

    asyncio.run(scenario())


def test_who_does_not_read_is_let_go_and_misses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "BACKLOG", 5)

    async def scenario() -> None:
        async with site(tmp_path) as place:
            async with watching(place, "kind=network") as client:
                await network(place)
                await client.until(1)
                client.taking.clear()
                made = [await network(place) for _ in range(20)]
                while place.controller.watchers.revision < made[-1]["revision"]:
                    await asyncio.sleep(0.005)
                client.taking.set()
                async with asyncio.timeout(PATIENCE):
                    while not client.is_over:
                        await asyncio.sleep(0.005)
                assert client.events[-1].name == "end"
                first = len(client.changes)
                assert 5 <= first < 21
            async with watching(place, f"kind=network&since={client.position}") as again:
                assert len(await again.until(21 - first)) == 21 - first

    asyncio.run(scenario())


def test_signs_of_life_move_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT", 0.05)

    async def scenario() -> None:
        async with site(tmp_path) as place, watching(place, "kind=network&project_id=green") as client:
            last = (await network(place))["revision"]
            async with asyncio.timeout(PATIENCE):
                while client.position < last:
                    await asyncio.sleep(0.01)
            assert client.changes == []

    asyncio.run(scenario())


def test_hosts_and_bindings_are_for_administrators(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as place:
            with place.controller.store.write("test") as transaction:
                register_host(transaction, "h1", "192.0.2.1")
            async with watching(place, "kind=host&since=0") as client:
                assert await client.until(1) == [("host", "upsert")]
                assert client.events[-1].body["resource"]["address"] == "192.0.2.1"

    asyncio.run(scenario())
