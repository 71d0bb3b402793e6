"""Containers on two hosts, by the plugin as runtimes call it: packets between them, and nothing left afterwards."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from netplane.lab import Host, Lab
from netplane.lab.api import Api
from netplane.lab.demo.scene import read_all_tables
from netplane.lab.namespace import batch, inside, remove
from netplane.lab.traffic.ping import ping
from netplane.lab.traffic.tcp import EchoServer, exchange
from netplane.lab.wait import until
from tests.lab.containers import Answer, Body, Container, Relay, call, containers
from tests.lab.leftovers import read_leftovers, unique

PREFIX = unique("tcni")
PROJECT = "red"
RESOLVER = "192.0.2.53"
BEHIND = "198.51.100.0/24"


class World(NamedTuple):
    """Two hosts, a network, and where the plugin finds the controller on each host."""

    lab: Lab
    api: Api
    network: str
    urls: dict[str, str]
    token: Path

    def config(self, host: Host, **more: Any) -> Body:
        """The network configuration of a host, as a conflist would have it."""
        return {
            "cniVersion": "1.1.0",
            "name": "red-left",
            "type": "netplane-cni",
            "network": "left",
            "host": host.name,
            "url": self.urls[host.name],
            "token_file": str(self.token),
            **more,
        }

    def call(self, command: str, container: Container, **more: Any) -> Answer:
        """Call the plugin for a container on its host; no answer ever holds the secret."""
        answer = call(container.host, command, self.config(container.host, **more), container)
        assert self.lab.controller.secrets[PROJECT] not in answer.output
        return answer

    def add(self, container: Container, **more: Any) -> Body:
        """ADD that succeeds; its result."""
        answer = self.call("ADD", container, **more)
        assert answer.status == 0, answer.output
        return answer.body

    def ports(self) -> list[Body]:
        """The ports of containers, as the API shows them."""
        return self.api.find("port", "?device_owner=netplane:cni")

    def wires(self) -> list[str]:
        """The devices of containers on all hosts."""
        return [name for host in self.lab.host_list for name in devices(host)]


def devices(host: Host) -> list[str]:
    """The host's ends of containers' wires."""
    with inside(host.namespace):
        return [name for _, name in socket.if_nameindex() if name.startswith("npc")]


def address(result: Body) -> str:
    """The first address of a result."""
    return str(result["ips"][0]["address"]).partition("/")[0]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with Lab(PREFIX, 2, [PROJECT]) as lab:
        lab.start()
        api = lab.controller.api(PROJECT)
        network = api.create("network", name="left")["id"]
        api.create(
            "subnet",
            network_id=network,
            name="left-a",
            ip_version=4,
            cidr="10.0.1.0/24",
            gateway_ip="10.0.1.1",
            dns_nameservers=[RESOLVER],
            host_routes=[{"destination": BEHIND, "nexthop": "10.0.1.254"}],
        )
        where, _, port = lab.controller.listen.partition(":")
        relays = {host.name: Relay(host, (where, int(port))) for host in lab.host_list}
        token = tmp_path_factory.mktemp("secrets") / "token"
        token.write_text(f"{lab.controller.secrets[PROJECT]}\n")
        yield World(lab, api, network, {name: relay.url for name, relay in relays.items()}, token)
        for relay in relays.values():
            relay.close()
    assert read_leftovers(PREFIX) == []


@pytest.fixture
def pair(world: World) -> Iterator[list[Container]]:
    """A container on each host; nothing of them is left at the end."""
    assert (world.ports(), world.wires()) == ([], [])
    with containers(PREFIX, world.lab.host_list) as made:
        yield made
        for container in made:
            assert world.call("DEL", container).status == 0
    assert (world.ports(), world.wires()) == ([], [])


def test_two_containers_on_two_hosts(world: World) -> None:
    before = read_all_tables(world.lab)
    with containers(PREFIX, world.lab.host_list) as (one, two):
        here, there = address(world.add(one)), address(world.add(two))
        until("they reach each other", lambda: ping(one.namespace, there, count=1, wait=0.2).received, 5)
        assert ping(one.namespace, there, count=5).lost == 0
        assert ping(two.namespace, here, count=5).lost == 0
        with EchoServer(two.namespace, 7100):
            assert exchange(one.namespace, there, 7100, 65536, 1.0).error == ""
        assert {port["status"] for port in world.ports()} == {"ACTIVE"}
        for container in (one, two):
            assert world.call("DEL", container) == (0, {}, "")
        assert ping(one.namespace, there, count=1, wait=0.2).received == 0
    assert (world.ports(), world.wires()) == ([], [])
    # Entries that traffic made go at the agents' next round.
    until("tables are as before", lambda: read_all_tables(world.lab) == before, 20, 0.1)


def test_the_result_is_what_the_container_has(world: World, pair: list[Container]) -> None:
    container = pair[0]
    result = world.add(container)
    port = world.ports()[0]
    assert port["device_id"] == f"{container.id}:eth0"
    assert port["name"] == container.id
    assert result == {
        "cniVersion": "1.1.0",
        "interfaces": [
            {"name": f"npc{port['id'].replace('-', '')[:12]}"},
            {"name": "eth0", "mac": port["mac_address"], "sandbox": container.sandbox, "mtu": 1450},
        ],
        "ips": [{"address": f"{port['fixed_ips'][0]['ip_address']}/24", "interface": 1, "gateway": "10.0.1.1"}],
        "routes": [{"dst": BEHIND, "gw": "10.0.1.254"}, {"dst": "0.0.0.0/0", "gw": "10.0.1.1"}],
        "dns": {"nameservers": [RESOLVER]},
    }
    assert world.call("CHECK", container, prevResult=result) == (0, {}, "")


def wait_for_way(container: Container, target: str) -> None:
    """Until a container reaches an address."""
    until(f"it reaches {target}", lambda: ping(container.namespace, target, count=1, wait=0.2).received, 5)


def test_containers_on_a_network_of_both_versions(world: World) -> None:
    """Also where the runtime has IPv6 off; the addresses are those that machines would make themselves."""
    before = read_all_tables(world.lab)
    modes = {"ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"}
    subnet = world.api.create("subnet", network_id=world.network, ip_version=6, cidr="2001:db8::/64", **modes)["id"]
    with containers(PREFIX, world.lab.host_list) as (one, two):
        world.add(one)
        result = world.add(two)
        four, six = (str(ip["address"]).partition("/")[0] for ip in result["ips"])
        assert six == next(
            fixed["ip_address"]
            for port in world.ports()
            for fixed in port["fixed_ips"]
            if fixed["subnet_id"] == subnet and port["name"] == two.id
        )
        for target in (four, six):
            wait_for_way(one, target)
            with EchoServer(two.namespace, 7101):
                assert exchange(one.namespace, target, 7101, 65536, 1.0).error == ""
        assert world.call("CHECK", two, prevResult=result) == (0, {}, "")
        for container in (one, two):
            assert world.call("DEL", container) == (0, {}, "")
    world.api.delete("subnet", subnet)
    world.api.settle()
    until("tables are as before", lambda: read_all_tables(world.lab) == before, 20, 0.1)


@pytest.mark.parametrize("version", ["0.3.1", "0.4.0", "1.0.0"])
def test_older_versions_of_the_specification(world: World, pair: list[Container], version: str) -> None:
    result = world.add(pair[0], cniVersion=version)
    assert result["cniVersion"] == version
    assert result["ips"][0].get("version") == ("4" if version < "1" else None)
    assert "mtu" not in result["interfaces"][1]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("address delete {address}/24 dev eth0", "lacks the address"),
        ("route delete 198.51.100.0/24", "lacks the route to 198.51.100.0/24"),
        ("link set eth0 address 02:00:00:00:00:77", "its MAC is 02:00:00:00:00:77"),
        ("link set eth0 down", "it is down"),
        ("link set eth0 down name eth7", "it is not there"),
    ],
)
def test_check_sees_what_was_changed(world: World, pair: list[Container], command: str, said: str) -> None:
    result = world.add(pair[0])
    batch([command.format(address=address(result))], pair[0].namespace)
    answer = world.call("CHECK", pair[0], prevResult=result)
    assert (answer.code, said in answer.body["msg"]) == (100, True), answer.output


def test_check_sees_a_lost_port_and_forgives_a_lost_controller(world: World, pair: list[Container]) -> None:
    result = world.add(pair[0])
    assert world.call("CHECK", pair[0], prevResult=result, url="http://127.0.0.1:9").status == 0
    world.api.delete("port", world.ports()[0]["id"])
    assert "is gone" in world.call("CHECK", pair[0], prevResult=result).body["msg"]


def test_add_twice_is_add_once(world: World, pair: list[Container]) -> None:
    first = world.add(pair[0])
    assert world.add(pair[0]) == first
    assert (len(world.ports()), len(world.wires())) == (1, 1)


def test_an_add_that_was_cut_short_is_finished(world: World, pair: list[Container]) -> None:
    """A port without a wire, as a plugin leaves it that was killed in between; also with a wire to nowhere."""
    first = world.add(pair[0])
    batch([f"link delete {first['interfaces'][0]['name']}"], pair[0].host.namespace)
    assert world.add(pair[0]) == first
    batch([f"link set {first['interfaces'][0]['name']} alias other"], pair[0].host.namespace)
    batch(["link set eth0 down name eth9"], pair[0].namespace)
    assert world.add(pair[0]) == first
    assert len(world.wires()) == 1


def test_an_interface_of_somebody_else_is_left_alone(world: World, pair: list[Container]) -> None:
    batch(["link add eth0 type veth peer name other"], pair[0].namespace)
    assert world.call("ADD", pair[0]).code == 100
    assert world.call("DEL", pair[0]).status == 0
    batch(["link show eth0"], pair[0].namespace)
    assert world.ports() == []


def test_wishes_of_the_runtime(world: World, pair: list[Container]) -> None:
    one, two = pair
    wish = {"ips": ["10.0.1.77/24"], "mac": "02:00:00:00:00:77"}
    result = world.add(one, runtimeConfig=wish, capabilities={"ips": True, "mac": True}, subnet="left-a")
    assert (result["interfaces"][1]["mac"], address(result)) == ("02:00:00:00:00:77", "10.0.1.77")
    config = world.config(two.host, dns={"nameservers": ["192.0.2.1"], "domain": "x.test"})
    answer = call(two.host, "ADD", config, two, CNI_ARGS="IgnoreUnknown=1;IP=10.0.1.78;K8S_POD_NAME=pod-7")
    assert address(answer.body) == "10.0.1.78"
    assert answer.body["dns"] == {"nameservers": ["192.0.2.1"], "domain": "x.test"}
    assert sorted(port["name"] for port in world.ports()) == ["c1", "pod-7"]


def test_security_groups_by_name(world: World, pair: list[Container]) -> None:
    group = world.api.create("security_group", name="closed")["id"]
    one, two = pair
    world.add(one)
    lonely = address(world.add(two, security_groups=["closed"]))
    assert group in {group for port in world.ports() for group in port["security_groups"]}
    assert ping(one.namespace, lonely, count=2, wait=0.3).received == 0
    for container in pair:
        world.call("DEL", container)
    world.api.delete("security_group", group)


@pytest.mark.parametrize(
    ("wrong", "code", "said"),
    [
        ({"network": "nowhere"}, 7, "network 'nowhere': there is none"),
        ({"subnet": "nowhere"}, 7, "subnet 'nowhere': there is none"),
        ({"security_groups": ["nowhere"]}, 7, "security_group 'nowhere': there is none"),
        ({"runtimeConfig": {"ips": ["10.9.9.9/24"]}}, 7, "10.9.9.9"),
        ({"runtimeConfig": {"mac": "01:00:00:00:00:01"}}, 7, "MAC"),
        ({"project": "blue"}, 7, "refuses"),
        ({"token_file": "/dev/null"}, 7, "holds no token"),
        ({"url": "http://127.0.0.1:9"}, 11, "no controller answers"),
        ({"prevResult": {}}, 7, "prevResult"),
    ],
)
def test_an_add_that_fails_leaves_nothing(
    world: World, pair: list[Container], wrong: Body, code: int, said: str
) -> None:
    answer = world.call("ADD", pair[0], **wrong)
    assert (answer.code, said in answer.body["msg"]) == (code, True), answer.output
    assert (world.ports(), world.wires()) == ([], [])


def test_an_address_that_is_taken(world: World, pair: list[Container]) -> None:
    wish = {"ips": ["10.0.1.79"]}
    world.add(pair[0], runtimeConfig=wish)
    assert world.call("ADD", pair[1], runtimeConfig=wish).code == 101


def test_del_of_what_is_gone(world: World, pair: list[Container]) -> None:
    one = pair[0]
    assert world.call("DEL", one) == (0, {}, "")
    world.add(one)
    world.api.delete("port", world.ports()[0]["id"])
    assert world.call("DEL", one) == (0, {}, "")
    assert world.wires() == []
    world.add(one)
    remove(one.namespace)
    assert world.call("DEL", one) == (0, {}, "")
    assert call(one.host, "DEL", world.config(one.host), one, CNI_NETNS="") == (0, {}, "")
    assert call(one.host, "DEL", world.config(one.host, network="nowhere"), one) == (0, {}, "")


def test_del_without_a_controller_cuts_the_wire_and_asks_to_be_called_again(
    world: World, pair: list[Container]
) -> None:
    world.add(pair[0])
    assert world.call("DEL", pair[0], url="http://127.0.0.1:9").code == 11
    assert (len(world.ports()), world.wires()) == (1, [])


def test_gc_removes_what_its_own_host_and_name_have_too_much(world: World) -> None:
    first, second = world.lab.host_list
    with containers(PREFIX, [first, first, first, second]) as made:
        kept, lost, other, far = made
        for container in (kept, lost, far):
            world.add(container)
        world.add(other, name="another")
        valid = [{"containerID": kept.id, "ifname": "eth0"}]
        config = world.config(first, **{"cni.dev/valid-attachments": valid})
        assert call(first, "GC", config) == (0, {}, "")
        assert {port["device_id"] for port in world.ports()} == {"c1:eth0", "c3:eth0", "c4:eth0"}
        assert len(devices(first)) == 2
        assert call(first, "GC", world.config(first)).code == 7
        for host, name in ((first, "red-left"), (first, "another"), (second, "red-left")):
            config = world.config(host, name=name, **{"cni.dev/valid-attachments": []})
            assert call(host, "GC", config) == (0, {}, "")
    assert (world.ports(), world.wires()) == ([], [])


def test_two_interfaces_of_a_container(world: World, pair: list[Container]) -> None:
    """The first interface's default route stays the default, and the second's result does not promise another."""
    right = world.api.create("network", name="right")["id"]
    world.api.create("subnet", network_id=right, ip_version=4, cidr="10.0.2.0/24", gateway_ip="10.0.2.1")
    answers: dict[str, Body] = {}
    for container in pair:
        first = world.add(container)
        config = world.config(container.host, name="red-right", network="right")
        second = answers[container.id] = call(container.host, "ADD", config, container, CNI_IFNAME="eth1").body
        assert (len(first["routes"]), second["routes"]) == (2, [])
        previous = {**config, "prevResult": second}
        assert call(container.host, "CHECK", previous, container, CNI_IFNAME="eth1") == (0, {}, "")
        assert world.call("CHECK", container, prevResult=first) == (0, {}, "")
    until("it is reached", lambda: ping(pair[0].namespace, address(answers["c2"]), count=1, wait=0.2).received, 5)
    for container in pair:
        config = world.config(container.host, name="red-right", network="right")
        assert call(container.host, "DEL", config, container, CNI_IFNAME="eth1").status == 0
    assert {port["device_id"] for port in world.ports()} == {"c1:eth0", "c2:eth0"}
    world.api.delete("network", right)


def test_many_at_once(world: World) -> None:
    hosts = world.lab.host_list * 5
    with containers(PREFIX, hosts) as made, ThreadPoolExecutor(4) as pool:
        results = list(pool.map(world.add, made))
        assert len({address(result) for result in results}) == len(hosts)
        last = address(results[-1])
        until("the last is reached", lambda: ping(made[0].namespace, last, count=1, wait=0.2).received, 5)
        assert [answer.status for answer in pool.map(lambda one: world.call("DEL", one), made)] == [0] * len(hosts)
    assert (world.ports(), world.wires()) == ([], [])


def test_status(world: World) -> None:
    host = world.lab.host_list[0]
    assert call(host, "STATUS", world.config(host)) == (0, {}, "")
    assert call(host, "STATUS", world.config(host, url="http://127.0.0.1:9")).code == 50
    assert call(host, "STATUS", world.config(host, network="nowhere")).code == 50


def test_a_host_without_an_agent(world: World, pair: list[Container]) -> None:
    """STATUS says so; ADD gives up after its time, and takes back what it had made."""
    one = pair[0]
    assert one.host.agent is not None
    one.host.agent.stop()
    try:
        answer = world.call("ADD", one, wait=0.3)
        assert (answer.code, "agent" in answer.body["details"]) == (11, True)
        assert (world.ports(), world.wires()) == ([], [])
    finally:
        world.lab.start_agent(one.host)
        world.lab.wait_alive([one.host])
    nowhere = Container("c9", f"np-{PREFIX}-c9", one.host)
    assert call(None, "STATUS", world.config(one.host)).code == 50
    assert world.call("ADD", nowhere).code == 3
