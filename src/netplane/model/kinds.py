"""All kinds of records, and the unions that the wire and the store decode."""

from netplane.model.address_group import AddressGroup
from netplane.model.address_scope import AddressScope
from netplane.model.agent import Agent
from netplane.model.announcement import Announcement
from netplane.model.availability import AvailabilityZone, NetworkAvailability
from netplane.model.default_rule import DefaultSecurityGroupRule
from netplane.model.endpoint import Device, Endpoint, Presence
from netplane.model.enrolment import Enrolment, JoinToken
from netplane.model.firewall import FirewallGroup, FirewallPolicy, FirewallRule, Wall
from netplane.model.flavor import Flavor, ServiceProfile, ServiceProvider
from netplane.model.host import Binding, Host
from netplane.model.identity import ApplicationCredential, Assignment, Project, User
from netplane.model.inactive_binding import InactiveBinding
from netplane.model.log import Logged, LogResource
from netplane.model.network import Network, Subnet
from netplane.model.port import Port
from netplane.model.quota import Quota
from netplane.model.rbac_policy import RbacPolicy
from netplane.model.record import Record
from netplane.model.router import Router
from netplane.model.security import Identity, SecurityGroup, SecurityGroupRule
from netplane.model.seed import Seed
from netplane.model.segment import Segment, SegmentLabel
from netplane.model.subnet_pool import SubnetPool
from netplane.model.token import Revocation, SigningKey
from netplane.model.trunk import Trunk

WORLD: tuple[type[Record], ...] = (
    Host,
    Network,
    Subnet,
    RbacPolicy,
    Router,
    SecurityGroup,
    AddressGroup,
    SecurityGroupRule,
    Identity,
    Port,
    Trunk,
    Binding,
    Announcement,
    LogResource,
    FirewallRule,
    FirewallPolicy,
    FirewallGroup,
)
"""What the network is made of; what stands first is referred to by what follows."""

CONTROL: tuple[type[Record], ...] = (
    Project,
    User,
    Assignment,
    ApplicationCredential,
    SigningKey,
    Revocation,
    Enrolment,
    JoinToken,
    Seed,
    AddressScope,
    SubnetPool,
    DefaultSecurityGroupRule,
    ServiceProfile,
    Flavor,
    Agent,
    Quota,
    InactiveBinding,
    SegmentLabel,
)
"""What concerns controllers alone: no host is ever told of it, and no wire can carry it."""

COMPUTED: tuple[type[Record], ...] = (AvailabilityZone, NetworkAvailability, ServiceProvider, Segment)
"""What is worked out when somebody asks."""

STORED: tuple[type[Record], ...] = (*WORLD, *CONTROL)
"""What the store keeps."""

KINDS: tuple[type[Record], ...] = (*WORLD, Endpoint, Presence, Logged, Wall, Device)
"""What hosts may be told, and compilers read."""

NamedRecord = (
    Host
    | Network
    | Subnet
    | RbacPolicy
    | Router
    | SecurityGroup
    | AddressGroup
    | SecurityGroupRule
    | Identity
    | Port
    | Trunk
    | Binding
    | Announcement
    | LogResource
    | Logged
    | Presence
    | FirewallRule
    | FirewallPolicy
    | FirewallGroup
    | Wall
    | Device
)
"""What travels as a map of its fields' names."""

AnyRecord = NamedRecord | Endpoint

AnyStored = (
    NamedRecord
    | Project
    | User
    | Assignment
    | ApplicationCredential
    | SigningKey
    | Revocation
    | Enrolment
    | JoinToken
    | Seed
    | AddressScope
    | SubnetPool
    | DefaultSecurityGroupRule
    | ServiceProfile
    | Flavor
    | Agent
    | Quota
    | InactiveBinding
    | SegmentLabel
)

_KIND = {kind: str(kind.__struct_config__.tag or kind.__name__.lower()) for kind in (*KINDS, *CONTROL, *COMPUTED)}


def kind_of(record: Record | type[Record]) -> str:
    """The name of a record's kind, such as `security_group_rule`."""
    return _KIND[record if isinstance(record, type) else type(record)]
