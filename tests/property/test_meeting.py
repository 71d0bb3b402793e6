"""The random worlds and packets really meet what they are there to test."""

from collections import Counter
from collections.abc import Mapping
from random import Random

from netplane.tables.decisions import EndpointFlag, Punt, Reason, Stage, Verdict
from netplane.tables.lookup import EndpointValue, Entries
from netplane.tables.outcome import Outcome
from netplane.tables.pipeline import ENDPOINT, PAIR
from netplane.tables.policing import ALONE
from tests.conversation import Conversation
from tests.fabric import specified
from tests.property.test_intent import STEPS, WORLDS
from tests.worlds import all_tables, random_world

ENOUGH = 3
PASSED = (Verdict.DELIVER, Verdict.TUNNEL)


def features(frame: bytes, outcome: Outcome, tables: Mapping[str, Entries]) -> set[str]:
    """What a packet that has come far enough met."""
    steps = {step.stage: step for step in outcome.steps}
    found = set()
    if outcome.verdict is Verdict.PUNT and steps[Stage.LOCAL_ANSWER].b == Punt.ANNOUNCEMENT:
        found.add("an announcement")
    if outcome.verdict in PASSED and steps.get(Stage.CONNECTION, steps[Stage.DELIVERY]).a == ALONE:
        found.add("no connection")
    if Stage.ROUTING in steps and not steps[Stage.ROUTING].reason:
        found |= {f"to {name}" for name in places(frame, 30, 0, tables)}
    if Stage.ANTI_SPOOF in steps and not steps[Stage.ANTI_SPOOF].reason:
        found |= {f"from {name}" for name in places(frame, 26, 6, tables)}
    return found


def places(frame: bytes, address: int, mac: int, tables: Mapping[str, Entries]) -> set[str]:
    """By which entries an IPv4 address and a MAC address of a frame may be known, in whichever network."""
    if frame[12:14] != b"\x08\x00":
        return set()
    packed, used = bytes(10) + b"\xff\xff" + frame[address : address + 4], frame[mac : mac + 6]
    found = set()
    for entries in tables.values():
        exact = [
            EndpointValue(**ENDPOINT.unpack_value(value))
            for key, value in entries["endpoint"].items()
            if ENDPOINT.unpack_key(key)["address"] == packed
        ]
        own = {value.mac for value in exact if not value.flags & EndpointFlag.SHARED}
        found |= {"shared address" for value in exact if value.flags & EndpointFlag.SHARED and not own}
        found |= {"virtual MAC" for key in entries["pair"] if used[:5] == b"\x00\x00\x5e\x00\x01"}
        if not exact:
            found |= {"range" for _ in entries["range"]}
            values = [PAIR.unpack_value(value) for value in entries["pair"].values()]
            found |= {"any address" for value in values if value["flags"] & EndpointFlag.OPEN and value["mac"] == used}
    return found


def test_pairs_open_ports_and_stateless_ones_are_met() -> None:
    counts: Counter[str] = Counter()
    reasons: Counter[Reason] = Counter()
    for seed in WORLDS:
        talk = Conversation(Random(seed), random_world(Random(seed)))
        tables = all_tables(talk.records)
        fabric = specified(talk.records, tables)
        for _ in range(STEPS):
            said = talk.next()
            if said is None:
                tables = all_tables(talk.records)
                fabric = specified(talk.records, tables)
                continue
            talk.note(said, fabric.send(*said))
            for outcome in fabric.outcomes:
                counts.update(features(said.frame, outcome, tables))
                reasons[outcome.reason] += 1
    wanted = ("shared address", "virtual MAC", "range", "any address")
    expected = {"no connection", "an announcement", *(f"{end} {name}" for end in ("from", "to") for name in wanted)}
    assert {name: counts[name] for name in expected if counts[name] < ENOUGH} == {}
    assert all(reasons[reason] > ENOUGH for reason in (Reason.SPOOFED_MAC, Reason.SPOOFED_ADDRESS))
