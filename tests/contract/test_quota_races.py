"""Quotas hold whoever races: fifty clients of two controllers on one database, whichever it is."""

import asyncio
import json
from collections import Counter
from contextlib import closing
from pathlib import Path
from threading import Barrier, Thread

import pytest

from netplane.api import make_app, parse_tokens
from netplane.model import Port
from netplane.store import Store
from tests.api.support import TOKENS, Json, Reply, send
from tests.contract.stores import DATABASES

CLIENTS = 50
LIMIT = 20


@pytest.mark.parametrize("kind", DATABASES)
def test_racing_clients_never_exceed_a_quota(kind: str, tmp_path: Path) -> None:
    database = DATABASES[kind](tmp_path)
    with closing(Store.open(database)) as one, closing(Store.open(database)) as other:
        apps = [make_app(store, parse_tokens(TOKENS)) for store in (one, other)]

        def ask(number: int, method: str, path: str, body: Json, token: str = "blue") -> Reply:
            headers = [(b"x-auth-token", token.encode())]
            app = apps[number % len(apps)]
            return asyncio.run(send(app, method, f"/v2.0/{path}", json.dumps(body).encode(), headers))

        network = ask(0, "POST", "networks", {"network": {}}).json["network"]["id"]
        assert ask(1, "PUT", "quotas/blue", {"quota": {"port": LIMIT}}, "admin").status == 200
        replies: list[tuple[int, Reply]] = []
        start = Barrier(CLIENTS)

        def create(number: int) -> None:
            """One port or three at once; what was made first goes again, so that there is room for others."""
            wanted = 3 if number % 5 == 0 else 1
            start.wait()
            reply = ask(number, "POST", "ports", {"ports": [{"network_id": network}] * wanted})
            replies.append((wanted, reply))
            if number % 7 == 0 and reply.status == 201:
                assert ask(number + 1, "DELETE", f"ports/{reply.json['ports'][0]['id']}", None).status == 204

        threads = [Thread(target=create, args=(number,)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(replies) == CLIENTS
        assert Counter(reply.status for _, reply in replies).keys() == {201, 409}
        assert {reply.error for _, reply in replies if reply.status == 409} == {(409, "OverQuota")}
        with one.read() as reader:
            ports = len(reader.list(Port, "blue"))
            assert reader.used("blue")["port"] == ports <= LIMIT
        room = LIMIT - ports
        assert ask(0, "POST", "ports", {"ports": [{"network_id": network}] * (room + 1)}).status == 409
        if room:
            assert ask(1, "POST", "ports", {"ports": [{"network_id": network}] * room}).status == 201
