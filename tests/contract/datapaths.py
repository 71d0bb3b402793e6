"""The datapaths that the contract is tested on, each with devices to attach to."""

import os
import platform
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest

from netplane.datapath import Datapath, KernelDatapath, libbpf
from netplane.datapath.attachment import Attachment
from netplane.datapath.fake import FakeDatapath
from netplane.datapath.mounting import BPFFS, unmount_bpffs
from netplane.tables.outcome import Program
from netplane.tables.pipeline import TABLES
from tests.contract.namespaces import add_veth, inside, new_namespace, remove_link

_numbers = count()


class Bench(NamedTuple):
    """A datapath under test."""

    datapath: Datapath
    add_device: Callable[[], int]
    remove_device: Callable[[int], None]


class KernelBench(NamedTuple):
    """The kernel's datapath under test, in a network namespace of its own."""

    datapath: KernelDatapath
    pin_dir: Path
    attachment: Attachment

    def reopen(self) -> KernelDatapath:
        """As another process would."""
        return KernelDatapath.open(self.pin_dir, attachment=self.attachment)

    def identities(self) -> dict[str, int]:
        """The kernel's numbers of the tables and programs that are pinned."""
        paths = [self.pin_dir / table.name for table in TABLES]
        paths += [self.pin_dir / "programs" / program.value for program in Program]
        found = {}
        for path in paths:
            with libbpf.closing(libbpf.pinned(path)) as fd:
                found[path.name] = libbpf.kernel_id(fd)
        return found


def ways() -> list[Attachment]:
    """How this kernel can attach programs."""
    version = tuple(int(number) for number in platform.release().split(".")[:2])
    return [Attachment.CLSACT, Attachment.TCX] if version >= (6, 6) else [Attachment.CLSACT]


def skip_without_root() -> None:
    """Programs are loaded by root."""
    if os.geteuid() != 0:
        pytest.skip("loading programs into the kernel needs root")


@contextmanager
def fake_bench() -> Iterator[Bench]:
    """The fake, and devices that are only numbers."""
    datapath, numbers = FakeDatapath(), count(200)
    yield Bench(datapath, lambda: next(numbers), datapath.detach)


@contextmanager
def kernel_bench(attachment: Attachment) -> Iterator[KernelBench]:
    """A datapath pinned in a directory of its own, and this thread in a namespace of its own."""
    skip_without_root()
    pin_dir = BPFFS / f"test-{os.getpid()}-{next(_numbers)}"
    with ExitStack() as stack:
        stack.callback(unmount_bpffs)
        stack.enter_context(inside(stack.enter_context(new_namespace())))
        stack.callback(KernelDatapath.discard, pin_dir)
        datapath = KernelDatapath.open(pin_dir, attachment=attachment)
        stack.callback(datapath.close)
        yield KernelBench(datapath, pin_dir, attachment)


@contextmanager
def bench(name: str) -> Iterator[Bench]:
    """The datapath of a name: `fake`, `tcx` or `clsact`."""
    if name == "fake":
        with fake_bench() as made:
            yield made
        return
    with kernel_bench(Attachment(name)) as kernel:
        pairs = count()
        yield Bench(kernel.datapath, lambda: _add_pair(next(pairs)), remove_link)


def _add_pair(number: int) -> int:
    return add_veth(f"near{number}", f"far{number}")
