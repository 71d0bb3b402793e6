"""Whom a change concerns, and what becomes of those who lag behind."""

from itertools import permutations

import pytest

from netplane.api.context import Context, roles
from netplane.controller.watching import watchers
from netplane.controller.watching.events import Rendered, lent_event
from netplane.controller.watching.watchers import Wanted, Watcher, Watchers
from netplane.model import Binding, Change, Network, Operation, Port, RbacPolicy, Record, Subnet, kind_of
from netplane.store import Entry

KINDS = frozenset(("network", "subnet", "port", "rbac_policy", "binding"))

MINE = Network(id="n1", project_id="blue", vni=1)
THEIRS = Network(id="n2", project_id="red", vni=2)
LENT = Network(id="n3", project_id="red", vni=3)


def port(id: str, network: Network, project: str) -> Port:
    return Port(id=id, network_id=network.id, mac_address="02:00:00:00:00:01", project_id=project)


def policy(project: str, target: str, network: str = "n") -> RbacPolicy:
    return RbacPolicy(
        id="p",
        project_id=project,
        object_type="network",
        object_id=network,
        action="access_as_shared",
        target_project=target,
    )


def written(record: Record, revision: int = 11) -> Entry:
    return Entry(Change(revision, Operation.UPSERT, kind_of(record), record.id, record), "ann", "now")


def deleted(record: Record, revision: int = 11) -> Entry:
    return Entry(Change(revision, Operation.DELETE, kind_of(record), record.id, None), "ann", "now", "", record)


def told(wanted: Wanted, *entries: Entry) -> tuple[list[str], bool]:
    """The ids of what a watch is told of, and whether it has ended."""
    everybody, woken = Watchers(10), 0

    def wake() -> None:
        nonlocal woken
        woken += 1

    watcher = Watcher(wanted, wake)
    everybody.add(watcher)
    everybody.publish(11, entries)
    found = [entry.change.id for entry in watcher.take()]
    assert bool(woken) == bool(found or watcher.is_over)
    everybody.remove(watcher)
    everybody.publish(12, [written(MINE, 12)])
    assert not watcher.take()
    assert len(everybody) == everybody.count(wanted.viewer) == 0
    return found, watcher.is_over


ADMIN = Wanted(KINDS, None)
BLUE = Wanted(KINDS, "blue", None, frozenset({("network", "n3")}), frozenset({"n1"}), 10)


@pytest.mark.parametrize("how", [written, deleted])
@pytest.mark.parametrize(
    ("record", "is_seen"),
    [
        (MINE, True),
        (THEIRS, False),
        (LENT, True),
        (Subnet(id="s", project_id="red", network_id="n3", cidr="10.0.0.0/24"), True),
        (Subnet(id="s", project_id="red", network_id="n2", cidr="10.0.0.0/24"), False),
        (port("p", THEIRS, "blue"), True),
        (port("p", MINE, "red"), True),
        (port("p", LENT, "red"), False),
        (port("p", THEIRS, "red"), False),
        (Binding(id="p", host_id="h"), False),
        (policy("red", "green"), False),
    ],
)
def test_what_a_project_sees(how: type, record: Record, is_seen: bool) -> None:
    assert told(BLUE, how(record)) == ([record.id] if is_seen else [], False)
    assert told(ADMIN, how(record)) == ([record.id], False)


@pytest.mark.parametrize("how", [written, deleted])
@pytest.mark.parametrize(
    "record",
    [
        policy("red", "blue"),
        policy("red", "*"),
        policy("blue", "red"),
        policy("red", "green", "n3"),
        policy("ops", "green", "n1"),
    ],
)
def test_a_watch_ends_when_sharing_changes(how: type, record: Record) -> None:
    assert told(BLUE, written(MINE, 11), how(record)) == (["n1"], True)
    assert told(BLUE, how(record)._replace(change=how(record).change._replace(revision=10)))[1] is False
    assert told(ADMIN, how(record)) == (["p"], False)


def test_what_is_asked_for() -> None:
    entries = [written(MINE), written(port("p", THEIRS, "red"))]
    assert told(Wanted(frozenset({"port"}), None), *entries) == (["p"], False)
    assert told(Wanted(KINDS, None, "blue"), *entries) == (["n1"], False)
    assert told(Wanted(KINDS, "green"), *entries) == ([], False)
    assert told(BLUE._replace(project="red"), *entries, written(LENT)) == (["n3"], False)


def test_who_lags_too_far_behind_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchers, "BACKLOG", 3)
    found, is_over = told(ADMIN, *(written(MINE, 11 + number) for number in range(5)))
    assert (len(found), is_over) == (3, True)


def test_what_is_known_from_the_log_is_not_told_again() -> None:
    everybody = Watchers(10)
    watcher = Watcher(ADMIN, lambda: None)
    watcher.after = 11
    everybody.add(watcher)
    everybody.publish(12, [written(MINE, 11), written(LENT, 12)])
    assert [entry.change.revision for entry in watcher.take()] == [12]
    everybody.close()
    assert watcher.is_over


def test_nothing_is_done_when_nobody_watches() -> None:
    everybody = Watchers(10)
    everybody.publish(11, iter(()))  # not even looked at
    everybody.publish(12, None)  # type: ignore[arg-type]
    assert everybody.revision == 12


ANN, BOB, EVE = (
    Context(project, roles([role]), "") for project, role in (("blue", "member"), ("red", "reader"), ("", "admin"))
)


@pytest.mark.parametrize("callers", tuple(permutations((ANN, BOB, EVE))))
def test_what_a_machine_reads_is_told_to_its_owner(callers: tuple[Context, ...]) -> None:
    """One change is told to several who see it differently, whoever is told first; networks they see alike."""
    rendered, entry = Rendered(), written(port("p", THEIRS, "blue"))
    for caller in (*callers, *callers):
        assert (b"netplane:metadata" in rendered.event(entry, caller)) == (caller is not BOB)
    assert b"netplane:metadata" not in lent_event(11, [port("p", THEIRS, "blue")], BOB)
    assert rendered.event(written(THEIRS), ANN) is rendered.event(written(THEIRS), BOB)
    assert b'"resource":null' in rendered.event(deleted(port("p", THEIRS, "blue"), 12), BOB)
