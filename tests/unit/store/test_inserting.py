"""Rows that go together."""

from typing import Any

import pytest
from sqlalchemy import create_engine, insert, select

from netplane.store.inserting import insert_rows
from netplane.store.prepared import Prepared
from netplane.store.schema import METADATA, SECRET


@pytest.mark.parametrize(("count", "told"), [(0, 0), (1, 1), (2, 1), (7, 2), (137, 6), (300, 3)])
def test_many_rows_are_inserted_by_few_statements(count: int, told: int) -> None:
    engine = create_engine("sqlite://")
    METADATA.create_all(engine)
    rows = [{"name": f"{index:04}", "body": str(index).encode()} for index in range(count)]
    statements: list[str] = []
    with engine.begin() as connection:
        driver: Any = connection.connection.dbapi_connection
        driver.set_trace_callback(statements.append)
        insert_rows(connection, Prepared(insert(SECRET)), rows)
        driver.set_trace_callback(None)
        found = connection.execute(select(SECRET).order_by(SECRET.c.name)).all()
    assert [row._asdict() for row in found] == rows
    assert len([each for each in statements if each.startswith("INSERT")]) == told
    engine.dispose()
