"""Records as the store keeps them."""

import pytest

from netplane.model import STORED, Host, Network, Record, kind_of
from netplane.model.resource import project_of
from netplane.store.codec import decode, encode
from netplane.store.schema import METADATA


@pytest.mark.parametrize("record", [Host(id="h", number=1, address="192.0.2.1"), Network(id="n", vni=7, name="x")])
def test_records_come_back(record: Record) -> None:
    assert decode(encode(record)) == record


def test_every_stored_kind_has_a_name_of_its_own() -> None:
    assert len({kind_of(kind) for kind in STORED}) == len(STORED)


def test_projects() -> None:
    assert project_of(Network(id="n", vni=1, project_id="blue")) == "blue"
    assert project_of(Host(id="h", number=1, address="192.0.2.1")) == ""


def test_the_tables() -> None:
    intent = {"resource", "reference", "claim", "change", "log"}
    assert set(METADATA.tables) == intent | {"report", "tally", "secret", "controller", "session", "letter"}
