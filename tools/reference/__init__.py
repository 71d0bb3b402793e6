"""The pages of `docs/reference`, written from what the code declares.

`python -m tools.reference` (or `make docs`) writes them; a hygiene test fails while one is stale.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from tools.reference import api, cli, cni, configuration, decisions, dhcp, policy, records, tables

DIRECTORY = Path(__file__).resolve().parents[2] / "docs/reference"

PAGES: Mapping[str, Callable[[], str]] = {
    "api.md": api.page,
    "cli.md": cli.page,
    "cni.md": cni.page,
    "configuration.md": configuration.page,
    "decisions.md": decisions.page,
    "dhcp.md": dhcp.page,
    "policy.md": policy.page,
    "records.md": records.page,
    "tables.md": tables.page,
}
"""The name of each page and what writes it."""
