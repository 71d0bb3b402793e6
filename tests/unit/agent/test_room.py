"""When tables get more room, and how much."""

import pytest

from netplane.agent.room import lacking, room_for
from netplane.datapath.fake import FakeDatapath
from netplane.tables.pipeline import BUDGET, CONNECTION, ENDPOINT
from netplane.tables.schema import Table


@pytest.mark.parametrize(
    ("table", "entries", "room", "wanted"),
    [
        (ENDPOINT, 3000, 4096, 4096),
        (ENDPOINT, 3072, 4096, 4096),
        (ENDPOINT, 3073, 4096, 6146),
        (ENDPOINT, 1_000_000, 4096, 2_000_000),
        (BUDGET, 2048, 4096, 4096),
        (BUDGET, 2049, 4096, 8196),
    ],
)
def test_room(table: Table, entries: int, room: int, wanted: int) -> None:
    assert room_for(table, entries, room) == wanted


def test_what_lacks_room() -> None:
    datapath = FakeDatapath()
    assert lacking(datapath, {"endpoint": 10, "connection": CONNECTION.room, "settings": 1, "policy": 1}) == {}
    assert lacking(datapath, {"endpoint": ENDPOINT.room, "budget": 1}) == {"endpoint": 2 * ENDPOINT.room}
    datapath.grow({"endpoint": ENDPOINT.capacity})
    assert lacking(datapath, {"endpoint": ENDPOINT.capacity}) == {}, "there is no more"
