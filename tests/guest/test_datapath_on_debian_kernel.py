"""The datapath's contract holds on Debian 12's kernel as on this machine's own: the same object, the same tests."""

import sys
from pathlib import Path

import pytest

from netplane.lab.guest.kernel import Kernel
from tests.guest.boot import run_in_guest

TESTS = " ".join(f"tests/contract/test_datapath{name}.py" for name in ("", "_ipv6", "_flood"))
SECONDS = 900


@pytest.mark.timeout(SECONDS + 60)
def test_contract(kernel: Kernel, tmp_path: Path) -> None:
    """Every contract test of the real datapath passes in the guest, and none is skipped there."""
    command = f"uname -r; {sys.executable} -m pytest -p no:cacheprovider --color=no -m kernel -o timeout=300 {TESTS}"
    answer = run_in_guest(kernel, command, tmp_path, timeout=SECONDS)
    assert answer.status == 0, answer.console
    assert kernel.release in answer.console
    assert " passed" in answer.console
    assert " skipped" not in answer.console
