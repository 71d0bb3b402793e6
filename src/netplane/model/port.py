"""Ports: where machines and routers plug into networks."""

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Annotated, Any, ClassVar

from msgspec import Struct, field

from netplane.model.dhcp import DhcpOption
from netplane.model.metadata import NOTHING_TOLD, Metadata
from netplane.model.record import Claim, Reference, describe
from netplane.model.resource import Resource

ROUTER_INTERFACE = "network:router_interface"
"""The `device_owner` of the ports by which a router joins networks; their `device_id` is the router's id."""


TRUNK_PORTS = "trunk-port"
"""The space in which ports are claimed by the trunk that they are in, as parent or as subport."""


VNIC_TYPE = "normal"
"""The one way to plug in that there is."""


class SubPort(Struct, frozen=True, gc=False):
    """A port that is reached through the device of another, and the VLAN id of its frames there."""

    port_id: str
    segmentation_id: int


class FixedIP(Struct, frozen=True, gc=False):
    """One address of a port and the subnet it comes from."""

    subnet_id: str
    ip_address: str


class AddressPair(Struct, frozen=True, gc=False):
    """An address or a range that a machine may use besides its port's own, and the MAC address that goes with it."""

    ip_address: str
    mac_address: str


class Port(Resource, frozen=True, kw_only=True, gc=False, tag="port"):
    """A plug of a machine or of a router into a network."""

    collection: ClassVar[str] = "ports"
    found_by: ClassVar[tuple[str, ...]] = ("name", "device_id")

    network_id: Annotated[str, describe("The network the port lies on.", create=True)]
    admin_state_up: Annotated[bool, describe("Whether the port forwards packets.", create=True, update=True)] = True
    mac_address: Annotated[str, describe("Its MAC address, lower case with colons.", create=True, update=True)]
    fixed_ips: Annotated[tuple[FixedIP, ...], describe("Its addresses.", create=True, update=True)] = ()
    extra_dhcp_opts: Annotated[
        tuple[DhcpOption, ...],
        describe(
            "DHCP options of its own; an update adds and changes those that it names, and takes away those with null.",
            create=True,
            update=True,
        ),
    ] = ()
    device_id: Annotated[str, describe("The id of what plugs in.", create=True, update=True, max_length=255)] = ""
    device_owner: Annotated[str, describe("What kind of thing plugs in.", create=True, update=True, max_length=255)] = (
        ""
    )
    dns_name: Annotated[
        str,
        describe(
            "What its machine is called; with a final dot a whole name, which ends with the controller's domain.",
            create=True,
            update=True,
            max_length=255,
        ),
    ] = ""
    dns_domain: Annotated[
        str,
        describe(
            "What its name ends with too, besides its network's domain, with a final dot.",
            create=True,
            update=True,
            max_length=255,
        ),
    ] = ""
    metadata: Annotated[
        Metadata,
        describe(
            "What its machine reads about itself, replaced as a whole: `user_data` (base64), `public_keys` and `meta` "
            "(text by name).",
            create=True,
            update=True,
            wire="netplane:metadata",
        ),
    ] = NOTHING_TOLD
    security_groups: Annotated[
        tuple[str, ...], describe("The ids of its security groups, sorted.", create=True, update=True)
    ] = ()
    port_security_enabled: Annotated[
        bool,
        describe(
            "Whether the port sends from its own addresses and those of its pairs only, and rules judge its packets; "
            "as its network has it if not given.",
            create=True,
            update=True,
        ),
    ] = True
    allowed_address_pairs: Annotated[
        tuple[AddressPair, ...],
        describe(
            "Addresses and ranges that it may use besides its own, each with a MAC address, its own if not given.",
            create=True,
            update=True,
        ),
    ] = ()
    identity_id: Annotated[str, describe("The identity of its set of groups; empty for routers.", hidden=True)] = ""
    sub_ports: Annotated[
        tuple[SubPort, ...], describe("The ports that its device carries too, if it is a trunk's parent.", hidden=True)
    ] = ()
    propagate_uplink_status: Annotated[
        bool,
        describe(
            "Whether the machine's device should follow its uplink's state; devices here have no uplink of their own, "
            "so that it is kept for clients and changes nothing.",
            create=True,
            update=True,
        ),
    ] = True
    host_id: Annotated[
        str,
        describe(
            "The host that shall carry the port; empty for the one where its device appears.",
            create=True,
            update=True,
            wire="binding:host_id",
            max_length=255,
        ),
    ] = ""
    vnic_type: Annotated[
        str,
        describe(
            "How it is plugged in: `normal`, by a tap device.", create=True, update=True, wire="binding:vnic_type"
        ),
    ] = VNIC_TYPE
    profile: Annotated[
        dict[str, Any],
        describe(
            "What whoever starts its machine keeps with its binding; told to the host that carries it, and not read.",
            create=True,
            update=True,
            wire="binding:profile",
        ),
    ] = field(default_factory=dict)

    @property
    def is_router_interface(self) -> bool:
        """Whether a router plugs in here, not a machine."""
        return self.device_owner == ROUTER_INTERFACE

    def revises(self) -> tuple[str, str] | None:
        """The router that it belongs to, if it does."""
        return ("router", self.device_id) if self.is_router_interface else None

    def references(self) -> Iterable[Reference]:
        """Its network, subnets, router or identity: none of them may go while the port stands."""
        yield Reference("network_id", "network", self.network_id)
        for subnet in dict.fromkeys(fixed.subnet_id for fixed in self.fixed_ips):
            yield Reference("fixed_ips", "subnet", subnet)
        if self.is_router_interface:
            yield Reference("device_id", "router", self.device_id)
        if self.identity_id:
            yield Reference("identity_id", "identity", self.identity_id)
        for carried in self.sub_ports:
            yield Reference("sub_ports", "port", carried.port_id)

    def claims(self) -> Iterable[Claim]:
        """Its MAC in the network, each address in its subnet (in a form that sorts as numbers do), and its subports."""
        yield Claim(f"mac:{self.network_id}", self.mac_address)
        for fixed in self.fixed_ips:
            yield Claim(f"address:{fixed.subnet_id}", address_claim(fixed.ip_address))
        for carried in self.sub_ports:
            yield Claim(TRUNK_PORTS, carried.port_id)


def address_claim(text: str) -> str:
    """How an address is written in a claim: fixed-width hexadecimal, so that text order is numeric order."""
    if ":" in text:
        return ip_address(text).packed.hex()
    return bytes(map(int, text.split("."))).hex()
