"""Policies of firewalls: rules in their order, put in and taken out one by one too."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.json import Decoder
from msgspec.structs import replace

from netplane.api.bodies import Wish, parse_struct
from netplane.api.context import Context
from netplane.api.errors import ApiError, conflict, invalid
from netplane.api.ids import new_id
from netplane.api.policy import visible
from netplane.api.rules.kind import Rules, Services, simply_delete
from netplane.api.views import View, view
from netplane.model import FirewallGroup, FirewallPolicy, FirewallRule
from netplane.model.firewall import DEFAULT_POLICIES, MOST_RULES
from netplane.store import Reader, Transaction


class RuleWish(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of insert_rule and remove_rule."""

    firewall_rule_id: str | None = None
    insert_before: str | None = None
    insert_after: str | None = None


_rule = Decoder(RuleWish)


def reserved(kind: str, name: str) -> ApiError:
    """A name that is kept for what comes with every project."""
    text = f"Operation cannot be performed since '{name}' is a reserved name for {kind}."
    return conflict("FirewallDefaultParameterExists", text)


def restricted(kind: str, id: str) -> ApiError:
    """What comes with every project stays as it is."""
    text = f"Operation cannot be performed on default object '{id}' of type {kind}."
    return conflict("FirewallDefaultObjectUpdateRestricted", text)


def create(transaction: Transaction, context: Context, wish: Wish) -> FirewallPolicy:
    """A policy of rules that its project may use."""
    if wish.get("name") in DEFAULT_POLICIES:
        raise reserved("Firewall Policy", wish["name"])
    policy = FirewallPolicy(id=new_id(), **wish)
    _check_rules(transaction, context, policy)
    return transaction.add(policy)


def update(transaction: Transaction, context: Context, policy: FirewallPolicy, wish: Wish) -> FirewallPolicy:
    """Anything; unless it says that it is audited, it no longer is."""
    if policy.name in DEFAULT_POLICIES:
        raise restricted("Firewall Policy", policy.id)
    if wish.get("name") in DEFAULT_POLICIES:
        raise reserved("Firewall Policy", wish["name"])
    after = replace(policy, **{"audited": False} | wish)
    if "firewall_rules" in wish:
        _check_rules(transaction, context, after)
    elif after.shared:
        _check_shared_rules(transaction, after)
    if policy.shared and not after.shared:
        _check_users(transaction, policy)
    return transaction.put(after)


def insert_rule(transaction: Transaction, context: Context, policy: FirewallPolicy, body: bytes) -> View:
    """Put a rule before or after another; first of all where neither is said."""
    wish = _parse(body)
    rule = visible(transaction, context, FirewallRule, wish.firewall_rule_id or "")
    if rule.id in policy.firewall_rules:
        raise _associated(rule.id, policy)
    beside = wish.insert_before or wish.insert_after
    place = 0 if beside is None else _place(policy, beside) + (0 if wish.insert_before else 1)
    rules = (*policy.firewall_rules[:place], rule.id, *policy.firewall_rules[place:])
    return _changed(transaction, context, policy, rules)


def remove_rule(transaction: Transaction, context: Context, policy: FirewallPolicy, body: bytes) -> View:
    """Take a rule out."""
    rule = visible(transaction, context, FirewallRule, _parse(body).firewall_rule_id or "")
    place = _place(policy, rule.id)
    return _changed(transaction, context, policy, policy.firewall_rules[:place] + policy.firewall_rules[place + 1 :])


def show(_reader: Reader, _services: Services, _context: Context, policies: Sequence[FirewallPolicy]) -> list[View]:
    """Nothing besides."""
    return [{} for _ in policies]


def _parse(body: bytes) -> RuleWish:
    wish: RuleWish = parse_struct(_rule, body)
    if wish.firewall_rule_id is None:
        text = "Missing rule info argument for insert/remove rule operation."
        raise ApiError(400, "FirewallRuleInfoMissing", text)
    return wish


def _place(policy: FirewallPolicy, rule: str) -> int:
    if rule not in policy.firewall_rules:
        text = f"Firewall rule {rule} is not associated with firewall policy {policy.id}."
        raise ApiError(400, "FirewallRuleNotAssociatedWithPolicy", text)
    return policy.firewall_rules.index(rule)


def _changed(transaction: Transaction, context: Context, policy: FirewallPolicy, rules: tuple[str, ...]) -> View:
    if policy.name in DEFAULT_POLICIES:
        raise restricted("Firewall Policy", policy.id)
    after = replace(policy, firewall_rules=rules, audited=False)
    _check_rules(transaction, context, after)
    return view(transaction.put(after), context)


def _check_rules(transaction: Transaction, context: Context, policy: FirewallPolicy) -> None:
    """Each is there, once, and may be used by the policy and by all who may use the policy."""
    if len(policy.firewall_rules) > MOST_RULES:
        raise invalid(f"a firewall policy has at most {MOST_RULES} rules")
    for id in policy.firewall_rules:
        rule = visible(transaction, context, FirewallRule, id)
        if policy.firewall_rules.count(id) > 1:
            raise _associated(id, policy)
        if not rule.shared and rule.project_id != policy.project_id:
            text = (
                f"Operation cannot be performed since firewall rule {id} is not shared and belongs to another project "
                f"{rule.project_id}."
            )
            raise conflict("FirewallRuleConflict", text)
        if policy.shared and not rule.shared:
            text = (
                f"Operation cannot be performed since firewall policy {policy.id} could not find the firewall rule "
                f"{id}. Please confirm if the firewall rule exists and is shared."
            )
            raise ApiError(404, "FirewallRuleSharingConflict", text)


def _check_shared_rules(transaction: Transaction, policy: FirewallPolicy) -> None:
    for id in policy.firewall_rules:
        rule = transaction.get(FirewallRule, id)
        if rule is not None and not rule.shared:
            text = (
                f"Operation cannot be performed. Before sharing firewall policy {policy.id}, share associated firewall "
                f"rule {id}."
            )
            raise conflict("FirewallPolicySharingConflict", text)


def _check_users(transaction: Transaction, policy: FirewallPolicy) -> None:
    for field in ("ingress_firewall_policy_id", "egress_firewall_policy_id"):
        for group in transaction.find(FirewallGroup, field, policy.id):
            if group.project_id != policy.project_id:
                raise conflict("FirewallPolicyInUse", f"Firewall policy {policy.id} is being used.")


def _associated(rule: str, policy: FirewallPolicy) -> ApiError:
    text = (
        f"Operation cannot be performed since firewall rule {rule} is already associated with firewall policy "
        f"{policy.id}."
    )
    return conflict("FirewallRuleAlreadyAssociated", text)


FIREWALL_POLICIES = Rules(
    FirewallPolicy,
    create,
    update,
    simply_delete,
    (),
    show,
    actions={"insert_rule": insert_rule, "remove_rule": remove_rule},
)
