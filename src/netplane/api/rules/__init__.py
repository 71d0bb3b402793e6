"""What each kind needs beyond its declaration: defaults, allocation, checks, and what its view says besides."""

from netplane.api import computed
from netplane.api.rules.address_groups import ADDRESS_GROUPS
from netplane.api.rules.agents import AGENTS
from netplane.api.rules.availability import AVAILABILITY_ZONES, NETWORK_AVAILABILITIES
from netplane.api.rules.default_rules import DEFAULT_SECURITY_GROUP_RULES
from netplane.api.rules.firewall_groups import FIREWALL_GROUPS
from netplane.api.rules.firewall_policies import FIREWALL_POLICIES
from netplane.api.rules.firewall_rules import FIREWALL_RULES
from netplane.api.rules.flavors import FLAVORS
from netplane.api.rules.kind import Rules, Services
from netplane.api.rules.logs import LOGS
from netplane.api.rules.networks import NETWORKS
from netplane.api.rules.ports import PORTS
from netplane.api.rules.rbac import RBAC_POLICIES
from netplane.api.rules.routers import ROUTERS
from netplane.api.rules.scopes import ADDRESS_SCOPES
from netplane.api.rules.security import SECURITY_GROUPS
from netplane.api.rules.security_rules import SECURITY_GROUP_RULES
from netplane.api.rules.segments import SEGMENTS
from netplane.api.rules.service_profiles import SERVICE_PROFILES
from netplane.api.rules.service_providers import SERVICE_PROVIDERS
from netplane.api.rules.subnet_pools import SUBNET_POOLS
from netplane.api.rules.subnets import SUBNETS
from netplane.api.rules.trunks import TRUNKS

RULES: tuple[Rules, ...] = (
    NETWORKS,
    SUBNETS,
    SUBNET_POOLS,
    ADDRESS_SCOPES,
    PORTS,
    ROUTERS,
    SECURITY_GROUPS,
    SECURITY_GROUP_RULES,
    DEFAULT_SECURITY_GROUP_RULES,
    ADDRESS_GROUPS,
    RBAC_POLICIES,
    LOGS,
    FIREWALL_RULES,
    FIREWALL_POLICIES,
    FIREWALL_GROUPS,
    TRUNKS,
    SERVICE_PROFILES,
    FLAVORS,
    AGENTS,
)

COMPUTED: tuple[computed.Rules, ...] = (AVAILABILITY_ZONES, NETWORK_AVAILABILITIES, SERVICE_PROVIDERS, SEGMENTS)

__all__ = ["COMPUTED", "RULES", "Rules", "Services"]
