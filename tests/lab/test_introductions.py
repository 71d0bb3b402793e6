"""A host that has joined one controller alone, another that comes later, and the first one's death."""

from collections.abc import Iterator

import pytest

from netplane.agent.introductions import FILE, read_introduced
from netplane.agent.settings import read_settings
from netplane.lab import Lab
from netplane.lab.controller import Controller
from netplane.lab.wait import until
from tests import postgres
from tests.lab.leftovers import read_leftovers, unique

PREFIX = unique("tmeet")
SOON = 20.0
"""Seconds in which controllers find each other, and hosts hear of it."""


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab(PREFIX, 1, ["blue"], database=postgres.cluster().create()) as made:
        made.start()
        yield made
    assert read_leftovers(PREFIX) == []


def test_a_controller_that_comes_later_takes_the_hosts_of_one_that_dies(lab: Lab) -> None:
    first, (host,) = lab.controller, lab.host_list
    joined = read_settings(host.directory)
    assert joined is not None
    assert joined.controllers == (first.southbound,)
    second = first.beside("second")
    second.start()
    try:
        both = {first.southbound, second.southbound}
        until("the host has heard of the other", lambda: set(read_introduced(host.directory)) == both, SOON)
        first.kill()
        check_serves(second, host.name)
        # What it was told is on disk: it comes back though it knows nobody else who lives.
        assert host.agent is not None
        host.agent.kill()
        until("the host is away", lambda: not alive(second), SOON)
        lab.start_agent(host)
        check_serves(second, host.name)
        assert (host.directory / FILE).stat().st_mode & 0o777 == 0o600
    finally:
        second.kill()


def check_serves(controller: Controller, host: str) -> None:
    """It has the host's session, and what is made now becomes real there."""
    until("the host is there", lambda: alive(controller) == [host], SOON)
    api = controller.api()
    network = api.create("network", name="n")
    api.create("subnet", network_id=network["id"], ip_version=4, cidr="10.0.0.0/24")
    port = api.create("port", network_id=network["id"], **{"binding:host_id": host})
    found = api.read_realised(api.revision, 10)
    assert (list(found["realised"]), found["pending"]) == ([host], [])
    api.delete("port", port["id"])
    api.delete("network", network["id"])


def alive(controller: Controller) -> list[str]:
    return [str(host["name"]) for host in controller.api().status()["hosts"] if host["alive"]]
