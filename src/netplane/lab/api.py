"""The lab's HTTP client: what a tenant, or the service that starts machines, would say to netplane."""

import json
from typing import Any, NamedTuple

import urllib3

Body = dict[str, Any]

REVISION = "X-Netplane-Revision"


class Refused(Exception):
    """The API answered with an error; `status` is its HTTP status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"HTTP {status}: {text}")
        self.status = status


class Reply(NamedTuple):
    """A body and the revision that the call made; 0 if it wrote nothing."""

    body: Body
    revision: int


class Api:
    """One client with one token; `revision` is the newest that a call of its own has made."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.token = token
        self.revision = 0
        self._pool = urllib3.PoolManager(headers={"X-Auth-Token": token}, retries=False, timeout=30)

    def call(self, method: str, path: str, body: object = None) -> Reply:
        """One request; Refused for any status from 400."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"X-Auth-Token": self.token, "Content-Type": "application/json"}
        response = self._pool.request(method, self.url + path, body=data, headers=headers)
        if response.status >= 400:
            raise Refused(response.status, response.data.decode(errors="replace"))
        revision = int(response.headers.get(REVISION, 0))
        self.revision = max(self.revision, revision)
        return Reply(json.loads(response.data) if response.data else {}, revision)

    def make_join_token(self, host: str) -> str:
        """A token by which a host may join."""
        return str(self.call("POST", "/netplane/v1/join-tokens", {"host": host}).body["token"])

    def create(self, kind: str, **fields: object) -> Body:
        """Create a resource such as `security_group`; a `__` in a field's name stands for a colon."""
        named = {name.replace("__", ":"): value for name, value in fields.items()}
        found: Body = self.call("POST", _path(kind), {kind: named}).body[kind]
        return found

    def find(self, kind: str, query: str = "") -> list[Body]:
        """The resources of a kind that this token may see."""
        found: list[Body] = self.call("GET", f"{_path(kind)}{query}").body[f"{kind}s"]
        return found

    def show(self, kind: str, id: str) -> Body:
        """One resource."""
        found: Body = self.call("GET", f"{_path(kind)}/{id}").body[kind]
        return found

    def update(self, kind: str, id: str, **fields: object) -> Body:
        """Change fields of a resource."""
        found: Body = self.call("PUT", f"{_path(kind)}/{id}", {kind: fields}).body[kind]
        return found

    def delete(self, kind: str, id: str) -> None:
        """Delete a resource."""
        self.call("DELETE", f"{_path(kind)}/{id}")

    def add_interface(self, router: str, subnet: str) -> None:
        """Plug a router into a subnet."""
        self.call("PUT", f"/v2.0/routers/{router}/add_router_interface", {"subnet_id": subnet})

    def remove_interface(self, router: str, subnet: str) -> None:
        """Unplug a router from a subnet."""
        self.call("PUT", f"/v2.0/routers/{router}/remove_router_interface", {"subnet_id": subnet})

    def status(self) -> Body:
        """Controllers, hosts, revisions and problems."""
        return self.call("GET", "/netplane/v1/status").body

    def read_tables(self, host: str) -> dict[str, list[str]]:
        """The datapath's entries on a host, as text by table."""
        return self.call("GET", f"/netplane/v1/hosts/{host}/tables").body

    def read_realised(self, revision: int, wait: float = 10.0) -> Body:
        """Where a revision is in the kernel; asks for up to `wait` seconds until it is everywhere."""
        return self.call("GET", f"/netplane/v1/revisions/{revision}?wait={wait:g}").body

    def settle(self, wait: float = 10.0) -> Body:
        """Wait until the newest revision of this client is in the kernels of all hosts that need it."""
        body = self.read_realised(self.revision, wait)
        if body["pending"]:
            raise AssertionError(f"revision {self.revision} is not realised on {body['pending']} after {wait:g} s")
        return body


def _path(kind: str) -> str:
    return f"/v2.0/{kind.replace('_', '-')}s"
