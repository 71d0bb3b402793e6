"""An option that is an IPv4 address."""

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
