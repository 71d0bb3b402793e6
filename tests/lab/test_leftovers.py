"""A lab leaves nothing behind, whatever its owner dies of."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from netplane.lab import Lab, sweep
from netplane.lab.ledger import directory
from netplane.lab.namespace import DIRECTORY
from netplane.lab.wait import until
from tests.lab.leftovers import read_leftovers, unique

OWNER = """
import sys, time
from netplane.lab import Lab, Plug, interruptible
from netplane.lab.traffic.ping import Pinging
try:
    with interruptible(), Lab(sys.argv[1], 2) as lab:
        lab.build()
        lab.add_machines({"one": (lab.host_list[0], Plug("a-port", "02:00:00:00:00:01", "10.0.1.1"))})
        pings = Pinging("np-" + sys.argv[1] + "-h1", "198.18.2.2")
        print("ready", lab._guardian.pid, flush=True)
        while True:
            time.sleep(0.1)
except KeyboardInterrupt:
    pass
"""


@contextmanager
def owner(prefix: str) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """A process that owns a lab with a machine and its DHCP client; and the pid of the lab's guardian."""
    popen = subprocess.Popen([sys.executable, "-c", OWNER, prefix], stdout=subprocess.PIPE, text=True)
    with popen:
        assert popen.stdout is not None
        words = popen.stdout.readline().split()
        assert words[:1] == ["ready"]
        assert [line for line in read_leftovers(prefix) if "dhclient" in line]
        assert running_pings(prefix)
        yield popen, int(words[1])
        if popen.poll() is None:
            popen.kill()
    Lab.destroy(prefix)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_removes_all(number: signal.Signals) -> None:
    with owner(unique("tsig")) as (popen, _):
        popen.send_signal(number)
        popen.wait(10)
        assert read_leftovers(unique("tsig")) == []


def running_pings(prefix: str) -> list[int]:
    """Processes that are in the lab's first host; only the owner's ping is, and it is written down nowhere."""
    path = DIRECTORY / f"np-{prefix}-h1"
    wanted = path.stat().st_ino if path.exists() else 0
    return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if namespace_of(pid) == wanted]


def namespace_of(pid: int) -> int:
    try:
        return os.stat(f"/proc/{pid}/ns/net").st_ino
    except OSError:
        return -1


def test_the_guardian_removes_what_a_killed_owner_leaves() -> None:
    with owner(unique("tkill")) as (popen, _):
        pings = running_pings(unique("tkill"))
        popen.kill()
        popen.wait()
        until("everything is gone", lambda: not read_leftovers(unique("tkill")), 10)
        until("the ping is gone", lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pings), 5)


def test_the_next_start_removes_what_is_left_without_a_guardian() -> None:
    """Processes die with their owner; the rest waits for the next lab of this prefix."""
    with owner(unique("tnext")) as (popen, guardian):
        os.kill(guardian, signal.SIGKILL)
        popen.kill()
        popen.wait()
        assert directory(unique("tnext")).exists()
        with Lab(unique("tnext"), 1) as lab:
            lab.build()
            assert not [line for line in read_leftovers(unique("tnext")) if "-m-one" in line or "dhclient" in line]
        assert read_leftovers(unique("tnext")) == []


def test_a_sweep_removes_dead_labs_and_no_others() -> None:
    with owner(unique("tdead")) as (popen, guardian), Lab(unique("talive"), 1) as alive:
        alive.build()
        os.kill(guardian, signal.SIGKILL)
        popen.kill()
        popen.wait()
        assert unique("tdead") in sweep()
        assert read_leftovers(unique("tdead")) == []
        assert directory(unique("talive")).exists()


def test_a_process_that_has_the_number_of_a_dead_one_is_left_alone() -> None:
    with subprocess.Popen(["sleep", "60"]) as bystander:
        with Lab(unique("tpid"), 1):
            book = directory(unique("tpid")) / "processes"
            book.write_text(f"{bystander.pid} 1\n")
        assert bystander.poll() is None
        bystander.kill()
