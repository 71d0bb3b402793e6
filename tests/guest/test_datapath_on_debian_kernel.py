"""The datapath's contract holds on Debian 12's kernel as on this machine's own: the same object, the same tests.

Where Debian's kernel is not to be had, or QEMU is missing, this skips and says so.
"""

import os
import shutil
import sys
from pathlib import Path

import pytest

from netplane.lab.guest.kernel import Kernel, NoKernelError, unpack_kernel
from tests.guest.boot import run_in_guest
from tests.guest.initramfs import ROOT

TESTS = "tests/contract/test_datapath.py"
SECONDS = 900


@pytest.fixture(scope="module")
def kernel() -> Kernel:
    """Debian's kernel, kept from run to run."""
    absent = [name for name in ("qemu-system-x86_64", "cpio", "busybox", "depmod") if shutil.which(name) is None]
    if absent:
        pytest.skip(f"not installed: {' '.join(absent)} (scripts/setup test installs them)")
    if os.uname().machine != "x86_64":
        pytest.skip("the guest is an x86-64 machine, and runs this machine's programs")
    try:
        return unpack_kernel(ROOT / ".cache/guest")
    except NoKernelError as error:
        pytest.skip(str(error))


@pytest.mark.guest
@pytest.mark.timeout(SECONDS + 60)
def test_contract(kernel: Kernel, tmp_path: Path) -> None:
    """Every contract test of the real datapath passes in the guest, and none is skipped there."""
    command = f"uname -r; {sys.executable} -m pytest -p no:cacheprovider --color=no -m kernel -o timeout=300 {TESTS}"
    answer = run_in_guest(kernel, command, tmp_path, timeout=SECONDS)
    assert answer.status == 0, answer.console
    assert kernel.release in answer.console
    assert " passed" in answer.console
    assert " skipped" not in answer.console
