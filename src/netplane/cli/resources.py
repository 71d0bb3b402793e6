"""Resources over HTTP: pages of lists, and one by its id or name."""

from typing import Any
from urllib.parse import urlencode

import click

from netplane.cli.client import Client
from netplane.cli.kinds import Kind

PAGE = 1_000

View = dict[str, Any]


def list_resources(client: Client, kind: Kind, **filters: str) -> list[View]:
    """All that pass some filters, page by page."""
    query = {name.replace("__", ":"): value for name, value in filters.items()} | {"limit": str(PAGE)}
    found: list[View] = []
    while True:
        page: list[View] = client.get(f"{kind.path}?{urlencode(query)}")[kind.plural]
        found += page
        if len(page) < PAGE:
            return found
        query["marker"] = page[-1]["id"]


def find_resource(client: Client, kind: Kind, word: str) -> View:
    """The one with an id, or the only one with a name."""
    views = list_resources(client, kind, id=word) or list_resources(client, kind, name=word)
    if not views:
        raise click.ClickException(f"there is no {kind.label} {word!r}")
    if len(views) > 1:
        ids = ", ".join(view["id"] for view in views)
        raise click.ClickException(f"there are {len(views)} {kind.plural} called {word!r}; say which by its id: {ids}")
    return views[0]
