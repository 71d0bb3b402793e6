"""A server for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.identity.cloud import Cloud


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    made = Cloud(tmp_path)
    yield made
    made.store.close()
