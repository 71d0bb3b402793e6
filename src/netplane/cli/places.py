"""Where what runs on this machine keeps what the other commands may want to find."""

from pathlib import Path

STATE = Path("/var/lib/netplane")
"""Of `netplane up`, and of whatever is root's."""
SERVER_STATE = Path("/var/lib/netplane-server")
"""Of a controller that systemd runs in the name of a user of its own."""
AGENT_STATE = STATE / "agent"
RUN = Path("/run/netplane")
LISTEN = "127.0.0.1:9696"
URL = f"http://{LISTEN}"


def tokens_file(state: Path = STATE) -> Path:
    """The file of tokens of the controller that keeps its state there."""
    return state / "tokens.toml"
