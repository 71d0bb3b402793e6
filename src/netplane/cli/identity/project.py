"""`netplane project`."""

import click

from netplane.cli.client import Client, asks_controller
from netplane.cli.identity.asking import find
from netplane.cli.output import Format, print_record, print_table, print_value, wants_format

COLUMNS = ("id", "name", "enabled", "description")


@click.group()
def project() -> None:
    """Make, list and delete projects, which own networks."""


@project.command()
@click.argument("name")
@click.option("--description", default="", help="Free text.")
@asks_controller
@wants_format
def create(client: Client, name: str, description: str, output: Format) -> None:
    """Make a project."""
    made = client.post("/v3/projects", {"project": {"name": name, "description": description}})["project"]
    click.echo(made["id"]) if output is Format.TABLE else print_value(made, output)


@project.command("list")
@asks_controller
@wants_format
def list_projects(client: Client, output: Format) -> None:
    """List all projects."""
    found = client.get("/v3/projects")["projects"]
    if output is not Format.TABLE:
        print_value(found, output)
    else:
        print_table(COLUMNS, ([one[column] for column in COLUMNS] for one in found))


@project.command()
@click.argument("wanted", metavar="PROJECT")
@asks_controller
@wants_format
def show(client: Client, wanted: str, output: Format) -> None:
    """Show a project, by name or id."""
    print_record(find(client, "project", wanted), output)


@project.command()
@click.argument("wanted", metavar="PROJECT")
@asks_controller
def delete(client: Client, wanted: str) -> None:
    """Delete a project and all roles in it.

    Its networks stay, and administrators see them.
    """
    client.delete(f"/v3/projects/{find(client, 'project', wanted)['id']}")
