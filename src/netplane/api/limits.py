"""How many resources a project may have: the defaults, the file that changes them, and the check."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from msgspec import ValidationError, convert

from netplane.api.errors import conflict
from netplane.model import Quota, kind_of
from netplane.model.quota import MOST, UNLIMITED, quota_id
from netplane.model.resource import Resource
from netplane.store import Transaction

DEFAULTS: Mapping[str, int] = MappingProxyType(
    {
        "network": 100,
        "subnet": 100,
        "subnetpool": 100,
        "port": 500,
        "router": 10,
        "security_group": 10,
        "security_group_rule": 100,
        "address_group": 100,
        "address_scope": 100,
        "rbac_policy": 10,
        "trunk": 100,
        "log": 100,
        "firewall_group": 10,
        "firewall_policy": 10,
        "firewall_rule": 100,
    }
)
"""By kind, as OpenStack Networking has them, but that none of what projects make is without: its -1 is 100 here."""


def parse_limits(text: str) -> Mapping[str, int]:
    """The defaults with what a TOML file says instead, such as `port = 5000`; ValueError if that makes no sense."""
    try:
        given = convert(tomllib.loads(text), dict[str, int])
    except ValidationError as error:
        raise ValueError(f"quotas: {error}") from error
    if unknown := sorted(given.keys() - DEFAULTS.keys()):
        raise ValueError(f"quotas: there is none of {', '.join(unknown)}; there are {', '.join(DEFAULTS)}")
    if wrong := [kind for kind, limit in given.items() if not UNLIMITED <= limit <= MOST]:
        raise ValueError(f"quotas: {wrong[0]} is {UNLIMITED} (any number) to {MOST}")
    return {**DEFAULTS, **given}


def read_limits(path: Path | None) -> Mapping[str, int]:
    """The same from a file; the defaults without one."""
    return DEFAULTS if path is None else parse_limits(path.read_text())


def check_limit(
    transaction: Transaction, defaults: Mapping[str, int], kind: type[Resource], project: str, more: int = 0
) -> None:
    """409 if a project has come to have more resources of a kind than it may, or will with so many more."""
    name = kind_of(kind)
    if name not in defaults:
        return
    quota = transaction.get(Quota, quota_id(project))
    limit = defaults[name] if quota is None else quota.limits.get(name, defaults[name])
    if 0 <= limit < transaction.used(kind, project) + more:
        raise conflict("OverQuota", f"Quota exceeded for resources: ['{name}'].")
