"""What a controller on this machine is asked by: its file of tokens, made and found again, and whom to believe."""

import os
import secrets
import tomllib
from pathlib import Path
from socket import SOCK_STREAM, getaddrinfo, socket
from typing import Any
from urllib.parse import urlsplit

from netplane.cli.places import SERVER_STATE, STATE, tokens_file
from netplane.cli.systemd import is_active


def ensure_tokens(state: Path) -> Path:
    """The file of tokens, for root's eyes only, made on the first run."""
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = tokens_file(state)
    if not path.exists():
        text = f'[[token]]\nsecret = "{secrets.token_urlsafe(24)}"\nproject = "admin"\nroles = ["admin"]\n'
        # Written aside first: a crash in between must not leave a file without secrets.
        aside = path.with_suffix(".new")
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        aside.replace(path)
    return path


def read_token(path: Path | None = None) -> str:
    """The administrator's token of the controller that runs on this machine; empty if it cannot be read."""
    paths = [tokens_file(state) for state in _states()] if path is None else [path]
    return next((token for each in paths if (token := _administrators(each))), "")


def token_for(url: str) -> str:
    """The token by which a controller is asked if nobody names one: empty unless it runs on this machine.

    What makes somebody an administrator here is nothing to show to whoever answers elsewhere.
    """
    return read_token() if _is_here(url) else ""


def find_authority() -> str:
    """The path of the authority's certificate that the controller here, or the agent here, has; empty without any."""
    paths = (state / place / "authority.pem" for place in ("", "agent") for state in _states())
    return next((str(path) for path in paths if os.access(path, os.R_OK)), "")


def _is_here(url: str) -> bool:
    """Whether a URL leads to this machine and nowhere else."""
    try:
        host = urlsplit(url).hostname
        found = getaddrinfo(host, 0, type=SOCK_STREAM) if host else []
    except (OSError, ValueError):
        return False
    return bool(found) and all(_is_own(family, address) for family, _, _, _, address in found)


def _is_own(family: int, address: tuple[Any, ...]) -> bool:
    """Whether an address is one of this machine's: nobody can bind any other."""
    with socket(family, SOCK_STREAM) as probe:
        try:
            probe.bind(address)
        except OSError:
            return False
    return True


def _administrators(path: Path) -> str:
    try:
        tokens = tomllib.loads(path.read_text()).get("token", [])
    except (OSError, tomllib.TOMLDecodeError):
        return ""
    return next((str(token["secret"]) for token in tokens if "admin" in token.get("roles", ())), "")


def _states() -> tuple[Path, ...]:
    """Where controllers of this machine may keep what they need: first the one that systemd runs, if it runs any.

    The other may be what is left of a controller that was here before.
    """
    told = os.environ.get("NETPLANE_STATE")
    if told:
        return (Path(told),)
    return (SERVER_STATE, STATE) if os.access(SERVER_STATE, os.X_OK) and is_active("server") else (STATE, SERVER_STATE)
