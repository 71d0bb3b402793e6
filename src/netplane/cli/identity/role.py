"""`netplane role`."""

from collections.abc import Callable
from typing import Any

import click

from netplane.cli.client import Client, asks_controller
from netplane.cli.identity.asking import find
from netplane.cli.output import Format, print_table, print_value, wants_format


@click.group()
def role() -> None:
    """Say who may do what, and where."""


def _where(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that name one place."""
    system = click.option("--system", "is_system", is_flag=True, help="In the whole system.")(command)
    return click.option("--project", default=None, help="In this project, by name or id.")(system)


@role.command()
@click.argument("wanted", metavar="ROLE")
@click.argument("user")
@_where
@asks_controller
def grant(client: Client, wanted: str, user: str, project: str | None, *, is_system: bool) -> None:
    """Give a user a role: admin, manager, member, reader or service."""
    client.put(_path(client, wanted, user, project, is_system=is_system))


@role.command()
@click.argument("wanted", metavar="ROLE")
@click.argument("user")
@_where
@asks_controller
def revoke(client: Client, wanted: str, user: str, project: str | None, *, is_system: bool) -> None:
    """Take a role away from a user, at once."""
    client.delete(_path(client, wanted, user, project, is_system=is_system))


@role.command("list")
@asks_controller
@wants_format
def list_roles(client: Client, output: Format) -> None:
    """List who has which role where."""
    found = client.get("/v3/role_assignments?include_names=true")["role_assignments"]
    if output is not Format.TABLE:
        print_value(found, output)
    else:
        rows = ((one["user"]["name"], one["role"]["name"], _place(one)) for one in found)
        print_table(("user", "role", "where"), rows)


def _path(client: Client, role: str, user: str, project: str | None, *, is_system: bool) -> str:
    if (project is None) == (not is_system):
        raise click.UsageError("say either --project or --system")
    place = "system" if project is None else f"projects/{find(client, 'project', project)['id']}"
    return f"/v3/{place}/users/{find(client, 'user', user)['id']}/roles/{find(client, 'role', role)['id']}"


def _place(one: dict[str, Any]) -> str:
    scope = one["scope"]
    if "project" in scope:
        return f"project {scope['project']['name']}"
    return "system" if "system" in scope else "domain default"
