"""Steps carried out, one call after the other."""

from collections.abc import Callable, Iterable
from typing import Any

from netplane.cli.client import Client, ClientError
from netplane.cli.topology.document import Document
from netplane.cli.topology.names import Name, names_in, resolve
from netplane.cli.topology.planning import Found, Step


class NotDone(Exception):
    """The API refused a step; `line` of the file is what it is about, 0 if it comes from none."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line


def apply(client: Client, document: Document, found: Found, steps: Iterable[Step], say: Callable[[Step], None]) -> None:
    """Carry steps out; NotDone at the first that is refused, when those before it stay done."""
    ids = dict(found.elsewhere)
    for wanted in document.wanted:
        for view in found.of(wanted.means):
            ids[wanted.means] = view["id"]
    for step in steps:
        say(step)
        answer = _call(client, step, ids)
        if step.gives is not None:
            ids[step.gives] = answer[step.gives.kind]["id"]


def _call(client: Client, step: Step, ids: dict[Name, str]) -> dict[str, Any]:
    path = "".join(ids[part] if isinstance(part, Name) else part for part in step.path)
    body = resolve(step.body, ids)
    assert not names_in(body), "a step comes before what it refers to"
    try:
        return client.call(step.method, path, body)
    except ClientError as error:
        line = step.wanted.line_of(error.message) if step.wanted else 0
        raise NotDone(line, f"{step.what}: {error.message}") from None
