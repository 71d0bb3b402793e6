"""The composition root of the server: store, feed, interest, sessions and HTTP in one process and one event loop."""

from pathlib import Path


def main(listen: str, southbound: str, database: str, tokens: Path) -> None:
    """Run a controller until SIGTERM or SIGINT.

    `listen` is the HTTP address (`127.0.0.1:9696`), `southbound` where agents connect (`unix:///path` or
    `host:port`), `database` the path of the SQLite file, `tokens` the TOML file of tokens.
    """
    raise NotImplementedError
