"""The agent as a process: what it is started with, how it ends, and how a host is cleared of it."""

from collections.abc import Sequence
from pathlib import Path

PINS = Path("/run/netplane/bpf")
"""Below a file system of type bpf of our own: `ip netns exec` hides what is mounted below /sys."""

TUNNEL, PUNT = "np-vxlan", "np-punt"


def main(
    name: str, address: str, controllers: Sequence[str], state_dir: Path, token: str, *, instance: str | None = None
) -> None:
    """Run the agent of a host until SIGTERM or SIGINT, after which the datapath goes on forwarding.

    `address` is the host's in the underlay; `controllers` are `unix:///path` or `host:port`, tried in turn;
    `state_dir` keeps the slice; `instance` names the pinned tables (by default the host's name), for machines that
    run several hosts.
    """
    raise NotImplementedError


def teardown(instance: str, state_dir: Path | None = None) -> None:
    """Take a host's datapath away: programs, tables, devices of this namespace, and the slice in `state_dir`."""
    raise NotImplementedError
