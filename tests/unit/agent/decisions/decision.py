"""A decision for tests."""

from msgspec.structs import replace

from netplane.model import Decision

ONE = Decision(
    number=1,
    time="2026-01-02T03:04:05.678901Z",
    port_id="port",
    project_id="blue",
    direction="ingress",
    event="DROP",
    protocol=6,
    source="10.0.0.5",
    destination="10.0.0.6",
    source_port=40_000,
    destination_port=22,
    identity=5,
    remote=6,
    security_groups=("group",),
    remote_groups=("other",),
    reason="POLICY_IN",
    text="no security group rule of the receiver allows it",
)


def numbered(*numbers: int) -> list[Decision]:
    """The same decision under several numbers."""
    return [replace(ONE, number=number) for number in numbers]
