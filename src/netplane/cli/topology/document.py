"""The file: YAML, checked against the declarations of the kinds before anything is asked. Pure.

```yaml
topology: shop
networks:
  web: {mtu: 1400}
subnets:
  web: {network: web, cidr: 10.0.1.0/24}
```
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from netplane.cli.kinds import Kind, find_kind, kinds
from netplane.cli.topology.names import Name, is_known, named, names_in
from netplane.cli.topology.parts import PARTS, Item, Part, parts_of

NAME = re.compile(r"[A-Za-z0-9._-]{1,40}")
"""A topology's name becomes part of a tag."""


class Mistake(Exception):
    """The file cannot be applied; `line` is where, from 1."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line


class Wanted(NamedTuple):
    """One resource: its fields by the names that the API has, where names of others are `Name`s."""

    kind: Kind
    name: str
    fields: dict[str, Any]
    parts: dict[str, list[Item]]
    """What belongs to it and is no field: rules, interfaces."""
    lines: Mapping[str, int]
    """Where each field and part is; the resource itself under the empty name."""

    @property
    def line(self) -> int:
        """Where it begins."""
        return self.lines[""]

    @property
    def means(self) -> Name:
        """The name by which others refer to it."""
        return Name(self.kind.name, self.name)

    def line_of(self, text: str) -> int:
        """The line that a text is about: that of the first field that it names, by name or value, or the resource's."""
        values = {name: value for name, value in self.fields.items() if isinstance(value, str)}
        said = [name for name in self.lines if name and name in text]
        said += [name for name, value in values.items() if value and value in text]
        return self.lines[said[0]] if said else self.line


class Document(NamedTuple):
    """A whole file."""

    topology: str
    project: str
    """Empty for the caller's."""
    wanted: tuple[Wanted, ...]
    """What is referred to stands before what refers."""

    @property
    def tag(self) -> str:
        """What its resources are marked with."""
        return f"topology={self.topology}"

    def names_elsewhere(self) -> list[Name]:
        """What it refers to and does not make."""
        own = {wanted.means for wanted in self.wanted}
        used = (name for wanted in self.wanted for name in names_in([wanted.fields, wanted.parts]))
        return [name for name in dict.fromkeys(used) if name not in own]


def parse_document(text: str) -> Document:
    """A file's text; Mistake if it is no topology."""
    root = _compose(text)
    head = {"topology": "", "project": ""}
    found: dict[str, list[Wanted]] = {}
    for key, value in _pairs(root, "a topology"):
        word = str(key.value)
        if word in head:
            head[word] = _text(value, word)
            continue
        kind = find_kind(word)
        if kind is None or not _may_stand(kind):
            known = ", ".join(each.plural for each in kinds().values() if _may_stand(each))
            raise Mistake(_line(key), f"{word!r} is none of topology, project, {known}")
        found.setdefault(kind.name, []).extend(_resources(kind, value))
    if not NAME.fullmatch(head["topology"]):
        raise Mistake(1, "the file says what it is called, in letters, digits, '.', '-' and '_': `topology: NAME`")
    ordered = (each for name in kinds() for each in found.get(name, ()))
    return Document(head["topology"], head["project"], tuple(ordered))


_PARTS_ONLY = frozenset(part.kind for parts in PARTS.values() for part in parts.values() if part.kind)
"""Kinds that are written within another."""


def _may_stand(kind: Kind) -> bool:
    """Whether a project has resources of a kind, which are written for themselves."""
    return kind.is_owned and kind.name not in _PARTS_ONLY


def _compose(text: str) -> Node:
    try:
        roots = list(YAML(typ="safe", pure=True).compose_all(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Mistake(1 if mark is None else mark.line + 1, f"not YAML: {error.problem or error.context}") from None
    except YAMLError as error:
        raise Mistake(1, f"not YAML: {str(error).splitlines()[0]}") from None
    if len(roots) != 1 or roots[0] is None:
        raise Mistake(1, "a file has one document: a topology")
    root: Node = roots[0]
    return root


def _resources(kind: Kind, node: Node) -> Iterator[Wanted]:
    seen: dict[str, int] = {}
    for key, value in _pairs(node, kind.plural):
        name = _text(key, f"a name in {kind.plural}")
        if name in seen:
            raise Mistake(_line(key), f"{kind.label} {name} stands in line {seen[name]} already")
        seen[name] = _line(key)
        yield _resource(kind, name, _line(key), value)


def _resource(kind: Kind, name: str, line: int, node: Node) -> Wanted:
    fields: dict[str, Any] = {}
    parts: dict[str, list[Item]] = {}
    lines = {"": line}
    for key, value in _pairs(node, f"{kind.label} {name}"):
        word = _text(key, "a field")
        if word in parts_of(kind.name):
            parts[word] = _items(parts_of(kind.name)[word], value, f"{kind.label} {name}: {word}")
            lines[word] = _line(key)
            continue
        wire, meant = named(word, _value(value))
        if wire in lines:
            raise Mistake(_line(key), f"{kind.label} {name}: {wire!r} is said twice")
        if wire not in kind.attributes or not is_known(kind, wire):
            raise Mistake(_line(key), f"{kind.label} {name}: there is no field {word!r}; there are {_known(kind)}")
        fields[wire], lines[wire] = meant, _line(key)
    return Wanted(kind, name, fields, parts, lines)


def _known(kind: Kind) -> str:
    names = (name for name in kind.attributes if is_known(kind, name) and name != "name")
    return ", ".join([*names, *parts_of(kind.name)])


def _pairs(node: Node, what: str) -> list[tuple[Node, Node]]:
    if str(node.tag).endswith(":null"):
        return []
    if not isinstance(node, MappingNode):
        raise Mistake(_line(node), f"{what} is a mapping, not {_kind_of_node(node)}")
    pairs: list[tuple[Node, Node]] = node.value
    return pairs


def _items(part: Part, node: Node, what: str) -> list[Item]:
    if not isinstance(node, SequenceNode):
        raise Mistake(_line(node), f"{what} is a list, not {_kind_of_node(node)}")
    found: list[Item] = []
    for each in node.value:
        value = _value(each)
        if part.plain and isinstance(value, str):
            value = {part.plain: value}
        if not isinstance(value, dict):
            raise Mistake(_line(each), f"{what}: each of them is a mapping, not {_kind_of_node(each)}")
        item: Item = named("", value)[1]
        _check_item(part, item, each, what)
        found.append(item)
    return found


def _check_item(part: Part, item: Item, node: Node, what: str) -> None:
    for name in item:
        if name not in part.fields:
            raise Mistake(_line(node), f"{what}: there is no field {name!r}; there are {', '.join(part.fields)}")


def _value(node: Node) -> Any:
    if isinstance(node, MappingNode):
        return {str(key.value): _value(value) for key, value in node.value}
    if isinstance(node, SequenceNode):
        return [_value(item) for item in node.value]
    return YAML(typ="safe", pure=True).constructor.construct_object(node)


def _text(node: Node, what: str) -> str:
    if isinstance(node, (MappingNode, SequenceNode)) or not node.value:
        raise Mistake(_line(node), f"{what} is a text")
    return str(node.value)


def _kind_of_node(node: Node) -> str:
    if isinstance(node, MappingNode):
        return "a mapping"
    return "a list" if isinstance(node, SequenceNode) else f"{str(node.value)!r}"


def _line(node: Node) -> int:
    line: int = node.start_mark.line
    return line + 1
