"""What the server says of itself: versions, resources and extensions. It advertises what it does, and nothing else."""

from netplane.api.bodies import plural
from netplane.api.call import Answer, Call
from netplane.api.errors import ApiError
from netplane.api.openapi.described import Calls, Described
from netplane.api.rules import COMPUTED, RULES
from netplane.model import kind_of
from netplane.model.log import LOGGABLE

EXTENSIONS: dict[str, tuple[str, str]] = {
    "address-group": ("Address group", "Named lists of ranges of addresses."),
    "address-scope": ("Address scope", "Pools whose addresses mean one thing."),
    "agent": ("agent", "Hosts, as agents."),
    "allowed-address-pairs": ("Allowed Address Pairs", "Addresses that ports may use besides their own."),
    "availability_zone": ("Availability Zone", "Zones that hosts are in."),
    "availability_zone_filter": ("Availability Zone Filter Extension", "Zones are found by their fields."),
    "binding-extended": ("Port Bindings Extended", "Hosts that a port may be moved to."),
    "binding": ("Port Binding", "The host that shall carry a port."),
    "default-subnetpools": ("Default Subnetpools", "Subnets of the default pool of their IP version."),
    "dns-domain-ports": ("dns_domain for ports", "A port's name ends with a domain of its own."),
    "dns-integration": ("DNS Integration", "Ports have names and networks domains."),
    "empty-string-filtering": ("Empty String Filtering", "Filters match empty strings."),
    "extra_dhcp_opt": ("Neutron Extra DHCP options", "DHCP options of a port's own."),
    "extraroute": ("Neutron Extra Route", "Routes of routers to networks that they are not on."),
    "extraroute-atomic": ("Atomically add/remove extra routes", "Routes come and go without naming the others."),
    "filter-validation": ("Filter parameters validation", "Unknown filters are refused."),
    "flavors": ("Neutron Service Flavors", "Sorts of services that operators offer."),
    "fwaas_v2": ("FWaaS v2", "Firewalls on routers' ports."),
    "ip_allocation": ("IP Allocation", "When ports get addresses: at once, or never."),
    "ip-substring-filtering": ("IP address substring filtering", "Ports are found by parts of their addresses."),
    "l2_adjacency": ("L2 Adjacency", "Networks reach all their machines on one link."),
    "logging": ("Logging API Extension", "Decisions about connections are logged."),
    "net-mtu": ("Network MTU", "The MTU of a network."),
    "net-mtu-writable": ("Network MTU (writable)", "The MTU of a network can be chosen."),
    "network-ip-availability": ("Network IP Availability", "How full networks are."),
    "network_availability_zone": ("Network Availability Zone", "Zones that networks were asked for."),
    "pagination": ("Pagination support", "Lists come in pages."),
    "port-security": ("Port Security", "Ports and networks without checks of addresses and without rules."),
    "project-id": ("project_id field enabled", "Resources show project_id besides tenant_id."),
    "provider": ("Provider Network", "How a network is carried."),
    "quota-check-limit": (
        "Quota engine limit check",
        "A limit below what is used can be refused.",
    ),
    "quota_details": ("Quota details management support", "How much of its quota a project has used."),
    "quotas": ("Quota management support", "Limits of what projects may have."),
    "rbac-address-group": ("Add address_group type to RBAC", "Address groups that several projects' rules name."),
    "rbac-address-scope": ("Address scope RBAC", "Address scopes that several projects' pools are in."),
    "rbac-policies": ("RBAC Policies", "Networks that several projects use."),
    "rbac-subnetpool": ("Subnetpool RBAC", "Subnet pools of several projects' subnets."),
    "rbac-security-groups": ("Add security_group type to network RBAC", "Security groups of several projects' ports."),
    "revision-if-match": ("If-Match constraints based on revision_number", "Changes only of what one has seen."),
    "router": ("Neutron L3 Router", "Routers between subnets."),
    "router_availability_zone": ("Router Availability Zone", "Zones that routers were asked for."),
    "security-group": ("security-group", "Security groups and their rules."),
    "security-groups-default-rules": (
        "Default rules for security groups",
        "Templates of the rules that new security groups begin with.",
    ),
    "security-groups-shared-filtering": ("Security group filtering on the shared field", "Security groups say so."),
    "security-groups-remote-address-group": (
        "Remote address group id field for security group rules",
        "Rules name address groups.",
    ),
    "segment": ("Segment", "What carries networks."),
    "service-type": ("Neutron Service Type Management", "Who provides which service."),
    "sorting": ("Sorting support", "Lists come in the order asked for."),
    "stateful-security-group": ("Stateful security group", "Security groups that keep no connections."),
    "standard-attr-description": ("standard-attr-description", "Resources have descriptions."),
    "standard-attr-revisions": ("Resource revision numbers", "Resources count their changes."),
    "standard-attr-tag": ("Tag support for resources with standard attribute", "Tags on every resource."),
    "standard-attr-timestamp": ("Resource timestamps", "Resources tell when they were made and changed."),
    "tag-creation": ("Tag creation", "Tags are added in one call."),
    "tag-ports-during-bulk-creation": ("Tag Ports During Bulk Creation", "Ports are made with tags."),
    "subnet-service-types": ("Subnet service types", "Subnets for ports of certain owners."),
    "subnet_allocation": ("Subnet Allocation", "Subnets cut from pools."),
    "subnet_onboard": ("Subnet Onboard", "Subnets become pieces of a pool."),
    "subnetpool-prefix-ops": ("Subnet Pool Prefix Operations", "Ranges of pools come and go."),
    "trunk": ("Trunk Extension", "Ports that the device of another carries, under VLAN tags."),
    "trunk-details": ("Trunk port details", "A port that is a trunk's parent says so."),
    "uplink-status-propagation": ("Uplink status propagation", "Ports say whether they follow their uplink's state."),
    "uplink-status-propagation-updatable": ("Uplink status propagation updatable", "That can be changed."),
}
CALLS: Calls = {
    ("/networking", "GET"): Described("The versions of the API.", refusals=(), is_open=True, group="discovery"),
    ("/v2.0", "GET"): Described("The collections.", refusals=(), group="discovery"),
    ("/v2.0/extensions", "GET"): Described("What the server can do.", refusals=(), group="discovery"),
    ("/v2.0/extensions/{alias}", "GET"): Described("One of that.", refusals=(404,), group="discovery"),
    ("/v2.0/log/loggable-resources", "GET"): Described("What logs may be about.", refusals=(), group="discovery"),
}
UPDATED = "2026-11-22T00:00:00-00:00"


def versions(call: Call) -> Answer:
    """`GET /`: the one version there is."""
    link = {"rel": "self", "href": f"{call.url.rstrip('/')}/v2.0/"}
    return Answer(200, {"versions": [{"id": "v2.0", "status": "CURRENT", "links": [link]}]})


def resources(call: Call) -> Answer:
    """`GET /v2.0/`: the collections."""
    root = call.url.rstrip("/")
    return Answer(
        200,
        {
            "resources": [
                {
                    "name": kind_of(kind),
                    "collection": plural(kind),
                    "links": [{"rel": "self", "href": f"{root}/{kind.collection}"}],
                }
                for kind in (*(rules.kind for rules in RULES), *(computed.kind for computed in COMPUTED))
            ]
        },
    )


def loggable_resources(_call: Call) -> Answer:
    """`GET /v2.0/log/loggable-resources`: what logs may be about."""
    return Answer(200, {"loggable_resources": [{"type": type} for type in LOGGABLE]})


def extensions(_call: Call) -> Answer:
    """`GET /v2.0/extensions`."""
    return Answer(200, {"extensions": [_extension(alias) for alias in EXTENSIONS]})


def extension(_call: Call, alias: str) -> Answer:
    """`GET /v2.0/extensions/{alias}`."""
    if alias not in EXTENSIONS:
        raise ApiError(404, "ExtensionNotFound", f"Extension with alias {alias} does not exist.")
    return Answer(200, {"extension": _extension(alias)})


def _extension(alias: str) -> dict[str, object]:
    name, description = EXTENSIONS[alias]
    return {"alias": alias, "name": name, "description": description, "updated": UPDATED, "links": []}
