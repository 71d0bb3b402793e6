"""An option that is an IPv4 address, and what it is by default."""

import socket
from ipaddress import IPv4Address

import click


class Address(click.ParamType[str]):
    """Kept as text, and refused before anything is done if it is none."""

    name = "address"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The address as it is written usually."""
        try:
            return str(IPv4Address(value))
        except ValueError:
            self.fail(f"{value!r} is no IPv4 address", param, ctx)


def default_address() -> str:
    """The address that packets to elsewhere leave from; nothing is sent to find out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            raise click.ClickException("this machine has no default route; name its underlay with --address") from None
        return str(probe.getsockname()[0])
