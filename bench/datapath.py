"""What the datapath costs: entries into the kernel and back, and the time of the programs on a packet."""

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, process_time

from bench.figure import Figure, at_most
from netplane.base.addresses import MAPPED, NO_ADDRESS, pack_address
from netplane.base.delta import Delta
from netplane.datapath import KernelDatapath
from netplane.datapath.mounting import BPFFS, unmount_bpffs
from netplane.tables.decisions import Direction, EndpointFlag, Family, Limit, Remote
from netplane.tables.outcome import Program, Synthetic
from netplane.tables.pipeline import (
    DEVICE,
    ENDPOINT,
    GATEWAY,
    HOP,
    HOST,
    POLICY,
    PORT,
    PROFILE,
    ROUTE,
    SETTINGS,
)
from netplane.tables.schema import Entry

ENTRIES = 100_000
MILLION = 1_000_000
PACKETS = 20_000
REPLACEMENTS = 5
MICROSECOND, MILLISECOND, MEGABYTE = 1e-6, 1e-3, 1 << 20

VNI, OTHER_VNI, ROUTER, IDENTITY = 7, 8, 5, 11
ANN, BEN, DOT = b"\2\0\0\0\1\5", b"\2\0\0\0\1\6", b"\2\0\0\0\2\5"
INNER, OUTER = b"\2\0\0\0\1\1", b"\2\0\0\0\2\1"
OPTIONS = bytes.fromhex("000104 00000000")
"""Hop-by-hop options of 8 bytes that say nothing, but for the byte that names what follows."""


def figures() -> list[Figure]:
    """Every figure of the datapath, in the kernel that this runs on."""
    if os.geteuid() != 0:
        raise PermissionError("loading programs into the kernel needs root")
    with scratch() as datapath:
        return [*entry_figures(datapath), *packet_figures(datapath), *replacement_figures(datapath)]


@contextmanager
def scratch(name: str = "figures") -> Iterator[KernelDatapath]:
    """A datapath of its own, attached to nothing."""
    pin_dir = BPFFS / f"{name}-{os.getpid()}"
    datapath = KernelDatapath.open(pin_dir)
    try:
        yield datapath
    finally:
        datapath.remove()
        unmount_bpffs()


def entry_figures(datapath: KernelDatapath) -> Iterator[Figure]:
    """Endpoints in and out."""
    how = f"{ENTRIES:,} endpoints, packed already, by batch calls; CPU time of the process"
    some = endpoints(ENTRIES)
    datapath.grow({"endpoint": ENTRIES})
    yield Figure("endpoint written", cpu(lambda: datapath.write("endpoint", some)) / ENTRIES / MICROSECOND, "µs", how)
    yield Figure("endpoint read back", cpu(lambda: datapath.read("endpoint")) / ENTRIES / MICROSECOND, "µs", how)
    yield Figure("endpoint deleted", cpu(lambda: datapath.delete("endpoint", some)) / ENTRIES / MICROSECOND, "µs", how)
    yield from million_figures(datapath, endpoints(MILLION))


def million_figures(datapath: KernelDatapath, many: dict[bytes, bytes]) -> Iterator[Figure]:
    """What a host in the largest domain carries."""
    before = kernel_memory()

    def load() -> None:
        datapath.grow({"endpoint": 2 * len(many)})
        datapath.write("endpoint", many)

    how = f"room made, and {len(many):,} endpoints, packed already, by one batch call; CPU time of the process"
    yield Figure("million endpoints loaded", cpu(load), "s", how, at_most(3))
    grown = (kernel_memory() - before) / MEGABYTE
    how = "growth of the kernel's slabs, per-CPU memory and large areas meanwhile"
    yield Figure("million endpoints in the kernel", grown, "MB", how, at_most(200))
    datapath.delete("endpoint", many)


def packet_figures(datapath: KernelDatapath) -> Iterator[Figure]:
    """What a trace costs its host; `stages` has what the programs take of it."""
    datapath.apply(Delta(small_world()))
    origin, frame = Synthetic(ifindex=101), udp_frame(BEN, "10.0.1.6")
    seconds = cpu(lambda: [datapath.run(Program.FROM_MACHINE, frame, origin) for _ in range(PACKETS)])
    how = f"mean of {PACKETS:,} made packets, with all their steps; CPU time of the process"
    yield Figure("made packet run", seconds / PACKETS / MICROSECOND, "µs", how)


def replacement_figures(datapath: KernelDatapath) -> Iterator[Figure]:
    """New programs in the place of old ones."""
    start = perf_counter()
    for _ in range(REPLACEMENTS):
        datapath.replace()
    seconds = (perf_counter() - start) / REPLACEMENTS
    how = f"mean of {REPLACEMENTS}: loaded, verified, compiled by the kernel, put in place; traffic goes on meanwhile"
    yield Figure("programs replaced", seconds / MILLISECOND, "ms", how)


def cpu(action: Callable[[], object]) -> float:
    """Seconds of CPU that an action takes."""
    gc.collect()
    start = process_time()
    action()
    return process_time() - start


def kernel_memory() -> int:
    """Bytes that the kernel has allocated for itself: slabs, per-CPU memory and large areas."""
    lines = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
    return sum(int(fields[1]) * 1024 for fields in lines if fields[0] in ("Slab:", "Percpu:", "VmallocUsed:"))


def endpoints(count: int) -> dict[bytes, bytes]:
    """Endpoints of one network."""
    value = ENDPOINT.pack_value(ANN, 0, 1, IDENTITY)
    return {ENDPOINT.pack_key(VNI, MAPPED + number.to_bytes(4, "big")): value for number in range(count)}


def small_world() -> dict[str, dict[bytes, bytes]]:
    """Two networks with both families and a router; one machine on another host; everything allowed."""
    machines = ((VNI, 1, 5, ANN, 1), (VNI, 1, 6, BEN, 1), (OTHER_VNI, 2, 5, DOT, 1), (VNI, 1, 7, b"\2\0\0\0\1\7", 2))
    interfaces = ((VNI, 1, INNER), (OTHER_VNI, 2, OUTER))
    entries = [
        SETTINGS.entry((0,), (1, 500, 501, 0)),
        HOST.entry((2,), (pack_address("172.16.2.1"),)),
        PROFILE.entry((IDENTITY,), (1,)),
        *(
            POLICY.entry((192, IDENTITY, way, anybody, 0, NO_ADDRESS, 0, bytes(2)), (1,))
            for way in Direction
            for anybody in (Remote.ANY, Remote.ANY_IPV6)
        ),
    ]
    for number, (vni, subnet, last, mac, host) in enumerate(machines, 101):
        entries += [
            ENDPOINT.entry((vni, pack_address(address)), (mac, 0, host, IDENTITY))
            for address in (f"10.0.{subnet}.{last}", f"fd00:{subnet}::{last}")
        ]
        if host == 1:
            entries += [
                DEVICE.entry((vni, mac), (number, 0, 0, IDENTITY, 1)),
                PORT.entry((number, 0), (vni, mac, 0, 1450)),
            ]
    for vni, subnet, mac in interfaces:
        for family, address, bits in ((Family.IPV4, f"10.0.{subnet}.1", 120), (Family.IPV6, f"fd00:{subnet}::1", 64)):
            packed = pack_address(address)
            entries += [
                ENDPOINT.entry((vni, packed), (mac, EndpointFlag.ROUTER, 0, 0)),
                GATEWAY.entry((vni, mac, family), (ROUTER, packed, 0)),
                ROUTE.entry((32 + bits, ROUTER, packed[:15] + b"\0"), (vni, mac, 1450, 0, 0, 0)),
            ]
    entries += [*next_hops("198.51.100.0", 1), *next_hops("203.0.113.0", Limit.NEXT_HOPS)]
    tables: dict[str, dict[bytes, bytes]] = {}
    for entry in entries:
        tables.setdefault(entry.table, {})[entry.key] = entry.value
    return tables


def next_hops(prefix: str, count: int) -> Iterator[Entry]:
    """A /24 of the router's that so many addresses of one machine share."""
    packed, length = pack_address(prefix), 120
    yield ROUTE.entry((32 + length, ROUTER, packed), (0, bytes(6), 0, count, length, 0))
    for index in range(count):
        via = pack_address(f"10.0.2.{100 + index}")
        yield ENDPOINT.entry((OTHER_VNI, via), (DOT, 0, 1, IDENTITY))
        yield HOP.entry((ROUTER, packed, length, index), (via, OTHER_VNI, OUTER, 1450, 0))


def udp_frame(
    mac: bytes, destination: str, *, source: bytes = ANN, sender: str = "10.0.1.5", port: int = 5000
) -> bytes:
    """64 bytes of payload, from 10.0.1.5 if nothing else is said."""
    udp = port.to_bytes(2, "big") + bytes.fromhex("17700048 0000") + bytes(64)
    addresses = pack_address(sender)[12:] + pack_address(destination)[12:]
    return mac + source + bytes.fromhex("0800 4500005c 00000000 40110000") + addresses + udp


def udp6_frame(mac: bytes, destination: str, *, options: bytes = b"", port: int = 5000) -> bytes:
    """64 bytes of payload from fd00:1::5, after hop-by-hop options if there are any."""
    rest = (
        (b"\x11" + options if options else b"") + port.to_bytes(2, "big") + bytes.fromhex("17700048 0001") + bytes(64)
    )
    fields = len(rest).to_bytes(2, "big") + bytes((0 if options else 17, 64))
    addresses = pack_address("fd00:1::5") + pack_address(destination)
    return mac + ANN + bytes.fromhex("86dd 60000000") + fields + addresses + rest
