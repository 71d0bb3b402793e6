"""Documents by path: directories that list what they hold, as metadata services have them."""

import json
from collections.abc import Callable, Mapping
from typing import NamedTuple, Union

Tree = Mapping[str, "Node"]
Node = Union[bytes, "Leaf", Tree]
"""A document, one that is listed in a way of its own, or a directory."""


class Leaf(NamedTuple):
    """A directory that is listed as `listed` where it stands."""

    listed: str
    tree: Tree


def text(words: str) -> bytes:
    """A plain document."""
    return words.encode()


def as_json(value: object) -> bytes:
    """A JSON document."""
    return json.dumps(value).encode()


def lookup(root: Tree, path: str, listing: Callable[[Tree], bytes]) -> bytes | None:
    """What stands at a path; None if nothing does. Slashes at the end, or doubled, mean nothing."""
    here: Node = root
    for name in (part for part in path.split("/") if part):
        tree = _tree(here)
        if tree is None or name not in tree:
            return None
        here = tree[name]
    tree = _tree(here)
    if tree is not None:
        return listing(tree)
    assert isinstance(here, bytes)
    return here


def _tree(node: Node) -> Tree | None:
    if isinstance(node, bytes):
        return None
    return node.tree if isinstance(node, Leaf) else node


def list_plainly(tree: Tree) -> bytes:
    """Names, one a line."""
    return text("\n".join(tree))


def list_with_slashes(tree: Tree) -> bytes:
    """Names, one a line; those of directories end with a slash."""
    return text("\n".join(_listed(name, node) for name, node in tree.items()))


def _listed(name: str, node: Node) -> str:
    if isinstance(node, Leaf):
        return node.listed
    return name if isinstance(node, bytes) else f"{name}/"
