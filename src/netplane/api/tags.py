"""Tags: words that clients put on resources of any kind, and find them by.

A list has the resources with all of `tags`, with any of `tags-any`, without all of `not-tags`, without any of
`not-tags-any`; each names tags with commas between them, and may be repeated.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.json import Decoder

from netplane.api.errors import ApiError, invalid
from netplane.model.resource import MOST_TAGS, Tag

Test = Callable[[Collection[str]], bool]


class TagsWish(Struct, frozen=True):
    """The body of the calls that replace or add tags."""

    tags: Annotated[tuple[Tag, ...], Meta(max_length=MOST_TAGS)]


BODY = Decoder(TagsWish)
LONGEST = 255
"""Characters of a tag."""

FILTERS = ("tags", "tags-any", "not-tags", "not-tags-any")


def arranged(tags: Sequence[str]) -> tuple[str, ...]:
    """Tags as a record holds them; 400 if one is named twice or there are too many."""
    if len(set(tags)) < len(tags):
        raise invalid(f"Duplicate items in the list: '{', '.join(sorted(tags))}'")
    if len(tags) > MOST_TAGS:
        raise invalid(f"a resource has {MOST_TAGS} tags at most")
    return tuple(sorted(tags))


def check_tag(tag: str) -> None:
    """400 unless a path's last part can be a tag."""
    if not 0 < len(tag) <= LONGEST:
        raise invalid(f"a tag has 1 to {LONGEST} characters")


def tag_not_found(tag: str) -> ApiError:
    """The resource is there, its tag is not."""
    return ApiError(404, "TagNotFound", f"Tag {tag} could not be found.")


def tag_test(name: str, values: Iterable[str]) -> Test:
    """Whether a resource's tags pass one of the filters."""
    asked = frozenset(tag for value in values for tag in value.split(","))
    tests: dict[str, Test] = {
        "tags": asked.issubset,
        "tags-any": lambda tags: not asked.isdisjoint(tags),
        "not-tags": lambda tags: not asked.issubset(tags),
        "not-tags-any": asked.isdisjoint,
    }
    return tests[name]
