"""Desired versus actual on a datapath in memory, and on one that refuses some of it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from time import monotonic_ns
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netplane.agent.owners import Owners
from netplane.agent.reconcile import Reconcile
from netplane.agent.worker import Done, Work, bring_in, sweep, sweep_connections
from netplane.base.addresses import MAPPED
from netplane.base.delta import Delta
from netplane.compiler import Compiler, compile_slice
from netplane.datapath import DatapathError, TableFull
from netplane.datapath.fake import FakeDatapath
from netplane.model import AnyRecord, Change, Device, Endpoint
from netplane.stream.client import Position
from netplane.tables.outcome import Program
from netplane.tables.pipeline import (
    BUDGET,
    CONNECTION,
    COUNTER,
    ENDPOINT,
    HOST,
    MEMBER,
    PACE,
    POLICY,
    PORT,
    PROFILE,
    SETTINGS,
)
from tests.unit.agent import records
from tests.unit.agent.records import FAR, NEAR, RULE, SLICE, deletes, upserts

DEVICE = Device(id=records.PORT.id, ifindex=11)
MACHINE = {11: Program.FROM_MACHINE}
BOTH = {**MACHINE, 99: Program.FROM_TUNNEL}
WHOLE = Position("log", 4)


class Stubborn(FakeDatapath):
    """Refuses entries as it is told to, and notes what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: set[bytes] = set()
        self.full: set[str] = set()
        self.stuck = False
        self.asked: list[str] = []

    def write(self, table: str, entries: Mapping[bytes, bytes]) -> None:
        self.asked.append(f"write {table}")
        if table in self.full and entries.keys() - self.tables[table].keys():
            raise TableFull(table)
        if self.refused & entries.keys():
            raise DatapathError(f"{table} is stubborn")
        super().write(table, entries)

    def delete(self, table: str, keys: Iterable[bytes]) -> None:
        self.asked.append(f"delete {table}")
        super().delete(table, keys)

    def apply(self, delta: Delta) -> None:
        for table, entries in delta.writes.items():
            if table in self.full or self.refused & entries.keys():
                raise DatapathError(f"{table} is stubborn")
        super().apply(delta)

    def attach(self, ifindex: int, program: Program) -> None:
        self.asked.append(f"attach {ifindex}")
        if self.refused & {b"%d" % ifindex}:
            raise DatapathError(f"{ifindex} is stubborn")
        super().attach(ifindex, program)

    def detach(self, ifindex: int) -> None:
        self.asked.append(f"detach {ifindex}")
        super().detach(ifindex)

    def grow(self, rooms: Mapping[str, int]) -> None:
        self.asked.append(f"grow {dict(rooms)}")
        if self.stuck:
            raise DatapathError("there is no memory")
        super().grow(rooms)

    def replace(self, object_path: Path | None = None) -> None:
        self.asked.append("replace")


def work(*changes: Change, devices: Mapping[int, Program] = BOTH, position: Position = WHOLE, tunnel: int = 99) -> Work:
    return Work(list(changes), devices, host=1, tunnel=tunnel, punt=98, position=position)


@pytest.fixture
def datapath() -> Stubborn:
    return Stubborn()


@pytest.fixture
def reconcile(datapath: Stubborn) -> Reconcile:
    return Reconcile(datapath, Compiler())


def wanted(*others: AnyRecord) -> dict[str, dict[bytes, bytes]]:
    """All tables for some records, as they should be in the end."""
    settings = SETTINGS.entry((0,), (1, 99, 98, 0))
    return compile_slice(others) | {SETTINGS.name: {settings.key: settings.value}}


def check(datapath: Stubborn, *expected: AnyRecord) -> None:
    """The tables are what the records call for."""
    tables = wanted(*expected)
    assert {name: datapath.tables[name] for name in tables} == tables


def check_done(done: Done, *refused: str) -> None:
    assert [problem.text for problem in done.refused] == list(refused)


def test_devices_are_closed_and_nothing_else_is_touched_before_the_records_are_whole(
    reconcile: Reconcile, datapath: Stubborn
) -> None:
    datapath.tables[ENDPOINT.name][b"left by a former agent".ljust(20)] = bytes(16)
    check_done(bring_in(reconcile, work(*upserts(*SLICE[:4]), position=Position())))
    check_done(bring_in(reconcile, work(devices={}, position=Position())))
    assert sweep(reconcile) == []
    assert datapath.asked == ["attach 11", "attach 99"]


def test_the_whole_slice_then_changes_then_nothing(reconcile: Reconcile, datapath: Stubborn) -> None:
    check_done(bring_in(reconcile, work(*upserts(*SLICE, DEVICE))))
    check(datapath, *SLICE, DEVICE)
    assert datapath.attached() == BOTH
    check_done(bring_in(reconcile, work(*deletes(FAR, RULE))))
    check(datapath, *(record for record in SLICE if record not in (FAR, RULE)), DEVICE)
    check_done(bring_in(reconcile, work(*deletes(*SLICE, FAR, DEVICE), devices={99: Program.FROM_TUNNEL})))
    check(datapath)
    assert datapath.attached() == {99: Program.FROM_TUNNEL}


def test_a_new_agent_changes_nothing_that_is_right(reconcile: Reconcile, datapath: Stubborn) -> None:
    bring_in(reconcile, work(*upserts(*SLICE, DEVICE)))
    datapath.asked.clear()
    check_done(bring_in(Reconcile(datapath, Compiler()), work(*upserts(*SLICE, DEVICE))))
    assert datapath.asked == []


def test_a_new_agent_repairs_what_is_wrong(reconcile: Reconcile, datapath: Stubborn) -> None:
    bring_in(reconcile, work(*upserts(*SLICE, DEVICE)))
    endpoints = datapath.tables[ENDPOINT.name]
    endpoints[bytes(20)] = bytes(16)
    endpoints[ENDPOINT.pack_key(7, NEAR.addresses[0])] = bytes(16)
    datapath.tables[PORT.name].clear()
    datapath.attach(55, Program.FROM_MACHINE)
    datapath.detach(11)
    check_done(bring_in(Reconcile(datapath, Compiler()), work(*upserts(*SLICE, DEVICE))))
    check(datapath, *SLICE, DEVICE)
    assert datapath.attached() == BOTH


def test_programs_are_attached_before_the_door_opens_and_detached_after_it_closes(
    reconcile: Reconcile, datapath: Stubborn
) -> None:
    bring_in(reconcile, work(*upserts(*SLICE, DEVICE)))
    assert datapath.asked.index("attach 11") < datapath.asked.index("write port")
    datapath.asked.clear()
    bring_in(reconcile, work(*deletes(DEVICE), devices={}))
    assert datapath.asked.index("detach 11") > datapath.asked.index("delete port")


def test_what_is_refused_is_named_and_tried_again_while_the_rest_goes_in(
    reconcile: Reconcile, datapath: Stubborn
) -> None:
    key = ENDPOINT.pack_key(7, FAR.addresses[0])
    datapath.refused = {key}
    done = bring_in(reconcile, work(*upserts(*SLICE, DEVICE)))
    assert [(problem.kind, problem.id) for problem in done.refused] == [("endpoint", FAR.id)]
    expected = wanted(*SLICE, DEVICE)
    del expected[ENDPOINT.name][key]
    assert {name: datapath.tables[name] for name in expected} == expected
    datapath.refused = set()
    check_done(bring_in(reconcile, work()))
    check(datapath, *SLICE, DEVICE)


def test_a_full_table_holds_up_no_other_and_goes_on_when_there_is_room(
    reconcile: Reconcile, datapath: Stubborn
) -> None:
    bring_in(reconcile, work(*upserts(*SLICE[:-1])))
    datapath.full = {ENDPOINT.name}
    check_done(bring_in(reconcile, work(*upserts(FAR, DEVICE), *deletes(NEAR))), ENDPOINT.name)
    assert datapath.tables[PORT.name]
    datapath.full = set()
    check_done(bring_in(reconcile, work()))
    check(datapath, *(record for record in SLICE if record is not NEAR), DEVICE)


def neighbours(count: int) -> list[Endpoint]:
    """Endpoints elsewhere, one address each."""
    return [
        Endpoint.of(
            f"far {n}",
            vni=7,
            mac=b"%6d" % n,
            addresses=(MAPPED + (0x0A010000 + n).to_bytes(4, "big"),),
            identity=5,
            host=2,
        )
        for n in range(count)
    ]


def test_tables_grow_in_time_and_at_once(reconcile: Reconcile, datapath: Stubborn) -> None:
    first, most = neighbours(3 * ENDPOINT.room // 4), 2 * ENDPOINT.room
    check_done(bring_in(reconcile, work(*upserts(*SLICE[:2], *first))))
    rooms = {ENDPOINT.name: 2 * most}
    assert not [what for what in datapath.asked if what.startswith("grow")]
    check_done(bring_in(reconcile, work(*upserts(*neighbours(most)[len(first) :]))))
    assert [what for what in datapath.asked if what.startswith("grow")] == [f"grow {rooms}"]
    assert len(datapath.tables[ENDPOINT.name]) == most
    check_done(bring_in(reconcile, work(*deletes(*neighbours(most)))))
    assert datapath.room(ENDPOINT.name) == 2 * most, "and stay so"


def test_room_that_is_refused_is_asked_for_again_after_a_sweep(reconcile: Reconcile, datapath: Stubborn) -> None:
    datapath.stuck, many = True, neighbours(ENDPOINT.room + 1)
    done = bring_in(reconcile, work(*upserts(*SLICE[:2], *many)))
    assert [(problem.kind, problem.id) for problem in done.refused] == [("table", "endpoint")] * 2
    assert done.refused[0].text == "cannot get more room: there is no memory"
    bring_in(reconcile, work())
    assert len([what for what in datapath.asked if what.startswith("grow")]) == 1
    assert sweep(reconcile) == done.refused[:1], "it is told for as long as it holds"
    datapath.tables[HOST.name][HOST.pack_key(99)] = bytes(16)  # As a carrying over that ended halfway may leave.
    datapath.stuck = False
    sweep(reconcile)
    check_done(bring_in(reconcile, work()))
    assert len(datapath.tables[ENDPOINT.name]) == len(many)
    assert HOST.pack_key(99) not in datapath.tables[HOST.name]


def test_who_has_joined_a_group_is_not_forgotten_when_tables_are_read_again(
    reconcile: Reconcile, datapath: Stubborn
) -> None:
    bring_in(reconcile, work())
    datapath.stuck, many = True, neighbours(ENDPOINT.room + 1)
    bring_in(reconcile, work(*upserts(*SLICE[:2], *many)))
    datapath.stuck = False
    reconcile.forget_refusals()
    members = {bytes(MEMBER.key.size): bytes(MEMBER.value.size)}
    check_done(bring_in(reconcile, work()._replace(members=members)))
    assert datapath.tables[MEMBER.name] == members


def test_what_the_datapath_fills_grows_with_a_sweep(reconcile: Reconcile, datapath: Stubborn) -> None:
    bring_in(reconcile, work(*upserts(*SLICE, DEVICE)))
    until = PACE.pack_value(monotonic_ns() + 10**12)
    paces = {PACE.pack_key(7, b"%6d" % n, 1): until for n in range(PACE.room // 2 + 1)}
    datapath.write(PACE.name, paces)
    assert sweep(reconcile) == []
    assert datapath.room(PACE.name) == 4 * PACE.room
    assert datapath.read(PACE.name) == paces


def test_a_profile_is_not_sealed_while_its_rules_are_missing(reconcile: Reconcile, datapath: Stubborn) -> None:
    datapath.refused = set(compile_slice(SLICE)[POLICY.name])
    assert bring_in(reconcile, work(*upserts(*SLICE))).refused
    assert datapath.tables[PROFILE.name] == {}
    datapath.refused = set()
    check_done(bring_in(reconcile, work()))
    check(datapath, *SLICE)


def test_a_device_that_takes_no_program_is_tried_again(reconcile: Reconcile, datapath: Stubborn) -> None:
    datapath.refused = {b"11"}
    check_done(bring_in(reconcile, work(*upserts(*SLICE, DEVICE))), "11 is stubborn")
    check(datapath, *SLICE, DEVICE)
    datapath.refused = set()
    check_done(bring_in(reconcile, work()))
    assert datapath.attached() == BOTH


def test_settings_follow_the_tunnel(reconcile: Reconcile, datapath: Stubborn) -> None:
    bring_in(reconcile, work(tunnel=0))
    bring_in(reconcile, work(tunnel=7))
    assert list(datapath.tables[SETTINGS.name].values()) == [SETTINGS.pack_value(1, 7, 98, 0)]


def test_sweeping_leaves_what_lives(reconcile: Reconcile, datapath: Stubborn) -> None:
    bring_in(reconcile, work(*upserts(*SLICE, DEVICE)))
    near, far = NEAR.addresses[0], FAR.addresses[0]
    connection = CONNECTION.pack_key(7, 7, near, far, b"\0\1", b"\0\2", 6)
    old = CONNECTION.pack_key(7, 7, near, far, b"\0\3", b"\0\2", 6)
    counter = COUNTER.pack_key(7, NEAR.mac, 0, 0)
    budget = BUDGET.pack_key(7, NEAR.mac)
    datapath.tables[BUDGET.name] = {budget: BUDGET.pack_value(2)}
    behind, ahead = (PACE.pack_key(7, NEAR.mac, kind) for kind in (1, 2))
    datapath.tables[PACE.name] = {behind: PACE.pack_value(5), ahead: PACE.pack_value(1 << 62)}
    datapath.tables[CONNECTION.name] = {
        connection: CONNECTION.pack_value(0, 1 << 62, 1, 1, 1, 1, 1, 0),
        old: CONNECTION.pack_value(0, 0, 1, 1, 1, 1, 3, 0),
    }
    datapath.tables[COUNTER.name] = {counter: COUNTER.pack_value(1, 1)}
    assert sweep(reconcile) == []
    assert datapath.tables[CONNECTION.name].keys() == {connection}
    assert datapath.tables[COUNTER.name].keys() == {counter}
    assert datapath.tables[BUDGET.name] == {budget: BUDGET.pack_value(1)}
    assert datapath.tables[PACE.name].keys() == {ahead}
    assert bring_in(reconcile, work(*deletes(*SLICE, DEVICE))).shrunk
    assert sweep(reconcile) == []
    assert datapath.tables[CONNECTION.name] == datapath.tables[COUNTER.name] == datapath.tables[BUDGET.name] == {}


def test_a_connection_that_comes_to_life_while_it_is_swept_lives_on(datapath: Stubborn) -> None:
    key = CONNECTION.pack_key(7, 7, NEAR.addresses[0], FAR.addresses[0], b"\0\3", b"\0\2", 6)
    dead, alive = (CONNECTION.pack_value(0, seen, 1, 1, 1, 1, 3, 0) for seen in (0, 1 << 62))

    class Revived(Stubborn):
        def read(self, table: str) -> dict[bytes, bytes]:
            return {key: dead} if table == CONNECTION.name else super().read(table)

    revived = Revived()
    revived.tables[CONNECTION.name] = {key: alive}
    endpoints = {ENDPOINT.pack_key(7, one.addresses[0]): bytes(16) for one in (NEAR, FAR)}
    assert sweep_connections(revived, Owners(endpoints, {})) == {}
    assert revived.tables[CONNECTION.name] == {key: alive}


EVERYTHING: tuple[AnyRecord, ...] = (*SLICE, DEVICE)
ENTRIES = [(table, key) for table, entries in compile_slice(EVERYTHING).items() for key in entries]


class Round(NamedTuple):
    """One batch of changes, and what the datapath refuses meanwhile."""

    toggled: frozenset[int]
    """Indices into EVERYTHING: what is there goes, what is not comes."""
    refused: frozenset[int]
    """Indices into ENTRIES."""
    full: frozenset[str]
    restarted: bool


ROUNDS = st.lists(
    st.builds(
        Round,
        st.frozensets(st.integers(0, len(EVERYTHING) - 1)),
        st.frozensets(st.integers(0, len(ENTRIES) - 1), max_size=3),
        st.frozensets(st.sampled_from([ENDPOINT.name, POLICY.name, PORT.name]), max_size=1),
        st.booleans(),
    ),
    max_size=8,
)


@given(ROUNDS)
def test_whatever_is_refused_on_the_way_the_end_is_right(rounds: list[Round]) -> None:
    datapath = Stubborn()
    reconcile, there = Reconcile(datapath, Compiler()), frozenset[int]()
    for turn in rounds:
        datapath.refused, datapath.full = {ENTRIES[index][1] for index in turn.refused}, set(turn.full)
        changed = turn.toggled
        if turn.restarted:
            reconcile, changed, there = Reconcile(datapath, Compiler()), there ^ turn.toggled, frozenset()
        come, gone = changed - there, changed & there
        there = there ^ changed
        changes = [*upserts(*(EVERYTHING[i] for i in come)), *deletes(*(EVERYTHING[i] for i in gone))]
        bring_in(reconcile, work(*changes))
    datapath.refused, datapath.full = set(), set()
    check_done(bring_in(reconcile, work()))
    check(datapath, *(EVERYTHING[i] for i in there))
