"""One table in the kernel: whole batches of entries in and out by the kernel's batch calls."""

import ctypes
import errno
from collections.abc import Iterable, Iterator, Mapping
from ctypes import byref, c_uint32
from struct import Struct

from netplane.datapath import libbpf
from netplane.datapath.contract import ARRAYS, TableFull, check_keys, check_sizes
from netplane.datapath.libbpf import KernelRefused
from netplane.tables.schema import Kind, Table

MAP_TYPES = {Kind.HASH: 1, Kind.ARRAY: 2, Kind.PERCPU_HASH: 5, Kind.PERCPU_ARRAY: 6, Kind.LPM: 11}
"""`enum bpf_map_type` of linux/bpf.h."""

PER_CPU = (Kind.PERCPU_HASH, Kind.PERCPU_ARRAY)
CHUNK = 16_384
"""Entries read by one call."""

FULL = (errno.E2BIG, errno.ENOSPC)
"""What hash and LPM tables answer when they are full."""


class KernelTable:
    """The entries of one table, by a file descriptor of its map that the caller owns."""

    def __init__(self, table: Table, fd: int) -> None:
        self.table = table
        self.fd = fd
        self.room = libbpf.map_room(fd)
        self._keys = table.key.size
        self._values = self.stride = table.value.size
        if table.kind in PER_CPU:
            # The kernel rounds each CPU's value up to 8 bytes (kernel documentation, map_array and map_hash).
            self.stride = -(-self._values // 8) * 8
            self._values = self.stride * libbpf.possible_cpus()

    def read(self) -> dict[bytes, bytes]:
        """All entries."""
        found: dict[bytes, bytes] = {}
        for keys, values in self.batches():
            found.update(zip(keys, self._summed(values), strict=True))
        return _without_zeros(found) if self.table.kind in ARRAYS else found

    def look(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """Those of some entries that are there, one call each; not for per-CPU tables."""
        found: dict[bytes, bytes] = {}
        value = ctypes.create_string_buffer(self._values)
        for key in keys:
            result = libbpf.attempt("bpf_map_lookup_elem", self.fd, key, value)
            if result == 0:
                found[key] = value.raw
            elif result != -errno.ENOENT:
                raise KernelRefused(f"look into {self.table.name}", -result)
        return found

    def batches(self) -> Iterator[tuple[list[bytes], list[bytes]]]:
        """Keys and values as the kernel has them: those of per-CPU tables hold each CPU's, `stride` bytes apart."""
        # Room for one more than there can be: the kernel then says at once that there is no more.
        room, before = min(CHUNK, self.room + 1), None
        more = True
        while more:
            after = ctypes.create_string_buffer(max(self._keys, 4))
            keys, values = (ctypes.create_string_buffer(room * size) for size in (self._keys, self._values))
            count = c_uint32(room)
            result = libbpf.attempt("bpf_map_lookup_batch", self.fd, before, after, keys, values, byref(count), None)
            if result == -errno.ENOSPC:
                room *= 2  # One bucket of the hash is larger than the buffer.
                continue
            if result not in (0, -errno.ENOENT):
                raise KernelRefused(f"read {self.table.name}", -result)
            yield _split(keys, self._keys, count.value), _split(values, self._values, count.value)
            before, more = after, result == 0

    def write(self, entries: Mapping[bytes, bytes]) -> None:
        """Make entries or replace their values."""
        check_sizes(self.table, entries)
        if not entries:
            return
        values: Iterable[bytes] = entries.values()
        if self.table.kind in PER_CPU:
            values = [value.ljust(self._values, b"\0") for value in values]
        count = c_uint32(len(entries))
        result = libbpf.attempt(
            "bpf_map_update_batch", self.fd, b"".join(entries), b"".join(values), byref(count), None
        )
        if result < 0:
            what = f"write {len(entries)} entries of {self.table.name}, {count.value} were written"
            if -result in FULL:
                raise TableFull(f"{self.table.name} holds at most {self.room} entries: cannot {what}")
            raise KernelRefused(what, -result)

    def delete(self, keys: Iterable[bytes]) -> None:
        """Remove entries; the kernel stops at one that is not there, and we go on behind it."""
        rest = list(keys)
        check_keys(self.table, rest)
        if self.table.kind in ARRAYS:
            self.write(dict.fromkeys(rest, bytes(self.table.value.size)))
            return
        joined, start = ctypes.create_string_buffer(b"".join(rest)), 0
        while start < len(rest):
            count, here = c_uint32(len(rest) - start), byref(joined, start * self._keys)
            result = libbpf.attempt("bpf_map_delete_batch", self.fd, here, byref(count), None)
            if result not in (0, -errno.ENOENT):
                raise KernelRefused(f"delete {len(rest)} entries of {self.table.name}", -result)
            start += count.value + (result == -errno.ENOENT)

    def _summed(self, values: list[bytes]) -> list[bytes]:
        if self.table.kind not in PER_CPU:
            return values
        one = Struct(self.table.value.format + f"{-self.table.value.size % 8}x")
        return [self.table.pack_value(*map(sum, zip(*one.iter_unpack(value), strict=True))) for value in values]


def _split(buffer: "ctypes.Array[ctypes.c_char]", size: int, count: int) -> list[bytes]:
    raw = buffer.raw
    return [raw[start : start + size] for start in range(0, size * count, size)]


def _without_zeros(entries: dict[bytes, bytes]) -> dict[bytes, bytes]:
    return {key: value for key, value in entries.items() if any(value)}
