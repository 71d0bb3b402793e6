"""What a host has decided about a packet, for whoever asks later: a frozen value, no record."""

from msgspec import Struct


class Decision(Struct, frozen=True, gc=False):
    """A connection that rules let pass, or a packet that was dropped, at one port."""

    number: int
    """Rises with every decision that a host tells of, over its agent's restarts too."""
    time: str
    """When (UTC, ISO 8601)."""
    port_id: str
    project_id: str
    """The port's."""
    direction: str
    """`ingress` (to the machine) or `egress` (from it)."""
    event: str
    """`ACCEPT` or `DROP`."""
    protocol: int
    source: str
    destination: str
    """Addresses."""
    source_port: int
    """0 for protocols without ports."""
    destination_port: int
    """The same; of ICMP, 256 times the type and the code."""
    identity: int
    """The number of the port's identity; 0 for none."""
    remote: int
    """The number of the other side's identity; 0 for none, or if it is not known."""
    security_groups: tuple[str, ...]
    """The groups whose rules were asked."""
    remote_groups: tuple[str, ...]
    """The groups that the other side is in."""
    rule_id: str = ""
    """The rule that let it pass."""
    reason: str = ""
    """Why it was dropped: a name, and the same in a sentence."""
    text: str = ""
    unlogged: int = 0
    """Decisions about the port since the last one that were only counted: there were too many."""
