"""A server for each test: in this process, or on a port of its own for the field's clients."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
import uvicorn

from netplane.api import make_app, parse_tokens
from netplane.store import Store
from tests.api.support import TOKENS, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A server on a port of its own."""
    store = Store.open(f"sqlite:///{tmp_path}/netplane.db")
    config = uvicorn.Config(make_app(store, parse_tokens(TOKENS)), port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    bound = config.bind_socket()
    bound.listen()  # so that clients may come before it serves
    thread = Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    bound.close()
    store.close()
