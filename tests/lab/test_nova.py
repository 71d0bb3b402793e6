"""Metadata that Nova tells: who asks, the host says and signs."""

import os
import sys
from collections.abc import Iterator

import pytest

from netplane.lab import Lab, Machine
from netplane.lab.demo.tenant import Tenant, to_plug
from netplane.lab.process import start
from netplane.lab.wait import until
from tests.lab import nova
from tests.lab.asking import fetch, resolve
from tests.lab.leftovers import read_leftovers, unique

PREFIX = unique("tnova")
ROUTER, PORT = "198.18.1.1", 8775
DEVICE = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """One host whose agent knows where Nova is."""
    before = {name: os.environ.get(name) for name in SETTINGS}
    os.environ.update(SETTINGS)
    try:
        with Lab(PREFIX, 1, ["blue"]) as made:
            yield made.start()
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
    assert read_leftovers(PREFIX) == []


SETTINGS = {
    "NETPLANE_NOVA_METADATA_URL": f"http://{ROUTER}:{PORT}",
    "NETPLANE_NOVA_METADATA_SECRET": nova.SECRET,
}


@pytest.fixture(scope="module")
def machine(lab: Lab) -> Machine:
    tenant, host = Tenant(lab, "blue"), lab.host_list[0]
    tenant.add_segment("left", "10.0.1")
    port = tenant.add_port("left", None, host, dns_name="web", device_id=DEVICE)
    [made] = lab.add_machines({"web": (host, to_plug(port))})
    tenant.admin.settle()
    made.obtain()
    return made


def test_without_nova_there_is_no_answer_but_an_error(machine: Machine) -> None:
    assert fetch(machine, "/openstack", "-o", "/dev/null", "-w", "%{http_code}") == "502"
    assert resolve(machine, "web.openstacklocal") == machine.address


def test_nova_answers(lab: Lab, machine: Machine) -> None:
    log = lab.ledger.directory / "log" / "nova.log"
    argv = [sys.executable, nova.__file__, ROUTER, str(PORT)]
    child = start(lab.ledger, argv, log=log, namespace=f"np-{lab.prefix}-router")
    who = f"{DEVICE} blue {machine.address}"
    try:
        until("Nova answers", lambda: fetch(machine, "/openstack") == f"/openstack {who}", 10, 0.2)
        liar = ("-H", "X-Instance-ID: other", "-H", "X-Tenant-ID: red", "-H", "X-Forwarded-For: 10.9.9.9")
        assert fetch(machine, "/latest/meta-data/?a=b", *liar) == f"/latest/meta-data/?a=b {who}"
    finally:
        child.stop()
