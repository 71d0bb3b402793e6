"""The datapath in this kernel: pinned, so that programs and tables outlive every process.

    KernelDatapath ── Installation    maps and programs below a pin directory, installed from an object file
                   ├─ KernelTable     entries, in batches
                   ├─ Attachments     programs on devices
                   └─ synthetic       made packets through the real programs

It works on the devices of the network namespace that the process is in. One pin directory serves one namespace and
one process at a time.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from netplane.base.delta import Delta
from netplane.datapath.attachment import Attachment, Attachments, best_attachment
from netplane.datapath.contract import DatapathError, apply_in_order, larger_rooms
from netplane.datapath.entries import KernelTable
from netplane.datapath.installation import Installation, digest_of
from netplane.datapath.mounting import make_pin_dir
from netplane.datapath.ring import KernelRing
from netplane.datapath.synthetic import run
from netplane.tables.outcome import Outcome, Program, Synthetic
from netplane.tables.rings import DECISION

SHIPPED = Path(__file__).with_name("netplane.bpf.o")
"""The object that is built with the package."""


class KernelDatapath:
    """The datapath pinned below one directory of a bpffs."""

    def __init__(self, installation: Installation, attachments: Attachments, way: Attachment | None) -> None:
        self._installation = installation
        self._attachments = attachments
        self._way = way
        self._object = SHIPPED
        self._digest = ""
        self._tables: dict[str, KernelTable] = {}
        self._programs: dict[Program, int] = {}
        self._rings: dict[str, KernelRing] = {}

    @classmethod
    def open(
        cls, pin_dir: Path, object_path: Path | None = None, *, attachment: Attachment | None = None
    ) -> "KernelDatapath":
        """The datapath that is pinned there, running this object; made, or brought up to date, if it is not.

        What runs this very object already is left untouched. `pin_dir` lies below a bpffs, the one at
        `/run/netplane/bpf` being mounted if need be, and none of its names has a dot. `object_path` is the shipped
        object unless given. `attachment` is how new devices are attached: the best that this kernel has unless given.
        NotLoaded: the kernel does not take the object; what ran before runs on.
        """
        make_pin_dir(pin_dir)
        datapath = cls(Installation(pin_dir), Attachments(pin_dir / "attached"), attachment)
        if datapath._installation.holds(object_path or SHIPPED):
            datapath._note(object_path or SHIPPED)
            datapath._attachments.forget()
            datapath._reopen()
        else:
            datapath.replace(object_path)
        return datapath

    def read(self, table: str) -> dict[bytes, bytes]:
        """All entries of a table; per-CPU values are summed field by field."""
        return self._tables[table].read()

    def look(self, table: str, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """Those of some entries that are there."""
        return self._tables[table].look(keys)

    def write(self, table: str, entries: Mapping[bytes, bytes]) -> None:
        """Make entries, or replace their values."""
        self._tables[table].write(entries)

    def delete(self, table: str, keys: Iterable[bytes]) -> None:
        """Remove entries; one that is not there is no error."""
        self._tables[table].delete(keys)

    def apply(self, delta: Delta) -> None:
        """Bring in a patch in the order that `Datapath.apply` promises."""
        apply_in_order(self, delta)

    def room(self, table: str) -> int:
        """How many entries a table holds at most, as it is now."""
        return self._tables[table].room

    def grow(self, rooms: Mapping[str, int]) -> None:
        """Put larger tables in the place of those that have less room, with their entries."""
        if larger := larger_rooms(self, rooms):
            if digest_of(self._object) != self._digest:
                # What it takes entries to mean its own agent knows.
                raise DatapathError(f"{self._object} is of another release now: start the agent anew")
            self._installation.install(self._object, self._attachments.replace, larger)
            self._reopen()

    def attach(self, ifindex: int, program: Program) -> None:
        """Run a program on what comes in by a device; replaces what this datapath had there."""
        fd = self._programs[program]
        self._attachments.attach(ifindex, program, fd, self._way or best_attachment(fd))

    def detach(self, ifindex: int) -> None:
        """Stop that."""
        self._attachments.detach(ifindex)

    def attached(self) -> dict[int, Program]:
        """The devices that programs are attached to; those that are gone are left out."""
        return self._attachments.found()

    def run(self, program: Program, frame: bytes, origin: Synthetic) -> Outcome:
        """Run a program on a made packet."""
        return run(self._programs[program], self._tables["port"], self._tables["trace"], program, frame, origin)

    def replace(self, object_path: Path | None = None) -> None:
        """Put the programs of an object (the shipped one by default) in the place of those that run."""
        self._installation.install(object_path or SHIPPED, self._attachments.replace)
        self._note(object_path or SHIPPED)
        self._reopen()

    def take_decisions(self, most: int) -> list[bytes]:
        """Take out what stands first in the ring `decision`."""
        return self._rings[DECISION.name].take(most)

    def decisions_fd(self) -> int:
        """A file descriptor that is readable while something stands there; it is the same until `close`."""
        return self._rings[DECISION.name].fileno()

    def program_fd(self, program: Program) -> int:
        """The file descriptor of a program, for measurements; valid until `replace` or `close`."""
        return self._programs[program]

    def close(self) -> None:
        """Let go of it; what is attached goes on running."""
        self._let_go()
        for ring in self._rings.values():
            ring.close()
        self._rings = {}

    def _let_go(self) -> None:
        for fd in [*self._programs.values(), *(table.fd for table in self._tables.values())]:
            os.close(fd)
        self._programs, self._tables = {}, {}

    def remove(self) -> None:
        """Take everything away: attachments, programs, tables and the pin directory."""
        self._attachments.detach_all()
        self.close()
        self._installation.remove()

    @staticmethod
    def discard(pin_dir: Path) -> None:
        """Take away all that is pinned there, whatever object it is from; nothing there is no error.

        This process must be in the network namespace of the devices.
        """
        if pin_dir.exists():
            Attachments(pin_dir / "attached").detach_all()
            Installation(pin_dir).remove()

    def _note(self, object_path: Path) -> None:
        """This is what runs."""
        self._object, self._digest = object_path, digest_of(object_path)

    def _reopen(self) -> None:
        self._let_go()
        self._tables, self._programs = self._installation.open_tables(), self._installation.open_programs()
        # Programs change places over the same rings: whoever waits for one goes on waiting.
        self._rings = self._rings or self._installation.open_rings()
