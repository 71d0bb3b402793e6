"""All kinds of records, and the unions that the wire and the store decode."""

from netplane.model.address_group import AddressGroup
from netplane.model.announcement import Announcement
from netplane.model.endpoint import Device, Endpoint, Presence
from netplane.model.firewall import FirewallGroup, FirewallPolicy, FirewallRule, Wall
from netplane.model.host import Binding, Host
from netplane.model.log import Logged, LogResource
from netplane.model.network import Network, Subnet
from netplane.model.port import Port
from netplane.model.rbac_policy import RbacPolicy
from netplane.model.record import Record
from netplane.model.router import Router
from netplane.model.security import Identity, SecurityGroup, SecurityGroupRule
from netplane.model.trunk import Trunk

STORED: tuple[type[Record], ...] = (
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
"""What the store keeps; what stands first is referred to by what follows."""

KINDS: tuple[type[Record], ...] = (*STORED, Endpoint, Presence, Logged, Wall, Device)

AnyRecord = (
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
    | Endpoint
    | Logged
    | Presence
    | FirewallRule
    | FirewallPolicy
    | FirewallGroup
    | Wall
    | Device
)

_KIND = {kind: str(kind.__struct_config__.tag) for kind in KINDS}


def kind_of(record: Record | type[Record]) -> str:
    """The name of a record's kind, such as `security_group_rule`."""
    return _KIND[record if isinstance(record, type) else type(record)]
