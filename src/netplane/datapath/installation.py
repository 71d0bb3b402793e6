"""What a pin directory holds, and how an object gets there.

    <pin_dir>/endpoint, port, ...      one pinned map for each table
              layouts/endpoint, ...    symbolic links whose text is the layout of the table's entries
              programs/from_machine    the pinned programs that packets enter by
              onward/1234              the array of the programs that those go on to, by the kernel's number of it
              attached/...             what `attachment` keeps
              object                   a symbolic link whose text is the digest of the object that is installed

`object` is written last: where it names the object at hand, all the rest is in place and is left as it is. Anything
else, also what a crash left half done, is made right by installing the object again.

An array of programs is emptied by the kernel when nobody has it open or pinned any more, whatever programs still use
it. So each set of programs comes with an array of its own, filled before any of them is attached; the arrays of former
sets go only when no packet can be on its way through them any more, those that a crash left behind with them.

Installing keeps every pinned map whose shape and layout the new object shares. A table that is laid out otherwise, or
shall have more room than it has, gets a new map and its entries are carried over: all of them before the programs
change places, and once more those that the old programs made meanwhile. How much room a table has stands in its layout,
and a later installation gives it no less. Map and layout stand ready under names that end with `-new` before that: the
map takes its place first, so a layout that is left alone is the one of the map that has gone ahead. Where a crash left
both, programs may have used that map already, and its entries are carried over too.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from hashlib import sha256
from pathlib import Path

from netplane.datapath import libbpf
from netplane.datapath.contract import ARRAYS, DatapathError, NotLoaded
from netplane.datapath.entries import MAP_TYPES, KernelTable
from netplane.datapath.layouts import converters, read_layout, write_layout, write_ring_layout
from netplane.datapath.libbpf import BpfObject, KernelRefused, MapDefinition, closing
from netplane.datapath.ring import RING_TYPE, KernelRing
from netplane.tables.outcome import Program
from netplane.tables.pipeline import TABLES
from netplane.tables.rings import RINGS
from netplane.tables.schema import Table, Writer

ONWARD = "onward"
"""The map that holds the programs which packets go on to by tail calls."""

NEW = "-new"
"""Ends the names of pins that are about to take the place of others."""

NAMES = (*(table.name for table in TABLES), *(ring.name for ring in RINGS))
"""The maps that are pinned by their names."""

Swap = Callable[[dict[Program, int]], None]
"""Puts programs in the place of those that run."""


class Installation:
    """One pin directory."""

    def __init__(self, pin_dir: Path) -> None:
        self.directory = pin_dir
        self._layouts = pin_dir / "layouts"
        self._programs = pin_dir / "programs"
        self._onward = pin_dir / ONWARD
        self._object = pin_dir / "object"

    def holds(self, object_path: Path) -> bool:
        """Whether exactly this object is installed."""
        return self._object.is_symlink() and self._object.readlink().name == digest_of(object_path)

    def install(self, object_path: Path, swap: Swap, rooms: Mapping[str, int] | None = None) -> None:
        """Bring an object in; `swap` is called with its programs when all its tables are ready.

        `rooms`: how many entries some tables shall have room for, if they have less.
        NotLoaded: the kernel does not take it, or it was built from other tables. Nothing has changed then.
        Other errors, such as a device whose program cannot be replaced: the programs that ran before run again.
        """
        with ExitStack() as stack:
            loaded = _open(object_path)
            stack.callback(loaded.close)
            self._catch_up()
            wanted = self._rooms(rooms or {})
            layouts = {table.name: write_layout(table, wanted[table.name]) for table in TABLES}
            layouts |= {ring.name: write_ring_layout(ring) for ring in RINGS}
            kept = {name: stack.enter_context(closing(fd)) for name, fd in self._kept(layouts)}
            _load(loaded, kept, wanted)
            maps, programs = loaded.maps(), loaded.programs()
            moved = [table for table in TABLES if table.name not in kept]
            fresh = [name for name in NAMES if name not in kept]
            sources = {table.name: list(self._sources(table.name, stack)) for table in moved}
            runs = self._programs.exists()
            self._prepare()
            for table in moved:
                _carry_over(table, maps[table.name], sources[table.name])
            for name in fresh:
                libbpf.pin(maps[name], self.directory / (name + NEW))
                (self._layouts / (name + NEW)).symlink_to(layouts[name])
            for program in Program:
                libbpf.pin(programs[program.value], self._programs / (program.value + NEW))
            onward = self._pin_onward(maps[ONWARD])
            # From here on, until all is in place, what is pinned is not what any object holds.
            self._object.unlink(missing_ok=True)
            try:
                swap({program: programs[program.value] for program in Program})
            except DatapathError:
                with suppress(DatapathError):
                    self._put_back(swap)
                raise
            if runs:  # or no packet is on its way through any
                libbpf.await_programs()
            for table in moved:
                if table.writer is Writer.DATAPATH:
                    _carry_over(table, maps[table.name], sources[table.name])
            self._finish(fresh, onward, object_path)

    def open_tables(self) -> dict[str, KernelTable]:
        """Every table, with a file descriptor of its own."""
        return {table.name: KernelTable(table, libbpf.pinned(self.directory / table.name)) for table in TABLES}

    def open_rings(self) -> dict[str, KernelRing]:
        """Every ring, with file descriptors of its own."""
        return {ring.name: KernelRing(ring, libbpf.pinned(self.directory / ring.name)) for ring in RINGS}

    def open_programs(self) -> dict[Program, int]:
        """A file descriptor of each program."""
        return {program: libbpf.pinned(self._programs / program.value) for program in Program}

    def remove(self) -> None:
        """Unpin everything and remove the directory; attachments must be gone."""
        for directory in (self._layouts, self._programs, self._onward, self.directory):
            for path in directory.iterdir() if directory.exists() else ():
                if path.is_symlink() or not path.is_dir():
                    path.unlink()
            if directory.exists():
                directory.rmdir()

    def _catch_up(self) -> None:
        """Let layouts follow the maps that have taken their places before a crash."""
        for name in NAMES:
            layout = self._layouts / (name + NEW)
            if layout.is_symlink() and not (self.directory / (name + NEW)).exists():
                os.replace(layout, self._layouts / name)

    def _rooms(self, asked: Mapping[str, int]) -> dict[str, int]:
        """How many entries each table shall have room for: no fewer than it has now, nor than a crash has left it."""
        rooms = {}
        for table in TABLES:
            ends = () if table.kind in ARRAYS else ("", NEW)
            found = [self._read_layout(table.name, end) for end in ends]
            before = [layout.capacity for layout in found if layout is not None]
            rooms[table.name] = max(table.room, asked.get(table.name, 0), *before)
        return rooms

    def _read_layout(self, name: str, end: str) -> Table | None:
        text = _read_link(self._layouts / (name + end))
        return None if text is None else read_layout(name, text)

    def _kept(self, layouts: Mapping[str, str]) -> list[tuple[str, int]]:
        """The tables and rings whose pinned map serves on, with a file descriptor that the caller closes."""
        kept = []
        for name, layout in layouts.items():
            path = self.directory / name
            if path.exists() and _read_link(self._layouts / name) == layout:
                kept.append((name, libbpf.pinned(path)))
        return kept

    def _prepare(self) -> None:
        for directory in (self._layouts, self._programs, self._onward):
            directory.mkdir(exist_ok=True)
        self._clear()

    def _put_back(self, swap: Swap) -> None:
        """Let the programs that are pinned run again: whoever writes has their tables open, and no others."""
        with ExitStack() as stack:
            swap({program: stack.enter_context(closing(fd)) for program, fd in self.open_programs().items()})
        # What is deleted from now on must not come back from here.
        self._clear()

    def _clear(self) -> None:
        """Remove what was to take the place of something."""
        for directory in (self._layouts, self._programs, self.directory):
            for leftover in directory.glob("*" + NEW):
                leftover.unlink()

    def _pin_onward(self, fd: int) -> Path:
        path = self._onward / str(libbpf.kernel_id(fd))
        libbpf.pin(fd, path)
        return path

    def _sources(self, name: str, stack: ExitStack) -> Iterator[KernelTable]:
        """Where entries of a table are, those in use first; open for as long as the stack."""
        for end in ("", NEW):
            path, before = self.directory / (name + end), self._read_layout(name, end)
            if before is not None and path.exists():
                yield KernelTable(before, stack.enter_context(closing(libbpf.pinned(path))))

    def _finish(self, fresh: list[str], onward: Path, object_path: Path) -> None:
        for program in Program:
            os.replace(self._programs / (program.value + NEW), self._programs / program.value)
        for path in self._onward.iterdir():
            if path != onward:
                path.unlink()
        for name in fresh:
            os.replace(self.directory / (name + NEW), self.directory / name)
            os.replace(self._layouts / (name + NEW), self._layouts / name)
        _write_link(self._object, digest_of(object_path))


def _carry_over(table: Table, fd: int, sources: Sequence[KernelTable]) -> None:
    """Fill a table's new map with what others have and it has not; what stands in several is taken from the first."""
    if not sources:
        return
    target = KernelTable(table, fd)
    there = target.read()
    for source in sources:
        key, value = converters(source.table, table)
        entries = {key(k): value(v) for k, v in source.read().items()}
        missing = {k: v for k, v in entries.items() if k not in there}
        target.write(missing)
        there |= missing


def _open(path: Path) -> BpfObject:
    try:
        return BpfObject(path)
    except KernelRefused as error:
        raise NotLoaded(str(error)) from error


def _load(loaded: BpfObject, kept: Mapping[str, int], rooms: Mapping[str, int]) -> None:
    _check_tables(loaded)
    try:
        loaded.load(kept, rooms)
    except KernelRefused as error:
        raise NotLoaded(str(error)) from error


def _check_tables(loaded: BpfObject) -> None:
    built = loaded.definitions()
    tables = {t.name: MapDefinition(MAP_TYPES[t.kind], t.key.size, t.value.size, t.room) for t in TABLES}
    rings = {ring.name: MapDefinition(RING_TYPE, 0, 0, ring.size) for ring in RINGS}
    for name, wanted in (tables | rings).items():
        if built.get(name) != wanted:
            found = built.get(name, "nothing")
            raise NotLoaded(
                f"{loaded.path} was built from other tables: {name} is {found}, not {wanted}. Run `make build`"
            )
    if ONWARD not in built:
        raise NotLoaded(f"{loaded.path} has no map {ONWARD}")
    if missing := {program.value for program in Program} - set(loaded.programs()):
        raise NotLoaded(f"{loaded.path} lacks {', '.join(sorted(missing))}")


def digest_of(path: Path) -> str:
    """What tells an object from others, in hexadecimal digits. NotLoaded if it cannot be read."""
    try:
        return sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise NotLoaded(f"cannot read the programs: {error}") from error


def _read_link(path: Path) -> str | None:
    return os.readlink(path) if path.is_symlink() else None


def _write_link(path: Path, text: str) -> None:
    fresh = path.with_name(path.name + NEW)
    fresh.symlink_to(text)
    os.replace(fresh, path)
