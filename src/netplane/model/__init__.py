"""Records: everything that netplane knows is a frozen value of one of these kinds.

A kind is declared once. Its fields carry their documentation, their constraints and who may write them through the
API; `references` says what it points at and `claims` what it holds exclusively. The HTTP API, the store, the wire
and the command line walk these declarations and add nothing of their own.
"""

from netplane.model.address_group import ADDRESS_LIMIT, AddressGroup
from netplane.model.address_scope import AddressScope
from netplane.model.agent import DEFAULT_ZONE, Agent, agent_id
from netplane.model.announcement import Announcement, announcement_id, may_announce
from netplane.model.availability import AvailabilityZone, NetworkAvailability, SubnetAvailability
from netplane.model.change import Change, Filled, News, Operation, one_by_one
from netplane.model.decision import Decision
from netplane.model.default_rule import PARENT, DefaultSecurityGroupRule
from netplane.model.dhcp import DhcpOption
from netplane.model.endpoint import Device, Endpoint, More, Pair, Presence
from netplane.model.enrolment import Enrolment, JoinToken
from netplane.model.firewall import FirewallGroup, FirewallPolicy, FirewallRule, Wall, WallRule
from netplane.model.flavor import Flavor, ServiceProfile, ServiceProvider
from netplane.model.host import HOST_NAME, HOST_NAMES, Binding, Host
from netplane.model.identity import ApplicationCredential, Assignment, Project, User, assignment, role_id
from netplane.model.inactive_binding import InactiveBinding, inactive_binding_id
from netplane.model.kinds import COMPUTED, CONTROL, KINDS, STORED, WORLD, AnyRecord, AnyStored, NamedRecord, kind_of
from netplane.model.log import Logged, LogResource
from netplane.model.metadata import Metadata
from netplane.model.network import Network, Subnet
from netplane.model.port import ROUTER_INTERFACE, AddressPair, FixedIP, Port, SubPort
from netplane.model.quota import Quota
from netplane.model.rbac_policy import EVERY_PROJECT, RbacPolicy, shared_with
from netplane.model.record import Access, Claim, OnDelete, Record, Reference, describe
from netplane.model.route import Route
from netplane.model.router import MOST_ROUTES, Router
from netplane.model.security import Identity, SecurityGroup, SecurityGroupRule, Terms, identity_id
from netplane.model.seed import Seed
from netplane.model.segment import Segment, SegmentLabel, segment_label_id
from netplane.model.subnet_pool import DEFAULT_POOL, PREFIX_LIMIT, SubnetPool
from netplane.model.token import Revocation, SigningKey
from netplane.model.trunk import Trunk

__all__ = [
    "ADDRESS_LIMIT",
    "COMPUTED",
    "CONTROL",
    "DEFAULT_POOL",
    "DEFAULT_ZONE",
    "EVERY_PROJECT",
    "HOST_NAME",
    "HOST_NAMES",
    "KINDS",
    "MOST_ROUTES",
    "PARENT",
    "PREFIX_LIMIT",
    "ROUTER_INTERFACE",
    "STORED",
    "WORLD",
    "Access",
    "AddressGroup",
    "AddressPair",
    "AddressScope",
    "Agent",
    "Announcement",
    "AnyRecord",
    "AnyStored",
    "ApplicationCredential",
    "Assignment",
    "AvailabilityZone",
    "Binding",
    "Change",
    "Claim",
    "Decision",
    "DefaultSecurityGroupRule",
    "Device",
    "DhcpOption",
    "Endpoint",
    "Enrolment",
    "Filled",
    "FirewallGroup",
    "FirewallPolicy",
    "FirewallRule",
    "FixedIP",
    "Flavor",
    "Host",
    "Identity",
    "InactiveBinding",
    "JoinToken",
    "LogResource",
    "Logged",
    "Metadata",
    "More",
    "NamedRecord",
    "Network",
    "NetworkAvailability",
    "News",
    "OnDelete",
    "Operation",
    "Pair",
    "Port",
    "Presence",
    "Project",
    "Quota",
    "RbacPolicy",
    "Record",
    "Reference",
    "Revocation",
    "Route",
    "Router",
    "SecurityGroup",
    "SecurityGroupRule",
    "Seed",
    "Segment",
    "SegmentLabel",
    "ServiceProfile",
    "ServiceProvider",
    "SigningKey",
    "SubPort",
    "Subnet",
    "SubnetAvailability",
    "SubnetPool",
    "Terms",
    "Trunk",
    "User",
    "Wall",
    "WallRule",
    "agent_id",
    "announcement_id",
    "assignment",
    "describe",
    "identity_id",
    "inactive_binding_id",
    "kind_of",
    "may_announce",
    "one_by_one",
    "role_id",
    "segment_label_id",
    "shared_with",
]
