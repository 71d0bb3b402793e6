"""A tenant's own DHCP server, a stock dnsmasq, on a network where the platform tells machines no addresses.

    host 1: server (without port security), near        host 2: far

The clients' groups have no rule at all: what DHCP needs passes whatever rules say, as in OpenStack Networking.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from netplane.agent.answers.bootp import MAGIC
from netplane.lab import Lab, Machine
from netplane.lab.demo.scene import read_all_tables
from netplane.lab.demo.tenant import Tenant, to_plug
from netplane.lab.machine import DEVICE
from netplane.lab.namespace import batch
from netplane.lab.process import start
from netplane.lab.traffic.frames import Capture, containing
from netplane.lab.wait import until
from tests.lab.leftovers import read_leftovers, unique
from tests.lab.udhcpc import Udhcpc

PREFIX = unique("towndhcp")


@pytest.fixture(scope="module")
def tenant() -> Iterator[Tenant]:
    with Lab(PREFIX, 2, ["blue"]) as lab:
        lab.start()
        before = read_all_tables(lab)
        made = Tenant(lab, "blue")
        made.add_segment("left", "10.0.1", enable_dhcp=False)
        silent = made.api.create("security_group", name="silent")
        for rule in silent["security_group_rules"]:
            made.api.delete("security_group_rule", rule["id"])
        one, two = lab.host_list[:2]
        for name, host, last, fields in (
            ("server", one, 9, {"port_security_enabled": False, "security_groups": []}),
            ("near", one, 20, {"security_groups": [silent["id"]]}),
            ("far", two, 21, {"security_groups": [silent["id"]]}),
        ):
            port = made.add_port("left", f"10.0.1.{last}", host, **fields)
            made.machines[name] = lab.add_machines({name: (host, to_plug(port))}, dhcp=False)[0]
        made.admin.settle()
        yield made
        made.delete()
        made.api.delete("security_group", silent["id"])
        made.admin.settle()
        until("the tables are as before", lambda: read_all_tables(lab) == before, 20, 0.1)
    assert read_leftovers(PREFIX) == []


@contextmanager
def dnsmasq(tenant: Tenant) -> Iterator[None]:
    """It tells each client the address of its port, and a domain."""
    server, clients = tenant.machines["server"], [tenant.machines[name] for name in ("near", "far")]
    batch([f"address replace {server.address}/24 dev {DEVICE}"], server.namespace)
    directory = tenant.lab.ledger.directory / "log"
    child = start(
        tenant.lab.ledger,
        ["dnsmasq", "--keep-in-foreground", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--user=root"]
        + ["--no-resolv", "--no-hosts", "--no-ping", "--pid-file=", f"--dhcp-leasefile={directory / 'own.leases'}"]
        + [f"--interface={DEVICE}", "--dhcp-authoritative", "--dhcp-range=10.0.1.0,static", "--domain=own.test"]
        + [f"--dhcp-host={client.mac},{client.address}" for client in clients],
        log=directory / "own-dnsmasq.log",
        namespace=server.namespace,
    )
    try:
        yield
    finally:
        child.stop()


@contextmanager
def asking(machine: Machine) -> Iterator[Udhcpc]:
    """A client that has never heard anything."""
    for name in ("udhcpc", "udhcpc.history"):
        (machine.client.directory / name).unlink(missing_ok=True)
    with Udhcpc(machine) as client:
        yield client


def asks_in_vain(machine: Machine, seconds: float = 3) -> bool:
    """Whether a client hears nothing for a while."""
    with asking(machine) as client, Capture(machine.namespace) as capture:
        time.sleep(seconds)
        return "bound" not in client.read_history() and not capture.received(containing(MAGIC))


@pytest.mark.parametrize("name", ["near", "far"])
def test_machines_are_told_by_a_server_of_their_own(tenant: Tenant, name: str) -> None:
    machine = tenant.machines[name]
    with dnsmasq(tenant), asking(machine) as client:
        told = client.obtain()
        assert (told["ip"], told["domain"]) == (machine.address, "own.test")
        assert client.renew()["ip"] == machine.address


def test_nobody_else_is_a_server(tenant: Tenant) -> None:
    """With port security the very same server is heard by nobody; and where the platform tells addresses, by nobody."""
    server, far = tenant.machines["server"], tenant.machines["far"]
    with dnsmasq(tenant):
        tenant.admin.update("port", server.plug.port, port_security_enabled=True)
        tenant.admin.settle()
        assert asks_in_vain(far)
        tenant.admin.update("port", server.plug.port, port_security_enabled=False, security_groups=[])
        tenant.admin.settle()
        tenant.api.update("subnet", tenant.segments["left"].subnet, enable_dhcp=True)
        tenant.admin.settle()
        with asking(far) as client:
            assert client.obtain().get("domain") != "own.test", "the platform tells it"
        tenant.api.update("subnet", tenant.segments["left"].subnet, enable_dhcp=False)
        tenant.admin.settle()
        with asking(far) as client:
            assert client.obtain()["domain"] == "own.test"
