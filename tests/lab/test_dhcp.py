"""Two stock DHCP clients, and all that a port says: told, renewed, rebound, released, changed."""

import signal
from collections.abc import Iterator

import pytest

from netplane.agent.answers.bootp import ANY, MAGIC, Message, Option
from netplane.agent.answers.dhcp import BROADCAST
from netplane.agent.answers.frames import BROADCAST_MAC, ETHERTYPE_IPV4, UDP, ethernet, ipv4, udp
from netplane.lab import Lab, Machine
from netplane.lab.demo.scene import read_all_tables
from netplane.lab.demo.tenant import DNS, EXTRA_ROUTE, Tenant, to_plug
from netplane.lab.dhcp import parse_routes
from netplane.lab.traffic.frames import Capture, containing, send
from netplane.lab.wait import until
from tests.lab.leftovers import read_leftovers, unique
from tests.lab.udhcpc import Udhcpc

PREFIX = unique("tdhcp")
SERVICES = "169.254.169.254/32"
OPTIONS = {
    "bootfile-name": "pxelinux.0",
    "tftp-server": "boot.example",
    "server-ip-address": "192.0.2.9",
    "tftp-server-address": "192.0.2.8,192.0.2.7",
    "ntp-server": "192.0.2.123,192.0.2.124",
    "domain-name": "blue.example",
    "domain-search": "blue.example,eng.blue.example,other.test",
    "mtu": "1400",
    "210": "/boot/",
    "lease-time": "1h",
}
ALSO = (
    "bootfile-name",
    "tftp-server-name",
    "tftp-server-address",
    "ntp-servers",
    "domain-name",
    "domain-search",
    "path-prefix",
)


@pytest.fixture(scope="module")
def tenant() -> Iterator[Tenant]:
    """One host, a network with a router and one without; in the end all is deleted and the tables are as before."""
    with Lab(PREFIX, 1, ["blue"]) as lab:
        lab.start()
        before = read_all_tables(lab)
        made = Tenant(lab, "blue")
        made.add_router()
        made.add_segment("left", "10.0.1", host_routes=[{"destination": EXTRA_ROUTE, "nexthop": "10.0.1.254"}])
        made.router, router = "", made.router
        made.add_segment("alone", "10.0.2")
        made.router = router
        yield made
        made.api.remove_interface(router, made.segments["left"].subnet)
        made.api.delete("router", router)
        made.router = ""
        made.delete()
        made.admin.settle()
        until("the tables are as before", lambda: read_all_tables(lab) == before, 20, 0.1)
    assert read_leftovers(PREFIX) == []


@pytest.fixture
def machines(tenant: Tenant) -> Iterator[None]:
    """What a test plugs in is unplugged, and its ports are deleted."""
    yield
    for name in list(tenant.machines):
        machine = tenant.machines.pop(name)
        tenant.lab.remove_machine(machine)
        tenant.admin.delete("port", machine.plug.port)


pytestmark = pytest.mark.usefixtures("machines")


def plug_in(tenant: Tenant, name: str, segment: str = "left", **options: str) -> Machine:
    """A machine whose client has not started, with options on its port."""
    port = tenant.add_port(segment, None, tenant.lab.host_list[0], extra_dhcp_opts=to_opts(options))
    machine = tenant.lab.add_machines({name: (tenant.lab.host_list[0], to_plug(port))}, dhcp=False)[0]
    tenant.machines[name] = machine
    tenant.admin.settle()
    return machine


def to_opts(options: dict[str, str]) -> list[dict[str, str | None]]:
    return [{"opt_name": name, "opt_value": value} for name, value in options.items()]


def change(tenant: Tenant, machine: Machine, options: dict[str, str | None]) -> None:
    wanted = [{"opt_name": name, "opt_value": value} for name, value in options.items()]
    tenant.admin.update("port", machine.plug.port, extra_dhcp_opts=wanted)
    tenant.admin.settle()


def test_dhclient_is_told_all_that_it_asks_for(tenant: Tenant) -> None:
    machine = plug_in(tenant, "one", **OPTIONS)
    machine.client.start(also=ALSO)
    lease, told = machine.obtain(), machine.client.read_told()
    assert (lease.ip, lease.mtu, lease.seconds, lease.dns) == (machine.address, "1400", "3600", DNS)
    assert parse_routes(lease.routes) == [
        (EXTRA_ROUTE, "10.0.1.254"),
        (SERVICES, "0.0.0.0"),
        ("0.0.0.0/0", "10.0.1.1"),
    ]
    assert told["filename"] == told["bootfile_name"] == "pxelinux.0"
    assert told["server_name"] == told["tftp_server_name"] == "boot.example"
    assert told["next_server"] == "192.0.2.9"
    assert told["tftp_server_address"] == "192.0.2.8 192.0.2.7"
    assert told["ntp_servers"] == "192.0.2.123 192.0.2.124"
    assert told["domain_name"] == "blue.example"
    assert told["domain_search"].split() == ["blue.example.", "eng.blue.example.", "other.test."]
    assert told["path_prefix"] == "/boot/"
    assert told["broadcast_address"] == "10.0.1.255"


def test_udhcpc_is_told_the_same(tenant: Tenant) -> None:
    machine = plug_in(tenant, "two", **OPTIONS)
    with Udhcpc(machine, ("bootfile", "tftp", "ntpsrv", "search", "mtu", "staticroutes", "pxepathprefix")) as client:
        told = client.obtain()
    assert (told["ip"], told["mask"], told["router"]) == (machine.address, "24", "10.0.1.1")
    assert (told["mtu"], told["lease"], told["dns"]) == ("1400", "3600", DNS)
    assert (told["siaddr"], told["bootfile"], told["tftp"]) == ("192.0.2.9", "pxelinux.0", "boot.example")
    assert (told["boot_file"], told["sname"]) == ("pxelinux.0", "boot.example")
    assert (told["ntpsrv"], told["domain"]) == ("192.0.2.123 192.0.2.124", "blue.example")
    assert told["search"] == "blue.example eng.blue.example other.test"
    assert told["staticroutes"] == f"{EXTRA_ROUTE} 10.0.1.254 {SERVICES} 0.0.0.0 0.0.0.0/0 10.0.1.1"
    assert told["pxepathprefix"] == "/boot/"
    assert machine.ping("10.0.1.1").lost == 0


def test_changes_reach_udhcpc_when_it_renews(tenant: Tenant) -> None:
    """Options of the port, of its subnet and of its network."""
    machine, left = plug_in(tenant, "three", **{"ntp-server": "192.0.2.1"}), tenant.segments["left"]
    with Udhcpc(machine, ("ntpsrv", "mtu", "staticroutes")) as client:
        first = client.obtain()
        assert (first["ntpsrv"], first["domain"]) == ("192.0.2.1", "openstacklocal")
        change(tenant, machine, {"42": "192.0.2.2", "domain-name": "changed.example"})
        tenant.api.update("subnet", left.subnet, dns_nameservers=["192.0.2.54"], host_routes=[])
        tenant.api.update("network", left.network, mtu=1380)
        tenant.api.settle()
        second = client.renew()
        assert (second["ntpsrv"], second["domain"]) == ("192.0.2.2", "changed.example")
        assert (second["dns"], second["mtu"]) == ("192.0.2.54", "1380")
        assert second["staticroutes"] == f"{SERVICES} 0.0.0.0 0.0.0.0/0 10.0.1.1"
        change(tenant, machine, {"ntp-server": None, "router": ""})
        third = client.renew()
        assert {"ntpsrv", "router"}.isdisjoint(third)
        assert third["staticroutes"] == f"{SERVICES} 0.0.0.0"
        assert third["domain"] == "changed.example"
    routes = [{"destination": EXTRA_ROUTE, "nexthop": "10.0.1.254"}]
    tenant.api.update("subnet", left.subnet, dns_nameservers=[DNS], host_routes=routes)
    tenant.api.update("network", left.network, mtu=left.mtu)
    tenant.api.settle()


def test_dhclient_renews_when_the_port_says_so(tenant: Tenant) -> None:
    """By unicast to the gateway's address, which the router answers ARP for."""
    machine = plug_in(tenant, "four", **{"lease-time": "60", "T1": "2", "T2": "50", "domain-name": "a.example"})
    machine.client.start(also=["domain-name"])
    machine.obtain()
    change(tenant, machine, {"domain-name": "b.example"})
    until("it has renewed", lambda: "RENEW" in machine.client.read_history(), 10)
    until("it knows", lambda: machine.client.read_told().get("domain_name") == "b.example", 10)
    assert set(machine.client.read_history()) == {"BOUND", "RENEW"}


def test_dhclient_rebinds_where_no_router_answers(tenant: Tenant) -> None:
    """The gateway's address is nobody's: renewing, which is unicast, fails; rebinding is by broadcast."""
    machine = plug_in(tenant, "five", "alone", **{"lease-time": "30", "T1": "2", "T2": "4"})
    machine.client.start()
    asking = f"DHCPREQUEST for {machine.obtain().ip} on eth0 to"
    rebinding = f"{asking} 10.0.2.1 port 67\n{asking} 255.255.255.255 port 67\nDHCPACK"
    until("it has rebound", lambda: rebinding in machine.client.read_log(), 15)
    assert f"{asking} 10.0.2.1 port 67\nDHCPACK" not in machine.client.read_log()


def await_note(machine: Machine) -> None:
    """Until dhclient has noted its lease, which it does after its script has run."""
    until("it has noted its lease", lambda: machine.address in (machine.client.directory / "leases").read_text(), 5)


def test_released_and_obtained_again(tenant: Tenant) -> None:
    machine = plug_in(tenant, "six")
    with Udhcpc(machine) as client:
        assert client.obtain()["ip"] == machine.address
        client.release()
        assert client.obtain_again()["ip"] == machine.address
    machine.client.start()
    assert machine.obtain().ip == machine.address
    await_note(machine)
    machine.client.release()
    assert machine.client.read_history()[-1] == "RELEASE"
    machine.client.start()
    until("it is bound again", lambda: machine.client.read_history()[-1] == "BOUND", 10)


def test_a_machine_that_comes_back_after_its_address_has_changed(tenant: Tenant) -> None:
    """Init-reboot: it asks for what it had, is refused, and begins anew."""
    machine = plug_in(tenant, "seven")
    machine.client.start()
    machine.obtain()
    await_note(machine)
    machine.client.stop()
    fixed = [{"subnet_id": tenant.segments["left"].subnet, "ip_address": "10.0.1.200"}]
    tenant.admin.update("port", machine.plug.port, fixed_ips=fixed)
    tenant.admin.settle()
    machine.client.start()
    until("it has the new address", lambda: "10.0.1.200/" in str(machine.client.read_lease()), 15)
    assert "DHCPNAK" in machine.client.read_log()


def test_a_machine_whose_address_changes_hears_so_when_it_renews(tenant: Tenant) -> None:
    """Its renewal comes from its former address: it is refused, and begins anew."""
    machine = plug_in(tenant, "eight")
    with Udhcpc(machine) as client:
        assert client.obtain()["ip"] == machine.address
        assert machine.ping("10.0.1.1").lost == 0
        fixed = [{"subnet_id": tenant.segments["left"].subnet, "ip_address": "10.0.1.201"}]
        tenant.admin.update("port", machine.plug.port, fixed_ips=fixed)
        tenant.admin.settle()
        client.child.signal(signal.SIGUSR1)
        until("it is refused, and bound", lambda: client.read_history()[-3:] == ["nak", "deconfig", "bound"], 15)
        assert client.read_told()["ip"] == "10.0.1.201"
        assert machine.ping("10.0.1.1").lost == 0


def said(machine: Machine, message: Message, *options: tuple[int, bytes]) -> bytes:
    """A client's frame, as no stock client sends it."""
    mac = bytes.fromhex(machine.mac.replace(":", ""))
    told = b"".join(bytes((code, len(value))) + value for code, value in ((53, bytes((message,))), *options))
    bootp = b"\1\1\6\0" + b"abcd" + bytes(20) + mac + bytes(10 + 192) + MAGIC + told + b"\xff"
    packet = ipv4(ANY, BROADCAST, UDP, udp(ANY, BROADCAST, 68, 67, bootp))
    return ethernet(BROADCAST_MAC, mac, ETHERTYPE_IPV4, packet)


def test_rapid_commit(tenant: Tenant) -> None:
    machine = plug_in(tenant, "nine")
    with Capture(machine.namespace) as capture:
        send(machine.namespace, [said(machine, Message.DISCOVER, (Option.RAPID, b""))])
        answers = until("an answer", lambda: capture.received(containing(b"abcd")), 5)
    assert b"\x35\1" + bytes((Message.ACK,)) in answers[0].frame
    assert bytes((Option.RAPID, 0)) in answers[0].frame


def test_a_declined_address_is_told_to_the_operator(tenant: Tenant) -> None:
    machine = plug_in(tenant, "ten")
    send(machine.namespace, [said(machine, Message.DECLINE, (Option.REQUESTED, bytes((10, 0, 1, 9))))])
    line = f"the machine of port {machine.plug.port} finds its address 10.0.1.9 in use by another"
    until("the agent says so", lambda: line in "".join(tenant.lab.read_logs().values()), 5)


LONG = {
    "bootfile-name": "b" * 60,
    "root-path": "r" * 100,
    "nis-domain": "n" * 100,
    "210": "p" * 60,
    "tftp-server": "t" * 55,
}


def test_long_options_come_in_the_fields_for_names(tenant: Tenant) -> None:
    """More than the field for options holds (RFC 2131: 312 bytes): both clients read `file` and `sname` too."""
    machine = plug_in(tenant, "eleven", **LONG)
    machine.client.start(also=["bootfile-name", "root-path", "nis-domain", "path-prefix", "tftp-server-name"])
    machine.obtain()
    told = machine.client.read_told()
    names = ("bootfile_name", "root_path", "nis_domain", "path_prefix", "tftp_server_name")
    assert [told[name] for name in names] == list(LONG.values())
    machine.client.stop()
    with Udhcpc(machine, ("bootfile", "rootpath", "nisdomain", "pxepathprefix", "tftp")) as client:
        said = client.obtain()
    names = ("bootfile", "rootpath", "nisdomain", "pxepathprefix", "tftp")
    assert [said[name] for name in names] == list(LONG.values())
