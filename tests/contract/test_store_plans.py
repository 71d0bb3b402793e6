"""How databases go about look-ups: by an index that holds what is asked for, never through all of a kind."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from netplane.store import reader
from netplane.store.prepared import Prepared
from tests.contract.stores import open_store, sqlite

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
        reader.GROUP._by_size[1],
        REFERRING | {"v0": "n"},
        "PRIMARY KEY (target=? AND kind=? AND field=?)",
    ),
    "referrers of many": (
        reader.GROUP._by_size[4],
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
