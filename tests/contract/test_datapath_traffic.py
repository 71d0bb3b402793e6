"""Real packets between two machines of one host, while the programs that carry them are replaced."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from netplane.tables.decisions import Class, DeviceFlag, Direction
from netplane.tables.pipeline import CONNECTION, COUNTER, ENDPOINT, TABLES
from tests.contract.datapaths import ways
from tests.contract.wire import LAST, Wired, ask, echo, wire
from tests.contract.world import ANN

pytestmark = pytest.mark.kernel

REPLACEMENTS = 8
GROWTHS = 3


@pytest.fixture(params=[(way, flag) for way in ways() for flag in (0, DeviceFlag.PEER)], ids=str)
def wired(request: pytest.FixtureRequest) -> Iterator[Wired]:
    with wire(*request.param) as made:
        yield made


def ask_until(client: socket.socket, over: Callable[[], bool], asked: list[int]) -> None:
    """Datagram after datagram; `asked` counts those that came back."""
    while not over():
        ask(client, asked[0])
        asked[0] += 1


def test_packets_pass_with_nobody_holding_anything(wired: Wired) -> None:
    """Nor does it matter to them that the programs were replaced before."""
    wired.bench.datapath.replace()
    wired.bench.datapath.close()
    server = threading.Thread(target=echo, args=(wired.server,))
    server.start()
    ask(wired.client, 1)
    ask(wired.client, LAST)
    server.join()


def test_no_packet_is_lost_while_programs_are_replaced(wired: Wired) -> None:
    replaced, asked = threading.Event(), [0]
    server = threading.Thread(target=echo, args=(wired.server,))
    client = threading.Thread(target=ask_until, args=(wired.client, replaced.is_set, asked))
    server.start()
    client.start()
    for _ in range(REPLACEMENTS):
        wired.bench.datapath.replace()
    replaced.set()
    client.join()
    ask(wired.client, LAST)
    server.join()
    # A lost packet would have ended the client with TimeoutError, and its count would have stopped.
    assert asked[0] > REPLACEMENTS
    key = COUNTER.pack_key(ANN.vni, ANN.mac, Direction.EGRESS, Class.SAME_NETWORK)
    counted = COUNTER.unpack_value(wired.bench.datapath.read("counter")[key])
    assert counted == {"packets": asked[0] + 1, "bytes": (asked[0] + 1) * (14 + 20 + 8 + 8)}


def test_no_packet_is_lost_while_tables_grow(wired: Wired) -> None:
    """Of tables that packets are looked up in, and of those that they write."""
    datapath, grown, asked = wired.bench.datapath, threading.Event(), [0]
    server = threading.Thread(target=echo, args=(wired.server,))
    client = threading.Thread(target=ask_until, args=(wired.client, grown.is_set, asked))
    server.start()
    client.start()
    for doubled in range(1, GROWTHS + 1):
        datapath.grow({table.name: table.room << doubled for table in TABLES if table.room < table.capacity})
    grown.set()
    client.join()
    ask(wired.client, LAST)
    server.join()
    assert datapath.room("endpoint") == ENDPOINT.room << GROWTHS
    assert asked[0] > GROWTHS
    packets, size = asked[0] + 1, 14 + 20 + 8 + 8
    for direction in Direction:
        key = COUNTER.pack_key(ANN.vni, ANN.mac, direction, Class.SAME_NETWORK)
        counted = COUNTER.unpack_value(datapath.read("counter")[key])
        assert counted == {"packets": packets, "bytes": packets * size}
    [connection] = map(CONNECTION.unpack_value, datapath.read("connection").values())
    assert (connection["packets_low"], connection["packets_high"]) == (packets, packets)
