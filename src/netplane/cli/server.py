"""`netplane server`."""

import re
from pathlib import Path

import click

from netplane.cli.places import LISTEN
from netplane.model.network import DEFAULT_DOMAIN

underlay_mtu = click.option(
    "--underlay-mtu",
    type=click.IntRange(1330, 65535),
    default=1500,
    show_default=True,
    envvar="NETPLANE_UNDERLAY_MTU",
    help="The largest IP packet that the underlay carries between any two hosts, in bytes.",
)
"""The option of whatever runs a controller."""


@click.command()
@click.option("--listen", default=LISTEN, show_default=True, envvar="NETPLANE_LISTEN", help="Where clients connect.")
@click.option(
    "--southbound",
    default="127.0.0.1:9697",
    show_default=True,
    envvar="NETPLANE_SOUTHBOUND",
    help="Where agents connect: host:port or unix:///path.",
)
@click.option(
    "--database",
    required=True,
    envvar="NETPLANE_DATABASE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The SQLite file; made if it is not there.",
)
@click.option(
    "--tokens",
    required=True,
    envvar="NETPLANE_TOKENS",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The TOML file of tokens.",
)
@underlay_mtu
@click.option(
    "--dns-domain",
    default=DEFAULT_DOMAIN,
    show_default=True,
    envvar="NETPLANE_DNS_DOMAIN",
    show_envvar=True,
    help="What machines' names end with on networks without a domain of their own; empty for nothing.",
)
@click.option(
    "--authority-key",
    default=None,
    envvar="NETPLANE_AUTHORITY_KEY",
    show_envvar=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file whose content encrypts the private key in the database by which hosts are certified. All controllers "
    "of a database need the same, from the first start on.",
)
@click.option(
    "--advertise",
    multiple=True,
    envvar="NETPLANE_ADVERTISE",
    show_envvar=True,
    help="Where hosts that join are told to find a controller: host:port; may be repeated.  [default: --southbound]",
)
@click.option(
    "--token-lifetime",
    type=click.IntRange(60, 30 * 86400),
    default=3600,
    show_default=True,
    envvar="NETPLANE_TOKEN_LIFETIME",
    help="How long a token is good that somebody gets for a password, in seconds.",
)
@click.option(
    "--public-url",
    default="",
    envvar="NETPLANE_PUBLIC_URL",
    help="The server's address as clients know it, for the catalog and links.  [default: what each has asked]",
)
def server(
    listen: str,
    southbound: str,
    database: Path,
    tokens: Path,
    underlay_mtu: int,
    dns_domain: str,
    authority_key: Path | None,
    advertise: tuple[str, ...],
    token_lifetime: int,
    public_url: str,
) -> None:
    """Run a controller until SIGTERM."""
    from netplane.api.identity.service import IdentityConfig
    from netplane.controller.server import CannotStart, main

    if public_url and not re.fullmatch(r"https?://[^/?#\s]+(/[^?#\s]*)?", public_url):
        raise click.BadParameter("it is no address of http or https", param_hint="--public-url")
    identity = IdentityConfig(lifetime=token_lifetime, public_url=public_url.rstrip("/"))
    try:
        main(
            listen,
            southbound,
            str(database),
            tokens,
            underlay_mtu,
            dns_domain,
            authority_key=authority_key,
            advertise=advertise,
            identity=identity,
        )
    except CannotStart as problem:
        raise click.ClickException(str(problem)) from problem
