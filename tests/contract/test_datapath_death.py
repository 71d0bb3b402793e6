"""An agent that dies between two steps of an installation: packets pass, and the next one makes it good.

A child installs over what runs, with a table laid out anew or larger ones, and kills itself right before a line of its
own code.
"""

import linecache
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from netplane.datapath import KernelDatapath
from netplane.datapath.attachment import Attachment
from netplane.datapath.installation import NEW, Installation
from netplane.datapath.kernel import SHIPPED
from netplane.tables.outcome import Program, Synthetic
from netplane.tables.pipeline import CONNECTION
from tests.contract import packets
from tests.contract.packets import SYN, TCP
from tests.contract.wire import LAST, Wired, ask, echo, wire
from tests.contract.world import ANN, BEN, frame

pytestmark = pytest.mark.kernel

STEPS = {
    "one of two devices has its program": ("_replace(path, ifindex, programs[program])", 2),
    "each device has": ("libbpf.await_programs()", 1),
    "some programs have their names": ("os.replace(self._programs", 3),
    "only the new array is left": ("os.replace(self.directory", 1),
    "a table has its place, without its layout": ("os.replace(self._layouts", 1),
    "all is there but its name": ("_write_link(self._object", 1),
}
"""What has been done then, the beginning of what comes next, and how often that has come."""


GROWING = ("endpoint", "budget")

START = frame(ANN, BEN, TCP, packets.tcp(4000, 80, SYN))


@pytest.fixture(scope="module")
def wired() -> Iterator[Wired]:
    with wire(Attachment.CLSACT) as made:
        yield made


def die_before(beginning: str, times: int) -> Callable[..., Any]:
    """A tracer that ends the process like a lack of memory does, before a line of the datapath's code."""
    left = times

    def trace(frame: FrameType, event: str, _: object) -> Callable[..., Any] | None:
        nonlocal left
        if not frame.f_code.co_filename.startswith(str(SHIPPED.parent)):
            return None
        if event == "line" and linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip().startswith(
            beginning
        ):
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    return trace


def install_and_die(pin_dir: Path, beginning: str, times: int) -> None:
    """Of a release whose connections have one field more, as far as a step."""
    (pin_dir / "object").unlink()
    age(pin_dir / "layouts" / CONNECTION.name)
    die(beginning, times, lambda: KernelDatapath.open(pin_dir))


def grow_and_die(pin_dir: Path, beginning: str, times: int) -> None:
    """A table that the agent writes and one that the datapath writes get twice the room, as far as a step."""
    datapath = KernelDatapath.open(pin_dir)
    rooms = {name: 2 * datapath.room(name) for name in GROWING}
    die(beginning, times, lambda: datapath.grow(rooms))
    datapath.close()


def die(beginning: str, times: int, work: Callable[[], object]) -> None:
    child = os.fork()
    if not child:
        sys.settrace(die_before(beginning, times))
        work()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def age(layout: Path) -> None:
    """Pretend that a release without `connection.flags` wrote it."""
    text = os.readlink(layout).replace("flags:U16", "pad_flags:U16")
    layout.unlink()
    layout.symlink_to(text)


def talk(wired: Wired) -> None:
    """One datagram there and back."""
    server = threading.Thread(target=echo, args=(wired.server,))
    server.start()
    ask(wired.client, LAST)
    server.join()


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("work", [install_and_die, grow_and_die])
def test_death(wired: Wired, step: str, work: Callable[[Path, str, int], None]) -> None:
    bench = wired.bench
    with closing(bench.reopen()) as datapath:
        datapath.delete(CONNECTION.name, datapath.read(CONNECTION.name))
        datapath.run(Program.FROM_MACHINE, START, Synthetic(ifindex=ANN.ifindex))
        [before] = datapath.read(CONNECTION.name)
        endpoints, rooms = datapath.read("endpoint"), {name: datapath.room(name) for name in GROWING}
        budgets = datapath.read("budget").keys()
    work(bench.pin_dir, *STEPS[step])
    talk(wired)
    with closing(bench.reopen()) as datapath:
        found = datapath.read(CONNECTION.name)
        assert before in found
        assert len(found) == 2, "the connection that began while nobody was there"
        assert len(datapath.attached()) == 2
        assert datapath.read("endpoint") == endpoints
        assert all(datapath.room(name) in (room, 2 * room) for name, room in rooms.items())
        assert budgets <= datapath.read("budget").keys(), "those who opened connections"
    talk(wired)
    assert Installation(bench.pin_dir).holds(SHIPPED)
    assert not list(bench.pin_dir.rglob("*" + NEW))
    assert len(list((bench.pin_dir / "onward").iterdir())) == 1
