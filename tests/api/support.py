"""The API in this process: requests straight into the ASGI application, over a store of its own."""

import asyncio
import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Scope

from netplane.api import Context, make_app, parse_tokens
from netplane.api.limits import DEFAULTS
from netplane.model import STORED, kind_of
from netplane.model.network import DEFAULT_MTU
from netplane.store import Store

TOKENS = """
[[token]]
secret = "admin"
project = "admin"
roles = ["admin"]

[[token]]
secret = "blue"
project = "blue"
user = "ann"

[[token]]
secret = "red"
project = "red"
"""

Json = Any


class Reply(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Json:
        return json.loads(self.content)

    @property
    def error(self) -> tuple[int, str]:
        """Status and type of a refusal in the shape that it must have."""
        body = self.json
        assert set(body) == {"NeutronError"}, body
        assert set(body["NeutronError"]) == {"type", "message", "detail"}
        assert body["NeutronError"]["message"]
        return self.status, body["NeutronError"]["type"]


class World:
    """A server, and short ways to ask it as the project `blue` or another."""

    def __init__(
        self,
        folder: Path,
        *,
        largest_mtu: int = DEFAULT_MTU,
        callers: Mapping[str, Context] | None = None,
        limits: Mapping[str, int] = DEFAULTS,
    ) -> None:
        self.store = Store.open(f"sqlite:///{folder}/netplane.db")
        known = parse_tokens(TOKENS)
        more = {sha256(secret.encode()).digest(): context for secret, context in (callers or {}).items()}
        tokens = known._replace(callers=known.callers | more)
        self.app: ASGIApp = make_app(self.store, tokens, largest_mtu=largest_mtu, limits=limits)

    def ask(self, method: str, path: str, body: Json = None, token: str | None = "blue", **more: str) -> Reply:
        """One request. A body of bytes is sent as it is; `more` are further headers."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        headers = [] if token is None else [(b"x-auth-token", token.encode())]
        headers += [(name.replace("_", "-").encode(), value.encode()) for name, value in more.items()]
        return asyncio.run(send(self.app, method, path, content, headers))

    def get(self, path: str, token: str = "blue") -> Json:
        reply = self.ask("GET", f"/v2.0/{path}", token=token)
        assert reply.status == 200, reply
        return reply.json

    def make(self, kind: str, token: str = "blue", **fields: Json) -> Json:
        """Create one resource; answers it."""
        collection = collection_of(kind)
        names = {name.replace("__", ":"): value for name, value in fields.items()}
        reply = self.ask("POST", f"/v2.0/{collection}", {kind: names}, token)
        assert reply.status == 201, reply
        return reply.json[kind]

    def change(self, kind: str, id: str, token: str = "blue", **fields: Json) -> Json:
        names = {name.replace("__", ":"): value for name, value in fields.items()}
        reply = self.ask("PUT", f"/v2.0/{collection_of(kind)}/{id}", {kind: names}, token)
        assert reply.status == 200, reply
        return reply.json[kind]

    def remove(self, kind: str, id: str, token: str = "blue") -> None:
        reply = self.ask("DELETE", f"/v2.0/{collection_of(kind)}/{id}", token=token)
        assert (reply.status, reply.content) == (204, b""), reply

    def refused(self, method: str, path: str, body: Json = None, token: str = "blue") -> tuple[int, str]:
        """Status and type of a request that must be refused and must write nothing."""
        before = self.store.revision
        reply = self.ask(method, f"/v2.0/{path}", body, token)
        assert self.store.revision == before, "a refused request has written something"
        assert "x-netplane-revision" not in reply.headers
        return reply.error

    def lift_quota(self, *kinds: str, project: str = "blue") -> None:
        """Let a project have any number of some kinds."""
        reply = self.ask("PUT", f"/v2.0/quotas/{project}", {"quota": dict.fromkeys(kinds, -1)}, "admin")
        assert reply.status == 200, reply

    def counts(self) -> dict[str, int]:
        """How many records of each kind there are, where there are any."""
        with self.store.read() as reader:
            found = {kind_of(kind): len(reader.list(kind)) for kind in STORED}
        return {kind: count for kind, count in found.items() if count}

    def close(self) -> None:
        self.store.close()


def collection_of(kind: str) -> str:
    """Where the resources of a kind are."""
    return next(stored.collection for stored in STORED if kind_of(stored) == kind)


async def send(
    app: ASGIApp,
    method: str,
    path: str,
    content: bytes,
    headers: list[tuple[bytes, bytes]],
    address: str = "127.0.0.1",
) -> Reply:
    """One HTTP request by the rules of ASGI, its body in two parts."""
    url = urlsplit(path)
    half = len(content) // 2
    parts = [(content[:half], True), (content[half:], False)]
    sent: list[Message] = []

    async def receive() -> Message:
        part, more = parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": more}

    async def keep(message: Message) -> None:
        sent.append(message)

    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": url.path,
        "raw_path": url.path.encode(),
        "root_path": "",
        "query_string": url.query.encode(),
        "headers": [(b"host", b"net.example"), *headers],
        "client": (address, 1),
        "server": ("127.0.0.1", 2),
    }
    await app(scope, receive, keep)
    names = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return Reply(sent[0]["status"], names, b"".join(message.get("body", b"") for message in sent[1:]))
