"""A server for each test: in this process, or on a port of its own for the field's clients."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from netplane.api import make_app, parse_tokens
from netplane.store import Store
from tests.api.identity.serving import serving
from tests.api.place import Place
from tests.api.support import TOKENS, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def place(world: World) -> Place:
    return Place(world)


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A server on a port of its own."""
    store = Store.open(f"sqlite:///{tmp_path}/netplane.db")
    with serving(make_app(store, parse_tokens(TOKENS))) as address:
        yield address
    store.close()
