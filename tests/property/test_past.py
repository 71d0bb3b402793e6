"""A controller that starts a little in the past tells hosts that come back what they have missed, and no less."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from netplane.controller.picture import Picture
from netplane.interest import SLICED, slice_of
from netplane.model import Binding, Change, Record, kind_of
from netplane.model.resource import Resource
from netplane.store import Entry
from netplane.store.past import as_it_was, rewind
from tests.property.test_interest import BUSY, HOSTS, PLUGGED, RECORD, World, as_changes, by_key, follow, steps

KINDS = {kind_of(kind) for kind in SLICED}


def written(world: World, changes: list[Change]) -> list[tuple[Entry, World]]:
    """What a store makes of changes, in its log: each with the world that it leads to."""
    log: list[tuple[Entry, World]] = []
    for change in changes:
        before, record = world.get((change.kind, change.id)), change.record
        if before is None and record is None:
            continue
        if isinstance(record, Binding) and ("port", record.id) not in world:
            continue
        if change.kind == "port" and record is None and (bound := world.get(("binding", change.id))):
            log.append(entry(world, len(log) + 1, change._replace(kind="binding"), bound))
            world = log[-1][1]
        if isinstance(record, Resource) and isinstance(before, Resource):
            record = replace(record, revision_number=before.revision_number + 1)
        log.append(entry(world, len(log) + 1, change._replace(record=record), before if record is None else None))
        world = log[-1][1]
    return log


def entry(world: World, revision: int, change: Change, gone: Record | None) -> tuple[Entry, World]:
    numbered, after = change._replace(revision=revision), dict(world)
    follow(after, numbered)
    return Entry(numbered, "test", "now", "", gone), after


@given(
    st.lists(st.one_of(steps(PLUGGED), steps(RECORD)), min_size=1, max_size=40).map(as_changes),
    st.integers(1, 40),
    st.integers(0, 40),
)
def test_whoever_comes_back_is_told_what_it_has_missed(changes: list[Change], back: int, lookback: int) -> None:
    base = by_key(BUSY)
    log = written(base, changes)
    if not log:
        return
    entries, worlds = [each for each, _ in log], [base, *(world for _, world in log)]
    earlier = {(each.change.kind, each.change.id): each for each in entries[:-back][-lookback:]} if lookback else {}
    past = rewind(entries[-back:], [*earlier.values()], KINDS)
    now = worlds[-1]
    assert by_key([*as_it_was(now.values(), past)]) == worlds[past.revision]
    picture = Picture(as_it_was(now.values(), past), past.revision, {})
    picture.catch_up(past.since)
    assert picture.revision == len(log)
    for revision in range(past.revision, len(log) + 1):
        for host in HOSTS:
            missed = picture.history.since(host, revision)
            assert missed is not None
            held = slice_of(worlds[revision].values(), host)
            needed = slice_of(now.values(), host)
            told = {key for key, raw in missed.records.items() if raw is not None}
            gone = {key for key, raw in missed.records.items() if raw is None}
            assert told <= needed.keys()
            assert {key for key in held if key not in gone} | told == needed.keys()
            assert all(held.get(key) == record for key, record in needed.items() if key not in told)


def test_most_of_what_happens_can_be_gone_back_through() -> None:
    """Ports that come with their bindings, and go."""
    port, bound = BUSY[-1], Binding(id="new", host_id="h1")
    assert isinstance(port, Resource)
    made = replace(port, id="new", device_owner="", device_id="")
    changes = as_changes([(made, True), (bound, True), (replace(made, name="x"), True), (bound, False), (made, False)])
    log = [each for each, _ in written(by_key(BUSY), changes)]
    past = rewind(log, [], KINDS)
    assert past.revision == 0
    assert past.before == {("port", "new"): None, ("binding", "new"): None}
