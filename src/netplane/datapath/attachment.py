"""Programs on devices: by tcx links where the kernel has them (6.6), by filters of a clsact qdisc elsewhere.

What is attached is kept in the pin directory, so that any later process finds it:

    attached/from_machine/17     a pinned tcx link; or a symbolic link whose text says how the filter was made
    attached/from_tunnel/4

Both ways replace a program between two packets. A device that goes away takes its link or filter with it; the name
that stays is recognised and dropped. Devices are those of the network namespace that this process is in.
"""

import errno
from ctypes import byref, c_uint32, sizeof
from enum import Enum
from pathlib import Path

from netplane.datapath import libbpf
from netplane.datapath.libbpf import KernelRefused, TcHook, TcOptions, closing
from netplane.tables.outcome import Program

INGRESS, EGRESS = 1, 2
REPLACE = 1
PRIORITY, HANDLE = 0x4E50, 1
"""Where our filter sits among others of a clsact qdisc."""

NO_DEVICE = 0x7FFFFFFF
GONE = (errno.ENOENT, errno.EINVAL, errno.ENODEV, errno.ENXIO)
"""What the kernel says of a filter, qdisc or device that is not there."""


class Attachment(Enum):
    """The two ways."""

    TCX = "tcx"
    CLSACT = "clsact"


def best_attachment(program_fd: int) -> Attachment:
    """TCX if this kernel has it: one that knows the attach type complains of the device, an older one of the type."""
    result = libbpf.attempt("bpf_link_create", program_fd, NO_DEVICE, libbpf.TCX_INGRESS, None)
    return Attachment.CLSACT if result == -errno.EINVAL else Attachment.TCX


def is_served(ifindex: int) -> bool:
    """Whether a program of a datapath, whosever it is, runs on a device of this namespace."""
    found = c_uint32(0)
    # bpf(2), BPF_PROG_QUERY: without room for their numbers the kernel says how many there are. Before 6.6: EINVAL.
    result = libbpf.attempt("bpf_prog_query", ifindex, libbpf.TCX_INGRESS, 0, None, None, byref(found))
    return (result == 0 and found.value > 0) or _has_filter(ifindex)


class Attachments:
    """What is attached, below one directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        for program in Program:
            (directory / program.value).mkdir(parents=True, exist_ok=True)

    def found(self) -> dict[int, Program]:
        """Devices that are there, and what runs on them."""
        return {ifindex: program for ifindex, program, path in self._names() if _alive(path, ifindex)}

    def attach(self, ifindex: int, program: Program, fd: int, way: Attachment) -> None:
        """Run a program on a device; the same one there already is replaced by itself, another one is taken away."""
        path = self._directory / program.value / str(ifindex)
        if _exists(path) and _alive(path, ifindex):
            _replace(path, ifindex, fd)
            return
        self.detach(ifindex)
        if way is Attachment.TCX:
            _attach_link(path, ifindex, fd)
        else:
            _attach_filter(path, ifindex, fd)

    def replace(self, programs: dict[Program, int]) -> None:
        """Put new programs on every device."""
        self.forget()
        for ifindex, program, path in self._names():
            try:
                _replace(path, ifindex, programs[program])
            except KernelRefused:
                if _alive(path, ifindex):
                    raise
                path.unlink()  # It has gone just now, and must not leave the others with the old ones.

    def forget(self) -> None:
        """Drop the names of devices that are gone: nobody was told of them, and nobody would ask for them again."""
        for ifindex, _, path in self._names():
            if not _alive(path, ifindex):
                path.unlink()

    def detach(self, ifindex: int) -> None:
        """Take away what runs on a device, if anything does."""
        for number, _, path in list(self._names()):
            if number == ifindex:
                if path.is_symlink():
                    _detach_filter(ifindex, made_qdisc=path.readlink().name == "made")
                path.unlink()

    def detach_all(self) -> None:
        """Take everything away, the directory too."""
        for ifindex, _, _ in list(self._names()):
            self.detach(ifindex)
        for program in Program:
            (self._directory / program.value).rmdir()
        self._directory.rmdir()

    def _names(self) -> list[tuple[int, Program, Path]]:
        return [
            (int(path.name), program, path)
            for program in Program
            for path in (self._directory / program.value).iterdir()
        ]


def _exists(path: Path) -> bool:
    return path.is_symlink() or path.exists()


def _alive(path: Path, ifindex: int) -> bool:
    if path.is_symlink():
        return _has_filter(ifindex)
    with closing(libbpf.pinned(path)) as link:
        return libbpf.link_device(link)[1] == ifindex


def _has_filter(ifindex: int) -> bool:
    options = TcOptions(sz=sizeof(TcOptions), handle=HANDLE, priority=PRIORITY)
    result = libbpf.attempt("bpf_tc_query", byref(_hook(ifindex)), byref(options))
    if result < 0 and -result not in GONE:
        raise KernelRefused(f"find the filter of device {ifindex}", -result)
    return result == 0


def _replace(path: Path, ifindex: int, fd: int) -> None:
    if path.is_symlink():
        _set_filter(ifindex, fd)
        return
    with closing(libbpf.pinned(path)) as link:
        libbpf.call(f"replace the program of device {ifindex}", "bpf_link_update", link, fd, None)


def _attach_link(path: Path, ifindex: int, fd: int) -> None:
    what = f"attach a program to device {ifindex} by tcx"
    with closing(libbpf.call(what, "bpf_link_create", fd, ifindex, libbpf.TCX_INGRESS, None)) as link:
        libbpf.pin(link, path)


def _attach_filter(path: Path, ifindex: int, fd: int) -> None:
    what = f"make a clsact qdisc on device {ifindex}"
    result = libbpf.attempt("bpf_tc_hook_create", byref(_hook(ifindex)))
    if result not in (0, -errno.EEXIST):
        raise KernelRefused(what, -result)
    # The name comes before the filter: a crash between them leaves a name without a filter, which is recognised.
    path.symlink_to("made" if result == 0 else "found")
    _set_filter(ifindex, fd)


def _set_filter(ifindex: int, fd: int) -> None:
    options = TcOptions(sz=sizeof(TcOptions), prog_fd=fd, flags=REPLACE, handle=HANDLE, priority=PRIORITY)
    what = f"attach a program to device {ifindex} by a filter"
    libbpf.call(what, "bpf_tc_attach", byref(_hook(ifindex)), byref(options))


def _detach_filter(ifindex: int, *, made_qdisc: bool) -> None:
    options = TcOptions(sz=sizeof(TcOptions), handle=HANDLE, priority=PRIORITY)
    result = libbpf.attempt("bpf_tc_detach", byref(_hook(ifindex)), byref(options))
    if made_qdisc and result == 0:
        result = libbpf.attempt("bpf_tc_hook_destroy", byref(_hook(ifindex, INGRESS | EGRESS)))
    if result < 0 and -result not in GONE:
        raise KernelRefused(f"take the filter off device {ifindex}", -result)


def _hook(ifindex: int, point: int = INGRESS) -> TcHook:
    return TcHook(sz=sizeof(TcHook), ifindex=ifindex, attach_point=point)
