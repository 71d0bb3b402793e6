"""`netplane token`."""

import sys
from typing import Any

import click

from netplane.cli.client import Client, asks_controller
from netplane.cli.identity.asking import password_stdin, read_password
from netplane.cli.output import Format, print_value, wants_format

DOMAIN = {"id": "default"}


@click.group()
def token() -> None:
    """Get tokens, make them void, change what signs them."""


@token.command()
@click.option("--user", required=True, envvar="OS_USERNAME", show_envvar=True, help="Who logs in.")
@click.option("--project", default=None, envvar="OS_PROJECT_NAME", show_envvar=True, help="What it is for, by name.")
@click.option("--system", "is_system", is_flag=True, help="It is for the whole system.")
@password_stdin
@asks_controller
@wants_format
def issue(
    client: Client, user: str, project: str | None, output: Format, *, is_system: bool, password_stdin: bool
) -> None:
    """Log in by password, and print a token."""
    secret = read_password(by_stdin=password_stdin, is_new=False)
    identity = {"methods": ["password"], "password": {"user": {"name": user, "domain": DOMAIN, "password": secret}}}
    auth: dict[str, Any] = {"identity": identity}
    if is_system:
        auth["scope"] = {"system": {"all": True}}
    elif project is not None:
        auth["scope"] = {"project": {"name": project, "domain": DOMAIN}}
    issued, body = client.log_in({"auth": auth})
    click.echo(issued) if output is Format.TABLE else print_value({"id": issued, **body["token"]}, output)


@token.command()
@asks_controller
def revoke(client: Client) -> None:
    """Make a token void.

    That on the first line of standard input, with all that were got for it.
    """
    client.revoke(sys.stdin.readline().strip())


@token.command()
@click.option("--revoke", "revokes", is_flag=True, help="Make all tokens void that were issued before.")
@asks_controller
def rotate(client: Client, *, revokes: bool) -> None:
    """Sign tokens with a new key. Older tokens stay good for their time, unless --revoke says otherwise."""
    made = client.post("/netplane/v1/signing-keys", {"revoke": revokes})
    click.echo(f"tokens are signed with key {made['id']}")
