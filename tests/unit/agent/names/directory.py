"""A slice with names, and a directory of it: two networks that a router joins, and one of another project beside."""

from netplane.agent.names.directory import Directory
from netplane.agent.slice import Slice
from netplane.base.addresses import pack_address
from netplane.model import ROUTER_INTERFACE, AnyRecord, Endpoint, FixedIP, Network, Port, Router, Subnet
from netplane.stream.messages import Snapshot, Welcome

LEFT = Network(id="left", vni=1, project_id="blue", dns_domain="blue.example.")
RIGHT = Network(id="right", vni=2, project_id="blue")
THEIRS = Network(id="theirs", vni=3, project_id="red")
NETWORKS = (LEFT, RIGHT, THEIRS)
SUBNETS = tuple(
    Subnet(id=f"sub{network.vni}", network_id=network.id, cidr=f"10.0.{network.vni}.0/24") for network in NETWORKS
)
ROUTER = Router(id="router", number=5)


def interface(network: Network) -> Port:
    return Port(
        id=f"if{network.vni}",
        network_id=network.id,
        mac_address=f"02:00:00:00:00:{network.vni:02x}",
        fixed_ips=(FixedIP(f"sub{network.vni}", f"10.0.{network.vni}.1"),),
        device_id=ROUTER.id,
        device_owner=ROUTER_INTERFACE,
    )


def endpoint(network: Network, last: int, *names: str) -> Endpoint:
    address = pack_address(f"10.0.{network.vni}.{last}")
    number = network.vni * 256 + last
    mac = number.to_bytes(6, "big")
    return Endpoint.of(
        f"{network.id}-{last}", vni=network.vni, mac=mac, addresses=(address,), identity=0, host=1, names=names
    )


ENDPOINTS = (
    endpoint(LEFT, 5, "web", "web.other.example."),
    endpoint(LEFT, 6),
    endpoint(LEFT, 7, "db"),
    endpoint(RIGHT, 5, "db"),
    endpoint(RIGHT, 6, "mail"),
    endpoint(THEIRS, 5, "secret"),
)
ASKER = Port(
    id="left-6",
    network_id="left",
    project_id="blue",
    mac_address="00:00:00:00:01:06",
    fixed_ips=(FixedIP("sub1", "10.0.1.6"),),
    device_id="machine",
)
RECORDS: tuple[AnyRecord, ...] = (
    *NETWORKS,
    *SUBNETS,
    ROUTER,
    *(interface(network) for network in NETWORKS),
    *ENDPOINTS,
    ASKER,
)


def directory(*records: AnyRecord, dns_domain: str = "cloud.") -> tuple[Slice, Directory]:
    """A slice of these records, or of all, and its directory."""
    slice = Slice()
    owners = {(one.vni, address): one.id for one in ENDPOINTS for address in one.addresses}
    owners |= {(network.vni, pack_address(f"10.0.{network.vni}.1")): f"if{network.vni}" for network in NETWORKS}
    made = Directory(slice, lambda vni, address: owners.get((vni, address)))
    for message in (Welcome(1, "log", dns_domain), Snapshot.of(1, records or RECORDS)):
        made.take(list(slice.take(message)))
    return slice, made
