"""What these commands ask in the same way: things by name or id, and passwords."""

import sys
from typing import Any
from urllib.parse import quote

import click

from netplane.cli.client import Client, ClientError

password_stdin = click.option("--password-stdin", is_flag=True, help="Read the password from standard input, one line.")


def find(client: Client, kind: str, wanted: str) -> dict[str, Any]:
    """The project, user or role of an id or a name; ClientError if there is none."""
    try:
        return dict(client.get(f"/v3/{kind}s/{quote(wanted, safe='')}")[kind])
    except ClientError as problem:
        if problem.status != 404:
            raise
    named = client.get(f"/v3/{kind}s?name={quote(wanted, safe='')}")[f"{kind}s"]
    if not named:
        raise ClientError(f"there is no {kind} {wanted}", 404)
    return dict(named[0])


def read_password(*, by_stdin: bool, is_new: bool) -> str:
    """A password; asked twice if it is a new one."""
    if by_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
        if not password:
            raise click.UsageError("standard input has no password")
        return password
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=is_new))
