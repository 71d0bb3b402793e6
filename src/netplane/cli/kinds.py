"""The kinds of resources as the command line names them, from their declarations."""

from functools import cache
from typing import Any, NamedTuple, get_args

import click
from click.shell_completion import CompletionItem
from msgspec import Meta, structs

from netplane.model import STORED, Access, Record, kind_of
from netplane.model.resource import Resource

COLUMNS = 7
"""What a line of a table has room for, besides name and id."""

OWN = frozenset(structs_field.name for structs_field in structs.fields(Resource)) - {"project_id"}
"""What every resource has, and no table needs again."""


CHOSEN = {
    "port": ("network_id", "mac_address", "fixed_ips", "device_owner", "binding:host_id"),
    "security_group_rule": (
        *("security_group_id", "direction", "ethertype", "protocol", "port_range_min", "port_range_max"),
        *("remote_ip_prefix", "remote_group_id"),
    ),
}
"""What a table shows of kinds whose first fields are not those that people look for."""


class Attribute(NamedTuple):
    """A field as clients know it."""

    name: str
    text: str
    access: Access
    is_plain: bool
    """Whether a cell of a table has room for it."""


class Kind(NamedTuple):
    """A kind that clients read and write."""

    name: str
    """Such as `security_group`."""
    path: str
    """Such as `/v2.0/security-groups`."""
    plural: str
    """The key of lists."""
    attributes: dict[str, Attribute]
    is_owned: bool
    """Whether each belongs to a project."""

    @property
    def label(self) -> str:
        """For people: `security group`."""
        return self.name.replace("_", " ")

    @property
    def columns(self) -> tuple[str, ...]:
        """What a table shows."""
        plain = (each.name for each in self.attributes.values() if each.is_plain and each.name not in OWN)
        return ("name", "id", *CHOSEN.get(self.name, tuple(plain)[:COLUMNS]))


@cache
def kinds() -> dict[str, Kind]:
    """All kinds by name; what stands first is referred to by what follows."""
    return {kind_of(stored): _kind(stored) for stored in STORED if stored.collection}


def find_kind(word: str) -> Kind | None:
    """The kind that a word means, in singular or plural, with `-` or `_`."""
    told = word.lower().replace("-", "_")
    return next((kind for kind in kinds().values() if told in (kind.name, kind.plural)), None)


class KindName(click.ParamType[Kind]):
    """An argument that names a kind."""

    name = "kind"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Kind:
        """The kind; refused before anything is asked if there is none."""
        found = value if isinstance(value, Kind) else find_kind(value)
        if found is None:
            known = ", ".join(kind.plural for kind in kinds().values())
            self.fail(f"there is no kind {value!r}; there are {known}", param, ctx)
        return found

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The kinds whose names begin so."""
        return [CompletionItem(kind.plural) for kind in kinds().values() if kind.plural.startswith(incomplete)]


def _kind(stored: type[Record]) -> Kind:
    attributes = (_attribute(field) for field in structs.fields(stored))
    shown = {each.name: each for each in attributes if not each.access.hidden}
    plural = stored.collection.rpartition("/")[2].replace("-", "_")
    is_owned = issubclass(stored, Resource) and stored.is_owned
    return Kind(kind_of(stored), f"/v2.0/{stored.collection}", plural, shown, is_owned)


def _attribute(field: structs.FieldInfo) -> Attribute:
    meta = next(part for part in get_args(field.type) if isinstance(part, Meta) and part.extra is not None)
    assert meta.extra is not None
    access: Access = meta.extra["access"]
    is_plain = not any(word in str(field.type) for word in ("tuple", "Struct", "Metadata", "dict"))
    return Attribute(access.wire or field.name, meta.description or "", access, is_plain)
