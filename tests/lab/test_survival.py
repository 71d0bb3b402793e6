"""Agents and controllers that end, return and are replaced, under machines that talk."""

import os
import sqlite3
from pathlib import Path

from netplane.datapath import libbpf
from netplane.datapath.entries import KernelTable
from netplane.datapath.libbpf import closing
from netplane.lab.demo import departure, latency
from netplane.lab.demo.scene import Scene
from netplane.lab.traffic.ping import Pinging
from netplane.lab.wait import until
from netplane.model import CONTROL, kind_of
from netplane.tables.pipeline import PACE


def test_a_new_port_is_soon_in_all_kernels(world: Scene) -> None:
    assert [check for check in latency.checks(world) if not check.ok] == []


def test_an_agent_that_is_down_misses_nothing(world: Scene) -> None:
    """What is deleted and made while an agent is down holds as soon as it is back, and nothing else has changed."""
    blue, host = world.blue, world.lab.host_list[0]
    source = world.machine("a3")
    assert host.agent is not None
    machine = blue.add_machines({"gone": ("left", "10.0.1.60", world.lab.host_list[1])})[0]
    machine.obtain()
    blue.admin.settle()
    pings = Pinging(source.namespace, world.machine("a1").address)
    host.agent.kill()
    blue.admin.delete("port", machine.plug.port)
    world.lab.remove_machine(blue.machines.pop("gone"))
    new = blue.add_machines({"new": ("left", "10.0.1.61", world.lab.host_list[1])})[0]
    world.lab.start_agent(host)
    world.lab.wait_alive([host])
    blue.admin.settle()
    new.obtain()
    assert world.machine("a1").ping("10.0.1.61").lost == 0
    assert world.machine("a1").ping("10.0.1.60", count=1, wait=0.2).received == 0
    assert pings.stop().lost == 0


def test_a_table_that_fills_grows_under_machines_that_talk(world: Scene) -> None:
    """The agent finds it so as it sweeps, soon after a port has gone; what it found and had counted stays."""
    host, source, target = world.lab.host_list[0], world.machine("a3"), world.machine("a1")
    pings = Pinging(source.namespace, target.address)
    many = {PACE.pack_key(0xFFFFFF, b"%6d" % n, 1): PACE.pack_value(2**63) for n in range(PACE.room // 2 + 1)}
    with closing(libbpf.pinned(host.pins / PACE.name)) as fd:
        before = KernelTable(PACE, fd)
        assert before.room == PACE.room
        before.write(many)
    [machine] = world.blue.add_machines({"gone": ("left", "10.0.1.62", host)})
    machine.obtain()
    world.blue.admin.delete("port", machine.plug.port)
    world.lab.remove_machine(world.blue.machines.pop("gone"))
    with closing(until("the table has grown", lambda: larger(host.pins / PACE.name, PACE.room), 40)) as fd:
        grown = KernelTable(PACE, fd)
        assert many.items() <= grown.read().items()
        assert pings.stop().lost == 0
        grown.delete(many)


def larger(path: Path, room: int) -> int | None:
    """A file descriptor of a pinned table if it has more room."""
    fd = libbpf.pinned(path)
    if libbpf.map_room(fd) > room:
        return fd
    os.close(fd)
    return None


def test_tables_are_the_same_after_a_restart(world: Scene) -> None:
    host = world.lab.host_list[0]
    before = {name: lines for name, lines in world.blue.admin.read_tables(host.name).items() if name in STEADY}
    assert host.agent is not None
    host.agent.stop()
    world.lab.start_agent(host)
    world.lab.wait_alive([host])
    after = until("the agent answers", lambda: world.blue.admin.read_tables(host.name), 10)
    assert {name: lines for name, lines in after.items() if name in STEADY} == before
    assert sum(map(len, before.values())) > 20


STEADY = ("settings", "host", "device", "endpoint", "route", "gateway", "prefix", "policy", "profile", "port")


def test_a_controller_that_returns_keeps_its_log(world: Scene) -> None:
    """Agents then resume from their revision instead of taking a snapshot."""
    log = world.blue.admin.status()["log"]
    world.lab.controller.kill()
    world.lab.controller.start()
    world.lab.wait_alive(world.lab.host_list)
    assert world.blue.admin.status()["log"] == log


def test_deleting_everything_leaves_nothing(world: Scene) -> None:
    """Last in this module: the scene is gone after it."""
    assert [check for check in departure.checks(world) if not check.ok] == []
    with sqlite3.connect(f"file:{world.lab.controller.database}?mode=ro", uri=True) as database:
        kinds = {kind for (kind,) in database.execute("SELECT DISTINCT kind FROM resource")}
    assert kinds - {kind_of(kind) for kind in CONTROL} == {"host"}
    database.close()
