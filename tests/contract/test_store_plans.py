"""How databases go about look-ups: by an index that holds what is asked for, never through all of a kind."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from netplane.store import reader
from netplane.store.prepared import Prepared
from netplane.store.schema import CLAIM
from tests.contract.stores import DATABASES, open_store, postgresql, sqlite

PORTS = {"kind": "port"}
REFERRING = PORTS | {"field": "network_id", "target": "n"}

PLANS: Mapping[str, tuple[Prepared, Mapping[str, object], str]] = {
    "a record": (reader.GET, PORTS | {"id": "p"}, "PRIMARY KEY (id=? AND kind=?)"),
    "a page": (reader.PAGE, PORTS | {"after": "", "count": 9}, "resource_by_kind (kind=? AND id>?)"),
    "a project's page": (
        reader.PAGE_PROJECT,
        PORTS | {"after": "", "count": 9, "project": "blue"},
        "resource_by_project (kind=? AND project=? AND id>?)",
    ),
    "a project's records": (
        reader.LIST_PROJECT,
        PORTS | {"project": "blue"},
        "resource_by_project (kind=? AND project=?)",
    ),
    "referrers": (reader.FIND, REFERRING, "PRIMARY KEY (target=? AND kind=? AND field=?)"),
    "a page of referrers": (
        reader.REFERRING_PAGE,
        REFERRING | {"after": "", "count": 9},
        "PRIMARY KEY (target=? AND kind=? AND field=? AND source>?)",
    ),
    "referrers of one of many": (
        reader.GROUP._of(1),
        REFERRING | {"v0": "n"},
        "PRIMARY KEY (target=? AND kind=? AND field=?)",
    ),
    "referrers of many": (
        reader.GROUP._of(4),
        REFERRING | {f"v{index}": "n" for index in range(4)},
        "PRIMARY KEY (target=? AND kind=? AND field=?)",
    ),
    "who holds it": (reader.HOLDING, {"target": "n", "kind": "", "field": ""}, "PRIMARY KEY (target=?"),
}


@pytest.mark.parametrize("what", PLANS)
def test_sqlite_uses_the_index_that_is_for_it(tmp_path: Path, what: str) -> None:
    """It has no figures of how many rows there are, and goes by the words of the statement alone."""
    statement, values, expected = PLANS[what]
    store = open_store(sqlite(tmp_path))
    with store._reader.begin() as connection:
        text = statement._text(connection)
        cursor: Any = connection.connection.cursor()
        steps = cursor.execute(f"EXPLAIN QUERY PLAN {text.sql}", text.bind(dict(values))).fetchall()
    store.close()
    assert expected in steps[0][3], steps


AWKWARD = ("a,b", 'a"b', "a\\b", "{a}", "", "NULL", "ä")


@pytest.mark.parametrize("database", DATABASES)
def test_what_is_taken_of_any_values(tmp_path: Path, database: str) -> None:
    store = open_store(DATABASES[database](tmp_path))
    rows = [{"space": "s", "value": value, "owner": "o"} for value in (*AWKWARD, *map(str, range(0, 900, 3)))]
    with store._writer.begin() as connection:
        connection.execute(CLAIM.insert(), rows)
    with store.read() as view:
        assert view.taken("s", (*AWKWARD, "b", "null")) == {*AWKWARD}
        assert view.taken("s", [str(number) for number in range(700)]) == {str(each) for each in range(0, 700, 3)}
        assert view.taken("other", AWKWARD) == set()
        assert view.taken("s", ()) == set()
    store.close()


def test_postgresql_looks_for_what_is_taken_one_by_one(tmp_path: Path) -> None:
    """Whatever it believes of how much is claimed: what it learnt of an empty table outlives many rows."""
    store = open_store(postgresql(tmp_path))
    with store._writer.connect() as connection:
        connection.exec_driver_sql("ANALYZE claim")
        taken = reader.TAKEN_FAR.text(connection)
        values = taken.bind({"asked": "'{1,2}'", "space": "'s'"})
        for mode in ("force_custom_plan", "force_generic_plan"):
            connection.exec_driver_sql(f"SET plan_cache_mode = {mode}")
            connection.exec_driver_sql(f"PREPARE {mode} AS {taken.told.sql.decode()}")
            rows = connection.exec_driver_sql(f"EXPLAIN (COSTS OFF) EXECUTE {mode} ({', '.join(values)})")
            plan = "\n".join(row[0] for row in rows)
            assert "Index Cond: ((space = " in plan, plan
            assert " AND (value = (asked.value)::text))" in plan, plan
    store.close()
