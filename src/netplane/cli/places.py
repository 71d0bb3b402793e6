"""Where `netplane up` keeps what the other commands may want to find."""

from pathlib import Path

STATE = Path("/var/lib/netplane")
RUN = Path("/run/netplane")
LISTEN = "127.0.0.1:9696"
URL = f"http://{LISTEN}"


def tokens_file(state: Path = STATE) -> Path:
    """The tokens of the controller that `netplane up` runs."""
    return state / "tokens.toml"
