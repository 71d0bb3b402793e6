"""Two machines of one host on the real datapath, with sockets that talk."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from netplane.base.delta import Delta
from netplane.datapath.attachment import Attachment
from netplane.tables.outcome import Program
from netplane.tables.pipeline import DEVICE, PORT
from tests.contract import world
from tests.contract.datapaths import KernelBench, kernel_bench
from tests.contract.namespaces import add_veth, bring_up, find_link, inside, new_namespace
from tests.contract.world import ANN, BEN, Machine

PORT_NUMBER = 7007
LAST = 1 << 32
"""The number of the datagram after which the server stops."""

PATIENCE = 5.0
"""Seconds after which a packet counts as lost; on one host it takes microseconds."""


class Wired(NamedTuple):
    """Two machines on a datapath, and a UDP socket in each."""

    bench: KernelBench
    client: socket.socket
    server: socket.socket


@contextmanager
def wire(attachment: Attachment, flags: int = 0) -> Iterator[Wired]:
    """A datapath with both; `flags` are those of their devices."""
    with ExitStack() as stack:
        bench = stack.enter_context(kernel_bench(attachment))
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
