"""A stock tool that asks routers: rdisc6 of ndisc6, and what they said."""

import re
import shutil
import subprocess

import pytest

from netplane.lab import Machine
from netplane.lab.autoconfiguration import read_addresses
from netplane.lab.machine import DEVICE
from netplane.lab.namespace import inside
from netplane.lab.wait import until

FIELDS = re.compile(r"^ *(\S[^:]*?)(?: *: | (?=fe80:))(.*)$", re.MULTILINE)
"""The last line is `from` and an address."""


def ask_routers(machine: Machine) -> list[tuple[str, str]]:
    """What the first router that answers says, by rdisc6's names, in order; empty if none does."""
    if shutil.which("rdisc6") is None:
        pytest.skip("not installed: rdisc6")
    until("it has an address to ask from", lambda: read_addresses(machine.namespace, scope="link"), 10)
    with inside(machine.namespace):
        argv = ["rdisc6", "-1", "-r", "2", "-w", "1500", DEVICE]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=20)
    return [(name, value.strip()) for name, value in FIELDS.findall(done.stdout)]
