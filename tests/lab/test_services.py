"""Names and metadata, asked by stock programs in machines: theirs, others', and those of nobody."""

import json
import os
import shutil
import socket
import time
from base64 import b64encode
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Event, Thread

import pytest

from netplane.lab import Lab, Machine
from netplane.lab.demo.scene import read_all_tables
from netplane.lab.demo.tenant import Tenant, to_plug
from netplane.lab.namespace import DIRECTORY, inside
from netplane.lab.wait import until
from tests.lab import resolvers
from tests.lab.asking import SERVICES, dig, fetch, resolve, run_in, status
from tests.lab.cloudinit import crawl
from tests.lab.leftovers import read_leftovers, unique

PREFIX = unique("tserv")
USER_DATA = "#!/bin/sh\necho hello\n"
TOLD_KEYS = {"me": "ssh-ed25519 AAAA me", "you": "ssh-rsa BBBB you"}
TOLD = {"user_data": b64encode(USER_DATA.encode()).decode(), "public_keys": TOLD_KEYS}
DEVICE = "11111111-2222-3333-4444-555555555555"

pytestmark = pytest.mark.skipif(
    any(shutil.which(name) is None for name in ("dig", "curl", "dnsmasq")), reason="needs dig, curl and dnsmasq"
)


@pytest.fixture(scope="module")
def tenants() -> Iterator[dict[str, Tenant]]:
    """Blue: `left` and `right` joined by a router, `alone` without one; red: the same addresses on its own."""
    with Lab(PREFIX, 2, ["blue", "red"]) as lab, resolvers.resolvers(lab.start()):
        before = read_tables(lab)
        blue, red = Tenant(lab, "blue"), Tenant(lab, "red")
        blue.add_router()
        blue.add_segment("left", "10.0.1")
        blue.add_segment("right", "10.0.2")
        blue.router, router = "", blue.router
        blue.add_segment("alone", "10.0.3")
        blue.add_segment("dual", "10.0.4", ipv6="2001:db8:4")
        red.add_segment("left", "10.0.1")
        blue.api.update("network", blue.segments["left"].network, dns_domain="blue.test.")
        blue.api.update("subnet", blue.segments["left"].subnet, dns_nameservers=[resolvers.SUBNETS])
        for segment in (blue.segments["right"], blue.segments["alone"]):
            blue.api.update("subnet", segment.subnet, dns_nameservers=[])
        blue.api.update("subnet", blue.segments["alone"].subnet, gateway_ip=None)
        red.api.update("subnet", red.segments["left"].subnet, dns_nameservers=[resolvers.SILENT])
        here, there = lab.host_list
        add(blue, "web", "left", here, dns_name="web", device_id=DEVICE, netplane__metadata=TOLD)
        add(blue, "db", "left", there, dns_name="db", dns_domain="data.test.")
        add(blue, "plain", "right", here)
        add(blue, "lonely", "alone", here, dns_name="lonely")
        add(blue, "six", "dual", here, dns_name="six", device_id="six")
        add(blue, "seven", "dual", there, dns_name="seven")
        add(red, "evil", "left", here, dns_name="evil", device_id="evil")
        yield {"blue": blue, "red": red}
        blue.api.remove_interface(router, blue.segments["left"].subnet)
        blue.api.remove_interface(router, blue.segments["right"].subnet)
        blue.api.delete("router", router)
        blue.delete()
        red.delete()
        blue.admin.settle()
        until("the tables are as before", lambda: read_tables(lab) == before, 5)
    assert read_leftovers(PREFIX) == []


def read_tables(lab: Lab) -> dict[str, dict[str, list[str]]]:
    """All tables of all hosts, but for the numbers of their devices, one of which is made anew."""
    hosts = read_all_tables(lab)
    return {
        host: {name: lines for name, lines in tables.items() if name != "settings"} for host, tables in hosts.items()
    }


def add(tenant: Tenant, name: str, segment: str, host: object, **fields: object) -> None:
    """A machine that has its lease."""
    port = tenant.add_port(segment, None, host, name=name, **fields)  # type: ignore[arg-type]
    [machine] = tenant.lab.add_machines({name: (host, to_plug(port))})  # type: ignore[dict-item]
    tenant.machines[name] = machine
    tenant.admin.settle()
    machine.obtain()


@pytest.fixture
def blue(tenants: dict[str, Tenant]) -> dict[str, Machine]:
    return tenants["blue"].machines


@pytest.fixture
def evil(tenants: dict[str, Tenant]) -> Machine:
    return tenants["red"].machines["evil"]


def test_machines_are_told_whom_to_ask(blue: dict[str, Machine]) -> None:
    assert blue["web"].client.read_resolvers() == [resolvers.SUBNETS]
    assert blue["plain"].client.read_resolvers() == blue["lonely"].client.read_resolvers() == [SERVICES]


@pytest.mark.parametrize("how", [(), ("+tcp",), ("+noedns",), ("+nocookie", "+ednsopt=65001:beef")], ids=str)
def test_names_of_machines_near_and_far(blue: dict[str, Machine], how: tuple[str, ...]) -> None:
    web, db, plain, lonely = (blue[name].address for name in ("web", "db", "plain", "lonely"))
    for name, address in (
        ("db.blue.test", db),
        ("db.openstacklocal", db),
        ("db.data.test", db),
        ("DB.Blue.Test", db),
        ("web.blue.test", web),
        (f"host-{plain.replace('.', '-')}.openstacklocal", plain),
    ):
        assert resolve(blue["web"], name, *how) == address, name
        assert resolve(blue["plain"], name, *how) == address, name
    assert resolve(blue["lonely"], "lonely.openstacklocal", *how) == lonely
    assert resolve(blue["web"], "-x", db, *how) == "db.data.test."
    assert resolve(blue["web"], "-x", web, *how) == "web.blue.test."
    assert resolve(blue["web"], "-x", plain, *how) == f"host-{plain.replace('.', '-')}.openstacklocal."


def test_what_is_not_there(blue: dict[str, Machine]) -> None:
    nobody = dig(blue["web"], "nobody.blue.test")
    assert status(nobody) == "NXDOMAIN"
    assert "SOA" in nobody
    nothing = dig(blue["web"], "web.blue.test", "AAAA")
    assert (status(nothing), "SOA" in nothing, "ANSWER: 0" in nothing) == ("NOERROR", True, True)
    assert status(dig(blue["web"], "-x", "10.0.1.200")) == "NXDOMAIN"
    assert status(dig(blue["web"], "+edns=1", "+noednsneg", "web.blue.test")) == "BADVERS"


def test_a_program_that_knows_nothing_of_all_this_finds_names(blue: dict[str, Machine]) -> None:
    """The C library's own resolver, told as the DHCP client is."""
    machine = blue["plain"]
    conf = machine.client.directory / "resolv.for-getent"
    conf.write_text(f"search openstacklocal\nnameserver {SERVICES}\n")
    script = f"mount --bind {conf} /etc/resolv.conf && getent -s dns ahostsv4 db"
    found = run_in(machine.namespace, ["unshare", "--mount", "sh", "-c", script])
    assert found.split()[0] == blue["db"].address


def test_the_rest_is_asked_of_the_resolvers(blue: dict[str, Machine], evil: Machine) -> None:
    name, theirs, ours = resolvers.NAME, resolvers.ANSWERS[resolvers.SUBNETS], resolvers.ANSWERS[resolvers.HOSTS]
    for how in ((), ("+tcp",)):
        assert resolve(blue["web"], name, *how, server=resolvers.SUBNETS) == theirs, "the one that was asked"
        assert resolve(blue["web"], name, *how) == theirs, "the one that the subnet names"
        assert resolve(blue["plain"], name, *how) == ours, "the host's own"
        assert resolve(blue["web"], "db.blue.test", *how, server=resolvers.SUBNETS) == blue["db"].address
    assert status(dig(blue["web"], "nobody.elsewhere.test")) == "NXDOMAIN"
    assert status(dig(evil, "+time=8", name)) == "SERVFAIL", "nobody answers"
    assert resolve(evil, "evil.openstacklocal") == evil.address, "and meanwhile we do"


def test_answers_too_long_for_a_datagram(blue: dict[str, Machine]) -> None:
    short = dig(blue["plain"], "+ignore", "+bufsize=4096", resolvers.LONG)
    assert "tc" in short.partition("flags: ")[2].partition(";")[0].split()
    assert len(resolve(blue["plain"], resolvers.LONG).splitlines()) == resolvers.MANY


def test_names_of_others_are_nobodys(blue: dict[str, Machine], evil: Machine) -> None:
    assert status(dig(evil, "db.openstacklocal")) == "NXDOMAIN"
    assert status(dig(blue["web"], "evil.openstacklocal")) == "NXDOMAIN"
    assert status(dig(blue["lonely"], "db.openstacklocal")) == "NXDOMAIN", "no router leads there"
    assert resolve(blue["web"], "-x", evil.address) in ("web.blue.test.", "db.data.test.")


def test_names_change_at_once(tenants: dict[str, Tenant], blue: dict[str, Machine]) -> None:
    api = tenants["blue"].admin
    api.update("port", blue["lonely"].plug.port, dns_name="renamed")
    api.settle()
    assert resolve(blue["lonely"], "renamed.openstacklocal") == blue["lonely"].address
    assert status(dig(blue["lonely"], "lonely.openstacklocal")) == "NXDOMAIN"
    api.update("port", blue["lonely"].plug.port, dns_name="lonely")
    api.settle()


def test_metadata(blue: dict[str, Machine], evil: Machine) -> None:
    told = json.loads(fetch(blue["web"], "/openstack/latest/meta_data.json"))
    assert (told["uuid"], told["name"], told["hostname"]) == (DEVICE, "web", "web.blue.test")
    assert told["public_keys"] == TOLD["public_keys"]
    assert fetch(blue["web"], "/openstack/latest/user_data") == USER_DATA.strip()
    assert fetch(blue["web"], "/2009-04-04/meta-data/local-ipv4") == blue["web"].address
    network = json.loads(fetch(blue["web"], "/openstack/latest/network_data.json"))
    assert network["links"][0]["ethernet_mac_address"] == blue["web"].mac
    for machine, id in ((blue["plain"], blue["plain"].plug.port), (evil, "evil")):
        assert fetch(machine, "/latest/meta-data/instance-id") == id
        assert fetch(machine, "/latest/user-data", "-o", "/dev/null", "-w", "%{http_code}") == "404"
    liar = ("-H", f"X-Forwarded-For: {blue['web'].address}", "-H", f"X-Instance-ID: {DEVICE}")
    assert fetch(evil, "/latest/meta-data/instance-id", *liar) == "evil"


@pytest.mark.parametrize("kind", ["OpenStack", "Ec2"])
def test_cloud_init_finds_what_it_needs(blue: dict[str, Machine], tmp_path: Path, kind: str) -> None:
    machine = blue["web"]
    found = crawl(machine, kind, tmp_path, f"http://{SERVICES}")
    assert found["found"] is True
    assert (found["id"], found["hostname"]) == (DEVICE, "web.blue.test")
    assert found["keys"] == list(TOLD_KEYS.values())
    assert found["user_data"].strip() == USER_DATA.strip()
    if kind == "OpenStack":
        [device, names] = found["network"]["config"]
        assert names == {"type": "nameserver", "address": resolvers.SUBNETS}
        assert (device["mac_address"], device["mtu"]) == (machine.mac, 1450)
        assert [subnet["type"] for subnet in device["subnets"]] == ["dhcp4"]


def test_by_ipv6(blue: dict[str, Machine]) -> None:
    """From a machine's link-local address: it may have no other yet."""
    ours = "fe80::a9fe:a9fe%eth0"
    for name in ("six", "seven"):
        machine = blue[name]
        until("it has an address", partial(has_ipv6, machine), 15)
        for how in ((), ("+tcp",)):
            assert resolve(machine, "seven.openstacklocal", "AAAA", *how, server=ours) == blue["seven"].ipv6
            assert resolve(machine, "six.openstacklocal", "A", *how, server=ours) == blue["six"].address
            assert resolve(machine, "-x", blue["six"].ipv6, *how, server=ours) == "six.openstacklocal."
        assert resolve(machine, resolvers.NAME, server=ours) == resolvers.ANSWERS[resolvers.SUBNETS]
        url = "http://[fe80::a9fe:a9fe%25eth0]/openstack/latest/meta_data.json"
        told = json.loads(run_in(machine.namespace, ["curl", "-sS", "--max-time", "5", url]))
        assert told["hostname"] == f"{name}.openstacklocal"
    assert "timed out" in dig(blue["six"], "+time=1", "six.openstacklocal", server="fe80::a9fe:a9fd%eth0")


def has_ipv6(machine: Machine) -> bool:
    shown = run_in(machine.namespace, ["ip", "-6", "address", "show", "dev", "eth0"])
    return machine.ipv6 in shown and "tentative" not in shown


def test_nothing_else_is_reached(blue: dict[str, Machine]) -> None:
    """Neither other ports of the services, nor by the addresses that they see machines by."""
    with inside(blue["web"].namespace):
        for address in ((SERVICES, 22), (SERVICES, 9696), (resolvers.SUBNETS, 80), ("240.0.0.16", 80)):
            with pytest.raises(OSError, match=r"timed out|unreachable|refused"):
                socket.create_connection(address, 0.3)


def test_rules_of_security_groups_hold_for_questions_too(tenants: dict[str, Tenant], blue: dict[str, Machine]) -> None:
    """As with OpenStack Networking, whose groups let everything out unless somebody takes that away."""
    api, web = tenants["blue"].admin, blue["web"]
    groups = api.show("port", web.plug.port)["security_groups"]
    api.update("port", web.plug.port, security_groups=[])
    api.settle()
    assert "timed out" in dig(web, "+time=1", "db.blue.test")
    api.update("port", web.plug.port, security_groups=groups)
    api.settle()
    assert resolve(web, "db.blue.test") == blue["db"].address


class Flood:
    """One machine that asks as fast as it can, and never listens."""

    def __init__(self, machine: Machine) -> None:
        self.sent = 0
        self._end = Event()
        with inside(machine.namespace):
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect((SERVICES, 53))
        self._thread = Thread(target=self._send)
        self._thread.start()

    def _send(self) -> None:
        question = bytes.fromhex("123401000001000000000000") + b"\3web\4blue\4test\0\0\1\0\1"
        while not self._end.is_set():
            for _ in range(50):
                self._socket.send(question)
            self.sent += 50
            time.sleep(0.002)

    def end(self) -> None:
        self._end.set()
        self._thread.join()
        self._socket.close()


def test_a_flood_of_one_leaves_anothers_answers(blue: dict[str, Machine], evil: Machine) -> None:
    flood = Flood(evil)
    try:
        time.sleep(0.5)
        answered = [resolve(blue["web"], "db.blue.test") for _ in range(30)]
        documents = [fetch(blue["web"], "/latest/meta-data/instance-id") for _ in range(10)]
    finally:
        flood.end()
    assert flood.sent > 10_000
    assert answered == [blue["db"].address] * 30
    assert documents == [DEVICE] * 10


def test_many_connections_of_one_leave_anothers(blue: dict[str, Machine], evil: Machine) -> None:
    with inside(evil.namespace):
        held = [socket.create_connection((SERVICES, 80), 2) for _ in range(40)]
    try:
        assert fetch(blue["web"], "/latest/meta-data/instance-id") == DEVICE
    finally:
        for one in held:
            one.close()
    until("it is served again", lambda: fetch(evil, "/latest/meta-data/instance-id") == "evil", 15, 0.2)


def test_an_agent_that_starts_again_finds_all_as_it_was(tenants: dict[str, Tenant], blue: dict[str, Machine]) -> None:
    """Also without a controller; while no agent is there, nobody answers."""
    lab = tenants["blue"].lab
    host = lab.host_list[0]
    before = os.stat(DIRECTORY / host.service_namespace).st_ino, ifindex(host.namespace)
    programs = host.read_programs()
    assert host.agent is not None
    lab.controller.kill()
    host.agent.stop()
    assert "timed out" in dig(blue["web"], "+time=1", "db.blue.test")
    lab.start_agent(host)
    until("names are answered", lambda: resolve(blue["web"], "+time=1", "db.blue.test") == blue["db"].address, 10)
    assert fetch(blue["web"], "/latest/meta-data/instance-id") == DEVICE
    assert (os.stat(DIRECTORY / host.service_namespace).st_ino, ifindex(host.namespace)) == before
    assert host.read_programs() == programs
    lab.controller.start()
    lab.wait_alive(lab.host_list)


def test_a_device_that_somebody_deletes_is_made_again(tenants: dict[str, Tenant], blue: dict[str, Machine]) -> None:
    host = tenants["blue"].lab.host_list[0]
    run_in(host.namespace, ["ip", "link", "delete", "np-serve"])
    until("names are answered", lambda: resolve(blue["web"], "+time=1", "db.blue.test") == blue["db"].address, 10)


def ifindex(namespace: str) -> int:
    with inside(namespace):
        return socket.if_nametoindex("np-serve")
