"""What to do so that a project's network becomes what a document says. Pure.

Resources first, in the order in which they refer to each other; then what belongs to them; then, with `prune`, what the
topology once made and no longer names, backwards.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from netplane.cli.kinds import Kind, kinds
from netplane.cli.topology.comparing import covers
from netplane.cli.topology.document import Document, Mistake, Wanted
from netplane.cli.topology.names import Name, names_in, resolve
from netplane.cli.topology.parts import Item, Part, full_item, is_left_alone, parts_of

View = dict[str, Any]


class Found(NamedTuple):
    """What there is in the project."""

    views: dict[str, list[View]]
    """By kind."""
    apart: dict[str, list[Item]]
    """Items of parts that views do not show, by the id of what they belong to: of routers, subnet and port."""
    elsewhere: dict[Name, str]
    """The ids of what the document refers to and does not make."""

    def of(self, name: Name) -> list[View]:
        """What bears a name."""
        return [view for view in self.views.get(name.kind, ()) if view["name"] == name.name]

    def items(self, kind: str, part: str, view: View) -> list[Item]:
        """A part of a resource as it is."""
        shown_as = parts_of(kind)[part].shown_as
        items: list[Item] = view[shown_as] if shown_as else self.apart.get(view["id"], [])
        return items


class Step(NamedTuple):
    """One call of the API; `Name`s in its path and body stand for ids."""

    verb: str
    """`create`, `update` or `delete`."""
    what: str
    """What it is about, for people: `network web`."""
    method: str
    path: tuple[str | Name, ...]
    body: Any = None
    gives: Name | None = None
    """Whose id the answer tells."""
    changes: tuple[str, ...] = ()
    """For people: what it changes."""
    wanted: Wanted | None = None
    """Where in the file it comes from."""


def plan(document: Document, found: Found, *, prune: bool) -> list[Step]:
    """The steps, in order; Mistake if the document asks for what cannot be."""
    ids = _known_ids(document, found)
    for wanted in document.wanted:
        _check_names(wanted, document, ids)
    made = [step for wanted in document.wanted for step in _resource_steps(document, wanted, found, ids)]
    parts = [step for wanted in document.wanted for step in _part_steps(wanted, found, ids)]
    return [*made, *parts, *(_pruning(document, found) if prune else ())]


def _known_ids(document: Document, found: Found) -> dict[Name, str]:
    ids = dict(found.elsewhere)
    for wanted in document.wanted:
        views = found.of(wanted.means)
        if len(views) > 1:
            raise Mistake(wanted.line, f"there are {len(views)} {wanted.kind.plural} called {wanted.name!r} already")
        if views:
            ids[wanted.means] = views[0]["id"]
    return ids


def _check_names(wanted: Wanted, document: Document, ids: dict[Name, str]) -> None:
    own = {each.means for each in document.wanted}
    for key, value in [*wanted.fields.items(), *wanted.parts.items()]:
        for name in names_in(value):
            if name not in own and name not in ids:
                kind = kinds()[name.kind].label
                raise Mistake(
                    wanted.lines[key], f"{_spoken(wanted)}: there is no {kind} {name.name!r}, nor in the file"
                )


def _resource_steps(document: Document, wanted: Wanted, found: Found, ids: dict[Name, str]) -> Iterator[Step]:
    views, kind = found.of(wanted.means), wanted.kind
    if not views:
        owner = {"project_id": document.project} if document.project else {}
        tags = sorted({*wanted.fields.get("tags", ()), document.tag})
        body = {kind.name: {"name": wanted.name, **owner, **resolve(wanted.fields, ids), "tags": tags}}
        yield Step("create", _spoken(wanted), "POST", (kind.path,), body, wanted.means, _told(wanted), wanted)
        return
    view = views[0]
    if changes := _changes(wanted, view, ids):
        body = {kind.name: {name: resolve(wanted.fields[name], ids) for name in changes}}
        told = tuple(changes.values())
        yield Step("update", _spoken(wanted), "PUT", (f"{kind.path}/", wanted.means), body, None, told, wanted)
    asked: list[str] = wanted.fields["tags"] if "tags" in wanted.fields else view["tags"]
    tags = sorted({*asked, document.tag})
    if not covers(view["tags"], tags):
        told = (f"tags: {_shown(view['tags'])} -> {_shown(tags)}",)
        path = (f"{kind.path}/", wanted.means, "/tags")
        yield Step("update", _spoken(wanted), "PUT", path, {"tags": tags}, None, told, wanted)


def _changes(wanted: Wanted, view: View, ids: dict[Name, str]) -> dict[str, str]:
    """The fields that are not as wanted, and how to tell people."""
    changes = {}
    for name, value in wanted.fields.items():
        if name == "tags" or covers(view.get(name), resolve(value, ids)):
            continue
        text = f"{name}: {_shown(view.get(name))} -> {_shown(value)}"
        if not wanted.kind.attributes[name].access.update:
            raise Mistake(
                wanted.lines[name], f"{_spoken(wanted)}: cannot be changed ({text}); delete it first, or name it anew"
            )
        changes[name] = text
    return changes


def _part_steps(wanted: Wanted, found: Found, ids: dict[Name, str]) -> Iterator[Step]:
    views = found.of(wanted.means)
    for name, items in wanted.parts.items():
        part = parts_of(wanted.kind.name)[name]
        there = found.items(wanted.kind.name, name, views[0]) if views else []
        asked = [full_item(part, resolve(item, ids)) for item in items]
        left = list(asked)
        for item in there:
            same = next((one for one in left if covers(full_item(part, item), one)), None)
            if same is not None:
                left.remove(same)
            elif not is_left_alone(part, item, asked):
                yield _removal(wanted.kind, wanted.means, _spoken(wanted), part, item, wanted)
        for item in left:
            yield _addition(wanted, part, item)


def _addition(wanted: Wanted, part: Part, item: Item) -> Step:
    said = tuple(f"{key}: {_shown(value)}" for key, value in item.items() if value is not None)
    if part.kind:
        fields = {key: value for key, value in item.items() if value is not None}
        body: Any = {part.kind: {part.parent: wanted.means, **fields}}
        path: tuple[str | Name, ...] = (kinds()[part.kind].path,)
        return Step("create", f"rule of {_spoken(wanted)}", "POST", path, body, None, said, wanted)
    body = {part.wrap: [item]} if part.wrap else item
    path = (f"{wanted.kind.path}/", wanted.means, f"/{part.add}")
    return Step("update", _spoken(wanted), "PUT", path, body, None, tuple(f"+ {text}" for text in said), wanted)


def _removal(kind: Kind, owner: Name | str, spoken: str, part: Part, item: Item, wanted: Wanted | None) -> Step:
    if part.kind:
        said = tuple(f"{key}: {_shown(item.get(key))}" for key in full_item(part, item) if item.get(key) is not None)
        path: tuple[str | Name, ...] = (f"{kinds()[part.kind].path}/{item['id']}",)
        return Step("delete", f"rule of {spoken}", "DELETE", path, None, None, said, wanted)
    handle = {part.handle: item[part.handle]}
    body = {part.wrap: [handle]} if part.wrap else handle
    path = (f"{kind.path}/", owner, f"/{part.remove}")
    return Step("update", spoken, "PUT", path, body, None, (f"- {part.handle}: {item[part.handle]}",), wanted)


def _pruning(document: Document, found: Found) -> Iterator[Step]:
    named = {wanted.means for wanted in document.wanted}
    for kind in reversed(kinds().values()):
        for view in found.views.get(kind.name, ()):
            if document.tag not in view.get("tags", ()) or Name(kind.name, view["name"]) in named:
                continue
            spoken = f"{kind.label} {view['name']}"
            for name, part in parts_of(kind.name).items():
                if not part.kind:
                    for item in found.items(kind.name, name, view):
                        yield _removal(kind, view["id"], spoken, part, item, None)
            yield Step("delete", spoken, "DELETE", (f"{kind.path}/{view['id']}",))


def _spoken(wanted: Wanted) -> str:
    return f"{wanted.kind.label} {wanted.name}"


def _told(wanted: Wanted) -> tuple[str, ...]:
    return tuple(f"{name}: {_shown(value)}" for name, value in wanted.fields.items())


def _shown(value: Any) -> str:
    match value:
        case Name(_, name):
            return name
        case dict():
            return "{" + ", ".join(f"{key}: {_shown(each)}" for key, each in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(_shown, value)) + "]"
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case _:
            return str(value)


def counted(steps: Sequence[Step]) -> str:
    """How many steps of each sort, for people: `create 2, delete 1`."""
    verbs = [step.verb for step in steps]
    return ", ".join(f"{verb} {verbs.count(verb)}" for verb in ("create", "update", "delete") if verb in verbs)
