"""Real controllers and agents, as measurements have them, in a small cloud: what comes and goes costs what it must."""

import os
from collections.abc import Iterator

import pytest

from bench.cloud import Shape
from bench.control.changes import Tenants
from bench.control.profile import Profile
from bench.control.site import Site, open_site

HOSTS = 3
TINY = Profile("tiny", Shape(projects=4, ports=40, hosts=HOSTS), real=1)

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """One host has its tables in the kernel, the others have theirs in memory."""
    if os.geteuid() != 0:
        pytest.skip("loading programs into the kernel needs root")
    with open_site(TINY) as (running, filled):
        running.tell("start")
        running.start()
        running.until(filled.revision)
        assert running.standings()[0].problems == 0
        yield running


def sent(site: Site) -> int:
    return site.standings()[0].records


def test_each_sort_of_change_is_told_to_all_hosts_of_its_project(site: Site) -> None:
    tenants = Tenants(site.api(), site.cloud)
    for change in tenants.sorts.values():
        change()
        answer = tenants.api.settle()
        assert len(answer["realised"]) == HOSTS


def test_agents_that_find_their_controller_again_are_sent_nothing(site: Site) -> None:
    before = sent(site)
    site.stop()
    site.tell("lost", 60.0)
    site.start()
    site.until(0)
    assert sent(site) == before


def test_an_agent_that_starts_again_touches_nothing_of_its_tables(site: Site) -> None:
    assert site.standings()[0].edits > 0
    site.tell("restart")
    site.until(0)
    assert site.standings()[0].edits == 0
