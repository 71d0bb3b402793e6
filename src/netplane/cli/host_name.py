"""An option that is a host's name."""

import click

from netplane.model import HOST_NAME, HOST_NAMES


def host_name(_: click.Context, option: click.Parameter, value: str) -> str:
    """The name, refused before anything is done if it is none; an empty one passes."""
    if value and not HOST_NAME.fullmatch(value):
        raise click.BadParameter(f"{value!r}: a host's name is {HOST_NAMES}", param=option)
    return value
