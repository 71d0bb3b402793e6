"""The databases that the store's contract is held against, and records to put in them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from uuid import uuid4

import psycopg

from netplane.model import FixedIP, Host, Network, Port, SecurityGroup, SecurityGroupRule, Subnet
from netplane.store import Store
from tests import postgres


class SteppedClock:
    """A clock that moves by a second whenever it is read."""

    def __init__(self) -> None:
        self.now = datetime(2030, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def sqlite(folder: Path) -> str:
    return f"{folder}/netplane.db"


def postgresql(_folder: Path) -> str:
    """The same database again and again, emptied: making one takes longer than a test."""
    url = _shared()
    with psycopg.connect(
        postgres.cluster().driver_url(url.partition("?")[0].rpartition("/")[2]), autocommit=True
    ) as connection:
        connection.execute(
            "TRUNCATE resource, reference, claim, change, report, tally, secret, controller, session, letter"
        )
        connection.execute("UPDATE log SET revision = 0, identity = gen_random_uuid()")
    return url


@cache
def _shared() -> str:
    url = postgres.cluster().create()
    Store.open(url).close()
    return url


DATABASES: dict[str, Callable[[Path], str]] = {"sqlite": sqlite, "postgresql": postgresql}
"""Where a test finds an empty database of each kind."""


def open_store(database: str) -> Store:
    return Store.open(database, SteppedClock())


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
