"""What the packets of random worlds run through: the specification, and the real programs."""

import os
from collections.abc import Callable, Iterator

import pytest

from netplane.datapath import KernelDatapath
from netplane.datapath.mounting import BPFFS, unmount_bpffs
from netplane.model import AnyRecord
from netplane.tables.pipeline import TABLES
from netplane.tables.schema import Writer
from tests.fabric import Fabric, Runner, Specification
from tests.worlds import Tables

HOSTS = 3
TABLES_SET = tuple(table for table in TABLES if table.writer is not Writer.DATAPATH)
STATE = ("connection", "counter", "budget", "pace", "fragment", "logging", "project")

Build = Callable[[list[AnyRecord], dict[str, Tables]], Fabric]
"""Makes a fabric over each host's tables; called again for the same hosts, it keeps their connections and counters."""


@pytest.fixture(scope="session")
def kernel() -> Iterator[list[KernelDatapath]]:
    """As many datapaths in the kernel as a world has hosts."""
    if os.geteuid() != 0:
        pytest.skip("loading programs into the kernel needs root")
    opened: list[KernelDatapath] = []
    try:
        opened += (KernelDatapath.open(BPFFS / f"property-{os.getpid()}-{number}") for number in range(HOSTS))
        yield opened
    finally:
        for datapath in opened:
            datapath.remove()
        unmount_bpffs()


def build_specification() -> Build:
    """Fabrics of machines."""
    machines: dict[str, Specification] = {}

    def build(records: list[AnyRecord], tables: dict[str, Tables]) -> Fabric:
        for host, entries in tables.items():
            kept = {name: machines[host].tables[name] for name in STATE} if host in machines else {}
            machines[host] = Specification(entries | kept)
        return Fabric(records, dict(machines))

    return build


def build_kernel(datapaths: list[KernelDatapath]) -> Build:
    """Fabrics of the real programs."""
    for datapath in datapaths:
        for name in STATE:
            datapath.delete(name, datapath.read(name))
        while datapath.take_decisions(1_000):
            continue

    def build(records: list[AnyRecord], tables: dict[str, Tables]) -> Fabric:
        runners: dict[str, Runner] = {}
        for datapath, (host, entries) in zip(datapaths, tables.items(), strict=False):
            for table in TABLES_SET:
                datapath.delete(table.name, datapath.read(table.name).keys() - entries[table.name].keys())
                datapath.write(table.name, entries[table.name])
            runners[host] = datapath
        return Fabric(records, runners)

    return build


@pytest.fixture(params=["machine", pytest.param("kernel", marks=pytest.mark.kernel)])
def build(request: pytest.FixtureRequest) -> Build:
    """Fabrics without a memory of other tests, of each kind."""
    if request.param == "machine":
        return build_specification()
    return build_kernel(request.getfixturevalue("kernel"))
