"""Two controllers on one PostgreSQL, under load, while things break.

What was acknowledged is there, what was refused is not, all hosts converge, and machines that talk lose nothing.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from netplane.lab import Lab
from netplane.lab.controller import Controller
from netplane.lab.demo.tenant import Tenant
from netplane.lab.mounts import small_disk
from netplane.lab.traffic.ping import Pinging
from netplane.lab.wait import until
from tests import postgres
from tests.lab.leftovers import read_leftovers, unique
from tests.lab.load import Load

PREFIX = unique("tfault")
DISK = "160m"
FAKETIME = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))


class World(NamedTuple):
    """What breaks, and what must not."""

    lab: Lab
    cluster: postgres.Cluster
    disk: Path
    controllers: tuple[Controller, Controller]
    tenant: Tenant
    network: str
    """Where load makes ports: no host has a part in it."""


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with ExitStack() as stack:
        disk = stack.enter_context(small_disk(DISK))
        sizes = {"min_wal_size": "4MB", "max_wal_size": "16MB", "shared_buffers": "16MB"}
        cluster = postgres.new_cluster(disk, wal_segment=1, **sizes)
        stack.callback(cluster.remove)
        cluster.start()
        lab = stack.enter_context(Lab(PREFIX, 2, ["blue"], database=cluster.create()))
        first = lab.controller
        second = first.beside("second")
        for one, other in ((first, second), (second, first)):
            one.advertised = [one.southbound, other.southbound]
        lab.start()
        second.start()
        stack.callback(second.kill)
        tenant = Tenant(lab, "blue")
        tenant.add_segment("left", "10.0.1")
        hosts = lab.host_list
        machines = {"a": ("left", "10.0.1.11", hosts[0]), "b": ("left", "10.0.1.12", hosts[1])}
        for machine in tenant.add_machines(machines):
            machine.obtain()
        tenant.admin.call("PUT", "/v2.0/quotas/admin", {"quota": {"port": -1}})
        network = tenant.admin.create("network", name="busy")
        tenant.admin.create("subnet", network_id=network["id"], ip_version=4, cidr="10.9.0.0/16")
        yield World(lab, cluster, disk, (first, second), tenant, network["id"])
    assert read_leftovers(PREFIX) == []


@contextmanager
def undisturbed(world: World, label: str) -> Iterator[Load]:
    """While the block breaks things: load on both controllers, and traffic between the machines. Then all is judged."""
    source, target = world.tenant.machines["a"], world.tenant.machines["b"]
    pings = Pinging(source.namespace, target.address)
    load = Load(world.controllers, world.network, label)
    try:
        until("the load has begun", lambda: len(load.acknowledged) > 10, 20)
        yield load
        before = len(load.acknowledged)
        until("writes go on", lambda: len(load.acknowledged) > before + 10, 40)
    finally:
        load.stop()
        lost = pings.stop().lost
    check_written(world, load)
    check_converged(world)
    assert lost == 0


def check_written(world: World, load: Load) -> None:
    """By what each of the controllers shows."""
    for controller in world.controllers:
        until("the controller answers", partial(_serves, controller), 30)
        shown = {port["name"] for port in controller.api().find("port", f"?network_id={world.network}&fields=name")}
        assert load.acknowledged - shown == set(), "acknowledged, and not there"
        assert load.refused & shown == set(), "refused, and there"
    known = load.acknowledged | load.refused | load.unheard
    assert len(load.acknowledged) > len(known) / 20, "most was neither lost nor refused"


def check_converged(world: World) -> None:
    """What is made now arrives on all hosts; both have the same, and both controllers say so."""
    host = world.lab.host_list[0]
    port = world.tenant.add_port("left", None, host)
    wanted = {host.name for host in world.lab.host_list}
    for controller in world.controllers:
        api = controller.api()

        def realised(api=api) -> bool:  # type: ignore[no-untyped-def]
            found = api.read_realised(world.tenant.admin.revision, 5)
            return set(found["realised"]) == wanted and not found["pending"]

        until("all hosts have what was made last", realised, 40, 0.2)
        assert _alive(controller) == wanted
        agents = api.find("agent")
        assert {agent["host"] for agent in agents if agent["alive"]} == wanted
    tables = [world.tenant.admin.read_tables(name)["endpoint"] for name in sorted(wanted)]
    assert tables[0] == tables[1]
    world.tenant.admin.delete("port", port["id"])


def _alive(controller: Controller) -> set[str]:
    return {str(host["name"]) for host in controller.api().status()["hosts"] if host["alive"]}


def _serves(controller: Controller) -> bool:
    try:
        return bool(controller.api().status()["hosts"])
    except Exception:  # whatever it is, it does not serve yet
        return False


def test_a_controller_is_killed(world: World) -> None:
    """Its hosts go to the other one, and load with them; then it comes back."""
    victim, other = world.controllers
    with undisturbed(world, "controller") as load:
        victim.kill()
        wanted = {host.name for host in world.lab.host_list}
        until("all hosts are with the other", lambda: wanted == _alive(other), 20)
        before = len(load.acknowledged)
        until("the other takes writes", lambda: len(load.acknowledged) > before + 10, 20)
        victim.start()


def test_the_database_is_killed(world: World) -> None:
    with undisturbed(world, "database") as load:
        world.cluster.kill()
        until("writes are refused", lambda: load.refused, 20)
        world.cluster.start()


def test_an_agent_is_cut_off_for_longer_than_controllers_remember(world: World) -> None:
    """Controllers that have started anew remember nothing: the host gets its slice anew, and loses nothing by it."""
    host = world.lab.host_list[1]
    with undisturbed(world, "cut"):
        assert host.agent is not None
        host.agent.kill()
        port = world.tenant.add_port("left", None, world.lab.host_list[0])
        for controller in world.controllers:
            controller.kill()
            controller.start()
        world.tenant.admin.delete("port", port["id"])
        world.lab.start_agent(host)


def test_the_disk_is_full(world: World) -> None:
    with undisturbed(world, "disk") as load:
        filler = world.disk / "filler"
        try:
            fill(filler)
            until("writes are refused", lambda: load.refused, 60)
        finally:
            filler.unlink()
        # PostgreSQL ends when it cannot write its log; whoever runs it starts it again.
        world.cluster.ensure()


def fill(filler: Path) -> None:
    """Write until nothing fits any more."""
    with filler.open("wb", buffering=0) as file:
        written = 1
        while written:
            try:
                written = file.write(bytes(1 << 20))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                written = 0


@pytest.mark.skipif(not FAKETIME, reason="libfaketime is not installed (scripts/setup test)")
def test_a_clock_is_wrong_by_an_hour(world: World) -> None:
    second = world.controllers[1]
    with undisturbed(world, "clock"):
        second.kill()
        fake = {"LD_PRELOAD": str(FAKETIME[0]), "FAKETIME": "+3600", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        second.start(environment={**os.environ, **fake})
