"""`netplane user`."""

import click

from netplane.cli.client import Client, asks_controller
from netplane.cli.identity.asking import find, password_stdin, read_password
from netplane.cli.output import Format, print_record, print_table, print_value, wants_format

COLUMNS = ("id", "name", "enabled")


@click.group()
def user() -> None:
    """Make, list and delete users, who log in."""


@user.command()
@click.argument("name")
@click.option("--project", default=None, help="Where the user's tokens are for that do not say; by name or id.")
@click.option("--role", default="member", show_default=True, help="What the user may do there.")
@password_stdin
@asks_controller
@wants_format
def create(client: Client, name: str, project: str | None, role: str, output: Format, *, password_stdin: bool) -> None:
    """Make a user, and give it a role in a project if one is named. The password is asked for."""
    target = None if project is None else find(client, "project", project)["id"]
    given = find(client, "role", role)["id"]
    body = {"name": name, "password": read_password(by_stdin=password_stdin, is_new=True), "default_project_id": target}
    made = client.post("/v3/users", {"user": body})["user"]
    if target is not None:
        client.put(f"/v3/projects/{target}/users/{made['id']}/roles/{given}")
    click.echo(made["id"]) if output is Format.TABLE else print_value(made, output)


@user.command("list")
@asks_controller
@wants_format
def list_users(client: Client, output: Format) -> None:
    """List all users."""
    found = client.get("/v3/users")["users"]
    if output is not Format.TABLE:
        print_value(found, output)
    else:
        print_table(COLUMNS, ([one[column] for column in COLUMNS] for one in found))


@user.command()
@click.argument("wanted", metavar="USER")
@asks_controller
@wants_format
def show(client: Client, wanted: str, output: Format) -> None:
    """Show a user, by name or id."""
    print_record(find(client, "user", wanted), output)


@user.command()
@click.argument("wanted", metavar="USER")
@password_stdin
@asks_controller
def password(client: Client, wanted: str, *, password_stdin: bool) -> None:
    """Give a user another password. All tokens of the user are void."""
    id = find(client, "user", wanted)["id"]
    client.patch(f"/v3/users/{id}", {"user": {"password": read_password(by_stdin=password_stdin, is_new=True)}})


@user.command()
@click.argument("wanted", metavar="USER")
@asks_controller
def delete(client: Client, wanted: str) -> None:
    """Delete a user.

    Its roles, tokens and application credentials go with it.
    """
    client.delete(f"/v3/users/{find(client, 'user', wanted)['id']}")
