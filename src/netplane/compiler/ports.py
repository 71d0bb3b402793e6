"""Ports that this host carries: what may enter at a device, and which device a MAC address is behind."""

from collections.abc import Iterable, Iterator

from netplane.base.addresses import pack_mac
from netplane.base.incremental import Item
from netplane.base.world import View
from netplane.compiler.feature import feature, problem
from netplane.compiler.projects import project_number
from netplane.model import Device, Identity, Logged, Network, Port, Subnet
from netplane.tables.decisions import DeviceFlag, PortFlag
from netplane.tables.pipeline import DEVICE, PORT, STATION


@feature
def ports(port: Port, view: View) -> Iterator[Item]:
    """A `port` and a `device` entry once the port's device is here and port and network are up."""
    device = view.get(Device, port.id)
    if device is None or not port.admin_state_up:
        return
    network = view.get(Network, port.network_id)
    if network is None:
        yield problem(port, f"network {port.network_id} is missing")
    elif network.admin_state_up:
        subnets = {fixed.subnet_id: view.get(Subnet, fixed.subnet_id) for fixed in port.fixed_ips}
        yield from (problem(port, f"subnet {id} is missing") for id, subnet in subnets.items() if subnet is None)
        mac = pack_mac(port.mac_address)
        flags = served(subnet for subnet in subnets.values() if subnet is not None)
        stations = {pack_mac(pair.mac_address) for pair in port.allowed_address_pairs} - {mac}
        if not port.port_security_enabled:
            flags |= PortFlag.OPEN | PortFlag.ANNOUNCES
        elif port.allowed_address_pairs:
            flags |= PortFlag.ANNOUNCES
        if port.port_security_enabled and stations:
            flags |= PortFlag.STATIONS
            yield from (STATION.entry((device.ifindex, station, device.vlan), ()) for station in sorted(stations))
        yield PORT.entry((device.ifindex, device.vlan), (network.vni, mac, flags, network.mtu))
        identity = view.get(Identity, port.identity_id)
        door = (DeviceFlag.PEER if device.peer else 0) | (0 if port.port_security_enabled else DeviceFlag.OPEN)
        door |= logging(view.get(Logged, port.id))
        number = identity.number if identity else 0
        project = project_number(port.project_id)
        yield DEVICE.entry((network.vni, mac), (device.ifindex, door, device.vlan, number, project))


def logging(logged: Logged | None) -> int:
    """The flags that make the datapath write down what it decides; whose rules let a connection in, the agent asks."""
    if logged is None:
        return 0
    return (DeviceFlag.LOG_DROPS if logged.drops else 0) | (DeviceFlag.LOG_ACCEPTS if logged.accepts else 0)


def served(subnets: Iterable[Subnet]) -> int:
    """The flags of a port with addresses in these subnets: what the platform tells its machine."""
    versions = {subnet.ip_version for subnet in subnets if subnet.enable_dhcp}
    return (PortFlag.DHCP if 4 in versions else 0) | (PortFlag.DHCP6 if 6 in versions else 0)
