"""The databases that the store's contract is held against, and records to put in them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from netplane.model import FixedIP, Host, Network, Port, SecurityGroup, SecurityGroupRule, Subnet
from netplane.store import Store


class SteppedClock:
    """A clock that moves by a second whenever it is read."""

    def __init__(self) -> None:
        self.now = datetime(2030, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def open_sqlite(folder: Path) -> Store:
    return Store.open(f"sqlite:///{folder}/netplane.db", SteppedClock())


STORES: dict[str, Callable[[Path], Store]] = {"sqlite": open_sqlite}


def new_network(vni: int = 1, project: str = "blue") -> Network:
    return Network(id=str(uuid4()), project_id=project, vni=vni)


def new_subnet(network: Network, cidr: str = "10.0.0.0/24") -> Subnet:
    return Subnet(id=str(uuid4()), project_id=network.project_id, network_id=network.id, cidr=cidr)


def new_port(network: Network, mac: str, *addresses: tuple[Subnet, str], host: str = "") -> Port:
    return Port(
        id=str(uuid4()),
        project_id=network.project_id,
        network_id=network.id,
        mac_address=mac,
        fixed_ips=tuple(FixedIP(subnet.id, address) for subnet, address in addresses),
        host_id=host,
    )


def new_group(name: str = "web", project: str = "blue") -> SecurityGroup:
    return SecurityGroup(id=str(uuid4()), project_id=project, name=name)


def new_rule(group: SecurityGroup, remote: SecurityGroup | None = None, port: int = 80) -> SecurityGroupRule:
    return SecurityGroupRule(
        id=str(uuid4()),
        project_id=group.project_id,
        security_group_id=group.id,
        direction="ingress",
        protocol="tcp",
        port_range_min=port,
        port_range_max=port,
        remote_group_id=None if remote is None else remote.id,
    )


def new_host(number: int = 1) -> Host:
    return Host(id=f"h{number}", number=number, address=f"192.0.2.{number}")
