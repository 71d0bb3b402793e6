"""Random routes of random routers: to networks near and far, by routers in series, round in circles, by machines."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from random import Random

from netplane.model import AnyRecord, Port, Route, Router, Subnet

DESTINATIONS = (
    "0.0.0.0/0",
    "0.0.0.0/0",
    "8.8.8.0/24",
    "10.0.0.0/8",
    "10.0.0.0/24",
    "10.0.0.0/25",
    "10.0.0.2/31",
    "172.16.0.0/16",
    "::/0",
    "::/0",
    "::/1",
    "fd00::/16",
    "fd00:0:0:2::/63",
    "2001:db8::/32",
)


def random_routes(random: Random, records: list[AnyRecord], router: Router) -> tuple[Route, ...]:
    """Routes that the API would accept: every next hop is on a network of the router, and not its own address."""
    ports = [record for record in records if isinstance(record, Port)]
    own = {fixed.ip_address for port in interfaces(ports, router) for fixed in port.fixed_ips}
    ranges = [range for port in interfaces(ports, router) for range in ranges_of(records, port)]
    if not ranges:
        return ()
    addresses = [fixed.ip_address for port in ports for fixed in port.fixed_ips]
    routers = [fixed.ip_address for port in ports if port.is_router_interface for fixed in port.fixed_ips]
    far = [record.cidr for record in records if isinstance(record, Subnet)]
    found = set()
    for _ in range(random.choice((0, 6, 10, 14))):
        destination = random.choice((random.choice(far), random.choice(far), random.choice(DESTINATIONS)))
        if random.random() < 0.1:
            destination = str(ip_network(random.choice(addresses)))
        near = [range for range in ranges if range.version == ip_network(destination).version]
        for _ in range(random.choice((1, 1, 1, 2, 3, 8)) if near else 0):
            known = random.choice((routers, routers, routers, addresses))
            there = [one for one in known if one not in own and any(ip_address(one) in range for range in near)]
            nobody = str(random.choice(near)[2])
            hop = random.choice(there) if there and random.random() < 0.95 else nobody
            if hop not in own:
                found.add((destination, hop))
    return tuple(Route(*each) for each in sorted(found))


def interfaces(ports: Iterable[Port], router: Router) -> list[Port]:
    """A router's own ports."""
    return [port for port in ports if port.is_router_interface and port.device_id == router.id]


def ranges_of(records: list[AnyRecord], port: Port) -> list[IPv4Network | IPv6Network]:
    """The ranges that a port has addresses of."""
    ids = {fixed.subnet_id for fixed in port.fixed_ips}
    return [ip_network(record.cidr) for record in records if isinstance(record, Subnet) and record.id in ids]
