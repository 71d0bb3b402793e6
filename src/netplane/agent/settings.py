"""What `netplane join` writes for `netplane agent` to read: a file of TOML beside the host's papers."""

import json
import tomllib
from pathlib import Path

from msgspec import Struct, ValidationError, convert

from netplane.trust.papers import write_secret

FILE = "agent.toml"


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """How an agent is started, where its command line does not say it."""

    address: str
    """The host's address in the underlay."""
    controllers: tuple[str, ...]
    """Where controllers are, southbound: `host:port` or `unix:///path`."""


def read_settings(folder: Path) -> Settings | None:
    """The settings in an agent's state directory, None if it has none. ValueError if they are not as they should be."""
    try:
        text = (folder / FILE).read_text()
    except FileNotFoundError:
        return None
    try:
        return convert(tomllib.loads(text), Settings)
    except (ValidationError, ValueError) as error:
        raise ValueError(f"{folder / FILE}: {error}") from error


def write_settings(folder: Path, settings: Settings) -> None:
    """Put settings into an agent's state directory."""
    # JSON's strings, and lists of them, are TOML's as well.
    text = (
        "# Written by `netplane join`. Options of `netplane agent` win.\n"
        f"address = {json.dumps(settings.address)}\n"
        f"controllers = {json.dumps(list(settings.controllers))}\n"
    )
    write_secret(folder / FILE, text.encode())
