"""A host loads a domain of 1,000,000 endpoints: from the controller's frames to the kernel, as its agent does it."""

import gc
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from bench.compiler import endpoint
from bench.datapath import scratch
from bench.figure import Figure, at_most
from bench.processes import read_map_memory, read_memory, read_peak
from netplane.agent.journal import Journal
from netplane.agent.reconcile import Reconcile
from netplane.agent.slice import Slice
from netplane.agent.worker import Work, bring_in
from netplane.compiler import Compiler
from netplane.model import News
from netplane.stream import codec
from netplane.stream.client import Position
from netplane.stream.delivery import PART
from netplane.stream.messages import Delta, Snapshot, Welcome

COUNT = 1_000_000
MOST_SECONDS, MOST_MEMORY = 5.0, 250.0
MEBIBYTE = 1 << 20


class Loaded(NamedTuple):
    """What it took."""

    received: float
    """Seconds of processor until all is in the slice and the journal."""
    compiled: float
    """Seconds of processor until all is in the kernel."""
    kernel: float
    """MiB that the tables have grown by."""
    memory: float
    """MiB that the agent has grown by."""
    peak: float


def figures() -> Iterator[Figure]:
    """Processor time and memory."""
    ours, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_load, args=(theirs,))
    process.start()
    theirs.close()
    try:
        ours.recv()
        for frame in _frames():
            ours.send_bytes(frame)
        ours.send_bytes(b"")
        loaded: Loaded = ours.recv()
    finally:
        ours.close()
        process.join()
    how = (
        f"{COUNT:,} endpoints of one network in a snapshot: {loaded.received:.1f} s until they are decoded, in the "
        f"journal and in the slice, {loaded.compiled - loaded.received:.1f} s compiled and written"
    )
    yield Figure("host loads a million endpoints", loaded.compiled, "s CPU", how, at_most(MOST_SECONDS))
    how = "what the maps of its tables have grown by"
    yield Figure("a million endpoints in the kernel", loaded.kernel, "MiB", how, at_most(MOST_MEMORY))
    how = f"what the process has grown by; its most was {loaded.peak:,.0f} MiB"
    yield Figure("a million endpoints in an agent", loaded.memory, "MiB", how)


def _frames() -> Iterator[bytes]:
    """What a controller would send."""
    yield codec.encode(Welcome(1, "log"))
    for start in range(0, COUNT, PART):
        end = min(start + PART, COUNT)
        made = map(endpoint, range(start, end))
        yield codec.encode(Snapshot.of(1, made, first=start == 0, last=end == COUNT))


def _load(connection: "Connection[Any, Any]") -> None:
    with tempfile.TemporaryDirectory() as folder, scratch("million") as datapath:
        reconcile, slice, changes = Reconcile(datapath, Compiler()), Slice(), list[News]()
        gc.collect()
        connection.send(None)
        memory, maps, began = read_memory("self"), read_map_memory(), time.process_time()
        with closing(Journal(Path(folder) / "slice")) as journal:
            while frame := connection.recv_bytes():
                message = codec.decode_down(frame)
                assert isinstance(message, Welcome | Snapshot | Delta)
                journal.note(message, frame)
                changes += slice.take(message)
        received = time.process_time() - began
        done = bring_in(reconcile, Work(changes, {}, slice.number, 0, 0, Position(slice.log, slice.revision)))
        compiled = time.process_time() - began
        assert not done.refused, done.refused
        del changes
        grown = read_memory("self") - memory
        kernel = (read_map_memory() - maps) / MEBIBYTE
        connection.send(Loaded(received, compiled, kernel, grown, read_peak("self")))
