"""Programs that ask, in a machine's namespace."""

import subprocess
from collections.abc import Sequence

from netplane.lab import Machine
from netplane.lab.namespace import inside

SERVICES = "169.254.169.254"
DIG = ("dig", "+time=5", "+tries=1")


def run_in(namespace: str, argv: Sequence[str], seconds: float = 20) -> str:
    """What a program says, without the last line's end."""
    with inside(namespace):
        child = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return child.communicate(timeout=seconds)[0].strip()


def dig(machine: Machine, *words: str, server: str = SERVICES) -> str:
    """Dig's whole answer."""
    return run_in(machine.namespace, [*DIG, f"@{server}", *words])


def resolve(machine: Machine, *words: str, server: str = SERVICES) -> str:
    """The records that dig finds, in short."""
    return run_in(machine.namespace, [*DIG, "+short", f"@{server}", *words])


def status(answer: str) -> str:
    """`NOERROR`, `NXDOMAIN` and the like."""
    return answer.partition("status: ")[2].partition(",")[0]


def fetch(machine: Machine, path: str, *words: str) -> str:
    """What curl gets of the metadata service."""
    return run_in(machine.namespace, ["curl", "-sS", "--max-time", "5", *words, f"http://{SERVICES}{path}"])
