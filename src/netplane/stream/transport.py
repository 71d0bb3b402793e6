"""What the two ends of the gRPC connection agree on."""

METHOD = "/netplane.v1.Southbound/Session"
SERVICE, _, METHOD_NAME = METHOD[1:].partition("/")

TOKEN_KEY = "authorization"
"""The metadata that carries `Bearer <token>`."""

LARGEST_UP = 4 * 1024 * 1024
"""Bytes of a frame from an agent."""
LARGEST_DOWN = 256 * 1024 * 1024
"""Bytes of a frame from a controller; a delta of `outbox.LIMIT` large records stays below."""

KEEPALIVE = (
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.ping_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", 1_000),
)
"""Either end notices within 15 s that the other is gone, also when nothing is being said.

`keepalive_timeout_ms` alone leaves a ping 60 s to be answered. Without the last line gRPC takes the pings of an idle
session for an attack, and ends it after the third.
"""


def target(address: str) -> str:
    """An address as gRPC takes it: `unix:///path` and `host:port` are themselves, `tcp://host:port` is `host:port`."""
    return address.removeprefix("tcp://")


def bearer(token: str) -> str:
    """The value of the metadata that carries a token."""
    return f"Bearer {token}"
