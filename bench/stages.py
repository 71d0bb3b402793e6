"""What a packet costs by what becomes of it: each row ends its way one stage later than those before it.

The time is the kernel's own of the programs on made packets, which also write down their steps; real ones do not.
"""

from collections.abc import Iterator
from struct import pack
from typing import NamedTuple

from bench.datapath import ANN, BEN, DOT, INNER, OPTIONS, VNI, scratch, small_world, udp6_frame, udp_frame
from bench.figure import Figure
from netplane.base.addresses import pack_address
from netplane.base.delta import Delta
from netplane.datapath import KernelDatapath, libbpf
from netplane.tables.decisions import Verdict
from netplane.tables.outcome import Program, Synthetic
from netplane.tables.pipeline import CROWD

PACKETS = 4_000
ALL = b"\xff" * 6
AWAY = b"\2\0\0\0\1\7"
ORIGIN = Synthetic(ifindex=101)


class Row(NamedTuple):
    """A kind of packets: frames that are sent in turn, and where they come from."""

    name: str
    verdict: Verdict
    frames: list[bytes]
    origin: Synthetic = ORIGIN


def figures() -> Iterator[Figure]:
    """Nanoseconds and packets a second of each outcome."""
    how = f"mean of {PACKETS:,} test runs, by the kernel's run time statistics of programs, one CPU"
    with scratch() as datapath:
        datapath.apply(Delta(world()))
        for row in rows():
            taken = nanoseconds(datapath, row)
            yield Figure(f"from_machine: {row.name}", taken, "ns/packet", how)
            yield Figure(f"from_machine: {row.name}", 1e9 / taken, "packets/s", how)


def world() -> dict[str, dict[bytes, bytes]]:
    """The small world, with a list of machines to copy to."""
    crowd = dict([CROWD.entry((VNI, index), (mac,))[1:] for index, mac in enumerate((ANN, BEN))])
    return small_world() | {CROWD.name: crowd}


def rows() -> Iterator[Row]:
    """From the first stage to the last."""
    fresh = [udp_frame(BEN, "10.0.1.6", port=port) for port in range(20_000, 20_000 + PACKETS)]
    request = pack("!HHBBH", 1, 0x0800, 6, 4, 1) + ANN + pack_address("10.0.1.5")[12:] + bytes(6)
    yield Row("no port, dropped", Verdict.DROP, [udp_frame(BEN, "10.0.1.6")], Synthetic(ifindex=99))
    yield Row("malformed, dropped", Verdict.DROP, [udp_frame(BEN, "10.0.1.6")[:40]])
    yield Row("ARP, answered", Verdict.ANSWER, [ALL + ANN + b"\x08\x06" + request + pack_address("10.0.1.6")[12:]])
    yield Row("spoofed address, dropped", Verdict.DROP, [udp_frame(BEN, "10.0.1.6", sender="10.0.1.66")])
    yield Row("unknown destination, dropped", Verdict.DROP, [udp_frame(DOT, "10.0.1.66")])
    yield Row("ping of the router, answered", Verdict.ANSWER, [ping(INNER, "10.0.1.1")])
    yield Row("new connection, same host", Verdict.DELIVER, fresh)
    yield Row("established, same host", Verdict.DELIVER, [udp_frame(BEN, "10.0.1.6")])
    yield Row("established, routed, same host", Verdict.DELIVER, [udp_frame(INNER, "10.0.2.5")])
    yield Row("established, by a next hop, same host", Verdict.DELIVER, [udp_frame(INNER, "198.51.100.9")])
    yield Row("established, by one of 16 next hops, same host", Verdict.DELIVER, [udp_frame(INNER, "203.0.113.9")])
    yield Row("established, other host", Verdict.TUNNEL, [udp_frame(AWAY, "10.0.1.7")])
    yield Row("broadcast to one machine", Verdict.FLOOD, [udp_frame(ALL, "255.255.255.255")])
    fresh = [udp6_frame(BEN, "fd00:1::6", port=port) for port in range(20_000, 20_000 + PACKETS)]
    yield Row("IPv6: new connection, same host", Verdict.DELIVER, fresh)
    yield Row("IPv6: established, same host", Verdict.DELIVER, [udp6_frame(BEN, "fd00:1::6")])
    yield Row("IPv6: established, routed, same host", Verdict.DELIVER, [udp6_frame(INNER, "fd00:2::5")])
    extended = [udp6_frame(BEN, "fd00:1::6", options=OPTIONS)]
    yield Row("IPv6: established, extension headers, same host", Verdict.DELIVER, extended)


def ping(mac: bytes, destination: str) -> bytes:
    """An echo request from 10.0.1.5; its checksum is not looked at."""
    addresses = pack_address("10.0.1.5")[12:] + pack_address(destination)[12:]
    return mac + ANN + bytes.fromhex("0800 4500001c 00000000 40010000") + addresses + bytes.fromhex("0800f7ff00000000")


def nanoseconds(datapath: KernelDatapath, row: Row) -> float:
    """The mean time of the programs on a kind of packets; the first one is sent once before it counts."""
    fd = datapath.program_fd(Program.FROM_MACHINE)
    outcome = datapath.run(Program.FROM_MACHINE, row.frames[0], row.origin)
    if outcome.verdict is not row.verdict:
        raise RuntimeError(f"{row.name}: {outcome}")
    with libbpf.closing(libbpf.enable_statistics()):
        time, runs = libbpf.program_time(fd)
        for number in range(PACKETS):
            datapath.run(Program.FROM_MACHINE, row.frames[number % len(row.frames)], row.origin)
        time_after, runs_after = libbpf.program_time(fd)
    return (time_after - time) / (runs_after - runs)
