"""Statements that are compiled once."""

import pytest
from sqlalchemy import create_engine, insert, select

from netplane.store.prepared import Prepared, Several
from netplane.store.schema import METADATA, SECRET


@pytest.mark.parametrize("count", [0, 1, 2, 5, 500, 501, 1001])
def test_any_number_of_values(count: int) -> None:
    engine = create_engine("sqlite://")
    METADATA.create_all(engine)
    names = [f"{index:04}" for index in range(count)]
    several = Several(SECRET.c.name, select(SECRET.c.name, SECRET.c.body))
    with engine.begin() as connection:
        rows = [{"name": name, "body": b"x"} for name in [*names, "another"]]
        Prepared(insert(SECRET)).run_many(connection, rows)
        assert several.rows(connection, names, {}) == [(name, b"x") for name in names]
    engine.dispose()
