"""Networks and their subnets: the logical switches and the address ranges on them."""

from collections.abc import Iterable
from typing import Annotated, ClassVar

from msgspec import Struct

from netplane.model.agent import ZoneHints
from netplane.model.prefixes import piece_claims
from netplane.model.record import Claim, OnDelete, Reference, describe
from netplane.model.resource import Resource
from netplane.model.route import Route

VXLAN_OVERHEAD = 50
"""Bytes that VXLAN adds to an IP packet, over IPv4 (RFC 7348): headers of Ethernet, VXLAN, UDP and IPv4."""

UNDERLAY_MTU = 1500
"""What an underlay carries unless somebody says otherwise."""

DEFAULT_MTU = UNDERLAY_MTU - VXLAN_OVERHEAD
"""What such an underlay leaves."""

SMALLEST_MTU = 68
"""What every network must carry (RFC 791)."""

DEFAULT_DOMAIN = "openstacklocal."
"""What machines' names end with where nobody has said anything else, as in OpenStack Networking."""

SLAAC, DHCPV6_STATELESS, DHCPV6_STATEFUL = "slaac", "dhcpv6-stateless", "dhcpv6-stateful"
IPV6_MODES = (DHCPV6_STATEFUL, DHCPV6_STATELESS, SLAAC)
"""What `ipv6_ra_mode` and `ipv6_address_mode` may be."""


class Network(Resource, frozen=True, kw_only=True, gc=False, tag="network"):
    """An isolated layer 2 network."""

    collection: ClassVar[str] = "networks"

    admin_state_up: Annotated[bool, describe("Whether the network forwards packets.", create=True, update=True)] = True
    mtu: Annotated[
        int,
        describe(
            "The largest IP packet the network carries, in bytes, 68 or more; 0 asks for all that the underlay leaves.",
            create=True,
            update=True,
            ge=0,
            le=65535,
        ),
    ] = DEFAULT_MTU
    port_security_enabled: Annotated[
        bool, describe("What ports have that do not say themselves.", create=True, update=True)
    ] = True
    dns_domain: Annotated[
        str,
        describe(
            "What the names of its machines end with, with a final dot; empty for the controller's.",
            create=True,
            update=True,
            max_length=255,
        ),
    ] = ""
    availability_zone_hints: ZoneHints = ()
    vni: Annotated[
        int,
        describe("The VXLAN network identifier, 1 to 16777215.", wire="provider:segmentation_id", ge=1, le=0xFFFFFF),
    ]

    def claims(self) -> Iterable[Claim]:
        """Its VNI, everywhere."""
        return (Claim("vni", str(self.vni)),)


MOST_HOST_ROUTES = 20
"""As OpenStack Networking's `max_subnet_host_routes` has it."""
MOST_SERVICE_TYPES = 20
"""Service types that a subnet may have."""


class AllocationPool(Struct, frozen=True):
    """A range of addresses that ports without a wish are given from; both ends belong to it."""

    start: str
    end: str


class Subnet(Resource, frozen=True, kw_only=True, gc=False, tag="subnet"):
    """A range of addresses on a network and what machines on it are told."""

    collection: ClassVar[str] = "subnets"

    network_id: Annotated[str, describe("The network the subnet lies on.", create=True)]
    ip_version: Annotated[int, describe("4 or 6.", create=True)] = 4
    cidr: Annotated[
        str,
        describe(
            "The range, as network/length; with a subnet pool also by `prefixlen` alone, or by neither for the pool's "
            "default.",
            create=True,
        ),
    ]
    subnetpool_id: Annotated[
        str | None,
        describe(
            "The subnet pool that the range is cut from, which `use_default_subnetpool` may name too; null for none.",
            create=True,
        ),
    ] = None
    gateway_ip: Annotated[
        str | None, describe("The address of the default gateway; null for none.", create=True, update=True)
    ] = None
    allocation_pools: Annotated[
        tuple[AllocationPool, ...], describe("Where addresses are given from.", create=True, update=True)
    ] = ()
    dns_nameservers: Annotated[
        tuple[str, ...], describe("Resolvers announced by DHCP.", create=True, update=True, max_length=5)
    ] = ()
    host_routes: Annotated[
        tuple[Route, ...],
        describe("Routes announced by DHCP.", create=True, update=True, max_length=MOST_HOST_ROUTES),
    ] = ()
    service_types: Annotated[
        tuple[str, ...],
        describe(
            "Which ports get addresses from it unless they name it, by their `device_owner`; none for all.",
            create=True,
            update=True,
            max_length=MOST_SERVICE_TYPES,
        ),
    ] = ()
    enable_dhcp: Annotated[bool, describe("Whether DHCP answers machines.", create=True, update=True)] = True
    ipv6_ra_mode: Annotated[
        str | None,
        describe(
            "How the platform's router advertisements say that machines get addresses: `slaac`, `dhcpv6-stateless` or "
            "`dhcpv6-stateful`; null if they are another's.",
            create=True,
        ),
    ] = None
    ipv6_address_mode: Annotated[
        str | None,
        describe(
            "How machines get addresses: `slaac`, `dhcpv6-stateless` or `dhcpv6-stateful`, the latter two by the "
            "platform's DHCPv6; null if by neither.",
            create=True,
        ),
    ] = None

    @property
    def is_auto_addressed(self) -> bool:
        """Whether machines make their addresses of the prefix and their MAC address (EUI-64)."""
        return not {SLAAC, DHCPV6_STATELESS}.isdisjoint((self.ipv6_ra_mode, self.ipv6_address_mode))

    @property
    def gives_by_dhcpv6(self) -> bool:
        """Whether the platform's DHCPv6 gives machines their addresses; also if nothing is said of them."""
        by_default = self.ipv6_ra_mode is None and self.ipv6_address_mode is None
        return self.ip_version == 6 and self.enable_dhcp and (by_default or self.ipv6_address_mode == DHCPV6_STATEFUL)

    @property
    def tells_by_dhcpv6(self) -> bool:
        """Whether the platform's DHCPv6 tells machines of resolvers and the like."""
        return self.gives_by_dhcpv6 or (self.enable_dhcp and self.ipv6_address_mode == DHCPV6_STATELESS)

    def revises(self) -> tuple[str, str]:
        """Its network."""
        return "network", self.network_id

    def references(self) -> Iterable[Reference]:
        """Its network, which takes it along when deleted, and its pool, which stays for it."""
        yield Reference("network_id", "network", self.network_id, OnDelete.CASCADE)
        if self.subnetpool_id is not None:
            yield Reference("subnetpool_id", "subnetpool", self.subnetpool_id)

    def claims(self) -> Iterable[Claim]:
        """Its range in its pool."""
        return () if self.subnetpool_id is None else piece_claims(self.subnetpool_id, self.project_id, self.cidr)
