"""From events of the datapath to decisions in words."""

from msgspec.structs import replace

from netplane.agent.decisions.telling import Telling
from netplane.agent.slice import Slice
from netplane.base.addresses import pack_address
from netplane.model import AnyRecord, Decision, Logged
from netplane.stream.messages import Delta, Snapshot, Welcome
from netplane.tables.decisions import Direction, Reason
from netplane.tables.rings import DECISION
from tests.unit.agent.records import FAR, IDENTITY, NEAR, PORT, RULE, SLICE

ALL = Logged(id=PORT.id, drops=True, accepts=("group",))


def event(*, reason: int = 0, rule: int = 0x0BADCAFE, unlogged: int = 0, mac: bytes = NEAR.mac) -> bytes:
    near, far = pack_address("10.0.0.5"), pack_address("10.0.0.6")
    ports = (40_000).to_bytes(2, "big"), (80).to_bytes(2, "big")
    return DECISION.pack(5, unlogged, near, far, 7, mac, reason, rule, IDENTITY.number, 0, *ports, 6, Direction.EGRESS)


def told(logged: AnyRecord | None, *events: bytes) -> list[Decision]:
    slice = Slice()
    records = [*SLICE, *([] if logged is None else [logged])]
    for message in (Welcome(1, "log"), Snapshot.of(1, records)):
        list(slice.take(message))
    return list(Telling(slice, 100).tell(events, 1_000_000_000))


def test_who_was_let_pass_by_which_rule() -> None:
    [decision] = told(ALL, event())
    assert decision == Decision(
        number=100,
        time="1970-01-01T00:00:01.000000Z",
        port_id=PORT.id,
        project_id="",
        direction="egress",
        event="ACCEPT",
        protocol=6,
        source="10.0.0.5",
        destination="10.0.0.6",
        source_port=40_000,
        destination_port=80,
        identity=5,
        remote=0,
        security_groups=("group",),
        remote_groups=(),
        rule_id=RULE.id,
    )


def test_why_something_was_dropped() -> None:
    [decision] = told(ALL, event(reason=Reason.POLICY_OUT, rule=0))
    assert (decision.event, decision.reason, decision.rule_id) == ("DROP", "POLICY_OUT", "")
    assert decision.text == "no security group rule of the sender allows it"


def test_only_what_somebody_still_wishes() -> None:
    drop = event(reason=Reason.POLICY_OUT, rule=0)
    assert told(None, event(), drop) == []
    assert told(replace(ALL, drops=False), drop) == []
    assert told(replace(ALL, accepts=("another",)), event()) == []
    assert told(ALL, event(mac=FAR.mac)) == []


def test_what_was_only_counted_is_told_with_the_next() -> None:
    counts = [decision.unlogged for decision in told(ALL, event(unlogged=3), event(unlogged=10), event(unlogged=10))]
    assert counts == [0, 7, 0]


def test_a_rule_that_is_gone_has_no_name() -> None:
    [decision] = told(ALL, event(rule=1))
    assert (decision.event, decision.rule_id) == ("ACCEPT", "")


def test_a_slice_that_changes() -> None:
    slice = Slice()
    for message in (Welcome(1, "log"), Snapshot.of(1, [*SLICE, ALL])):
        list(slice.take(message))
    telling = Telling(slice, 0)
    assert len(list(telling.tell([event()], 0))) == 1
    list(slice.take(Delta(2, [], [("port", PORT.id)])))
    assert list(telling.tell([event()], 0)) == []
