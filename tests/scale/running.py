"""A cloud that runs, without processes: a store, what a controller makes of it, and compilers as agents have them."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple, TypeVar

from bench.cloud import Cloud, Port, Project, Shape, build
from bench.cloud.stored import fill
from netplane.agent.slice import Slice
from netplane.base.delta import Delta
from netplane.compiler import Compiler
from netplane.controller.controller import read_picture
from netplane.controller.picture import Picture
from netplane.model import Change, Device, Operation, kind_of, one_by_one
from netplane.store import Store, Transaction
from netplane.stream import codec
from netplane.stream.messages import Delta as Told
from netplane.stream.messages import Message, Snapshot, Welcome
from netplane.stream.outbox import Parcel

T = TypeVar("T")


class Agent:
    """What a host makes of its slice."""

    def __init__(self, slice: tuple[int, list[Any]], name: str) -> None:
        self._name = name
        self._slice = Slice()
        self._compiler = Compiler()
        self.hear(Welcome(1, "log"))
        self.hear(codec.snapshot(*slice, first=True, last=True))

    def hear(self, message: Message) -> Delta:
        """Take in what the controller says, as it comes over the wire."""
        told = codec.decode_down(codec.encode(message))
        assert isinstance(told, Welcome | Snapshot | Told)
        changes = list(one_by_one(self._slice.take(told)))
        plugged = [
            Change(0, Operation.UPSERT, kind_of(Device), change.id, Device(id=change.id, ifindex=number))
            for number, change in enumerate(changes, 1)
            if change.kind == "port" and change.record is not None and not told_before(self._compiler, change)
        ]
        return self._compiler.apply(changes + plugged)

    @property
    def entries(self) -> int:
        """How many there are."""
        return sum(map(len, self._compiler.desired.values()))


def told_before(compiler: Compiler, change: Change) -> bool:
    """Whether a port is no news, or a router's, which has no device."""
    record: Any = change.record
    return record.is_router_interface or compiler.view.get(Device, change.id) is not None


class Effect(NamedTuple):
    """What a transaction came to."""

    parcels: Mapping[str, Parcel]
    """By host."""
    octets: int
    """Of the messages to all hosts together."""
    edits: Mapping[str, Delta]
    """What changed in the tables of each host that was told something."""
    steps: int
    """Lines of Python that the controller ran through: work that does not depend on the machine."""


class Running:
    """A cloud with its controller and all its hosts."""

    def __init__(self, cloud: Cloud, store: Store) -> None:
        self.cloud = cloud
        self._store = store
        self._picture: Picture = read_picture(store)
        self.agents = {host.name: Agent(self._picture.slice(host.name), host.name) for host in cloud.hosts}

    def write(self, work: Callable[[Transaction], object]) -> Effect:
        """What a transaction changes on its hosts."""
        before = self._store.revision
        with self._store.write("test") as transaction:
            work(transaction)
        entries = self._store.journal(before)
        parcels, steps = counted(lambda: self._picture.take(entries))
        octets, edits = 0, {}
        for host, parcel in parcels.items():
            message = codec.delta(*parcel)
            octets += len(codec.encode(message))
            edits[host] = self.agents[host].hear(message)
        return Effect(parcels, octets, edits, steps)

    def hosts_of(self, project: Project) -> set[str]:
        """Where a project's machines stand."""
        return {port.host for port in project.ports}


@contextmanager
def running(shape: Shape, folder: Path) -> Iterator[Running]:
    """The cloud of a shape."""
    store = Store.open(str(folder / f"{shape.projects}-{shape.ports}-{shape.flat}.db"))
    try:
        cloud = build(shape)
        fill(store, cloud)
        yield Running(cloud, store)
    finally:
        store.close()


def counted(work: Callable[[], T]) -> tuple[T, int]:
    """What something gives, and how many lines of Python it ran through."""
    lines = 0

    def trace(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal lines
        lines += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        return work(), lines
    finally:
        sys.settrace(before)


def single(project: Project, host: str | None = None) -> Port:
    """A port of a project that is in its default group only."""
    return next(port for port in project.ports if len(port.groups) == 1 and host in (None, port.host))
