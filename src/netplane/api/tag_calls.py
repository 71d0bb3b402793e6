"""The calls about tags: `/v2.0/{collection}/{id}/tags` and `.../tags/{tag}`, the same for every kind.

Whoever may change a resource may change its tags, and each change counts in its revision number.
"""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from netplane.api.bodies import parse_struct
from netplane.api.call import Answer, Call
from netplane.api.resources import Resources
from netplane.api.tags import BODY, arranged, check_tag, tag_not_found


def list_tags(calls: Resources, call: Call, id: str) -> Answer:
    """GET of all."""
    return Answer(200, {"tags": calls.seen(call, id).tags})


def has_tag(calls: Resources, call: Call, id: str, tag: str) -> Answer:
    """GET of one: 204 if it is there."""
    check_tag(tag)
    if tag not in calls.seen(call, id).tags:
        raise tag_not_found(tag)
    return Answer(204, None)


def set_tags(calls: Resources, call: Call, id: str) -> Answer:
    """PUT of all: these and no others."""
    wanted = _read(call)
    return _change(calls, call, id, 200, lambda _: wanted)


def add_tags(calls: Resources, call: Call, id: str) -> Answer:
    """POST: these too."""
    wanted = _read(call)
    return _change(calls, call, id, 201, lambda tags: {*tags, *wanted})


def add_tag(calls: Resources, call: Call, id: str, tag: str) -> Answer:
    """PUT of one."""
    check_tag(tag)
    return _change(calls, call, id, 201, lambda tags: {*tags, tag})


def remove_tags(calls: Resources, call: Call, id: str) -> Answer:
    """DELETE of all."""
    return _change(calls, call, id, 204, lambda _: ())


def remove_tag(calls: Resources, call: Call, id: str, tag: str) -> Answer:
    """DELETE of one; 404 if it is not there."""
    check_tag(tag)

    def without(tags: Sequence[str]) -> set[str]:
        if tag not in tags:
            raise tag_not_found(tag)
        return {*tags} - {tag}

    return _change(calls, call, id, 204, without)


def _read(call: Call) -> Sequence[str]:
    return arranged(parse_struct(BODY, call.body).tags)


def _change(
    calls: Resources, call: Call, id: str, status: int, work: Callable[[Sequence[str]], set[str] | Sequence[str]]
) -> Answer:
    with calls.changing(call, id, "update") as (transaction, record):
        tags = arranged([*work(record.tags)])
        transaction.put(replace(record, tags=tags))
    return Answer(status, None if status == 204 else {"tags": tags}, transaction.revision)
