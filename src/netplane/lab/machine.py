"""A machine: a namespace with one network device, whose other end a host's agent finds by its alias."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from netplane.lab.dhcp import Client, Lease
from netplane.lab.dhcp6 import Client6
from netplane.lab.host import Host
from netplane.lab.namespace import batch, write_sysctl
from netplane.lab.traffic.ping import Ping, ping
from netplane.lab.traffic.tcp import EchoServer, Exchange, exchange
from netplane.lab.wait import until

DEVICE = "eth0"


class Plug(NamedTuple):
    """What a machine is plugged into: a port as the API gave it."""

    port: str
    """The port's id."""
    mac: str
    address: str
    """The port's first address; if it is of IPv4, the machine learns it by DHCP."""
    ipv6: str = ""
    """The port's first address of IPv6; empty if it has none, and the machine's kernel then speaks none."""


@dataclass
class Machine:
    """One machine of a tenant."""

    name: str
    namespace: str
    host: Host
    device: str
    """The end of its device that lies on the host."""
    plug: Plug
    client: Client
    client6: Client6
    lease: Lease | None = field(default=None)

    @property
    def address(self) -> str:
        """Its port's address."""
        return self.plug.address

    @property
    def ipv6(self) -> str:
        """Its port's address of IPv6; empty if it has none."""
        return self.plug.ipv6

    @property
    def mac(self) -> str:
        """Its port's MAC address."""
        return self.plug.mac

    def obtain(self, seconds: float = 20) -> Lease:
        """Wait until its DHCP client has applied a lease."""
        self.lease = until(f"{self.name} has a lease", self.client.read_lease, seconds)
        return self.lease

    def ping(self, target: str, *, count: int = 3, interval: float = 0.05, wait: float = 1.0) -> Ping:
        """Echo requests to an address."""
        return ping(self.namespace, target, count=count, interval=interval, wait=wait)

    def exchange(self, target: str, port: int, size: int = 65536, seconds: float = 1.0) -> Exchange:
        """A TCP connection to an echo server."""
        return exchange(self.namespace, target, port, size, seconds)

    def serve(self, port: int) -> EchoServer:
        """A TCP echo server."""
        return EchoServer(self.namespace, port)


def plug_in(machines: Iterable[Machine]) -> None:
    """Make the devices of machines whose namespaces exist: MAC, alias and offloads as a hypervisor leaves them."""
    machines = tuple(machines)
    for machine in machines:
        for which in ("all", "default"):
            write_sysctl(machine.namespace, f"ipv6/conf/{which}/disable_ipv6", 0 if machine.ipv6 else 1)
    batch(
        f"link add {DEVICE} address {machine.mac} netns {machine.namespace} "
        f"type veth peer name {machine.device} netns {machine.host.namespace}"
        for machine in machines
    )
    for host, group in by_host(machines).items():
        batch(
            (f"link set {one.device} up alias netplane:{one.plug.port}" for one in group),
            host,
        )
    for machine in machines:
        batch((f"link set {name} up" for name in ("lo", DEVICE)), machine.namespace)


def unplug(machine: Machine) -> None:
    """Take a machine's device away, as when it is stopped."""
    stop_clients(machine)
    batch([f"link delete {machine.device}"], machine.host.namespace)


def stop_clients(machine: Machine) -> None:
    """End its DHCP clients; it keeps its addresses."""
    machine.client.stop()
    machine.client6.stop()


def by_host(machines: Iterable[Machine]) -> dict[str, list[Machine]]:
    """Machines by their host's namespace."""
    found: dict[str, list[Machine]] = {}
    for machine in machines:
        found.setdefault(machine.host.namespace, []).append(machine)
    return found
