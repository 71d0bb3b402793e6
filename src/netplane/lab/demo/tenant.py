"""A tenant of the demo, made through the API as one would: networks, a router, ports for machines.

Networks, routers and groups are made with the tenant's own token; ports are asked for by the administrator, as the
service that starts machines does, since only it may say which host carries them.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from netplane.lab import Host, Lab, Machine, Plug
from netplane.lab.api import Api, Body
from netplane.model import ROUTER_INTERFACE

DNS, DNS6 = "192.0.2.53", "2001:db8:53::1"
EXTRA_ROUTE = "198.51.100.0/24"
"""A route announced by DHCP on the left network; nothing lives behind it."""


class Segment(NamedTuple):
    """A network and its subnets: one of IPv4, and one of IPv6 if it shall have one."""

    network: str
    subnet: str
    subnet6: str
    """Empty without IPv6."""
    vni: int
    mtu: int
    gateway: str
    gateway_mac: str
    """Of the router's interface; empty without one."""


class Tenant:
    """One project and what it has."""

    def __init__(self, lab: Lab, project: str) -> None:
        self.project = project
        self.lab = lab
        self.admin = lab.controller.api()
        self.api: Api = lab.controller.api(project)
        self.segments: dict[str, Segment] = {}
        self.router = ""
        self.machines: dict[str, Machine] = {}

    def add_router(self) -> None:
        """Make the router."""
        self.router = self.api.create("router", name=f"{self.project}-router")["id"]

    def add_segment(self, name: str, prefix: str, *, ipv6: str = "", **subnet: object) -> Segment:
        """Make a network with a subnet such as `10.0.1`, and one such as `2001:db8:1`, joined to the router."""
        network = self.api.create("network", name=f"{self.project}-{name}")
        gateway = f"{prefix}.1"
        made = self.api.create(
            "subnet",
            name=f"{self.project}-{name}",
            network_id=network["id"],
            ip_version=4,
            cidr=f"{prefix}.0/24",
            gateway_ip=gateway,
            dns_nameservers=[DNS],
            **subnet,
        )
        subnet6 = self._add_ipv6(name, network["id"], ipv6) if ipv6 else ""
        if self.router:
            self.api.add_interface(self.router, made["id"])
        shown = self.admin.show("network", network["id"])
        segment = Segment(
            network["id"],
            made["id"],
            subnet6,
            shown["provider:segmentation_id"],
            shown["mtu"],
            gateway,
            self._gateway_mac(network["id"]),
        )
        self.segments[name] = segment
        return segment

    def _add_ipv6(self, name: str, network: str, prefix: str) -> str:
        """Machines make their addresses of the prefix."""
        subnet = self.api.create(
            "subnet",
            name=f"{self.project}-{name}-6",
            network_id=network,
            ip_version=6,
            cidr=f"{prefix}::/64",
            ipv6_ra_mode="slaac",
            ipv6_address_mode="slaac",
            dns_nameservers=[DNS6],
        )
        if self.router:
            self.api.add_interface(self.router, subnet["id"])
        return str(subnet["id"])

    def _gateway_mac(self, network: str) -> str:
        found = self.admin.find("port", f"?network_id={network}&device_owner={ROUTER_INTERFACE}")
        macs = [port["mac_address"] for port in found if ":" not in port["fixed_ips"][0]["ip_address"]]
        return str(macs[0]) if macs else ""

    def add_port(self, segment: str, address: str | None, host: Host, **fields: object) -> Body:
        """Ask for a port of this project on a host; None lets the subnet choose the address."""
        where = self.segments[segment]
        fixed: dict[str, Any] = {"subnet_id": where.subnet}
        if address is not None:
            fixed["ip_address"] = address
        return self.admin.create(
            "port",
            network_id=where.network,
            project_id=self.project,
            fixed_ips=[fixed],
            binding__host_id=host.name,
            **fields,
        )

    def add_machines(self, wanted: Mapping[str, tuple[str, str, Host]], **fields: object) -> list[Machine]:
        """Make machines (name -> segment, address, host), each with a port of its own."""
        plugs = {}
        for name, (segment, address, host) in wanted.items():
            port = self.add_port(segment, address, host, name=f"{self.project}-{name}", dns_name=name, **fields)
            plugs[f"{self.project}-{name}"] = (host, to_plug(port))
        made = self.lab.add_machines(plugs)
        self.machines.update(zip(wanted, made, strict=True))
        return made

    def delete(self) -> None:
        """Delete everything that the project has, except its security groups."""
        for name in list(self.machines):
            self.lab.remove_machine(self.machines.pop(name))
        for port in self.admin.find("port", f"?project_id={self.project}"):
            if port["device_owner"] != ROUTER_INTERFACE:
                self.admin.delete("port", port["id"])
        for segment in self.segments.values():
            for subnet in (segment.subnet, segment.subnet6):
                if self.router and subnet:
                    self.api.remove_interface(self.router, subnet)
            self.api.delete("network", segment.network)
        if self.router:
            self.api.delete("router", self.router)


def to_plug(port: Body) -> Plug:
    """What a machine must know of its port."""
    addresses = [fixed["ip_address"] for fixed in port["fixed_ips"]]
    ipv6 = next((address for address in addresses if ":" in address), "")
    return Plug(port["id"], port["mac_address"], addresses[0], ipv6)
