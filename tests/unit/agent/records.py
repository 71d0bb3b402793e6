"""A small slice for the agent's tests: one network with a router, one machine here and one on another host."""

from netplane.base.addresses import pack_address, pack_mac
from netplane.model import (
    ROUTER_INTERFACE,
    AnyRecord,
    Change,
    Endpoint,
    FixedIP,
    Host,
    Identity,
    Network,
    Operation,
    Port,
    Router,
    SecurityGroupRule,
    Subnet,
    kind_of,
)

HERE = Host(id="host1", number=1, address="192.0.2.1")
THERE = Host(id="host2", number=2, address="192.0.2.2")
NETWORK = Network(id="net", name="blue", vni=7, mtu=1400)
SUBNET = Subnet(
    id="sub", network_id="net", cidr="10.0.0.0/24", gateway_ip="10.0.0.1", dns_nameservers=("9.9.9.9", "1.1.1.1")
)
ROUTER = Router(id="router", name="r1", number=3)
INTERFACE = Port(
    id="aaaaaaaa-0000-0000-0000-000000000001",
    network_id="net",
    mac_address="02:00:00:00:00:01",
    fixed_ips=(FixedIP("sub", "10.0.0.1"),),
    device_id="router",
    device_owner=ROUTER_INTERFACE,
)
IDENTITY = Identity(id="identity", number=5, groups=("group",))
RULE = SecurityGroupRule(id="0badcafe-0000-0000-0000-000000000000", security_group_id="group", direction="egress")
PORT = Port(
    id="bbbbbbbb-1111-0000-0000-000000000005",
    network_id="net",
    mac_address="02:00:00:00:00:05",
    fixed_ips=(FixedIP("sub", "10.0.0.5"),),
    security_groups=("group",),
    identity_id="identity",
)
NEAR = Endpoint.of(
    PORT.id,
    vni=7,
    mac=pack_mac(PORT.mac_address),
    addresses=(pack_address("10.0.0.5"),),
    identity=5,
    host=1,
)
FAR = Endpoint.of(
    "cccccccc-2222-0000-0000-000000000006",
    vni=7,
    mac=pack_mac("02:00:00:00:00:06"),
    addresses=(pack_address("10.0.0.6"),),
    identity=5,
    host=2,
)
SLICE: tuple[AnyRecord, ...] = (
    HERE,
    THERE,
    NETWORK,
    SUBNET,
    ROUTER,
    INTERFACE,
    IDENTITY,
    RULE,
    PORT,
    NEAR,
    FAR,
)


def upserts(*changed: AnyRecord) -> list[Change]:
    """Records that come or change."""
    return [Change(1, Operation.UPSERT, kind_of(record), record.id, record) for record in changed]


def deletes(*changed: AnyRecord) -> list[Change]:
    """Records that go."""
    return [Change(1, Operation.DELETE, kind_of(record), record.id, None) for record in changed]
