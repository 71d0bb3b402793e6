"""A guest through a stock libvirtd, as docs/guests.md has it."""

import shutil
from collections.abc import Iterator

import pytest

from netplane.lab import Lab
from netplane.lab.guest import Domain, Kernel, Libvirt, tap_name
from netplane.lab.wait import until
from tests.guest.world import World, expect_configured, expect_offloads, expect_pings, expect_streams
from tests.lab.leftovers import read_leftovers, unique

PREFIX = unique("tlib")
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def world(kernel: Kernel) -> Iterator[World]:
    absent = [name for name in ("libvirtd", "virsh", "unshare") if shutil.which(name) is None]
    if absent:
        pytest.skip(f"not installed: {' '.join(absent)} (scripts/setup test installs them)")
    with Lab(PREFIX, 2, ("blue",)) as lab:
        yield World(lab.start())
    assert read_leftovers(PREFIX) == []


def test_a_guest_by_libvirt(world: World, kernel: Kernel) -> None:
    """It is plugged in by a tap that is there already; another comes and goes; it ends, and all is as before."""
    libvirt = Libvirt(world.lab, world.first)
    libvirt.start()
    plug = world.add_plug("left")
    domain = Domain(libvirt, "guest", kernel, [plug])
    domain.start()
    shell = domain.wait()
    expect_configured(world, shell, plug)
    expect_offloads(shell)
    expect_pings(world, shell, plug.address)
    expect_streams(world, shell, plug)

    running = world.read_tables()
    more = world.add_plug("beyond")
    domain.attach(more)
    until("the guest sees it", lambda: shell.run("ls /sys/class/net/eth1").status == 0, 10, 0.1)
    shell.run("configure eth1")
    assert shell.obtain("eth1") == more.address
    assert world.machine("routed").ping(more.address).lost == 0
    domain.detach(more)
    until("the guest does not see it any more", lambda: shell.run("ls /sys/class/net/eth1").status != 0, 10, 0.1)
    world.remove_plug(more)
    world.expect_tables(running)

    libvirt.run("suspend", "guest")
    assert not world.reaches(plug.address)
    assert world.status(plug) == "ACTIVE"
    libvirt.run("resume", "guest")
    world.wait_reached(plug.address)

    domain.destroy()
    assert tap_name(plug.port) not in libvirt.run("list", "--all")
    world.remove_plug(plug)
    world.expect_tables(world.before)
    libvirt.stop()
    world.expect_nothing_left()
