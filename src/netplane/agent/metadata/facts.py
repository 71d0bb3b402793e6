"""What the slice knows of the machine behind a port: its ports on this host, its name, and what its users gave it."""

from base64 import b64decode
from collections.abc import Mapping
from ipaddress import ip_address
from typing import NamedTuple

from netplane.agent.names.answers import name_of
from netplane.agent.names.directory import Directory, Here, domain_of
from netplane.agent.slice import Slice
from netplane.model import Network, Port, Subnet


class Nic(NamedTuple):
    """One port of the machine, the network and the subnets that it has addresses from."""

    port: Port
    network: Network
    subnets: Mapping[str, Subnet]


class Facts(NamedTuple):
    """One machine."""

    id: str
    """The `device_id` of its ports; of a port without one, the port's own."""
    name: str
    hostname: str
    """Fully qualified, without the final dot."""
    project: str
    nics: tuple[Nic, ...]
    """The port that asks stands first."""
    keys: Mapping[str, str]
    meta: Mapping[str, str]
    user_data: bytes | None
    groups: tuple[str, ...]

    @property
    def address(self) -> str:
        """Its first IPv4 address; empty if it has none."""
        own = (fixed.ip_address for nic in self.nics for fixed in nic.port.fixed_ips)
        return next((address for address in own if "." in address), "")


def facts_of(slice: Slice, directory: Directory, port: Port) -> Facts:
    """What is known of the machine of a port."""
    ports = [port, *(other for other in _siblings(slice, port))]
    nics = tuple(nic for one in ports if (nic := _nic(slice, one)) is not None)
    told = port.metadata
    hostname = hostname_of(slice, directory, port)
    return Facts(
        id=port.device_id or port.id,
        name=port.name or port.dns_name or hostname.partition(".")[0],
        hostname=hostname,
        project=port.project_id,
        nics=nics,
        keys=told.public_keys,
        meta=told.meta,
        user_data=b64decode(told.user_data) if told.user_data else None,
        groups=port.security_groups,
    )


def hostname_of(slice: Slice, directory: Directory, port: Port) -> str:
    """What a machine is called, fully qualified, without the final dot."""
    network = slice.get(Network, port.network_id)
    if network is None:
        return port.dns_name
    domain = domain_of(network, directory.default_domain)
    for fixed in port.fixed_ips:
        name = name_of(directory, Here(network, domain, ()), ip_address(fixed.ip_address))
        if name is not None:
            return name.rstrip(".")
    return f"{port.dns_name}.{domain}".strip(".")


def _siblings(slice: Slice, port: Port) -> list[Port]:
    """The other ports of the machine that this host carries."""
    if not port.device_id:
        return []
    return sorted(
        (
            other
            for other in slice.machine_ports()
            if (other.device_id, other.project_id) == (port.device_id, port.project_id) and other.id != port.id
        ),
        key=lambda other: other.id,
    )


def _nic(slice: Slice, port: Port) -> Nic | None:
    subnets, network = slice.surroundings(port)
    return None if network is None else Nic(port, network, subnets)
