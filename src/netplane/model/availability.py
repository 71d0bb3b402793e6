"""What is worked out when somebody asks, and is kept nowhere: availability zones, and how full networks are."""

from typing import Annotated, ClassVar

from msgspec import Struct

from netplane.model.record import Record, describe


class AvailabilityZone(Record, frozen=True, kw_only=True, gc=False, tag="availability_zone"):
    """Hosts that share a fate, as operators see it."""

    collection: ClassVar[str] = "availability_zones"

    id: Annotated[str, describe("Name and resource.", hidden=True)]
    name: Annotated[str, describe("The name that agents carry.")]
    resource: Annotated[str, describe("What it is for: `network` or `router`.")]
    state: Annotated[str, describe("`available`, or `unavailable` if no agent's `admin_state_up` is true.")]


class SubnetAvailability(Struct, frozen=True):
    """How full a subnet is."""

    subnet_id: str
    subnet_name: str
    cidr: str
    ip_version: int
    total_ips: int
    used_ips: int


class NetworkAvailability(Record, frozen=True, kw_only=True, gc=False, tag="network_ip_availability"):
    """How many addresses a network has to give, and has given."""

    collection: ClassVar[str] = "network-ip-availabilities"

    id: Annotated[str, describe("The network's id.", hidden=True)]
    network_id: Annotated[str, describe("The network's id.")]
    network_name: Annotated[str, describe("Its name.")]
    project_id: Annotated[str, describe("The project that owns it.")]
    total_ips: Annotated[int, describe("Addresses in the allocation pools of its subnets.")] = 0
    used_ips: Annotated[int, describe("Addresses that ports have, within pools or not.")] = 0
    subnet_ip_availability: Annotated[tuple[SubnetAvailability, ...], describe("The same of each subnet.")] = ()
