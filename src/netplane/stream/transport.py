"""What the two ends of the gRPC connection agree on: where it is, who proves what by TLS, how it is kept alive.

Both ends show certificates of one authority, over TCP and Unix sockets alike: a socket's file could say which user
connects, but not which host. They speak TLS 1.3; gRPC in Python cannot be told to agree to nothing else, so a
controller asks what was agreed to before it reads the first frame.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import grpc

from netplane.trust.certificates import certificate_pem, host_of, load_certificate
from netplane.trust.faults import Distrust
from netplane.trust.keys import key_pem
from netplane.trust.names import CONTROLLER, HostIdentity
from netplane.trust.own import OwnCertificate, Served
from netplane.trust.papers import Papers

METHOD = "/netplane.v1.Southbound/Session"
SERVICE, _, METHOD_NAME = METHOD[1:].partition("/")

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

GUARDED = (
    ("grpc.server_handshake_timeout_ms", 10_000),
    ("grpc.max_connection_idle_ms", 30_000),
    ("grpc.max_concurrent_streams", 4),
    ("grpc.max_metadata_size", 8_192),
)
"""What a controller grants connections: time for the handshake, time without a session, sessions, bytes of headers."""


def target(address: str) -> str:
    """An address as gRPC takes it: `unix:///path` and `host:port` are themselves, `tcp://host:port` is `host:port`."""
    return address.removeprefix("tcp://")


AUTHENTIC = (("grpc.ssl_target_name_override", CONTROLLER),)
"""An agent's option: whatever address it connects to, a controller is what must answer there."""


class Peer(NamedTuple):
    """Who is at the other end of a controller's connection."""

    identity: HostIdentity
    expires: datetime
    """Until when its certificate is valid."""


def agent_credentials(papers: Papers) -> grpc.ChannelCredentials:
    """What an agent shows, and whom it believes."""
    chain = certificate_pem(papers.certificate)
    return grpc.ssl_channel_credentials(certificate_pem(papers.authority), key_pem(papers.key), chain)


def controller_credentials(own: OwnCertificate) -> grpc.ServerCredentials:
    """What a controller shows: at each handshake what is valid then."""
    shown = own.served()

    def renewed() -> object:
        nonlocal shown
        before, shown = shown, own.served()
        return None if shown is before else _configuration(own, shown)

    return grpc.dynamic_ssl_server_credentials(_configuration(own, shown), renewed, require_client_authentication=True)


def peer_of(connection: Mapping[str, Sequence[bytes]]) -> Peer:
    """Who has connected, by what gRPC knows of the connection; Distrust if that is no host that has proven itself."""
    if list(connection.get("ssl_tls_version", ())) != [b"TLSv1.3"]:
        raise Distrust("agents speak TLS 1.3")
    certificate = load_certificate(b"".join(connection.get("x509_pem_cert", ())))
    return Peer(host_of(certificate), certificate.not_valid_after_utc)


def _configuration(own: OwnCertificate, shown: Served) -> object:
    return grpc.ssl_server_certificate_configuration([(shown.key, shown.chain)], root_certificates=own.authority.pem)
