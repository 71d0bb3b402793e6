"""Who listens to what: joined, left, forgotten; and the entries."""

import pytest

from netplane.agent.listening.members import GROUPS_EACH, SOURCES_EACH, Members, entries, heard
from netplane.agent.listening.queries import HELD
from netplane.agent.listening.reports import Mode, Report
from netplane.base.addresses import pack_address
from netplane.tables.pipeline import MEMBER

GROUP, OTHER = pack_address("239.1.2.3"), pack_address("ff05::1:3")
ANN, BEN = pack_address("10.0.0.1"), pack_address("10.0.0.2")


def after(*reports: tuple[Mode, bytes]) -> list[tuple[str, bytes]]:
    members = Members()
    for mode, sources in reports:
        one = frozenset(sources[at : at + 16] for at in range(0, len(sources), 16))
        members.hear("p", [Report(GROUP, mode, one)], 0.0)
    return list(members)


@pytest.mark.parametrize(
    "reports",
    [
        [(Mode.IS_EXCLUDE, b"")],
        [(Mode.TO_EXCLUDE, ANN)],
        [(Mode.ALLOW, ANN)],
        [(Mode.TO_INCLUDE, ANN)],
        [(Mode.ALLOW, ANN), (Mode.ALLOW, BEN), (Mode.BLOCK, ANN)],
        [(Mode.IS_EXCLUDE, b""), (Mode.BLOCK, ANN)],
        [(Mode.IS_EXCLUDE, b""), (Mode.ALLOW, b"")],
        [(Mode.TO_INCLUDE, b""), (Mode.IS_EXCLUDE, b"")],
    ],
)
def test_members(reports: list[tuple[Mode, bytes]]) -> None:
    assert after(*reports) == [("p", GROUP)]


@pytest.mark.parametrize(
    "reports",
    [
        [],
        [(Mode.IS_EXCLUDE, b""), (Mode.TO_INCLUDE, b"")],
        [(Mode.ALLOW, ANN), (Mode.BLOCK, ANN)],
        [(Mode.ALLOW, ANN + BEN), (Mode.BLOCK, BEN), (Mode.BLOCK, ANN)],
        [(Mode.BLOCK, ANN)],
        [(Mode.ALLOW, b"")],
    ],
)
def test_no_members(reports: list[tuple[Mode, bytes]]) -> None:
    assert after(*reports) == []


def test_who_names_sources_without_end_is_taken_to_want_everybody() -> None:
    many = b"".join(number.to_bytes(16, "big") for number in range(SOURCES_EACH + 1))
    known = None
    for at in range(0, len(many), 160):
        one = frozenset(many[place : place + 16] for place in range(at, min(at + 160, len(many)), 16))
        known = heard(known, Report(GROUP, Mode.ALLOW, one), 0.0)
        assert known is not None
        assert known.sources is None or len(known.sources) <= SOURCES_EACH
    assert known is not None
    assert known.sources is None
    assert after((Mode.TO_INCLUDE, many), (Mode.BLOCK, many)) == [("p", GROUP)]


def test_who_is_silent_is_forgotten() -> None:
    members = Members()
    assert members.hear("p", [Report(GROUP, Mode.IS_EXCLUDE), Report(OTHER, Mode.IS_EXCLUDE)], 0.0)
    assert not members.hear("p", [Report(GROUP, Mode.IS_EXCLUDE)], 100.0)
    assert not members.expire(HELD - 1)
    assert members.expire(HELD)
    assert list(members) == [("p", GROUP)]
    assert members.expire(HELD + 100)
    assert list(members) == []
    assert not members.expire(HELD + 100)


def test_groups_that_are_for_all_or_for_nobody() -> None:
    members = Members()
    for text in ("224.0.0.251", "ff02::1", "ff02::1:ff00:7", "255.255.255.255"):
        assert not members.hear("p", [Report(pack_address(text), Mode.IS_EXCLUDE)], 0.0)
    assert list(members) == []


def test_nobody_listens_to_more_than_he_may() -> None:
    members = Members()
    groups = [pack_address(f"239.1.1.{number}") for number in range(GROUPS_EACH + 1)]
    members.hear("p", [Report(group, Mode.IS_EXCLUDE) for group in groups], 0.0)
    assert [group for _, group in members] == groups[:-1]
    members.hear("p", [Report(groups[0], Mode.TO_INCLUDE), Report(groups[-1], Mode.IS_EXCLUDE)], 1.0)
    assert [group for _, group in members] == groups[1:]


def test_ports_that_are_gone() -> None:
    members = Members()
    members.hear("p", [Report(GROUP, Mode.IS_EXCLUDE)], 0.0)
    members.recall("q", GROUP, 0.0)
    assert not members.keep(["p", "q", "r"])
    assert members.keep(["q"])
    assert list(members) == [("q", GROUP)]


def test_entries() -> None:
    members = [("p", GROUP), ("q", GROUP), ("p", OTHER), ("gone", GROUP)]
    places = {"p": (7, b"\2\0\0\0\0\1"), "q": (7, b"\2\0\0\0\0\2")}
    assert entries(members, places) == {
        MEMBER.pack_key(7, GROUP, 0): MEMBER.pack_value(places["p"][1]),
        MEMBER.pack_key(7, GROUP, 1): MEMBER.pack_value(places["q"][1]),
        MEMBER.pack_key(7, OTHER, 0): MEMBER.pack_value(places["p"][1]),
    }
