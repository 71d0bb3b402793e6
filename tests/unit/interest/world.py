"""A small world with names to build tests from, and the changes that make it."""

from collections.abc import Iterable, Mapping

from netplane.interest import Key
from netplane.model import (
    ROUTER_INTERFACE,
    Binding,
    Change,
    FixedIP,
    Host,
    Identity,
    Network,
    Operation,
    Port,
    Record,
    Router,
    SecurityGroupRule,
    Subnet,
    kind_of,
)

H1, H2, H3 = (Host(id=f"h{number}", number=number, address=f"192.0.2.{number}") for number in (1, 2, 3))
RED, BLUE, LONE = (Network(id=name, vni=vni) for vni, name in enumerate(("red", "blue", "lone"), 1))
RED_SUBNET = Subnet(id="red-subnet", network_id="red", cidr="10.0.0.0/24")
BLUE_SUBNET = Subnet(id="blue-subnet", network_id="blue", cidr="10.1.0.0/24")
ROUTER = Router(id="router", number=1)
WEB, ALL = Identity(id="web", number=1, groups=("g1",)), Identity(id="all", number=2, groups=("g1", "g2"))
RULE_1, RULE_2 = (SecurityGroupRule(id=f"u{n}", security_group_id=f"g{n}", direction="ingress") for n in (1, 2))

WORLD: tuple[Record, ...] = (*(H1, H2, H3, RED, BLUE, LONE, RED_SUBNET, BLUE_SUBNET, ROUTER, WEB, ALL, RULE_1, RULE_2),)


def machine(id: str, network: Network, number: int, identity: str = "web") -> Port:
    return Port(
        id=id,
        network_id=network.id,
        mac_address=f"02:00:00:00:00:{number:02x}",
        fixed_ips=(FixedIP(f"{network.id}-subnet", f"10.0.0.{number}"),),
        identity_id=identity,
    )


def interface(network: Network, router: Router = ROUTER) -> Port:
    return Port(
        id=f"{router.id}-{network.id}",
        network_id=network.id,
        mac_address="02:00:00:00:01:00",
        device_id=router.id,
        device_owner=ROUTER_INTERFACE,
    )


def bound(port: Port, host: Host) -> tuple[Port, Binding]:
    return port, Binding(id=port.id, host_id=host.id)


def upserts(*records: Record) -> list[Change]:
    return [Change(revision, Operation.UPSERT, kind_of(r), r.id, r) for revision, r in enumerate(records, 1)]


def deletes(*records: Record) -> list[Change]:
    return [Change(revision, Operation.DELETE, kind_of(r), r.id, None) for revision, r in enumerate(records, 1)]


def names(records: Iterable[Record]) -> set[str]:
    return {f"{kind_of(record)} {record.id}" for record in records}


def led(held: Mapping[Key, Record], told: Mapping[Key, Record | None]) -> dict[Key, Record]:
    """What a host holds that is told this."""
    return {key: record for key, record in {**held, **told}.items() if record is not None}
