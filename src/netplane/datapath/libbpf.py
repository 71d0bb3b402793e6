"""A thin, typed binding to libbpf 1.x: only what netplane calls, errors with the kernel's own words.

Every function here either returns what it promises or raises `KernelRefused`, whose text says what was tried, the
name of the error and what libbpf or the verifier printed meanwhile. Nothing here knows netplane's tables.

libbpf is loaded at the first call, so that this module can be imported where it is missing.
"""

import ctypes
import errno
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ctypes import POINTER, c_char_p, c_int, c_size_t, c_uint32, c_uint64, c_void_p
from functools import cache
from pathlib import Path
from struct import unpack_from
from typing import Any, NamedTuple

from netplane.datapath.contract import DatapathError

TCX_INGRESS = 46
"""`enum bpf_attach_type` of linux/bpf.h, since kernel 6.6."""

ENOTSUPP = 524
"""The kernel's own error number, unknown to `errno`."""

MEMBARRIER = {"x86_64": 324}
"""Numbers of the system call membarrier(2), by machine."""

MEMBARRIER_ELSEWHERE = 283
"""The same on machines that have the kernel's common numbers, such as aarch64 and riscv64."""

MEMBARRIER_GLOBAL = 1
LONGEST_RUN = 0.1
"""Seconds in which a program that runs comes to its end, where the kernel cannot be asked."""

STATS_RUN_TIME = 0
LOG_WARN = 0
LOG_TAIL = 16_384
"""Bytes of one message that are kept."""

SK_BUFF_SIZE = 256
"""At least `sizeof(struct __sk_buff)`, in any kernel: the surplus is left alone."""


class TcHook(ctypes.Structure):
    """`struct bpf_tc_hook`."""

    _fields_ = (("sz", c_size_t), ("ifindex", c_int), ("attach_point", c_int), ("parent", c_uint32))


class TcOptions(ctypes.Structure):
    """`struct bpf_tc_opts`."""

    _fields_ = (
        ("sz", c_size_t),
        ("prog_fd", c_int),
        ("flags", c_uint32),
        ("prog_id", c_uint32),
        ("handle", c_uint32),
        ("priority", c_uint32),
    )


class RunOptions(ctypes.Structure):
    """`struct bpf_test_run_opts`."""

    _fields_ = (
        ("sz", c_size_t),
        ("data_in", c_void_p),
        ("data_out", c_void_p),
        ("data_size_in", c_uint32),
        ("data_size_out", c_uint32),
        ("ctx_in", c_void_p),
        ("ctx_out", c_void_p),
        ("ctx_size_in", c_uint32),
        ("ctx_size_out", c_uint32),
        ("retval", c_uint32),
        ("repeat", c_int),
        ("duration", c_uint32),
        ("flags", c_uint32),
        ("cpu", c_uint32),
        ("batch_size", c_uint32),
    )


SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "libbpf_num_possible_cpus": (c_int, ()),
    "libbpf_set_print": (c_void_p, (c_void_p,)),
    "bpf_enable_stats": (c_int, (c_int,)),
    "bpf_link_create": (c_int, (c_int, c_int, c_int, c_void_p)),
    "bpf_link_update": (c_int, (c_int, c_int, c_void_p)),
    "bpf_map__fd": (c_int, (c_void_p,)),
    "bpf_map__key_size": (c_uint32, (c_void_p,)),
    "bpf_map__max_entries": (c_uint32, (c_void_p,)),
    "bpf_map__name": (c_char_p, (c_void_p,)),
    "bpf_map__reuse_fd": (c_int, (c_void_p, c_int)),
    "bpf_map__set_max_entries": (c_int, (c_void_p, c_uint32)),
    "bpf_map__set_pin_path": (c_int, (c_void_p, c_char_p)),
    "bpf_map__type": (c_int, (c_void_p,)),
    "bpf_map__value_size": (c_uint32, (c_void_p,)),
    "bpf_map_delete_batch": (c_int, (c_int, c_void_p, POINTER(c_uint32), c_void_p)),
    "bpf_map_lookup_elem": (c_int, (c_int, c_void_p, c_void_p)),
    "bpf_map_lookup_batch": (c_int, (c_int, c_void_p, c_void_p, c_void_p, c_void_p, POINTER(c_uint32), c_void_p)),
    "bpf_map_update_batch": (c_int, (c_int, c_void_p, c_void_p, POINTER(c_uint32), c_void_p)),
    "bpf_obj_get": (c_int, (c_char_p,)),
    "bpf_obj_get_info_by_fd": (c_int, (c_int, c_void_p, POINTER(c_uint32))),
    "bpf_obj_pin": (c_int, (c_int, c_char_p)),
    "bpf_object__close": (None, (c_void_p,)),
    "bpf_object__load": (c_int, (c_void_p,)),
    "bpf_object__next_map": (c_void_p, (c_void_p, c_void_p)),
    "bpf_object__next_program": (c_void_p, (c_void_p, c_void_p)),
    "bpf_object__open_file": (c_void_p, (c_char_p, c_void_p)),
    "bpf_prog_test_run_opts": (c_int, (c_int, POINTER(RunOptions))),
    "bpf_program__fd": (c_int, (c_void_p,)),
    "bpf_program__name": (c_char_p, (c_void_p,)),
    "bpf_tc_attach": (c_int, (POINTER(TcHook), POINTER(TcOptions))),
    "bpf_tc_detach": (c_int, (POINTER(TcHook), POINTER(TcOptions))),
    "bpf_tc_hook_create": (c_int, (POINTER(TcHook),)),
    "bpf_tc_hook_destroy": (c_int, (POINTER(TcHook),)),
    "bpf_tc_query": (c_int, (POINTER(TcHook), POINTER(TcOptions))),
    "ring_buffer__consume": (c_int, (c_void_p,)),
    "ring_buffer__epoll_fd": (c_int, (c_void_p,)),
    "ring_buffer__free": (None, (c_void_p,)),
    "ring_buffer__new": (c_void_p, (c_int, c_void_p, c_void_p, c_void_p)),
}


class KernelRefused(DatapathError):
    """A call failed. `number` is the errno."""

    def __init__(self, what: str, number: int, log: str = "") -> None:
        self.number = number
        name = "ENOTSUPP" if number == ENOTSUPP else errno.errorcode.get(number, str(number))
        super().__init__(f"cannot {what}: {name} ({os.strerror(number)})" + (f"\n{log}" if log else ""))


class _Log(threading.local):
    """What libbpf printed during this thread's call."""

    def __init__(self) -> None:
        self.lines: list[str] = []


_LOG = _Log()
_PrintFunction = ctypes.CFUNCTYPE(c_int, c_int, c_char_p, c_void_p)
_libc = ctypes.CDLL(None, use_errno=True)
_libc.vsnprintf.argtypes = (c_char_p, c_size_t, c_char_p, c_void_p)


def _record(level: int, form: bytes, arguments: int) -> int:
    """What libbpf prints with. A `va_list` arrives as a pointer on the processors that netplane runs on."""
    if level == LOG_WARN:
        # The verifier's log comes as one argument and may be megabytes; what matters is its end.
        text = ctypes.create_string_buffer(1 << 22)
        _libc.vsnprintf(text, len(text), form, arguments)
        _LOG.lines.append(text.value[-LOG_TAIL:].decode(errors="replace"))
    return 0


_RECORD = _PrintFunction(_record)


@cache
def library() -> Any:
    """libbpf, with every signature declared."""
    try:
        loaded = ctypes.CDLL("libbpf.so.1", use_errno=True)
    except OSError as error:
        raise DatapathError(f"libbpf is missing (Debian and Ubuntu: install libbpf1): {error}") from error
    for name, (result, arguments) in SIGNATURES.items():
        function = getattr(loaded, name)
        function.restype, function.argtypes = result, arguments
    loaded.libbpf_set_print(ctypes.cast(_RECORD, c_void_p))
    return loaded


def attempt(name: str, *arguments: Any) -> int:
    """Call a function that returns an int; the result, or the negative errno."""
    _LOG.lines.clear()
    result: int = getattr(library(), name)(*arguments)
    return result


def call(what: str, name: str, *arguments: Any) -> int:
    """Call a function that returns an int; `what` completes "cannot ..." if it fails."""
    result = attempt(name, *arguments)
    if result < 0:
        raise KernelRefused(what, -result, "".join(_LOG.lines).strip())
    return result


@contextmanager
def closing(fd: int) -> Iterator[int]:
    """Close a file descriptor at the end."""
    try:
        yield fd
    finally:
        os.close(fd)


@cache
def possible_cpus() -> int:
    """How many values a per-CPU entry has."""
    return call("count the CPUs", "libbpf_num_possible_cpus")


def pin(fd: int, path: Path) -> None:
    """Keep a map, program or link alive under a path in a bpffs."""
    call(f"pin to {path}", "bpf_obj_pin", fd, bytes(path))


def pinned(path: Path) -> int:
    """A file descriptor of what is pinned at a path."""
    return call(f"open {path}", "bpf_obj_get", bytes(path))


def _information(fd: int, size: int) -> bytes:
    buffer, length = ctypes.create_string_buffer(size), c_uint32(size)
    call("ask the kernel about a map, program or link", "bpf_obj_get_info_by_fd", fd, buffer, ctypes.byref(length))
    return buffer.raw


def kernel_id(fd: int) -> int:
    """The kernel's number of a map or program."""
    number: int = unpack_from("=2I", _information(fd, 8))[1]
    return number


def map_room(fd: int) -> int:
    """How many entries a map holds at most."""
    room: int = unpack_from("=5I", _information(fd, 20))[4]
    return room


def program_time(fd: int) -> tuple[int, int]:
    """Nanoseconds spent in a program and how often it ran, since statistics were enabled."""
    nanoseconds, runs = unpack_from("=2Q", _information(fd, 216), 192)
    return nanoseconds, runs


def enable_statistics() -> int:
    """Make the kernel measure programs for as long as the returned file descriptor is open."""
    return call("enable statistics of programs", "bpf_enable_stats", STATS_RUN_TIME)


def link_device(fd: int) -> tuple[int, int]:
    """The program's number and the ifindex (0: the device is gone) of a tcx link."""
    found = _information(fd, 24)
    return unpack_from("=I", found, 8)[0], unpack_from("=I", found, 16)[0]


def await_programs() -> None:
    """Wait until all programs that are running now have come to their end.

    They run under RCU, and membarrier(2) waits for all that do (kernel/sched/membarrier.c); not on kernels with CPUs
    that have no tick.
    """
    number = MEMBARRIER.get(os.uname().machine, MEMBARRIER_ELSEWHERE)
    if _libc.syscall(number, MEMBARRIER_GLOBAL, 0, 0):
        time.sleep(LONGEST_RUN)


class MapDefinition(NamedTuple):
    """What an object says of a map."""

    type: int
    key_size: int
    value_size: int
    max_entries: int


class BpfObject:
    """An object file: opened, then loaded."""

    def __init__(self, path: Path) -> None:
        _LOG.lines.clear()
        self.path = path
        self._object = library().bpf_object__open_file(bytes(path), None)
        if not self._object:
            raise KernelRefused(f"open {path}", ctypes.get_errno(), "".join(_LOG.lines).strip())

    def _children(self, advance: str) -> Iterator[int]:
        child = getattr(library(), advance)(self._object, None)
        while child:
            yield child
            child = getattr(library(), advance)(self._object, child)

    def definitions(self) -> dict[str, MapDefinition]:
        """Its maps as the object defines them."""
        lib, parts = library(), ("type", "key_size", "value_size", "max_entries")
        return {
            lib.bpf_map__name(handle).decode(): MapDefinition(*(getattr(lib, f"bpf_map__{p}")(handle) for p in parts))
            for handle in self._children("bpf_object__next_map")
        }

    def load(self, reuse: Mapping[str, int], rooms: Mapping[str, int]) -> None:
        """Into the kernel, with existing maps (file descriptors by name) in the place of its own.

        Of the others, those in `rooms` have room for so many entries, instead of as many as the object says.
        """
        for handle in self._children("bpf_object__next_map"):
            name = library().bpf_map__name(handle).decode()
            call(f"unpin {name}", "bpf_map__set_pin_path", handle, None)
            if name in reuse:
                call(f"reuse {name}", "bpf_map__reuse_fd", handle, reuse[name])
            elif name in rooms:
                call(f"make room in {name}", "bpf_map__set_max_entries", handle, rooms[name])
        call(f"load {self.path}", "bpf_object__load", self._object)

    def maps(self) -> dict[str, int]:
        """File descriptors of its maps; they are closed with it."""
        lib = library()
        return {lib.bpf_map__name(m).decode(): lib.bpf_map__fd(m) for m in self._children("bpf_object__next_map")}

    def programs(self) -> dict[str, int]:
        """File descriptors of its programs; they are closed with it."""
        lib, programs = library(), self._children("bpf_object__next_program")
        return {lib.bpf_program__name(p).decode(): lib.bpf_program__fd(p) for p in programs}

    def close(self) -> None:
        """Let go of what nothing else holds."""
        library().bpf_object__close(self._object)


class RunResult(NamedTuple):
    """What a test run gave: the frame and `struct __sk_buff` after it."""

    frame: bytes
    context: bytes


def test_run(fd: int, frame: bytes, context: bytes, room: int) -> RunResult:
    """Run a program on a frame. `context` is the beginning of a `struct __sk_buff`; `room` limits the frame out."""
    data_out, context_out = ctypes.create_string_buffer(room), ctypes.create_string_buffer(SK_BUFF_SIZE)
    options = RunOptions(
        sz=ctypes.sizeof(RunOptions),
        data_in=ctypes.cast(c_char_p(frame), c_void_p),
        data_out=ctypes.addressof(data_out),
        data_size_in=len(frame),
        data_size_out=room,
        ctx_in=ctypes.cast(c_char_p(context), c_void_p),
        ctx_out=ctypes.addressof(context_out),
        ctx_size_in=len(context),
        ctx_size_out=SK_BUFF_SIZE,
        repeat=1,
    )
    call(f"run a frame of {len(frame)} bytes", "bpf_prog_test_run_opts", fd, ctypes.byref(options))
    return RunResult(data_out.raw[: options.data_size_out], context_out.raw)


def mount(kind: str, path: Path, options: str) -> None:
    """Mount a file system without a device."""
    if _libc.mount(kind.encode(), bytes(path), kind.encode(), c_uint64(0), options.encode()):
        raise KernelRefused(f"mount {kind} at {path}", ctypes.get_errno())


def unmount(path: Path) -> bool:
    """Unmount; whether it is gone, which it is not while anything uses it."""
    gone: bool = _libc.umount2(bytes(path), 0) == 0
    return gone
