"""IPv6 with real kernels and clients: what machines make of router advertisements and are given by DHCPv6.

host 1             host 2
left       a1  a2             a3            10.0.1.0/24 and 2001:db8:1::/64 (slaac)
right      b1                 b2            10.0.2.0/24 and 2001:db8:2::/64 (slaac), by a router
MODES      one each                         2001:db8:10::/64 and so on, one network for each combination
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import permutations
from typing import NamedTuple

import pytest

from netplane.agent.answers.dhcp6 import IDENTITY
from netplane.agent.answers.dhcp6_messages import Message, Option
from netplane.agent.answers.frames import ETHERTYPE_IPV6, UDP
from netplane.agent.answers.frames import ethernet as raw_ethernet
from netplane.agent.answers.frames import ipv6 as ipv6_packet
from netplane.agent.answers.frames import udp as udp_datagram
from netplane.base.addresses import link_local, pack_address, pack_mac, unpack_address
from netplane.base.dhcp6 import suboption
from netplane.lab import Lab, Machine
from netplane.lab.api import Body
from netplane.lab.autoconfiguration import read_addresses, read_deprecated, read_mtu, read_routers
from netplane.lab.demo.scene import read_all_tables
from netplane.lab.demo.tenant import DNS6, Tenant, to_plug
from netplane.lab.dhcp6 import STATELESS
from netplane.lab.traffic.frames import Capture, containing, send
from netplane.lab.traffic.ping import ping, traceroute
from netplane.lab.wait import until
from tests.lab.leftovers import read_leftovers, unique
from tests.lab.rdisc6 import ask_routers

PREFIX = unique("tsix")
PORT = 7600
DOMAIN = "six.example."
RESOLVERS = [f"search {DOMAIN}", f"nameserver {DNS6}"]
SLAAC, LESS, FULL = "slaac", "dhcpv6-stateless", "dhcpv6-stateful"


class Mode(NamedTuple):
    """One combination of modes, and the network that has it."""

    ra: str | None
    address: str | None
    number: int

    @property
    def name(self) -> str:
        return f"m{self.number}"

    @property
    def prefix(self) -> str:
        return f"2001:db8:{self.number}"

    @property
    def is_routed(self) -> bool:
        """Whether a router of the platform may be there."""
        return self.ra is not None or self.address is None


COMBINATIONS = ((None, None), (None, SLAAC), (None, LESS), (None, FULL), (SLAAC, None), (LESS, None), (FULL, None))
MODES = [
    Mode(ra, address, number)
    for number, (ra, address) in enumerate((*COMBINATIONS, (SLAAC, SLAAC), (LESS, LESS), (FULL, FULL)), 10)
]
SAYS_LESS, SAYS_FULL = MODES[8], MODES[9]


class World(NamedTuple):
    """The tenant and the networks of modes."""

    blue: Tenant
    networks: dict[str, Body]
    subnets: dict[str, Body]

    def machine(self, name: str) -> Machine:
        return self.blue.machines[name]

    def interface(self, network: str) -> Body:
        """The router's port with IPv6 on a network."""
        ports = self.blue.admin.find("port", f"?network_id={network}&device_owner=network:router_interface")
        return next(port for port in ports if ":" in port["fixed_ips"][0]["ip_address"])


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with Lab(PREFIX, 2, ["blue"]) as lab:
        lab.start()
        empty = read_all_tables(lab)
        blue = Tenant(lab, "blue")
        blue.add_router()
        blue.add_segment("left", "10.0.1", ipv6="2001:db8:1")
        blue.add_segment("right", "10.0.2", ipv6="2001:db8:2")
        made = World(blue, {}, {})
        for mode in MODES:
            add_mode(made, mode)
        one, other = lab.host_list
        blue.add_machines({"a1": ("left", "10.0.1.11", one), "a2": ("left", "10.0.1.12", one)})
        blue.add_machines({"a3": ("left", "10.0.1.13", other), "b1": ("right", "10.0.2.11", one)})
        blue.add_machines({"b2": ("right", "10.0.2.12", other)})
        for mode in MODES:
            plug_in(made, mode, mode.name)
        blue.admin.settle()
        yield made
        tear_down(made)
        # Entries that traffic made go at the agents' next round.
        until("the tables are as before", lambda: read_all_tables(lab) == empty, 20, 0.1)
    assert read_leftovers(PREFIX) == []


def add_mode(world: World, mode: Mode) -> None:
    """A network with one subnet, joined to the router where that may be."""
    api = world.blue.api
    network = api.create("network", name=mode.name, mtu=1400, dns_domain=DOMAIN)
    given = {"ipv6_ra_mode": mode.ra, "ipv6_address_mode": mode.address}
    subnet = api.create(
        "subnet",
        network_id=network["id"],
        ip_version=6,
        cidr=f"{mode.prefix}::/64",
        dns_nameservers=[DNS6],
        **{name: value for name, value in given.items() if value},
    )
    world.networks[mode.name], world.subnets[mode.name] = network, subnet
    if mode.is_routed:
        api.add_interface(world.blue.router, subnet["id"])


def plug_in(world: World, mode: Mode, name: str, options: dict[str, str] | None = None) -> Machine:
    """A machine on the first host, without any client running."""
    blue, host = world.blue, world.blue.lab.host_list[0]
    extra = [{"opt_name": key, "opt_value": value, "ip_version": 6} for key, value in (options or {}).items()]
    port = blue.admin.create(
        "port",
        network_id=world.networks[mode.name]["id"],
        project_id="blue",
        binding__host_id=host.name,
        extra_dhcp_opts=extra,
    )
    machine = blue.lab.add_machines({f"blue-{name}": (host, to_plug(port))}, dhcp=False)[0]
    blue.machines[name] = machine
    until("its port is active", lambda: blue.admin.show("port", port["id"])["status"] == "ACTIVE")
    return machine


def tear_down(world: World) -> None:
    blue = world.blue
    for name in list(blue.machines):
        blue.lab.remove_machine(blue.machines.pop(name))
    for port in blue.admin.find("port", "?project_id=blue"):
        if port["device_owner"] != "network:router_interface":
            blue.admin.delete("port", port["id"])
    for mode in MODES:
        if mode.is_routed:
            blue.api.remove_interface(blue.router, world.subnets[mode.name]["id"])
        blue.api.delete("network", world.networks[mode.name]["id"])
    blue.delete()
    blue.admin.settle()


def router_of(world: World, network: str) -> str:
    """The router's address on the link."""
    return unpack_address(link_local(pack_mac(world.interface(network)["mac_address"])))


def wait_for_address(machine: Machine) -> None:
    until(f"{machine.name} has {machine.ipv6}", lambda: read_addresses(machine.namespace) == [machine.ipv6], 15)


def obtain(machine: Machine, also: Sequence[str] = ()) -> None:
    """Run its DHCPv6 client until it has the port's address."""
    machine.client6.start(also=also)
    until(f"{machine.name} is bound", lambda: machine.client6.read_history()[-1:] == ["BOUND6"], 20)
    assert read_addresses(machine.namespace) == [machine.ipv6]


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: f"{mode.ra}-{mode.address}")
def test_what_machines_make_of_advertisements(world: World, mode: Mode) -> None:
    """An address of the prefix and the MAC address, which is the record's, and the router on the link."""
    machine = world.machine(mode.name)
    if mode.ra is None:
        assert read_routers(machine.namespace) == []
        assert ask_routers(machine) == []
        return
    network = world.networks[mode.name]["id"]
    if mode.ra == FULL:
        until("it has a router", lambda: read_routers(machine.namespace), 15)
        assert read_addresses(machine.namespace) == []
    else:
        wait_for_address(machine)
    assert read_routers(machine.namespace) == [router_of(world, network)]
    assert read_mtu(machine.namespace) == 1400


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode.ra], ids=lambda mode: f"{mode.ra}-{mode.address}")
def test_routers_answer_when_asked(world: World, mode: Mode) -> None:
    told = dict(ask_routers(world.machine(mode.name)))
    assert told["from"] == router_of(world, world.networks[mode.name]["id"])
    assert told["Stateful address conf."] == ("Yes" if mode.ra == FULL else "No")
    assert told["Stateful other conf."] == ("Yes" if mode.ra == LESS else "No")
    assert told["Autonomous address conf."] == ("No" if mode.ra == FULL else "Yes")
    assert told["On-link"] == "Yes"
    assert told["Prefix"] == f"{mode.prefix}::/64"
    assert told["MTU"].startswith("1400")
    assert told["Router lifetime"].startswith("1800")
    assert told["Recursive DNS server"] == DNS6
    assert told["DNS search list"] == DOMAIN.rstrip(".")


def test_a_ports_own_resolvers_are_said(world: World) -> None:
    own = {"dns-server": "2001:db8:53::2,2001:db8:53::3", "domain-search": "a.example,b.example"}
    machine = plug_in(world, MODES[7], "own", own)
    wait_for_address(machine)
    said = ask_routers(machine)
    assert [value for name, value in said if name == "Recursive DNS server"] == ["2001:db8:53::2", "2001:db8:53::3"]
    assert "a.example" in dict(said)["DNS search list"]


PAIRS = list(permutations(("a1", "a2", "a3", "b1", "b2"), 2))


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_dual_stack_machines_reach_each_other_by_both(world: World, source: str, target: str) -> None:
    """On the same network and across the router, on the same host and across hosts."""
    one, other = world.machine(source), world.machine(target)
    for machine in (one, other):
        machine.obtain()
        wait_for_address(machine)
    for address in (other.address, other.ipv6):
        came = one.ping(address, count=2)
        assert (came.lost, came.ttl) == (0, 64 if source[0] == target[0] else 63)
        with other.serve(PORT):
            assert one.exchange(address, PORT, 200_000 // 256 * 256).error == ""


def test_the_router_answers_and_is_on_the_way(world: World) -> None:
    one, other = world.machine("a1"), world.machine("b2")
    for machine in (one, other):
        wait_for_address(machine)
    for gateway in ("2001:db8:1::1", "2001:db8:2::1"):
        assert one.ping(gateway).lost == 0
    assert one.ping(f"{read_routers(one.namespace)[0]}%eth0").lost == 0
    assert traceroute(one.namespace, other.ipv6) == ["2001:db8:1::1", other.ipv6]
    full = ping(one.namespace, world.machine("a3").ipv6, options=("-s", str(1450 - 48), "-M", "do"))
    assert full.lost == 0


@pytest.mark.parametrize("mode", [MODES[0], MODES[3], SAYS_FULL], ids=lambda mode: f"{mode.ra}-{mode.address}")
def test_dhcpv6_gives_the_ports_address(world: World, mode: Mode) -> None:
    machine = world.machine(mode.name)
    obtain(machine)
    assert machine.client6.read_resolvers() == RESOLVERS
    if mode.ra is not None:
        assert machine.ping(f"{mode.prefix}::1").lost == 0
        assert machine.ping(world.machine("b2").ipv6).lost == 0
    machine.client6.stop()


def test_what_dhcpv6_tells(world: World) -> None:
    options = {
        "domain-search": "blue.example,eng.blue.example",
        "bootfile-url": "http://[2001:db8::9]/boot",
        "ntp-server": "2001:db8::7b",
    }
    machine = plug_in(world, SAYS_FULL, "told", options)
    obtain(machine, also=("dhcp6.bootfile-url", "dhcp6.ntp-servers"))
    told = machine.client6.read_told()
    assert told["dhcp6_bootfile_url"] == "http://[2001:db8::9]/boot"
    assert told["dhcp6_ntp_servers"]
    assert "search blue.example." in machine.client6.read_resolvers()


def test_stateless_dhcpv6_tells_the_rest(world: World) -> None:
    machine = world.machine(SAYS_LESS.name)
    wait_for_address(machine)
    machine.client6.start(STATELESS)
    until("it is told", lambda: machine.client6.read_resolvers() == RESOLVERS, 15)
    assert read_addresses(machine.namespace) == [machine.ipv6]
    machine.client6.stop()


def test_an_address_released_and_obtained_again(world: World) -> None:
    machine = plug_in(world, SAYS_FULL, "again")
    obtain(machine)
    until("it has noted its lease", lambda: machine.ipv6 in (machine.client6.directory / "leases").read_text(), 5)
    machine.client6.release()
    assert read_addresses(machine.namespace) == []
    assert "RELEASE6" in machine.client6.read_history()
    obtain(machine)


def test_a_machine_that_comes_back_after_its_address_has_changed(world: World) -> None:
    """It confirms what it had, is refused, and begins anew."""
    machine = plug_in(world, SAYS_FULL, "moved")
    obtain(machine)
    until("it has noted its lease", lambda: machine.ipv6 in (machine.client6.directory / "leases").read_text(), 5)
    machine.client6.stop()
    fixed = [{"subnet_id": world.subnets[SAYS_FULL.name]["id"], "ip_address": "2001:db8:19::abcd"}]
    world.blue.admin.update("port", machine.plug.port, fixed_ips=fixed)
    world.blue.admin.settle()
    machine.client6.start()
    until("it has the new address", lambda: "2001:db8:19::abcd" in read_addresses(machine.namespace), 20)


def asked(machine: Machine, message: Message, *options: tuple[int, bytes]) -> list[bytes]:
    """The answers to a client's message, as no stock client can be made to send it at will."""
    mac = pack_mac(machine.mac)
    identity = (Option.CLIENT, b"\0\3\0\1" + mac)
    told = bytes((message,)) + b"xyz" + b"".join(suboption(*option) for option in (identity, *options))
    source, servers = link_local(mac), pack_address("ff02::1:2")
    datagram = udp_datagram(source, servers, 546, 547, told)
    frame = raw_ethernet(
        bytes.fromhex("333300010002"), mac, ETHERTYPE_IPV6, ipv6_packet(source, servers, UDP, datagram)
    )
    with Capture(machine.namespace) as capture:
        send(machine.namespace, [frame])
        seen = until("an answer", lambda: capture.received(containing(b"xyz")), 5)
    return [one.frame[62:] for one in seen]


def test_renew_rebind_and_rapid_commit(world: World) -> None:
    """The address that holds is given again, the one that does not is given back."""
    machine = plug_in(world, SAYS_FULL, "renews")
    mine, gone = pack_address(machine.ipv6), pack_address("2001:db8:19::dead")
    held = b"".join(suboption(Option.ADDRESS, address + bytes(8)) for address in (mine, gone))
    association = (Option.IA_NA, b"ia01" + bytes(8) + held)
    ours = (Option.SERVER, IDENTITY)
    for reply in (*asked(machine, Message.RENEW, ours, association), *asked(machine, Message.REBIND, association)):
        assert reply[0] == Message.REPLY
        assert suboption(Option.ADDRESS, gone + bytes(8)) in reply
        assert mine in reply
        assert suboption(Option.ADDRESS, mine + bytes(8)) not in reply
    (reply,) = asked(machine, Message.SOLICIT, (Option.RAPID, b""), (Option.IA_NA, b"ia01" + bytes(8)))
    assert reply[0] == Message.REPLY
    assert suboption(Option.RAPID, b"") in reply
    assert mine in reply


def test_a_declined_address_is_told_to_the_operator(world: World) -> None:
    machine = world.machine(SAYS_FULL.name)
    held = suboption(Option.ADDRESS, pack_address("2001:db8:19::dead") + bytes(8))
    asked(machine, Message.DECLINE, (Option.SERVER, IDENTITY), (Option.IA_NA, b"ia01" + bytes(8) + held))
    line = f"the machine of port {machine.plug.port} finds its address 2001:db8:19::dead in use by another"
    until("the agent says so", lambda: line in "".join(world.blue.lab.read_logs().values()), 5)


def changes(world: World, machine: Machine, change: Callable[[], object], routers: list[str]) -> None:
    """After a change the machine has these default routers, and soon: it does not wait for the next round."""
    change()
    until(f"routers are {routers}", lambda: read_routers(machine.namespace) == routers, 5)


def test_machines_hear_at_once_that_a_router_goes_and_comes(world: World) -> None:
    """Their addresses stay meanwhile: the platform speaks of the prefix."""
    mode, api = MODES[7], world.blue.api
    machine, subnet, router = world.machine(mode.name), world.subnets[mode.name]["id"], world.blue.router
    wait_for_address(machine)
    on_link = router_of(world, world.networks[mode.name]["id"])
    assert read_routers(machine.namespace) == [on_link]
    changes(world, machine, lambda: api.update("router", router, admin_state_up=False), [])
    changes(world, machine, lambda: api.update("router", router, admin_state_up=True), [on_link])
    changes(world, machine, lambda: api.remove_interface(router, subnet), [])
    assert read_addresses(machine.namespace) == [machine.ipv6]
    api.add_interface(router, subnet)
    on_link = router_of(world, world.networks[mode.name]["id"])
    changes(world, machine, lambda: None, [on_link])


def test_a_new_subnet_is_heard_of_at_once(world: World) -> None:
    """Ports have their address in it by then, and lose it with the subnet."""
    mode, api = MODES[7], world.blue.api
    machine = world.machine(mode.name)
    wait_for_address(machine)
    given = {"ipv6_ra_mode": SLAAC, "ipv6_address_mode": SLAAC}
    network = world.networks[mode.name]["id"]
    subnet = api.create("subnet", network_id=network, ip_version=6, cidr="2001:db8:99::/64", **given)
    api.add_interface(world.blue.router, subnet["id"])
    port = world.blue.admin.show("port", machine.plug.port)
    wanted = {fixed["ip_address"] for fixed in port["fixed_ips"]}
    assert len(wanted) == 2
    until("it has both", lambda: set(read_addresses(machine.namespace)) == wanted, 10)
    other = (wanted - {machine.ipv6}).pop()
    api.remove_interface(world.blue.router, subnet["id"])
    api.delete("subnet", subnet["id"])
    until("it is taken back", lambda: read_deprecated(machine.namespace) == [other], 5)
