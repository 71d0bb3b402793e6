"""A small world in records: ANN and BEN of one group on two hosts, CAT of another behind a router."""

from netplane.model import (
    ROUTER_INTERFACE,
    AnyRecord,
    Binding,
    Device,
    FixedIP,
    Host,
    Network,
    Port,
    Router,
    SecurityGroupRule,
    Subnet,
)


def machine(number: int, host: str, group: str, network: str = "a") -> list[AnyRecord]:
    """A machine's port, plugged in on a host."""
    fixed = FixedIP(f"{network}-v4", f"10.0.{int(network == 'b')}.{number}")
    mac = f"02:00:00:00:00:{number:02x}"
    port = Port(id=f"p{number}", network_id=network, mac_address=mac, fixed_ips=(fixed,), security_groups=(group,))
    return [port, Binding(id=port.id, host_id=host), Device(id=port.id, ifindex=100 + number)]


def interface(network: str, router: str = "r") -> Port:
    """A router's interface, at the first address."""
    mac = f"02:00:00:00:01:{ord(network):02x}"
    fixed = FixedIP(f"{network}-v4", f"10.0.{int(network == 'b')}.1")
    return Port(
        id=f"i-{network}",
        network_id=network,
        mac_address=mac,
        fixed_ips=(fixed,),
        device_id=router,
        device_owner=ROUTER_INTERFACE,
    )


def rule(number: int, group: str, direction: str, **fields: object) -> SecurityGroupRule:
    """A rule that allows everything but what `fields` say."""
    return SecurityGroupRule(id=f"rule-{number}", security_group_id=group, direction=direction, **fields)  # type: ignore[arg-type]


RECORDS: list[AnyRecord] = [
    Host(id="h1", number=1, address="192.0.2.1"),
    Host(id="h2", number=2, address="192.0.2.2"),
    Network(id="a", vni=7),
    Network(id="b", vni=8),
    Subnet(id="a-v4", network_id="a", cidr="10.0.0.0/24"),
    Subnet(id="b-v4", network_id="b", cidr="10.0.1.0/24"),
    Router(id="r", number=1),
    interface("a"),
    interface("b"),
    rule(1, "friends", "egress"),
    rule(2, "friends", "ingress", remote_group_id="friends"),
    rule(3, "web", "egress", protocol="udp", port_range_min=53, port_range_max=53),
    rule(4, "web", "ingress", protocol="tcp", port_range_min=80, port_range_max=443, remote_ip_prefix="10.0.0.0/25"),
    *machine(2, "h1", "friends"),
    *machine(3, "h2", "friends"),
    *machine(4, "h2", "web", "b"),
]
