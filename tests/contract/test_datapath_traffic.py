"""Real packets between two machines of one host, while the programs that carry them are replaced."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import NamedTuple

import pytest

from netplane.base.delta import Delta
from netplane.tables.decisions import Class, DeviceFlag, Direction
from netplane.tables.outcome import Program
from netplane.tables.pipeline import COUNTER, DEVICE, PORT
from tests.contract import world
from tests.contract.datapaths import KernelBench, kernel_bench, ways
from tests.contract.namespaces import add_veth, bring_up, find_link, inside, new_namespace
from tests.contract.world import ANN, BEN, Machine

pytestmark = pytest.mark.kernel

PORT_NUMBER = 7007
REPLACEMENTS = 8
LAST = 1 << 32
"""The number of the datagram after which the server stops."""

PATIENCE = 5.0
"""Seconds after which a packet counts as lost; on one host it takes microseconds."""


class Wired(NamedTuple):
    """Two machines on a datapath, and a UDP socket in each."""

    bench: KernelBench
    client: socket.socket
    server: socket.socket


@pytest.fixture(params=[(way.value, flag) for way in ways() for flag in (0, DeviceFlag.PEER)], ids=str)
def wired(request: pytest.FixtureRequest) -> Iterator[Wired]:
    name, flags = request.param
    with ExitStack() as stack:
        bench = stack.enter_context(kernel_bench(next(way for way in ways() if way.value == name)))
        bench.datapath.apply(Delta(world.world()))
        sockets = [plug_in(stack, bench, machine, flags) for machine in (ANN, BEN)]
        yield Wired(bench, *sockets)


def plug_in(stack: ExitStack, bench: KernelBench, machine: Machine, flags: int) -> socket.socket:
    """A namespace for a machine, wired to the datapath; a UDP socket in it."""
    namespace = stack.enter_context(new_namespace())
    name = f"tap{machine.ifindex}"
    near = add_veth(name, "eth0", namespace)
    bring_up(near)
    entries = [
        DEVICE.entry((machine.vni, machine.mac), (near, flags, 0, machine.identity, 1)),
        PORT.entry((near, 0), (machine.vni, machine.mac, 0, 0)),
    ]
    bench.datapath.apply(Delta(world.tabulate(entries)))
    bench.datapath.attach(near, Program.FROM_MACHINE)
    with inside(namespace):
        bring_up(find_link("eth0"), mac=machine.mac, address=f"{machine.address}/24")
        bound = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        bound.bind((machine.address, PORT_NUMBER))
        bound.settimeout(PATIENCE)
        return bound


def echo(server: socket.socket) -> None:
    """Send every datagram back, up to the last one."""
    data = b""
    while data != LAST.to_bytes(8, "big"):
        data, sender = server.recvfrom(2048)
        server.sendto(data, sender)


def ask(client: socket.socket, number: int) -> None:
    """One datagram there and back; TimeoutError if either is lost."""
    client.sendto(number.to_bytes(8, "big"), (BEN.address, PORT_NUMBER))
    assert client.recv(2048) == number.to_bytes(8, "big")


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
