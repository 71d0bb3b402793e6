"""Labs for tests. They need root; `pytest -m "not lab"` leaves them out."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from netplane.lab import Lab
from netplane.lab.demo import scene
from netplane.lab.demo.scene import PROJECTS, Scene
from tests.lab.leftovers import read_leftovers, unique

NEEDED = ("ip", "nsenter", "setpriv", "ping", "traceroute", "dhclient")


def pytest_configure() -> None:
    """Started in the background by a shell, all would ignore Ctrl-C, and so would what tests start and interrupt."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder, and skip them with the reason where they cannot run."""
    reason = why_not()
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.lab)
            if reason:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest) -> Iterator[Scene]:
    """The scene of the demo on three hosts, every machine configured; a module may make it its own."""
    prefix = unique("t" + request.path.stem.removeprefix("test_")[:4])
    with Lab(prefix, 3, PROJECTS) as lab:
        made = scene.build(lab.start())
        for machine in made.machines:
            machine.obtain()
        yield made
    assert read_leftovers(prefix) == []


def why_not() -> str:
    """Why labs cannot be built here; empty if they can."""
    if os.geteuid() != 0:
        return "labs are made of network namespaces, which needs root"
    missing = [name for name in NEEDED if shutil.which(name) is None]
    return f"not installed: {', '.join(missing)}" if missing else ""
