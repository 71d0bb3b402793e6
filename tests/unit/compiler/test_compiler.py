"""The compiler as its neighbours use it: deltas, loads, owners, problems and the view."""

import pytest

from netplane.base.delta import Delta
from netplane.compiler import COMPILED, Compiler, compile_slice
from netplane.model import Change, Host, Network, Operation, Port, Record, SecurityGroupRule, kind_of
from netplane.tables.pipeline import AGENT_TABLES, HOST
from netplane.tables.text import show_entries

ALPHA, BETA = Host(id="alpha", number=1, address="192.0.2.1"), Host(id="beta", number=2, address="192.0.2.2")
KEY = HOST.pack_key(1)


def upserts(*records: Record) -> list[Change]:
    return [Change(1, Operation.UPSERT, kind_of(record), record.id, record) for record in records]


def delete(record: Record) -> Change:
    return Change(1, Operation.DELETE, kind_of(record), record.id, None)


def test_every_table_of_the_agent_but_its_settings_is_compiled() -> None:
    assert {*COMPILED, "settings"} == {table.name for table in AGENT_TABLES}
    assert Compiler().desired == compile_slice([]) == {table: {} for table in COMPILED}


def test_apply_returns_what_changes() -> None:
    compiler = Compiler()
    first = compiler.apply(upserts(ALPHA, BETA))
    assert list(first.writes) == ["host"]
    assert show_entries("host", first.writes["host"]) == [
        "number=1 -> address=192.0.2.1",
        "number=2 -> address=192.0.2.2",
    ]
    assert not compiler.apply(upserts(ALPHA))
    assert compiler.apply([delete(ALPHA)]) == Delta({}, {"host": [KEY]})


def test_load_replaces_the_slice() -> None:
    compiler = Compiler()
    compiler.apply(upserts(ALPHA))
    delta = compiler.load([BETA])
    assert (list(delta.writes["host"]), delta.deletes) == ([HOST.pack_key(2)], {"host": [KEY]})
    assert not compiler.load([BETA])


def test_owners_and_problems() -> None:
    compiler = Compiler()
    compiler.apply(upserts(BETA, ALPHA, Host(id="again", number=1, address="192.0.2.9")))
    assert compiler.owners("host", KEY) == [("host", "again"), ("host", "alpha")]
    assert compiler.owners("host", HOST.pack_key(9)) == []
    assert compiler.owners("settings", bytes(4)) == []
    assert [problem.id for problem in compiler.problems] == ["alpha"]


def test_the_view_finds_records() -> None:
    compiler = Compiler()
    port = Port(id="p", network_id="n", mac_address="02:00:00:00:00:01")
    rule = SecurityGroupRule(id="r", security_group_id="g", direction="ingress")
    compiler.apply(upserts(Network(id="n", vni=1), port, rule))
    assert compiler.view.get(Network, "n") == Network(id="n", vni=1)
    assert compiler.view.find(Port, "network_id", "n") == [port]
    assert compiler.view.find(SecurityGroupRule, "security_group_id", "g") == [rule]
    assert compiler.footprint()["records"] == 3


def test_an_unknown_kind_is_a_broken_invariant() -> None:
    with pytest.raises(KeyError):
        Compiler().apply([Change(1, Operation.DELETE, "unheard of", "x", None)])
