"""Names in place of ids: `network: web` for `network_id: 3f2a...`. Pure."""

from functools import cache
from typing import Any, NamedTuple

from netplane.cli.ids import is_id
from netplane.cli.kinds import Kind, kinds

UNLIKE = {"remote_group": "security_group"}
"""Fields that do not say by their own name what kind they refer to."""


class Name(NamedTuple):
    """Stands for the id of a resource."""

    kind: str
    name: str


def named(word: str, value: Any) -> tuple[str, Any]:
    """A field as the API has it: its name there, and its value with `Name`s in it.

    `network: web` is `network_id`; `security_groups: [web]` keeps its name. What is a UUID stays as it is.
    """
    match value:
        case str():
            kind = _referred(word.removesuffix("_id"))
            if kind is None:
                return word, value
            return f"{word.removesuffix('_id')}_id", value if is_id(value) else Name(kind, value)
        case dict():
            return word, dict(named(key, each) for key, each in value.items())
        case list():
            kind = _listed(word)
            return word, [
                Name(kind, item) if kind and isinstance(item, str) and not is_id(item) else named("", item)[1]
                for item in value
            ]
        case _:
            return word, value


def names_in(value: Any) -> list[Name]:
    """All names that stand in a value."""
    match value:
        case Name():
            return [value]
        case dict():
            return [name for each in value.values() for name in names_in(each)]
        case list():
            return [name for each in value for name in names_in(each)]
        case _:
            return []


def resolve(value: Any, ids: dict[Name, str]) -> Any:
    """A value with ids for the names that are known; the others stay."""
    match value:
        case Name():
            return ids.get(value, value)
        case dict():
            return {key: resolve(each, ids) for key, each in value.items()}
        case list():
            return [resolve(each, ids) for each in value]
        case _:
            return value


def is_known(kind: Kind, wire: str) -> bool:
    """Whether a client may write a field, at creation or later."""
    access = kind.attributes[wire].access
    return (access.create or access.update) and wire not in ("project_id", "name")


@cache
def _referred(stem: str) -> str | None:
    if stem in UNLIKE:
        return UNLIKE[stem]
    return next((name for name in kinds() if stem == name or stem.endswith(f"_{name}")), None)


@cache
def _listed(word: str) -> str | None:
    return next((kind.name for kind in kinds().values() if kind.plural == word), None)
