"""Made packets through the real programs, by `BPF_PROG_TEST_RUN`.

A test run enters by the loopback device, where the programs are never attached: that tells them that the packet is
made. What a real packet brings with it (its device and VLAN tag, or its tunnel's key and source) goes in by `cb[]`, and
the verdict comes out by it, with the tag that the frame leaves with. The steps come by the `trace` table, of which each
CPU has its own: the first one is cleared on every CPU before the run, and after it the CPU that has one is the one that
ran.
"""

import threading
from collections.abc import Iterator
from itertools import takewhile
from struct import Struct, pack

from netplane.datapath import libbpf
from netplane.datapath.entries import KernelTable
from netplane.tables.decisions import Reason, Stage, Verdict
from netplane.tables.outcome import Outcome, Program, Step, Synthetic
from netplane.tables.packet import put_tag, take_tag
from netplane.tables.pipeline import PORT, TRACE

ETHERNET_HEADER = 14
FIXED_HEADERS = {b"\x08\x00": ETHERNET_HEADER + 20, b"\x86\xdd": ETHERNET_HEADER + 40}
"""Bytes up to the end of the fixed header, by EtherType."""

ANSWER_ROOM = 512
"""An answer may be longer than the frame that it answers, by at most an IP and an ICMP header."""

DRY = 1
CONTEXT = Struct("=48x2I4sI")
"""`struct __sk_buff` up to `cb[3]`, `cb[0]` at 48."""

CONTEXT_OUT = Struct("=48x4I")
STEP = Struct(TRACE.value.format)
NO_STEP = {TRACE.pack_key(0): bytes(TRACE.value.size)}

_one_at_a_time = threading.Lock()


def run(fd: int, ports: KernelTable, trace: KernelTable, program: Program, frame: bytes, origin: Synthetic) -> Outcome:
    """What a program (by its file descriptor) makes of a frame.

    The kernel refuses frames without a whole Ethernet header in a test run, and no device delivers them: their
    outcome, NO_PORT or MALFORMED, is told without it and counted nowhere.
    """
    if len(frame) < ETHERNET_HEADER:
        return _too_short(ports, program, frame, origin)
    vlan, untagged = take_tag(frame) if program is Program.FROM_MACHINE else (0, frame)
    packet = _acceptable(untagged)
    with _one_at_a_time:
        trace.write(NO_STEP)
        result = libbpf.test_run(fd, packet, _context(program, origin, vlan), len(packet) + ANSWER_ROOM)
        steps = tuple(_steps(trace))
    decision, target, vni, left_with = CONTEXT_OUT.unpack_from(result.context)
    verdict, reason = Verdict(decision & 0xFF), Reason(decision >> 8)
    if verdict is Verdict.DROP:
        return Outcome(verdict, reason, 0, 0, frame, steps)
    if verdict in (Verdict.TUNNEL, Verdict.FLOOD):
        return Outcome(verdict, reason, target, vni, result.frame, steps)
    if verdict is Verdict.SERVE:
        return Outcome(verdict, reason, target, 0, result.frame, steps)
    return Outcome(verdict, reason, target, 0, put_tag(result.frame, left_with), steps)


def _context(program: Program, origin: Synthetic, vlan: int) -> bytes:
    if program is Program.FROM_MACHINE:
        return CONTEXT.pack(origin.ifindex, DRY if origin.dry else 0, pack("=I", vlan), origin.offset)
    return CONTEXT.pack(origin.vni, DRY if origin.dry else 0, origin.outer_source[12:], origin.offset)


def _steps(trace: KernelTable) -> Iterator[Step]:
    [(_, values)] = trace.batches()
    ran = next((start for start in range(0, len(values[0]), trace.stride) if any(values[0][start : start + 2])), None)
    if ran is None:
        return
    found = (STEP.unpack_from(value, ran) for value in values)
    for stage, reason, a, b, c in takewhile(lambda fields: fields[0], found):
        yield Step(Stage(stage), Reason(reason), a, b, c)


def _acceptable(frame: bytes) -> bytes:
    """A frame that the kernel takes for a test run, with the same verdict.

    It refuses those that claim to be IP and end within the fixed header (net/bpf/test_run.c). They are filled up to
    its length, with a version that makes the header as malformed as it was.
    """
    length = FIXED_HEADERS.get(frame[12:14], 0)
    return frame if len(frame) >= length else frame[:ETHERNET_HEADER].ljust(length, b"\0")


def _too_short(ports: KernelTable, program: Program, frame: bytes, origin: Synthetic) -> Outcome:
    known = program is not Program.FROM_MACHINE or PORT.pack_key(origin.ifindex, 0) in ports.read()
    reason = Reason.MALFORMED if known else Reason.NO_PORT
    return Outcome(Verdict.DROP, reason, 0, 0, frame, ())
