"""`netplane host`: who may be a host."""

import re
from typing import Any
from urllib.parse import quote

import click

from netplane.cli.client import Client, asks_controller
from netplane.cli.host_name import host_name
from netplane.cli.output import Format, print_table, print_value, wants_format

HOSTS, ENROLMENTS, TOKENS = "/netplane/v1/hosts", "/netplane/v1/enrolments", "/netplane/v1/join-tokens"
COLUMNS = ("host", "address", "alive", "enrolled", "certificate until", "ports")
TOKEN_COLUMNS = ("id", "host", "uses", "until")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
DAY = len("2026-01-01")
SECOND = len("2026-01-01T00:00:00")


class Duration(click.ParamType[int]):
    """A number and a unit, such as 30m, as seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The seconds."""
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"([1-9][0-9]{0,8})([smhd])", str(value))
        if found is None:
            self.fail(f"{value!r} is not a number and s, m, h or d", param, ctx)
        return int(found[1]) * UNITS[found[2]]


@click.group()
def host() -> None:
    """Hosts: who may join, who has, and who may no more."""


@host.command("list")
@asks_controller
@wants_format
def list_hosts(client: Client, output: Format) -> None:
    """Show hosts.

    Whether each has a session, and until when its certificate is valid.
    """
    known = {each["name"]: each for each in client.get(HOSTS)["hosts"]}
    enrolled = {each["host"]: each for each in client.get(ENROLMENTS)["enrolments"]}
    names = sorted(known | enrolled)
    if output is not Format.TABLE:
        print_value([{"name": name, **known.get(name, {}), **enrolled.get(name, {})} for name in names], output)
        return
    print_table(COLUMNS, (_row(name, known.get(name), enrolled.get(name)) for name in names))


def _row(name: str, known: dict[str, Any] | None, enrolled: dict[str, Any] | None) -> tuple[object, ...]:
    """A host that has come at some time, is in, or both."""
    since, until = (enrolled["enrolled_at"][:DAY], enrolled["expires_at"][:DAY]) if enrolled else ("revoked", "")
    if known is None:
        return name, "", "not yet", since, until, 0
    return name, known["address"], "yes" if known["alive"] else "no", since, until, known["ports"]


@host.command("token")
@click.option(
    "--host",
    "name",
    default="",
    callback=host_name,
    help="The only host that may join by it. A host that has joined before needs such a token.",
)
@click.option("--uses", default=1, show_default=True, type=click.IntRange(1, 10_000), help="How many hosts may join.")
@click.option("--expires", default="1h", show_default=True, type=Duration(), help="How long it serves: 30m, 12h, 7d.")
@asks_controller
@wants_format
def make_token(name: str, uses: int, expires: int, client: Client, output: Format) -> None:
    """Make a join token, for `netplane join`. It is shown this once."""
    made = client.post(TOKENS, {"host": name, "uses": uses, "seconds": expires})
    if output is not Format.TABLE:
        print_value(made, output)
        return
    click.echo(made["token"])
    who = f"host {name}" if name else "a host" if uses == 1 else f"{uses} hosts"
    click.echo(
        f"lets {who} join until {made['expires_at'][:SECOND]}Z: netplane join {client.url} --token ...", err=True
    )


@host.command("tokens")
@click.option("--delete", "id", default="", help="Take this token back, by its id.")
@asks_controller
@wants_format
def show_tokens(id: str, client: Client, output: Format) -> None:
    """Show the join tokens that are not used up.

    Without their secrets, which are told once.
    """
    if id:
        client.delete(f"{TOKENS}/{quote(id, safe='')}")
        return
    found = client.get(TOKENS)["join_tokens"]
    if output is not Format.TABLE:
        print_value(found, output)
        return
    rows = ((each["id"], each["host"] or "any", each["uses"], f"{each['expires_at'][:SECOND]}Z") for each in found)
    print_table(TOKEN_COLUMNS, rows)


@host.command("revoke")
@click.argument("name")
@asks_controller
def revoke(name: str, client: Client) -> None:
    """Put a host out.

    Its session ends at once, and no certificate of it is taken any more. Its datapath goes on with what it has. It can
    join again with a token made for it.
    """
    client.delete(f"{HOSTS}/{quote(name, safe='')}/enrolment")
    click.echo(f"host {name} is revoked; `netplane host token --host {name}` lets it join again")


@host.command("remove")
@click.argument("name")
@asks_controller
def remove(name: str, client: Client) -> None:
    """Forget a host that is revoked, or dead.

    Its ports are free for other hosts.
    """
    client.delete(f"{HOSTS}/{quote(name, safe='')}")
    click.echo(f"host {name} is forgotten")
