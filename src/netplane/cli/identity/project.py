"""`netplane project`."""

import click

from netplane.cli.client import Client, asks_controller
from netplane.cli.identity.asking import find
from netplane.cli.output import as_json, print_json, print_table

COLUMNS = ("id", "name", "enabled", "description")


@click.group()
def project() -> None:
    """Make, list and delete projects, which own networks."""


@project.command()
@click.argument("name")
@click.option("--description", default="", help="Free text.")
@asks_controller
@as_json
def create(client: Client, name: str, description: str, *, wants_json: bool) -> None:
    """Make a project."""
    made = client.post("/v3/projects", {"project": {"name": name, "description": description}})["project"]
    print_json(made) if wants_json else click.echo(made["id"])


@project.command("list")
@asks_controller
@as_json
def list_projects(client: Client, *, wants_json: bool) -> None:
    """List all projects."""
    found = client.get("/v3/projects")["projects"]
    if wants_json:
        print_json(found)
    else:
        print_table(COLUMNS, ([one[column] for column in COLUMNS] for one in found))


@project.command()
@click.argument("wanted", metavar="PROJECT")
@asks_controller
def show(client: Client, wanted: str) -> None:
    """Show a project, by name or id."""
    print_json(find(client, "project", wanted))


@project.command()
@click.argument("wanted", metavar="PROJECT")
@asks_controller
def delete(client: Client, wanted: str) -> None:
    """Delete a project and all roles in it; its networks stay, and administrators see them."""
    client.delete(f"/v3/projects/{find(client, 'project', wanted)['id']}")
