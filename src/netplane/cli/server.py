"""`netplane server`."""

import re
from pathlib import Path

import click

from netplane.base.garbage import uncollected
from netplane.cli.places import LISTEN
from netplane.cli.tokens import ensure_tokens
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
@click.option(
    "--listen",
    multiple=True,
    default=(LISTEN,),
    show_default=True,
    envvar="NETPLANE_LISTEN",
    help="Where clients connect; may be repeated. HTTP on an address of this machine's alone, HTTPS elsewhere.",
)
@click.option(
    "--southbound",
    default="127.0.0.1:9697",
    show_default=True,
    envvar="NETPLANE_SOUTHBOUND",
    help="Where agents connect: host:port or unix:///path.",
)
@click.option(
    "--state",
    default=None,
    envvar="NETPLANE_STATE",
    show_envvar=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where an SQLite database and a file of tokens are, if no others are named; made if they are not there.",
)
@click.option(
    "--database",
    default=None,
    envvar="NETPLANE_DATABASE",
    show_envvar=True,
    help="An SQLite file, made if it is not there, or postgresql://USER:PASSWORD@HOST/NAME.  "
    "[default: netplane.db in --state]",
)
@click.option(
    "--tokens",
    default=None,
    envvar="NETPLANE_TOKENS",
    show_envvar=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The TOML file of tokens.  [default: tokens.toml in --state]",
)
@click.option(
    "--quotas",
    envvar="NETPLANE_QUOTAS",
    show_envvar=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A TOML file of limits (port = 5000) for projects without a quota of their own; -1 is any number.",
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
    help="Where hosts are told to find this controller: host:port; may be repeated.  [default: --southbound]",
)
@click.option(
    "--identity",
    "outside",
    default=None,
    envvar="NETPLANE_IDENTITY",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A TOML file of where else tokens come from: a Keystone, an issuer of OpenID Connect.",
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
@click.option(
    "--tls-cert",
    default=None,
    envvar="NETPLANE_TLS_CERT",
    show_envvar=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The certificate that clients are shown, and those between it and its root, PEM; read again when it changes. "
    "Without it the controller makes its own wherever --listen is not this machine's alone.",
)
@click.option(
    "--tls-key",
    default=None,
    envvar="NETPLANE_TLS_KEY",
    show_envvar=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Its key, PEM.  [default: in the same file]",
)
@click.option(
    "--name",
    "names",
    multiple=True,
    envvar="NETPLANE_NAME",
    show_envvar=True,
    help="A name or address that clients know the controller by, for the certificate that it makes; may be repeated.",
)
@click.option(
    "--plain-http",
    is_flag=True,
    envvar="NETPLANE_PLAIN_HTTP",
    show_envvar=True,
    help="Speak HTTP without TLS although others can reach --listen: behind a proxy that speaks it.",
)
@click.option(
    "--rate-limit",
    default=None,
    envvar="NETPLANE_RATE_LIMIT",
    show_envvar=True,
    type=click.FloatRange(0.1),
    help="Calls a second that each project may make, on each controller.  [default: no limit]",
)
@click.option(
    "--rate-burst",
    default=None,
    envvar="NETPLANE_RATE_BURST",
    show_envvar=True,
    type=click.FloatRange(1),
    help="Calls that it may make at once.  [default: of ten seconds]",
)
def server(
    listen: tuple[str, ...],
    southbound: str,
    state: Path | None,
    database: str | None,
    tokens: Path | None,
    underlay_mtu: int,
    dns_domain: str,
    quotas: Path | None,
    authority_key: Path | None,
    advertise: tuple[str, ...],
    outside: Path | None,
    token_lifetime: int,
    public_url: str,
    tls_cert: Path | None,
    tls_key: Path | None,
    names: tuple[str, ...],
    rate_limit: float | None,
    rate_burst: float | None,
    *,
    plain_http: bool,
) -> None:
    """Run a controller until SIGTERM."""
    with uncollected():
        from netplane.api.identity.service import IdentityConfig
        from netplane.controller.listening.pace import Rate
        from netplane.controller.listening.place import Listening
        from netplane.controller.server import CannotStart, main

    if public_url and not re.fullmatch(r"https?://[^/?#\s]+(/[^?#\s]*)?", public_url):
        raise click.BadParameter("it is no address of http or https", param_hint="--public-url")
    database, tokens = _kept(state, database, tokens)
    identity = IdentityConfig(lifetime=token_lifetime, public_url=public_url.rstrip("/"))
    rate = None if rate_limit is None else Rate(rate_limit, rate_burst or max(10 * rate_limit, 1))
    try:
        main(
            tuple(Listening(address, tls_cert, tls_key, plain_http) for address in listen),
            southbound,
            database,
            tokens,
            underlay_mtu,
            dns_domain,
            quotas=quotas,
            authority_key=authority_key,
            advertise=advertise,
            identity=identity,
            outside=outside,
            names=names,
            rate=rate,
        )
    except CannotStart as problem:
        raise click.ClickException(str(problem)) from problem


def _kept(state: Path | None, database: str | None, tokens: Path | None) -> tuple[str, Path]:
    """The database and the file of tokens: what is not named is in the state directory, and made if it is not there."""
    if state is not None:
        try:
            tokens = tokens or ensure_tokens(state)
        except OSError as problem:
            raise click.ClickException(f"nothing can be kept in {state}: {problem.strerror or problem}") from problem
        return database or str(state / "netplane.db"), tokens
    if database is None or tokens is None:
        raise click.UsageError("say where things are: --state DIRECTORY, or --database and --tokens")
    return database, tokens
