"""A ring in the kernel: events that the programs write, taken out in their order.

libbpf keeps the place where reading goes on in memory that it shares with the kernel, so one process reads a ring.
"""

import ctypes
import os

from netplane.datapath import libbpf
from netplane.tables.schema import Ring

RING_TYPE = 27
"""BPF_MAP_TYPE_RINGBUF of linux/bpf.h."""

ENOUGH = -1
_Taker = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)


class KernelRing:
    """The events of one ring; `fd`, a file descriptor of its map, is its own from now on."""

    def __init__(self, ring: Ring, fd: int) -> None:
        self._size = ring.event.size
        self._fd = fd
        self._taken: list[bytes] = []
        self._most = 0
        # libbpf calls it for as long as the ring is open.
        self._taker = _Taker(self._take_one)
        self._reader = libbpf.library().ring_buffer__new(fd, ctypes.cast(self._taker, ctypes.c_void_p), None, None)
        if not self._reader:
            os.close(fd)
            raise libbpf.KernelRefused(f"read the ring {ring.name}", ctypes.get_errno())

    def take(self, most: int) -> list[bytes]:
        """Take out what stands first, at most so many events."""
        self._taken, self._most = [], most
        if most > 0:
            libbpf.attempt("ring_buffer__consume", self._reader)
        return self._taken

    def fileno(self) -> int:
        """Readable while there are events."""
        return libbpf.call("wait for a ring", "ring_buffer__epoll_fd", self._reader)

    def close(self) -> None:
        """Let go of it; events stay for the next reader."""
        libbpf.library().ring_buffer__free(self._reader)
        os.close(self._fd)

    def _take_one(self, _context: int | None, data: int, _size: int) -> int:
        self._taken.append(ctypes.string_at(data, self._size))
        return 0 if len(self._taken) < self._most else ENOUGH
