"""Who may do what: one table a kind, and nothing else decides.

A line is `action: personas`. Actions are `create`, `show` (and list), `update`, `delete`, and a kind's own calls.
A line `action:field` is about one field besides: who may give it when creating or updating, who sees it. Where what
stands after the colon is no field but a case (`create:fixed_ips:ip_address`), the kind's rules ask when they have it
before them. A field that has no line needs nothing more than its action. Who sees a field goes by roles
and by whose the resource is, and by nothing that the store would have to be asked.

The defaults are those of OpenStack Networking (`neutron/conf/policies`). What netplane has decided otherwise: who
audits the whole system sees all of it, and a tenant may have logged what is his.
"""

from collections.abc import Mapping

from netplane.api.personas import Persona
from netplane.model import (
    AddressGroup,
    AddressScope,
    Agent,
    AvailabilityZone,
    DefaultSecurityGroupRule,
    FirewallGroup,
    FirewallPolicy,
    FirewallRule,
    Flavor,
    LogResource,
    Network,
    NetworkAvailability,
    Port,
    RbacPolicy,
    Record,
    Router,
    SecurityGroup,
    SecurityGroupRule,
    Segment,
    ServiceProfile,
    ServiceProvider,
    Subnet,
    SubnetPool,
    Trunk,
)

Lines = Mapping[str, Persona]

ADMIN, SERVICE, MEMBER, READER = Persona.ADMIN, Persona.SERVICE, Persona.MEMBER, Persona.READER
NET_MEMBER, NET_READER, SHARER, ANYBODY = Persona.NET_MEMBER, Persona.NET_READER, Persona.SHARER, Persona.ANYBODY

OPERATORS = ADMIN | Persona.SYSTEM_READER
"""Who sees what tells of the infrastructure."""
SEEN = OPERATORS | READER
SEEN_BY_ALL = ADMIN | ANYBODY
CHANGED = ADMIN | MEMBER

OWNED: Lines = {"create": CHANGED, "show": SEEN, "update": CHANGED, "delete": CHANGED}
"""What belongs to a project, and is nobody else's business."""

LENT: Lines = {**OWNED, "show": SEEN | SHARER, "share": CHANGED}
"""What may be shared with other projects by RBAC policies."""


OFFERED: Lines = {"create": ADMIN, "show": SEEN_BY_ALL, "update": ADMIN, "delete": ADMIN}
"""What administrators keep for all, and what belongs to no project."""


def written(field: str, by: Persona) -> Lines:
    """Who may give a field, at first and later."""
    return {f"create:{field}": by, f"update:{field}": by}


def seen(by: Persona, *fields: str) -> Lines:
    """Who sees some fields."""
    return {f"show:{field}": by for field in fields}


FIREWALL: Lines = {**OWNED, "show": SEEN | SHARER, **written("shared", ADMIN)}

TABLE: Mapping[type[Record], Lines] = {
    Network: {
        **LENT,
        "show": SEEN | SERVICE | SHARER,
        **written("shared", ADMIN),
        **seen(OPERATORS, "provider:network_type", "provider:physical_network", "provider:segmentation_id"),
    },
    Subnet: {
        "create": ADMIN | NET_MEMBER,
        "show": SEEN | SERVICE | SHARER,
        "update": CHANGED,
        "delete": CHANGED,
        "join": CHANGED,
    },
    Port: {
        "create": CHANGED | SERVICE,
        "show": SEEN | SERVICE | NET_READER,
        "update": CHANGED | SERVICE,
        "delete": CHANGED | SERVICE | NET_MEMBER,
        "log": CHANGED,
        "create:mac_address": ADMIN | SERVICE | NET_MEMBER,
        "update:mac_address": ADMIN | SERVICE,
        **written("fixed_ips:ip_address", ADMIN | SERVICE | NET_MEMBER),
        **written("device_owner:network", ADMIN | SERVICE | NET_MEMBER),
        **written("port_security_enabled", ADMIN | SERVICE | NET_MEMBER),
        **written("allowed_address_pairs", ADMIN | NET_MEMBER),
        "show_bindings": OPERATORS | SERVICE,
        "bind": ADMIN | SERVICE,
        **written("binding:host_id", ADMIN | SERVICE),
        **written("binding:profile", ADMIN | SERVICE),
        **seen(OPERATORS | SERVICE, "binding:host_id", "binding:profile", "binding:vif_type", "binding:vif_details"),
        **seen(ADMIN | SERVICE | READER, "netplane:metadata", "trunk_details"),
    },
    Router: {
        **OWNED,
        "add_router_interface": CHANGED,
        "remove_router_interface": CHANGED,
        "add_extraroutes": CHANGED,
        "remove_extraroutes": CHANGED,
    },
    SecurityGroup: {**LENT, "log": CHANGED, "delete:default": ADMIN},
    SecurityGroupRule: OWNED,
    AddressGroup: {**LENT, "add_addresses": CHANGED, "remove_addresses": CHANGED},
    RbacPolicy: {**OWNED, **written("target_tenant:*", ADMIN)},
    LogResource: OWNED,
    FirewallRule: FIREWALL,
    FirewallPolicy: {**FIREWALL, "insert_rule": CHANGED, "remove_rule": CHANGED},
    FirewallGroup: {**FIREWALL, "update:default": ADMIN, "delete:default": ADMIN},
    SubnetPool: {
        **LENT,
        "create:shared": ADMIN,
        **written("is_default", ADMIN),
        "add_prefixes": CHANGED,
        "remove_prefixes": CHANGED,
        "onboard_network_subnets": CHANGED,
    },
    AddressScope: {**LENT, **written("shared", ADMIN)},
    DefaultSecurityGroupRule: OFFERED,
    ServiceProfile: {**OFFERED, "show": OPERATORS},
    Flavor: {**OFFERED, "next_providers": SEEN_BY_ALL, "show_service_profiles": SEEN_BY_ALL, "associate": ADMIN},
    ServiceProvider: {"show": SEEN_BY_ALL},
    Segment: {**OFFERED, "show": OPERATORS},
    Agent: {"show": OPERATORS, "update": ADMIN, "delete": ADMIN},
    AvailabilityZone: {"show": SEEN_BY_ALL},
    NetworkAvailability: {"show": OPERATORS},
    Trunk: {**OWNED, "get_subports": SEEN, "add_subports": CHANGED, "remove_subports": CHANGED},
}

ASKED: Mapping[str, str] = {
    "share": "make RBAC policies about it",
    "log": "have its decisions logged",
    "show_bindings": "see where it is bound, and where it may be",
    "bind": "make, change, activate and delete its bindings",
    "show_service_profiles": "see which service profiles it stands for",
    "associate": "let it stand for more or fewer",
    "join": "give its gateway address to a router",
    "create:fixed_ips:ip_address": "choose addresses",
    "update:fixed_ips:ip_address": "choose addresses that the port does not have",
    "create:device_owner:network": "name a `device_owner` that begins with `network:`",
    "update:device_owner:network": "the same",
    "create:target_tenant:*": "name all projects",
    "update:target_tenant:*": "the same",
    "update:default": "change more of the default group than its ports",
    "delete:default": "delete the default group",
}
"""The lines that are neither calls nor fields: what each is about."""

FREE: Mapping[str, object] = {"shared": False, "is_default": False}
"""What anybody who creates may say of a field: it is the same as saying nothing."""

CALLS: Lines = {
    "status": OPERATORS,
    "problems": OPERATORS,
    "tables": OPERATORS,
    "hosts": OPERATORS,
    "bindings": OPERATORS,
    "revisions": OPERATORS,
    "audit": OPERATORS,
    "watch": OPERATORS,
    "decisions": OPERATORS,
    "host_names": OPERATORS,
    "join_tokens": OPERATORS,
    "change_join_tokens": ADMIN,
    "enrolments": OPERATORS,
    "revoke_hosts": ADMIN,
    "get_quota": OPERATORS,
    "update_quota": ADMIN,
    "delete_quota": ADMIN,
}
"""Calls about no resource, netplane's own and quotas'. `audit`, `watch`, `decisions` and `get_quota` are about all
projects, each sees its own anyway; `host_names` is about hosts in others' answers. What is told of a port goes by whose
it is.
"""
