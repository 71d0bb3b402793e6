"""Random changes, and agents that come, go, lag and lose their line: whenever one has caught up, it has its slice."""

from collections.abc import Sequence
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from netplane.controller.picture import Picture
from netplane.interest import Key, slice_of
from netplane.model import Change, Record, kind_of
from netplane.store import Entry
from netplane.stream.delivery import begin, frames
from netplane.stream.messages import Ack, Delta, Hello, Snapshot, Welcome
from netplane.stream.outbox import Outbox
from netplane.stream.session import AgentSession, ControllerSession
from tests.property.test_interest import BUSY, HOSTS, PLUGGED, RECORD, World, as_changes, follow, steps

START = 10
LIMIT = 12


class Line:
    """Both ends of one agent's session, and what lies between: the agent keeps its slice over many of them."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.slice: dict[Key, Record] = {}
        self.position = ("", 0)
        self.wire: list[bytes] = []
        self.is_up = False

    def connect(self, picture: Picture, log: str) -> None:
        self.agent, self.controller, self.outbox = AgentSession(), ControllerSession(), Outbox(LIMIT)
        self.controller.receive(self.agent.send(Hello(self.host, "192.0.2.1", *self.position)))
        self.wire = [self.controller.send(Welcome(1, log))]
        begin(self.controller, self.outbox, partial(picture.history.since, self.host))
        self.is_up = True

    def write(self, picture: Picture) -> None:
        if self.is_up:
            self.wire += frames(self.controller, self.outbox, partial(picture.slice, self.host))

    def read(self, most: int) -> None:
        arrived, self.wire = self.wire[:most], self.wire[most:]
        for frame in arrived:
            message = self.agent.receive(frame)
            match message:
                case Snapshot(_, first, _, records, endpoints):
                    self._keep({} if first else self.slice, [*records, *endpoints])
                case Delta(_, records, deletes, endpoints):
                    stay = {key: record for key, record in self.slice.items() if key not in deletes}
                    self._keep(stay, [*records, *endpoints])
            self.position = (self.agent.log, self.agent.revision)
            self.controller.receive(self.agent.send(Ack(self.agent.revision)))

    def _keep(self, before: World, records: Sequence[Record]) -> None:
        self.slice = before | {(kind_of(record), record.id): record for record in records}


STEP = st.one_of(
    st.lists(st.one_of(steps(PLUGGED), steps(RECORD)), min_size=1, max_size=4).map(as_changes),
    st.tuples(st.sampled_from(["connect", "cut", "write", "read"]), st.sampled_from(HOSTS)),
    st.just(("restart", "")),
)


@given(st.lists(STEP, max_size=40))
def test_an_agent_that_has_caught_up_has_its_slice(script: list[list[Change] | tuple[str, str]]) -> None:
    world: World = {(kind_of(record), record.id): record for record in BUSY}
    picture = Picture(world.values(), START, {})
    lines = {host: Line(host) for host in HOSTS}
    for line in lines.values():
        catch_up(picture, line)
    for step in script:
        if isinstance(step, list):
            publish(picture, world, lines, step)
        elif step[0] == "restart":
            picture = Picture(world.values(), picture.revision, {})
            for line in lines.values():
                line.is_up = False
        else:
            act(picture, lines[step[1]], step[0])
    for host, line in lines.items():
        catch_up(picture, line)
        assert line.slice == slice_of(world.values(), host)


def catch_up(picture: Picture, line: Line) -> None:
    if not line.is_up:
        line.connect(picture, "log")
    while line.outbox or line.wire:
        line.write(picture)
        line.read(99)


def publish(picture: Picture, world: World, lines: dict[str, Line], changes: list[Change]) -> None:
    numbered = [change._replace(revision=number) for number, change in enumerate(changes, picture.revision + 1)]
    for change in numbered:
        follow(world, change)
    for host, parcel in picture.take([Entry(change, "test", "now") for change in numbered]).items():
        if lines[host].is_up:
            lines[host].outbox.put(parcel)


def act(picture: Picture, line: Line, action: str) -> None:
    match action:
        case "connect":
            line.connect(picture, "log")
        case "cut":
            line.is_up = False
            line.wire = []
        case "write":
            line.write(picture)
        case "read" if line.is_up:
            line.read(1)
