"""A machine's DHCP while another one of its host floods the agent with requests: how long it waits for its answer.

Both are machines of one host in the lab, with a real agent and a real datapath. The flood comes from its own program,
at a pace; the neighbour asks no oftener than it may, so every one of its requests must be answered.
"""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep

from bench.figure import Figure, at_least
from netplane.lab import Lab, Machine
from netplane.lab.demo.tenant import Tenant
from netplane.lab.namespace import inside
from netplane.lab.traffic.frames import ETH_P_ALL, ETH_P_IP, ethernet, ipv4, udp

PREFIX = "npbpunt"
RATE = 50_000
"""Requests a second of the flood."""

REQUESTS = 100
PAUSE = 0.11
"""Seconds between the neighbour's requests: one machine may send ten a second."""

WAIT = 2.0
"""Seconds after which a request counts as not answered."""

FLOODER = """
import select, socket, sys, time
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind(("eth0", 0))
frame, rate, sent, step = bytes.fromhex(sys.argv[1]), int(sys.argv[2]), 0, 50
print("ready", flush=True)
began = time.perf_counter()
try:
    while True:
        for _ in range(step):
            wire.send(frame)
        sent += step
        ahead = sent / rate - (time.perf_counter() - began)
        if ahead > 0:
            time.sleep(ahead)
        if select.select([sys.stdin], [], [], 0)[0]:
            break
finally:
    print(sent / (time.perf_counter() - began), flush=True)
"""


def figures() -> Iterator[Figure]:
    """The neighbour's waits without the flood and under it, and that nothing was lost."""
    with Lab(PREFIX, 1, ("blue",)) as lab:
        tenant = Tenant(lab.start(), "blue")
        tenant.add_segment("left", "10.0.1")
        host = lab.host_list[0]
        flooder, other = tenant.add_machines(
            {"flooder": ("left", "10.0.1.11", host), "other": ("left", "10.0.1.12", host)}
        )
        for machine in (flooder, other):
            machine.obtain()
        calm = ask(other)
        with flood(flooder) as reached:
            stormy = ask(other)
        yield from compared(calm, stormy, reached[0])
        tenant.delete()


def compared(calm: list[float], stormy: list[float], reached: float) -> Iterator[Figure]:
    """Each wait, `inf` for what was not answered."""
    how = f"{REQUESTS} DISCOVERs of one machine, ten a second; another of the same host sends {reached:,.0f} a second"
    answered = sum(wait < WAIT for wait in stormy) / REQUESTS * 100
    yield Figure("DHCP under a neighbour's flood: answered", answered, "%", how, at_least(100))
    yield Figure("DHCP under a neighbour's flood: flood", reached, "1/s", f"{RATE:,} a second were tried")
    for name, waits in (("no flood", calm), ("under a neighbour's flood", stormy)):
        ordered = sorted(waits)
        yield Figure(f"DHCP {name}: median", ordered[len(ordered) // 2] * 1000, "ms", how)
        yield Figure(f"DHCP {name}: p99", ordered[len(ordered) * 99 // 100 - 1] * 1000, "ms", how)


def ask(machine: Machine) -> list[float]:
    """Seconds that each of a machine's requests waited for its offer."""
    sleep(2.5)  # What has been sent before is forgiven by then.
    with inside(machine.namespace):
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    waits = []
    with wire:
        wire.bind(("eth0", ETH_P_ALL))
        wire.settimeout(WAIT)
        for number in range(REQUESTS):
            began = monotonic()
            wire.send(discover(machine, number))
            waits.append(await_offer(wire, number, began))
            sleep(max(0.0, PAUSE - (monotonic() - began)))
    return waits


def await_offer(wire: socket.socket, number: int, began: float) -> float:
    """Seconds until the offer to a request has come; infinite if it does not."""
    while monotonic() - began < WAIT:
        try:
            frame = wire.recv(2048)
        except TimeoutError:
            break
        if frame[23] == 17 and frame[34:36] == b"\0\x43" and int.from_bytes(frame[46:50], "big") == number:
            return monotonic() - began
    return float("inf")


@contextmanager
def flood(machine: Machine) -> Iterator[list[float]]:
    """A flood from a machine while the block runs; what it was a second stands in the list afterwards."""
    reached = [0.0]
    argv = [sys.executable, "-c", FLOODER, discover(machine, 0).hex(), str(RATE)]
    with inside(machine.namespace):
        child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        child.stdout.readline()
        yield reached
        child.stdin.close()
        reached[0] = float(child.stdout.readline())
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def discover(machine: Machine, number: int) -> bytes:
    """What a DHCP client says first, in a transaction of that number."""
    mac = bytes.fromhex(machine.mac.replace(":", ""))
    bootp = b"\1\1\6\0" + number.to_bytes(4, "big") + bytes(20) + mac + bytes(10 + 192)
    bootp += b"\x63\x82\x53\x63" + b"\x35\x01\x01\xff"
    packet = ipv4("0.0.0.0", "255.255.255.255", 17, udp(bootp, 68, 67))
    return ethernet(machine.mac, "ff:ff:ff:ff:ff:ff", ETH_P_IP, packet)
