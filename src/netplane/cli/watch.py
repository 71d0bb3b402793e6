"""`netplane watch`."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from urllib.parse import urlencode

import click

from netplane.cli.client import Client, ClientError, asks_controller
from netplane.cli.kinds import Kind, KindName
from netplane.cli.output import Format, print_value, wants_format

AGAIN = 1.0
"""Seconds until a watch that has ended is begun anew."""
SIGNS = {"upsert": "+", "delete": "-"}


@click.command()
@click.argument("kinds", type=KindName(), nargs=-1)
@click.option("--project", default="", help="Only what belongs to this project (its id).")
@click.option("--since", type=click.IntRange(0), default=None, help="Begin after this revision; by default, now.")
@asks_controller
@wants_format
def watch(kinds: tuple[Kind, ...], project: str, since: int | None, client: Client, output: Format) -> None:
    """Print changes as they are made, until Ctrl-C.

    Those of all KINDS or of some; none is skipped, a restart of the controller included. A line a change; with `-o
    json` or `-o yaml` a document a change, with all of the resource.
    """
    while True:
        query = [("kind", kind.name) for kind in kinds] + ([("project_id", project)] if project else [])
        query += [] if since is None else [("since", str(since))]
        try:
            with client.stream(f"/netplane/v1/watch?{urlencode(query)}") as answer:
                for event in _events(answer):
                    since = event.revision
                    if event.name in SIGNS:
                        _print(json.loads(event.text), output)
        except ClientError as error:
            if since is None or error.status:
                raise
        client.pause(AGAIN)


class Event(NamedTuple):
    """One event of a stream; a sign of life has no name."""

    revision: int
    name: str
    text: str


def _events(lines: Iterable[bytes]) -> Iterator[Event]:
    """Events until the stream ends (HTML standard, section 9.2.6)."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name:
            fields[name] = value
        elif "id" in fields:
            yield Event(int(fields["id"]), fields.get("event", ""), fields.get("data", ""))
            fields = {}


def _print(body: dict[str, Any], output: Format) -> None:
    if output is Format.JSON:
        click.echo(json.dumps(body))
        return
    if output is Format.YAML:
        click.echo("---")
        print_value(body, output)
        return
    name = (body["resource"] or {}).get("name") or body["id"]
    click.echo(f"{body['revision']:>8} {body['time'][:19]}Z {SIGNS[body['operation']]} {body['kind']} {name}")
