"""The rules that new security groups begin with: templates that administrators keep.

In the beginning they are those of OpenStack Networking: machines may send anything, and those of a default group may
reach each other. These are written when somebody first looks at the templates; until then they only apply.
"""

from collections.abc import Iterator, Sequence
from functools import cache

from msgspec.structs import asdict, replace

from netplane.api.bodies import Wish
from netplane.api.context import Context
from netplane.api.errors import conflict
from netplane.api.ids import new_id
from netplane.api.rules.kind import Rules, Services, simply_delete
from netplane.api.rules.security_rules import check_terms
from netplane.api.views import View
from netplane.model import PARENT, DefaultSecurityGroupRule, SecurityGroup, SecurityGroupRule, Seed, Terms, kind_of
from netplane.model.resource import Resource
from netplane.store import Reader, Transaction

DEFAULT = "default"
"""The name of the group that a project's ports are in unless somebody says otherwise."""

SEED = kind_of(DefaultSecurityGroupRule)
WORDS = frozenset(Terms.__struct_fields__) - frozenset(Resource.__struct_fields__)
"""The fields that say what a rule means."""


def add_first_rules(transaction: Transaction, group: SecurityGroup) -> None:
    """The rules that a new group begins with."""
    is_default = group.name == DEFAULT
    for template in _templates(transaction):
        if template.used_in_default_sg if is_default else template.used_in_non_default_sg:
            words = {name: value for name, value in asdict(template).items() if name in WORDS}
            if template.remote_group_id == PARENT:
                words["remote_group_id"] = group.id
            rule = SecurityGroupRule(id=new_id(), project_id=group.project_id, security_group_id=group.id, **words)
            transaction.add(rule)


def create(transaction: Transaction, context: Context, wish: Wish) -> DefaultSecurityGroupRule:
    """A template that can be meant; 409 if there is one that says the same for the same groups."""
    check_terms(transaction, context, wish, PARENT)
    sow(transaction)
    rule = DefaultSecurityGroupRule(id=new_id(), **wish | {"project_id": ""})
    for claim in rule.claims():
        holder = transaction.holder(*claim)
        if holder is not None:
            text = f"Default Security group rule already exists. Rule id is {holder}."
            raise conflict("DefaultSecurityGroupRuleExists", text)
    return transaction.add(rule)


def update(
    transaction: Transaction, _context: Context, rule: DefaultSecurityGroupRule, wish: Wish
) -> DefaultSecurityGroupRule:
    """Only what people read can be changed."""
    return transaction.put(replace(rule, **wish))


def show(
    _reader: Reader, _services: Services, _context: Context, rules: Sequence[DefaultSecurityGroupRule]
) -> list[View]:
    """Nothing besides."""
    return [{} for _ in rules]


def sow(transaction: Transaction) -> None:
    """Write the first templates, once."""
    if transaction.get(Seed, SEED) is None:
        transaction.add(Seed(id=SEED))
        for rule in first_templates():
            transaction.add(replace(rule, id=new_id()))


@cache
def first_templates() -> tuple[DefaultSecurityGroupRule, ...]:
    """The templates that there are in the beginning, without ids."""
    return tuple(_first_templates())


def _first_templates() -> Iterator[DefaultSecurityGroupRule]:
    for ethertype in ("IPv4", "IPv6"):
        yield DefaultSecurityGroupRule(
            id="",
            direction="egress",
            ethertype=ethertype,
            description="Legacy default SG rule for egress traffic",
            used_in_default_sg=True,
        )
        yield DefaultSecurityGroupRule(
            id="",
            direction="ingress",
            ethertype=ethertype,
            remote_group_id=PARENT,
            description="Legacy default SG rule for ingress traffic",
            used_in_default_sg=True,
            used_in_non_default_sg=False,
        )


def _templates(transaction: Transaction) -> Sequence[DefaultSecurityGroupRule]:
    is_sown = transaction.get(Seed, SEED) is not None
    return transaction.list(DefaultSecurityGroupRule) if is_sown else first_templates()


DEFAULT_SECURITY_GROUP_RULES = Rules(
    DefaultSecurityGroupRule,
    create,
    update,
    simply_delete,
    (),
    show,
    before_list=lambda transaction, _context: sow(transaction),
    is_ready=lambda reader, _context: reader.get(Seed, SEED) is not None,
)
