"""Two controllers, two processes, one PostgreSQL: what one says of tokens holds for the other."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from urllib3 import PoolManager
from urllib3.exceptions import HTTPError

from tests.contract.stores import postgresql
from tests.postgres import free_port

SECONDS = 30.0
SOON = 1.0
"""Seconds in which all controllers know what one was told."""


class Pair(NamedTuple):
    """Both servers."""

    pool: PoolManager
    one: str
    other: str
    auth: dict[str, Any]

    def log_in(self, url: str) -> str:
        answer = self.pool.request("POST", f"{url}/v3/auth/tokens", json={"auth": self.auth})
        assert answer.status == 201, answer.data
        return str(answer.headers["X-Subject-Token"])

    def may(self, url: str, token: str) -> bool:
        return self.pool.request("GET", f"{url}/v2.0/networks", headers={"X-Auth-Token": token}).status == 200

    def ends(self, url: str, token: str) -> None:
        """The token is good for at most a moment yet."""
        end = time.monotonic() + SOON
        while self.may(url, token):
            assert time.monotonic() < end, "the token is still good"
            time.sleep(0.02)


def serve(folder: Path, database: str) -> "tuple[str, subprocess.Popen[bytes]]":
    folder.mkdir()
    (folder / "tokens.toml").write_text("")
    address = f"127.0.0.1:{free_port()}"
    words = ["--listen", address, "--southbound", f"unix://{folder}/s", "--tokens", f"{folder}/tokens.toml"]
    with (folder / "log").open("wb") as log:
        command = [sys.executable, "-m", "netplane.cli", "server", *words, "--database", database]
        return f"http://{address}", subprocess.Popen(command, stdout=log, stderr=log)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    database = postgresql(tmp_path)
    started = [serve(tmp_path / name, database) for name in ("a", "b")]
    pool = PoolManager(4, retries=False)
    try:
        for url, server in started:
            wait_for(pool, url, server)
        (written,) = tmp_path.glob("*/openrc")
        said = dict(re.findall(r"^export (\w+)=(.*)$", written.read_text(), re.MULTILINE))
        user = {"name": said["OS_USERNAME"], "domain": {"id": "default"}, "password": said["OS_PASSWORD"]}
        identity = {"methods": ["password"], "password": {"user": user}}
        scope = {"project": {"name": said["OS_PROJECT_NAME"], "domain": {"id": "default"}}}
        yield Pair(pool, started[0][0], started[1][0], {"identity": identity, "scope": scope})
    finally:
        pool.clear()
        for _, server in started:
            server.send_signal(signal.SIGTERM)
        for _, server in started:
            server.wait(SECONDS)


def wait_for(pool: PoolManager, url: str, server: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            pool.request("GET", f"{url}/v3")
        except HTTPError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"{url} does not answer")


def test_tokens_are_good_and_end_on_both(pair: Pair) -> None:
    """Both have started on an empty database: one of them has made the administrator, and written so."""
    token, other = pair.log_in(pair.one), pair.log_in(pair.other)
    assert all(pair.may(url, each) for url in (pair.one, pair.other) for each in (token, other))
    headers = {"X-Auth-Token": token, "X-Subject-Token": token}
    assert pair.pool.request("DELETE", f"{pair.one}/v3/auth/tokens", headers=headers).status == 204
    assert not pair.may(pair.one, token)
    pair.ends(pair.other, token)
    assert pair.may(pair.other, other)
    body = json.dumps({"revoke": True})
    headers = {"X-Auth-Token": other}
    assert pair.pool.request("POST", f"{pair.other}/netplane/v1/signing-keys", headers=headers, body=body).status == 201
    pair.ends(pair.one, other)
    assert pair.may(pair.one, pair.log_in(pair.other))
