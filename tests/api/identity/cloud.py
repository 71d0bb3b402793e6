"""A server with an administrator, and short ways to log in and to ask the identity API."""

import asyncio
import json
from pathlib import Path
from typing import Any

from netplane.api import IdentityConfig, make_app, make_identity, parse_tokens
from netplane.api.callers.signed import now
from netplane.api.identity.first import make_first
from netplane.model import CONTROL, kind_of, role_id
from netplane.store import Store
from tests.api.support import TOKENS, Reply, send

PASSWORD = "a long word that nobody guesses"
Json = Any


class Cloud:
    """A server; its two clocks stand still until they are moved."""

    def __init__(self, folder: Path, config: IdentityConfig | None = None) -> None:
        self.store = Store.open(f"sqlite:///{folder}/netplane.db")
        self.time = now()
        self.seconds = 0.0
        self.address = "192.0.2.1"
        make_first(self.store, PASSWORD)
        self.app = self.controller(config)

    def controller(self, config: IdentityConfig | None = None) -> Any:
        """One more server on the same store."""
        self.identity = make_identity(
            self.store, config or IdentityConfig(), clock=lambda: self.seconds, time=lambda: self.time
        )
        return make_app(self.store, parse_tokens(TOKENS), identity=self.identity)

    def ask(self, method: str, path: str, body: Json = None, token: str = "", **headers: str) -> Reply:
        """One request; a body of bytes is sent as it is."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        named = {"x-auth-token": token, **{name.replace("_", "-"): value for name, value in headers.items()}}
        sent = [(name.lower().encode(), value.encode("latin-1")) for name, value in named.items() if value]
        return asyncio.run(send(self.app, method, path, content, sent, self.address))

    def log_in(self, user: str = "admin", password: str = PASSWORD, scope: Json = None) -> str:
        """A token; by default for the project `admin`."""
        reply = self.try_to_log_in(user, password, scope)
        assert reply.status == 201, reply
        return reply.headers["x-subject-token"]

    def try_to_log_in(self, user: str, password: str, scope: Json = None) -> Reply:
        """The reply to a login by password."""
        wanted = {"name": user, "domain": {"name": "Default"}, "password": password}
        identity = {"methods": ["password"], "password": {"user": wanted}}
        auth = {"identity": identity} if scope is None else {"identity": identity, "scope": scope}
        return self.ask("POST", "/v3/auth/tokens", {"auth": auth})

    def rescope(self, token: str, scope: Json = None) -> Reply:
        """The reply to a login by token."""
        identity = {"methods": ["token"], "token": {"id": token}}
        auth = {"identity": identity} if scope is None else {"identity": identity, "scope": scope}
        return self.ask("POST", "/v3/auth/tokens", {"auth": auth})

    def subject(self, token: str, by: str, method: str = "GET") -> Reply:
        """What the server says of a token."""
        return self.ask(method, "/v3/auth/tokens", None, by, X_Subject_Token=token)

    def get(self, path: str, token: str) -> Json:
        reply = self.ask("GET", f"/v3/{path}", token=token)
        assert reply.status == 200, reply
        return reply.json

    def make(self, kind: str, token: str, **fields: Json) -> Json:
        """A project or a user."""
        reply = self.ask("POST", f"/v3/{kind}s", {kind: fields}, token)
        assert reply.status == 201, reply
        return reply.json[kind]

    def member(self, admin: str, name: str) -> tuple[str, str]:
        """The ids of a user whose password is `word`, and of a project that it is a member of and logs in to."""
        project = self.make("project", admin, name=f"of {name}")["id"]
        user = self.make("user", admin, name=name, password="word", default_project_id=project)["id"]
        path = f"/v3/projects/{project}/users/{user}/roles/{role_id('member')}"
        assert self.ask("PUT", path, token=admin).status == 204
        return user, project

    def records(self) -> dict[str, int]:
        """How many records of each kind there are, where there are any."""
        with self.store.read() as reader:
            found = {kind_of(kind): len(reader.list(kind)) for kind in CONTROL}
        return {kind: count for kind, count in found.items() if count}

    def may_list_networks(self, token: str) -> bool:
        """Whether a token opens the network API."""
        status = self.ask("GET", "/v2.0/networks", token=token).status
        assert status in (200, 401), status
        return status == 200

    def error(self, reply: Reply) -> tuple[int, str]:
        """Status and title of a refusal in Keystone's shape."""
        error = reply.json["error"]
        assert error["code"] == reply.status
        assert error["message"]
        return reply.status, error["title"]
