"""A process that is the agents of many hosts, each with its own session, and does what it is told by its parent.

Here is what the parent has of it; the process itself is in `members`, which nothing but that process loads.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from bench.processes import read_cpu
from netplane.base.garbage import collect_rarely, uncollected


class Place(NamedTuple):
    """A host, and where what it needs is."""

    name: str
    address: str
    controllers: tuple[str, ...]
    folder: Path
    """Of its papers and its journal."""


class Plan(NamedTuple):
    """Which hosts a fleet is."""

    places: Sequence[Place]
    real: int
    """How many of them, the first ones, have their tables in the kernel."""
    whole: int
    """How many keep their tables, the real ones among them; the others are spared."""
    pins: str = "fleet"
    """What the names of tables in the kernel begin with; the number of the process follows."""


class Standing(NamedTuple):
    """What a fleet says of itself, summed over its hosts."""

    cpu: float
    """Seconds of processor so far, the kernel's work for it included."""
    freed: float
    """Those of them in which spared hosts let go of what they had."""
    memory: float
    """MiB."""
    peak: float
    """MiB."""
    messages: int
    records: int
    octets: int
    edits: int
    """Entries written and removed."""
    entries: int
    """Entries that came of the first slices."""
    tables: dict[str, int]
    """The same by table."""
    problems: int
    kernel: float
    """MiB that the kernel holds of one host's tables."""
    empty: float
    """The same before anything was in them."""


class Fleet:
    """A fleet as its parent has it."""

    def __init__(self, connection: "Connection[Any, Any]", pid: int) -> None:
        self._connection = connection
        self.pid = pid

    def tell(self, command: str, *arguments: object) -> Any:
        """Have something done, and wait for it; what it answers."""
        self.begin(command, *arguments)
        return self.end()

    def begin(self, command: str, *arguments: object) -> None:
        """Have something done while something else goes on; `end` must follow."""
        self._connection.send((command, arguments))

    def end(self) -> Any:
        """What the command that was begun answers; RuntimeError if it could not be done."""
        is_done, answer = self._connection.recv()
        if not is_done:
            raise RuntimeError(answer)
        return answer

    @property
    def standing(self) -> Standing:
        """What it says of itself."""
        found: Standing = self.tell("stand")
        return found

    @property
    def cpu(self) -> float:
        """Seconds of processor so far."""
        return read_cpu(self.pid)


@contextmanager
def fleet(plan: Plan) -> Iterator[Fleet]:
    """The process of a fleet, with nothing begun yet."""
    ours, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_main, args=(theirs, plan))
    process.start()
    theirs.close()
    assert process.pid is not None, "it was started"
    try:
        running = Fleet(ours, process.pid)
        running.end()
        yield running
    finally:
        ours.close()
        process.join(30)
        if process.is_alive():
            process.kill()
            process.join()
        if process.exitcode:
            # It could not take its tables with it.
            from bench.control.leftovers import sweep

            sweep(plan.pins)


def _main(connection: "Connection[Any, Any]", plan: Plan) -> None:
    """The process itself, which loads what an agent is made of as an agent does."""
    collect_rarely()
    with uncollected():
        from bench.control.members import obey
    obey(connection, plan)
