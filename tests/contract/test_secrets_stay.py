"""A real server with known secrets, driven through everything that takes or gives one: none is told again.

Looked through are the server's log, the whole database, the audit log, what watchers hear, and every refusal.
"""

import asyncio
import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import urllib3

from netplane.agent.settings import read_settings
from netplane.stream.client import Uplink
from netplane.stream.messages import Snapshot
from netplane.trust.keys import key_pem
from netplane.trust.papers import IDENTITY, read_papers
from netplane.trust.tokens import parse_join_secret
from tests.servers import COMMAND, LOG, server_running

FILE_TOKEN, KEY_FILE, PASSWORD = "file-token-Zx81", "key-file-content-Qy72", "pass-word-Wk63"
PATIENCE = 20.0


class Reply(NamedTuple):
    status: int
    headers: "urllib3.HTTPHeaderDict"
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text)


class Server(NamedTuple):
    """A controller that runs, and what it has refused."""

    url: str
    folder: Path
    refusals: list[str]

    def call(self, method: str, path: str, body: Any = None, token: str = FILE_TOKEN) -> Reply:
        """A request; text is sent as it is."""
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        headers = {"X-Auth-Token": token, "Content-Type": "application/json"}
        answer = urllib3.request(method, self.url + path, body=data, headers=headers, retries=False, timeout=PATIENCE)
        reply = Reply(answer.status, answer.headers, answer.data.decode())
        if reply.status >= 400:
            self.refusals.append(f"{dict(reply.headers)} {reply.text}")
        return reply

    def log_in(self, **user: Any) -> Reply:
        identity = {"methods": ["password"], "password": {"user": user}}
        return self.call("POST", "/v3/auth/tokens", {"auth": {"identity": identity}}, token="")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("secrets")
    tokens = f'[[token]]\nsecret = "{FILE_TOKEN}"\nproject = "ops"\nroles = ["admin"]\n'
    (folder / "key").write_text(KEY_FILE)
    words = ("--southbound", "127.0.0.1:0", "--authority-key", str(folder / "key"))
    with server_running(folder, *words, tokens=tokens) as url:
        yield Server(url, folder, [])


def test_no_secret_is_told_again(server: Server) -> None:
    secrets = {FILE_TOKEN, KEY_FILE, PASSWORD}
    heard = watch(server)
    secrets |= people(server)
    joined, join_secrets = hosts(server)
    secrets |= join_secrets
    nonsense(server, secrets)
    asyncio.run(come(server, joined))
    audit = server.call("GET", "/netplane/v1/audit?limit=1000").text
    assert "enrolment" in audit
    assert "join_token" in audit
    places = {
        "the log": (server.folder / LOG).read_bytes(),
        "the audit log": audit.encode(),
        "what watchers hear": heard().encode(),
        "the refusals": "\n".join(server.refusals).encode(),
        "the database": b"".join(path.read_bytes() for path in server.folder.glob("netplane.db*")),
    }
    assert len(server.refusals) > 15
    for place, content in places.items():
        assert content, place
        found = [secret for secret in secrets if secret.encode() in content]
        assert not found, f"{place} holds {found}"
        assert b"BEGIN PRIVATE KEY" not in content, place
        assert b"BEGIN EC PRIVATE KEY" not in content, place
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in places["the database"]


def watch(server: Server) -> Any:
    """Follow everything that an administrator may; answers how to stop, and what was heard."""
    pool = urllib3.PoolManager(headers={"X-Auth-Token": FILE_TOKEN})
    stream = pool.request("GET", f"{server.url}/netplane/v1/watch?since=0", preload_content=False, timeout=PATIENCE)
    parts: list[bytes] = []

    def follow() -> None:
        try:
            parts.extend(iter(lambda: stream.read1(65536), b""))
        except (urllib3.exceptions.HTTPError, ValueError, AttributeError):
            return

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()

    def stop() -> str:
        time.sleep(0.5)
        stream.shutdown()
        thread.join(PATIENCE)
        pool.clear()
        return b"".join(parts).decode()

    return stop


def people(server: Server) -> set[str]:
    """The first administrator logs in, and somebody who cannot; the secrets among what is said."""
    clouds = (server.folder / "clouds.yaml").read_text()
    found = re.search(r"password: (\S+)", clouds)
    assert found
    first = found[1]
    admin = server.log_in(name="admin", domain={"id": "default"}, password=first)
    assert admin.status == 201
    token = admin.headers["X-Subject-Token"]
    wrong = f"{PASSWORD}-wrong"
    assert server.log_in(name="admin", domain={"id": "default"}, password=wrong).status == 401
    assert server.log_in(name=PASSWORD, domain={"id": "default"}, password=first).status == 401
    again = {"methods": ["token"], "token": {"id": token}}
    second = server.call("POST", "/v3/auth/tokens", {"auth": {"identity": again, "scope": "unscoped"}}, "")
    assert second.status == 201
    server.call("GET", "/v2.0/networks", token=f"{token}x")
    server.call("DELETE", "/v3/auth/tokens", token=f"{token}x")
    return {first, token, wrong, second.headers["X-Subject-Token"]}


def hosts(server: Server) -> tuple[Path, set[str]]:
    """A host that joins by the command line, and one that is refused; its folder, and the secrets."""
    made = [server.call("POST", "/netplane/v1/join-tokens", {}).body["token"] for _ in range(2)]
    folder = server.folder / "h1"
    for expected in (0, 1):
        words = ["join", server.url, "--token", made[0], "--host", "h1", "--address", "192.0.2.1"]
        done = subprocess.run([*COMMAND, *words, "--state", str(folder)], capture_output=True, text=True, timeout=60)
        assert done.returncode == expected, done.stderr
        server.refusals.append(done.stdout + done.stderr)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / IDENTITY).stat().st_mode & 0o777 == 0o600
    key = key_pem(read_papers(folder).key).decode().splitlines()[1]
    return folder, {key, *(parse_join_secret(token).secret for token in made)}


def nonsense(server: Server, secrets: set[str]) -> None:
    """Each secret where it does not belong, and where it is refused."""
    for secret in secrets - {FILE_TOKEN}:
        server.call("GET", "/v2.0/networks", token=secret)
        server.call("POST", "/v3/users", {"user": {"name": "bob", "password": [secret]}})
        server.call("POST", "/v3/users", f'{{"user": {{"password": "{secret}"')
        server.call("POST", "/v3/auth/tokens", {"auth": {"identity": {"password": secret}}}, "")
        server.call("POST", "/netplane/v1/join", {"token": secret, "host": "h", "request": "r", "proof": secret}, "")


async def come(server: Server, folder: Path) -> None:
    """The host that has joined has a session, as its agent would, by what is in its folder alone."""
    settings = read_settings(folder)
    assert settings is not None
    papers = read_papers(folder)
    uplink = Uplink("h1", settings.address, settings.controllers, lambda: papers)
    async with uplink, asyncio.timeout(PATIENCE):
        async for event in uplink:
            if isinstance(event, Snapshot):
                return
