"""The OpenStack format: `/openstack/<version>/meta_data.json` and its neighbours, as Nova serves them."""

from collections.abc import Iterator
from ipaddress import ip_network

from netplane.agent.answers.resolvers import resolvers
from netplane.agent.metadata.documents import Tree, as_json
from netplane.agent.metadata.facts import Facts, Nic
from netplane.model import FixedIP, Subnet

VERSIONS = (
    "2012-08-10",
    "2013-04-04",
    "2013-10-17",
    "2015-10-15",
    "2016-06-30",
    "2016-10-06",
    "2017-02-22",
    "2018-08-27",
    "2020-10-14",
    "latest",
)
"""Those of Nova; each answers what the latest does."""

LINK = 14
"""Characters of a device's name, as Nova makes it of a port's id."""


def tree(facts: Facts) -> Tree:
    """What stands below `/openstack`."""
    documents = {
        "meta_data.json": as_json(meta_data(facts)),
        **({"user_data": facts.user_data} if facts.user_data is not None else {}),
        "vendor_data.json": as_json({}),
        "vendor_data2.json": as_json({}),
        "network_data.json": as_json(network_data(facts)),
    }
    return dict.fromkeys(VERSIONS, documents)


def meta_data(facts: Facts) -> dict[str, object]:
    """Who the machine is, and what its users told it."""
    return {
        "uuid": facts.id,
        "name": facts.name,
        "hostname": facts.hostname,
        "launch_index": 0,
        "availability_zone": "",
        "project_id": facts.project,
        "devices": [],
        "dedicated_cpus": [],
        "meta": dict(facts.meta),
        **(
            {
                "public_keys": dict(facts.keys),
                "keys": [{"name": name, "type": "ssh", "data": key} for name, key in facts.keys.items()],
            }
            if facts.keys
            else {}
        ),
    }


def network_data(facts: Facts) -> dict[str, object]:
    """Its devices, the networks that they are on, and how they get their addresses."""
    networks = [network for nic in facts.nics for network in _networks(nic)]
    servers = dict.fromkeys(server for nic in facts.nics for one in nic.subnets.values() for server in resolvers(one))
    return {
        "links": [
            {
                "id": _link(nic),
                "vif_id": nic.port.id,
                "type": "tap",
                "mtu": nic.network.mtu,
                "ethernet_mac_address": nic.port.mac_address,
            }
            for nic in facts.nics
        ],
        "networks": [{"id": f"network{index}", **network} for index, network in enumerate(networks)],
        "services": [{"type": "dns", "address": server} for server in servers],
    }


def _link(nic: Nic) -> str:
    return f"tap{nic.port.id}"[:LINK]


def _networks(nic: Nic) -> Iterator[dict[str, object]]:
    for fixed in nic.port.fixed_ips:
        subnet = nic.subnets.get(fixed.subnet_id)
        if subnet is not None:
            known: dict[str, object] = {"link": _link(nic), "network_id": nic.network.id, "type": _type(subnet)}
            yield known if known["type"] == "ipv4_dhcp" else known | _static(subnet, fixed)


def _type(subnet: Subnet) -> str:
    if subnet.ip_version == 4:
        return "ipv4_dhcp" if subnet.enable_dhcp else "ipv4"
    mode = subnet.ipv6_address_mode if subnet.enable_dhcp else None
    return "ipv6" if mode is None else f"ipv6_{mode}"


def _static(subnet: Subnet, fixed: FixedIP) -> dict[str, object]:
    """What a machine that is told its address by nobody else must know."""
    prefix = ip_network(subnet.cidr)
    routes = [(ip_network(route.destination), route.nexthop) for route in subnet.host_routes]
    if subnet.gateway_ip is not None:
        routes.append((ip_network("0.0.0.0/0" if subnet.ip_version == 4 else "::/0"), subnet.gateway_ip))
    return {
        "ip_address": fixed.ip_address,
        "netmask": str(prefix.netmask),
        "routes": [
            {"network": str(to.network_address), "netmask": str(to.netmask), "gateway": gateway}
            for to, gateway in routes
        ],
        "services": [{"type": "dns", "address": server} for server in resolvers(subnet)],
    }
