"""Firewalls between networks: rules in order, policies of them, and the groups that put policies on routers' ports."""

from collections.abc import Iterable
from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from netplane.model.record import Claim, Record, Reference, describe
from netplane.model.resource import Resource

MOST_RULES = 200
"""Rules of a policy: a new connection costs a look-up for each, until one matches."""

PortsText = Annotated[str, Meta(max_length=11)]

ALLOW, DENY, REJECT = "allow", "deny", "reject"
ACTIONS = (ALLOW, DENY, REJECT)
DEFAULT_GROUP = "default"
DEFAULT_POLICIES = ("default ingress", "default egress")
"""Names that only what comes with every project has."""


class FirewallRule(Resource, frozen=True, kw_only=True, gc=False, tag="firewall_rule"):
    """What some connections look like, and whether they may be."""

    collection: ClassVar[str] = "fwaas/firewall_rules"

    shared: Annotated[bool, describe("Whether all projects may use it.", create=True, update=True)] = False
    enabled: Annotated[bool, describe("Whether it counts.", create=True, update=True)] = True
    action: Annotated[
        str, describe("`allow`, `deny`, or `reject`, which tells the sender.", create=True, update=True)
    ] = DENY
    protocol: Annotated[str | None, describe("`tcp`, `udp`, `icmp` or null for any.", create=True, update=True)] = None
    ip_version: Annotated[int, describe("4 or 6.", create=True, update=True)] = 4
    source_ip_address: Annotated[
        str | None, describe("The address or range that connections come from; null for any.", create=True, update=True)
    ] = None
    destination_ip_address: Annotated[
        str | None, describe("The address or range that connections go to; null for any.", create=True, update=True)
    ] = None
    source_port: Annotated[
        PortsText | None,
        describe("The port or `first:last` that they come from; null for any.", create=True, update=True),
    ] = None
    destination_port: Annotated[
        PortsText | None, describe("The port or `first:last` that they go to; null for any.", create=True, update=True)
    ] = None

    def claims(self) -> Iterable[Claim]:
        """That all projects see it, if they do."""
        return shared_claim(self)


class FirewallPolicy(Resource, frozen=True, kw_only=True, gc=False, tag="firewall_policy"):
    """Rules in order: the first that matches decides, and what none matches is denied."""

    collection: ClassVar[str] = "fwaas/firewall_policies"

    shared: Annotated[bool, describe("Whether all projects may use it.", create=True, update=True)] = False
    audited: Annotated[
        bool, describe("Whether somebody has looked at it since its last change.", create=True, update=True)
    ] = False
    firewall_rules: Annotated[
        tuple[str, ...],
        describe(
            "The ids of its rules, in order; also changed by `insert_rule` and `remove_rule`.",
            create=True,
            update=True,
            max_length=MOST_RULES,
        ),
    ] = ()

    def references(self) -> Iterable[Reference]:
        """Its rules, which stay for it."""
        return [Reference("firewall_rules", "firewall_rule", rule) for rule in self.firewall_rules]

    def claims(self) -> Iterable[Claim]:
        """That all projects see it, if they do."""
        return shared_claim(self)


class FirewallGroup(Resource, frozen=True, kw_only=True, gc=False, tag="firewall_group"):
    """Policies on routers' ports: one for what comes into the networks behind them, one for what leaves those."""

    collection: ClassVar[str] = "fwaas/firewall_groups"

    shared: Annotated[bool, describe("Whether all projects may see it.", create=True, update=True)] = False
    admin_state_up: Annotated[
        bool, describe("Whether its policies count; if not, nothing passes its ports.", create=True, update=True)
    ] = True
    ingress_firewall_policy_id: Annotated[
        str | None,
        describe("Decides on connections into the networks of its ports; null: none passes.", create=True, update=True),
    ] = None
    egress_firewall_policy_id: Annotated[
        str | None,
        describe(
            "Decides on connections out of the networks of its ports; null: none passes.", create=True, update=True
        ),
    ] = None
    ports: Annotated[
        tuple[str, ...], describe("The routers' ports that it is on, sorted.", create=True, update=True)
    ] = ()

    def references(self) -> Iterable[Reference]:
        """Its policies and ports, which stay for it."""
        if self.ingress_firewall_policy_id is not None:
            yield Reference("ingress_firewall_policy_id", "firewall_policy", self.ingress_firewall_policy_id)
        if self.egress_firewall_policy_id is not None:
            yield Reference("egress_firewall_policy_id", "firewall_policy", self.egress_firewall_policy_id)
        for port in self.ports:
            yield Reference("ports", "port", port)

    def claims(self) -> Iterable[Claim]:
        """Its ports, each for itself; the name `default`, once a project; and that all projects see it, if they do."""
        yield from shared_claim(self)
        for port in self.ports:
            yield Claim("firewall-port", port)
        if self.name == DEFAULT_GROUP:
            yield Claim("default-firewall", self.project_id)

    @property
    def is_applied(self) -> bool:
        """Whether its ports are closed but for what its policies allow; a group without policies does nothing."""
        return self.ingress_firewall_policy_id is not None or self.egress_firewall_policy_id is not None


def shared_claim(record: FirewallRule | FirewallPolicy | FirewallGroup) -> Iterable[Claim]:
    """By what those are found that every project sees."""
    return (Claim(f"shared-{record.collection}", record.id),) if record.shared else ()


class WallRule(Struct, frozen=True, gc=False):
    """A rule of a firewall as hosts have it; see `FirewallRule`."""

    id: str
    action: str
    ip_version: int
    protocol: str | None = None
    source: str | None = None
    destination: str | None = None
    source_port: str | None = None
    destination_port: str | None = None


class Wall(Record, frozen=True, kw_only=True, gc=False, tag="wall"):
    """What a firewall lets pass a router's port. Its id is the port's id; hosts that have the port have it."""

    ingress: Annotated[tuple[WallRule, ...], describe("For connections into the port's network, in order.")]
    egress: Annotated[tuple[WallRule, ...], describe("For connections out of it, in order.")]
