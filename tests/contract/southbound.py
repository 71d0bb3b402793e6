"""A controller on a real socket and store, callers of its HTTP side, and agents that only keep their slice."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from starlette.types import ASGIApp, Message

from netplane.api import make_app, parse_tokens
from netplane.controller.admission import open_authority
from netplane.controller.controller import Controller
from netplane.controller.routes import routes
from netplane.interest import Key
from netplane.model import Record, kind_of
from netplane.store import Store
from netplane.store.enrolments import enrol, enrolment_of
from netplane.stream.client import LARGEST_DOWN, NOWHERE, Disconnected, Event, Position, Saying, Uplink
from netplane.stream.codec import decode_down
from netplane.stream.connection import Connection, explain
from netplane.stream.faults import Gone
from netplane.stream.messages import Ack, Answer, Ask, Delta, Farewell, Snapshot, Welcome
from netplane.stream.transport import agent_context, dial
from netplane.trust.authority import LIFE, Authority, certify_host
from netplane.trust.keys import make_key
from netplane.trust.names import HostIdentity
from netplane.trust.own import OwnCertificate, wall_clock
from netplane.trust.papers import Papers

TOKENS = parse_tokens(
    """
    [[token]]
    secret = "admin"
    project = "operators"
    roles = ["admin"]
    [[token]]
    secret = "blue"
    project = "blue"
    [[token]]
    secret = "red"
    project = "red"
    [[token]]
    secret = "jim"
    project = "operators"
    roles = ["reader"]
    """
)
PATIENCE = 5.0


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: Any

    @property
    def revision(self) -> int:
        return int(self.headers["x-netplane-revision"])


class Site(NamedTuple):
    """A running controller."""

    controller: Controller
    app: ASGIApp
    address: str

    def enrol(self, host: str) -> Papers:
        """Papers by which a host is let in: those of its enrolment, or of a new one."""
        store, authority = self.controller.store, self.controller.admission.authority
        with store.write("test") as transaction:
            known = enrolment_of(transaction, host) or enrol(transaction, host, wall_clock() + LIFE)
        return certified(authority, HostIdentity(host, known.id))

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        token: str = "admin",
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Reply:
        named = {"X-Auth-Token": token, "Host": "test", **headers}
        path, _, query = path.partition("?")
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in named.items()],
            "server": ("test", 80),
            "scheme": "http",
        }
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"" if body is None else json.dumps(body).encode()}

        async def send(message: Message) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        content = b"".join(message.get("body", b"") for message in sent[1:])
        headers = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
        return Reply(sent[0]["status"], headers, json.loads(content) if content else None)

    async def create(self, kind: str, **fields: Any) -> dict[str, Any]:
        """A resource, made by an administrator."""
        reply = await self.call("POST", f"/v2.0/{kind.replace('_', '-')}s", {kind: fields})
        assert reply.status == 201, reply.body
        found: dict[str, Any] = reply.body[kind] | {"revision": reply.revision}
        return found

    async def subnet(self, cidr: str) -> tuple[str, str]:
        """A network with a subnet: their ids."""
        network = await self.create("network")
        subnet = await self.create("subnet", network_id=network["id"], ip_version=4, cidr=cidr)
        return network["id"], subnet["id"]


def certified(authority: Authority, identity: HostIdentity, life: timedelta = LIFE) -> Papers:
    """What an authority gives a host."""
    key = make_key()
    certificate = certify_host(authority, key.public_key(), identity, wall_clock(), life)
    return Papers(key, certificate, authority.certificate)


@asynccontextmanager
async def site(directory: Path, southbound: str = "", database: str = "") -> AsyncIterator[Site]:
    store = Store.open(database or f"sqlite:///{directory}/netplane.db")
    controller = Controller(store, OwnCertificate(open_authority(store)), url=f"http://{directory.name}")
    try:
        address = await controller.start(southbound or f"unix://{directory}/southbound")
        yield Site(controller, make_app(store, TOKENS, routes=routes(controller)), address)
        if controller.broken.done():
            controller.broken.result()
    finally:
        await controller.stop()
        store.close()


@asynccontextmanager
async def connected(address: str, papers: Papers) -> AsyncIterator[Connection]:
    """A connection on which anything can be said; OSError if there is none."""
    connection = Connection(LARGEST_DOWN)
    try:
        await dial(address, connection, lambda: agent_context(papers))
        yield connection
    finally:
        connection.abort("the test is done")


async def last_word(site: Site, papers: Papers, *frames: bytes) -> str:
    """Why a controller ends the session of an agent that shows these papers and says this.

    `gone: ...` if it does not say. What follows the first word is said when that has been answered.
    """
    try:
        async with asyncio.timeout(2 * PATIENCE), connected(site.address, papers) as connection:
            connection.write(frames[0])
            following = frames[1:]
            while not isinstance(message := decode_down(await connection.read()), Farewell):
                for frame in following:
                    connection.write(frame)
                    await connection.drained()
                following = ()
            return message.reason
    except (Gone, OSError) as end:
        return f"gone: {explain(end)}"


class Follower:
    """An agent without a datapath: it keeps its slice, notes what happens, and acknowledges if it is told to."""

    def __init__(self, uplink: Uplink, *, acknowledges: bool) -> None:
        self.uplink = uplink
        self.acknowledges = acknowledges
        self.events: list[Event] = []
        self.slice: dict[Key, Record] = {}
        self.ever: set[Key] = set()
        self.asked: list[dict[str, str]] = []
        self.answers: dict[str, tuple[dict[str, Any], str]] = {}
        self.position = NOWHERE
        self._log = ""
        self._moved = asyncio.Event()

    async def run(self) -> None:
        async for event in self.uplink:
            self.events.append(event)
            self._take(event)
            self._moved.set()

    def kinds(self, kind: type[Record]) -> set[str]:
        """The ids of the records of a kind in the slice."""
        return {id for name, id in self.slice if name == kind_of(kind)}

    def said(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def reasons(self) -> list[str]:
        """Why sessions, or attempts at one, have ended."""
        return [event.reason for event in self.said(Disconnected)]

    def send(self, message: Saying) -> None:
        assert self.uplink.send(message)

    async def until(self, is_so: Callable[[], Any]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not is_so():
                self._moved.clear()
                await self._moved.wait()

    async def reaches(self, revision: int) -> None:
        await self.until(lambda: self.position.revision >= revision)

    def _take(self, event: Event) -> None:
        match event:
            case Welcome(_, log):
                self._log = log
            case Snapshot(revision, first, last, records, endpoints):
                if first:
                    self.slice = {}
                self._keep([*records, *endpoints])
                self._advance(revision if last else 0)
            case Delta(revision, upserts, deletes, endpoints):
                for key in deletes:
                    self.slice.pop(key, None)
                self._keep([*upserts, *endpoints])
                self._advance(revision)
            case Ask(number, topic, body):
                self.asked.append(body)
                self.send(Answer(number, *self.answers.get(topic, ({"table": [topic]}, body.get("packet", "")))))

    def _keep(self, records: list[Any]) -> None:
        fresh = {(kind_of(record), record.id): record for record in records}
        self.slice |= fresh
        self.ever |= fresh.keys()

    def _advance(self, revision: int) -> None:
        self.position = Position(self._log, revision)
        if self.acknowledges and revision:
            self.send(Ack(revision))


@asynccontextmanager
async def agent(
    site: Site,
    host: str,
    number: int,
    *,
    papers: Papers | None = None,
    position: Position = NOWHERE,
    acknowledges: bool = True,
    others: Sequence[Site] = (),
) -> AsyncIterator[Follower]:
    """A host's agent; with the papers of its enrolment, or others."""
    shown = await asyncio.to_thread(site.enrol, host) if papers is None else papers
    async with Uplink(
        host,
        f"192.0.2.{number}",
        [site.address, *(other.address for other in others)],
        lambda: shown,
        position=position,
    ) as uplink:
        follower = Follower(uplink, acknowledges=acknowledges)
        task = asyncio.create_task(follower.run())
        try:
            if papers is None:
                await follower.until(lambda: follower.position.revision or follower.said(Disconnected))
            yield follower
            if task.done():
                task.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
