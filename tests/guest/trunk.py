"""A guest whose first device is a trunk: VLAN devices of its own kernel, each another port's."""

from typing import NamedTuple

from netplane.lab import Machine, Plug
from netplane.lab.demo.tenant import to_plug
from netplane.lab.guest.shell import Shell
from netplane.lab.guest.tap import tap_name
from netplane.lab.traffic.frames import Capture
from netplane.lab.traffic.tcp import EchoServer, Stream
from netplane.lab.wait import until
from tests.guest.world import MIB, World, count_errors, expect_large, is_configured

PORT = 7110


class Carried(NamedTuple):
    """A subport, the VLAN id under which the guest has it, and a machine of the same network on another host."""

    plug: Plug
    vlan: int
    peer: Machine

    @property
    def device(self) -> str:
        """The guest's; `configure` takes the number in it for a metric."""
        return f"eth{self.vlan}"


class Trunk(NamedTuple):
    """A trunk on a guest's port."""

    id: str
    subports: list[Carried]


def add_trunk(world: World, parent: Plug, networks: dict[int, tuple[str, str]]) -> Trunk:
    """Make subports, for each VLAN id one on a network; with it the name of a machine that is there."""
    api, carried = world.tenant.api, []
    for vlan, (segment, peer) in networks.items():
        where = world.tenant.segments[segment]
        # It names no host: a subport is where its parent is.
        port = api.create("port", network_id=where.network, fixed_ips=[{"subnet_id": where.subnet}])
        carried.append(Carried(to_plug(api.show("port", port["id"])), vlan, world.machine(peer)))
    wanted = [{"port_id": one.plug.port, "segmentation_type": "vlan", "segmentation_id": one.vlan} for one in carried]
    trunk = api.create("trunk", port_id=parent.port, sub_ports=wanted)
    until("the trunk is up", lambda: api.show("trunk", trunk["id"])["status"] == "ACTIVE", 10)
    return Trunk(trunk["id"], carried)


def configure(shell: Shell, one: Carried) -> None:
    """A VLAN device in the guest, with its port's MAC address, configured by DHCP and by router advertisements."""
    for command in (
        f"ip link add link eth0 name {one.device} type vlan id {one.vlan}",
        f"ip link set {one.device} address {one.plug.mac}",
        f"configure {one.device}",
    ):
        said = shell.run(command)
        assert said.status == 0, said.text
    assert shell.obtain(one.device) == one.plug.address


def expect_carried(world: World, shell: Shell, parent: Plug, one: Carried) -> None:
    """Pings and streams both ways: whole, in large pieces on the tap, and with no checksum that was wrong."""
    if one.plug.ipv6:
        until("it has its IPv6 address", lambda: is_configured(shell, one.plug, one.device), 30, 0.5)
    came = one.peer.ping(one.plug.address)
    assert (came.lost, came.ttl) == (0, 64)
    assert " 0% packet loss" in shell.run(f"ping -c 3 -i 0.1 {one.peer.address}").text
    shell.run(f"(nc -ll -p {PORT} -e cat &) ; dd if=/dev/urandom of=/tmp/sent bs=64k count=16; sleep 0.2")
    with Capture(world.first.namespace, tap_name(parent.port)) as capture, EchoServer(one.peer.namespace, PORT):
        exchanged = one.peer.exchange(one.plug.address, PORT, MIB)
        assert exchanged.ok, str(exchanged)
        said = shell.run(f"nc {one.peer.address} {PORT} </tmp/sent >/tmp/echoed; cmp /tmp/sent /tmp/echoed", 60)
        assert said.status == 0, said.text
        expect_large(capture.read())
    assert count_errors(shell.run("cat /proc/net/snmp").text) == 0


def expect_removed(world: World, trunk: Trunk, gone: Carried, left: Carried) -> None:
    """A subport goes while its packets flow: they end, and those of the other do not."""
    ending, lasting = (Stream(one.peer.namespace, one.plug.address, PORT) for one in (gone, left))
    until("both flow", lambda: min(ending.rounds, lasting.rounds) > 5, 10)
    body = {"sub_ports": [{"port_id": gone.plug.port}]}
    world.tenant.api.call("PUT", f"/v2.0/trunks/{trunk.id}/remove_subports", body)
    until("its port is down", lambda: world.status(gone.plug) == "DOWN", 5)
    at_rest, seen = ending.rounds, lasting.rounds
    until("the other one flows on", lambda: lasting.rounds > seen + 20, 10)
    assert ending.rounds <= at_rest + 1
    assert lasting.error == ""
    for stream in (ending, lasting):
        stream.abandon()
    assert not gone.peer.ping(gone.plug.address, count=1, wait=0.5).received


def remove_trunk(world: World, shell: Shell, trunk: Trunk) -> None:
    """All of it, in the guest too."""
    world.tenant.api.delete("trunk", trunk.id)
    for one in trunk.subports:
        shell.run(f"kill $(cat /run/{one.device}.pid); ip link del {one.device}")
        world.tenant.api.delete("port", one.plug.port)
