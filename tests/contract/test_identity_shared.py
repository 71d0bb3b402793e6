"""Two controllers, two processes, one PostgreSQL: what one says of tokens holds for the other."""

import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from urllib3 import PoolManager

from tests.contract.stores import postgresql
from tests.servers import server_running

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


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    database = postgresql(tmp_path)
    with ExitStack() as stack, PoolManager(4, retries=False) as pool:
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
        servers = [server_running(tmp_path / name, database=database) for name in ("a", "b")]
        with ThreadPoolExecutor() as both:  # at once, so that they meet on the empty database
            urls = list(both.map(stack.enter_context, servers))
        (written,) = tmp_path.glob("*/openrc")
        said = dict(re.findall(r"^export (\w+)=(.*)$", written.read_text(), re.MULTILINE))
        user = {"name": said["OS_USERNAME"], "domain": {"id": "default"}, "password": said["OS_PASSWORD"]}
        identity = {"methods": ["password"], "password": {"user": user}}
        scope = {"project": {"name": said["OS_PROJECT_NAME"], "domain": {"id": "default"}}}
        yield Pair(pool, urls[0], urls[1], {"identity": identity, "scope": scope})


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
