"""Guests for tests. Where Debian's kernel is not to be had, or QEMU is missing, they skip and say so."""

import os
import shutil
from pathlib import Path

import pytest

from netplane.lab.guest.kernel import Kernel, NoKernelError, unpack_kernel
from tests.guest.initramfs import ROOT

NEEDED = ("qemu-system-x86_64", "cpio", "busybox", "depmod", "ethtool")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder: `-m "not guest"` leaves them out."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.guest)


@pytest.fixture(scope="session")
def kernel() -> Kernel:
    """Debian's kernel, kept from run to run."""
    if os.geteuid() != 0:
        pytest.skip("guests are plugged into network namespaces, which needs root")
    absent = [name for name in NEEDED if shutil.which(name) is None]
    if absent:
        pytest.skip(f"not installed: {' '.join(absent)} (scripts/setup test installs them)")
    if os.uname().machine != "x86_64":
        pytest.skip("the guest is an x86-64 machine, and runs this machine's programs")
    try:
        return unpack_kernel(ROOT / ".cache/guest")
    except NoKernelError as error:
        pytest.skip(str(error))
