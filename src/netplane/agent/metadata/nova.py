"""Nova's metadata service, asked in the name of a machine as OpenStack Networking's metadata agent asks it.

The service believes who knows the shared secret: the signature is HMAC-SHA256 of the instance's id.
"""

import asyncio
import hmac
import logging
import ssl
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import urlsplit

import h11

from netplane.agent.metadata.http import Request, Response
from netplane.model import Port

PATIENCE = 30.0
"""Seconds for a whole answer."""

LARGEST = 4 * 1024 * 1024
"""Bytes of an answer."""

CHUNK = 65_536
PASSED_ON = frozenset({"accept", "user-agent", "x-metadata-provider"})
"""Headers that a machine may say to Nova; who it is, it may not."""

log = logging.getLogger(__name__)


class Nova(NamedTuple):
    """Where Nova's metadata service is, and the secret shared with it (`metadata_proxy_shared_secret`)."""

    url: str
    secret: str


async def ask(nova: Nova, port: Port, address: str, request: Request) -> Response:
    """What Nova answers the machine of a port, which asks from one of its addresses; 502 or 504 if it does not."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await _ask(nova, request, signed(nova, port, address))
    except TimeoutError:
        log.warning("Nova's metadata service at %s does not answer", nova.url)
        return Response(504)
    except (OSError, h11.ProtocolError) as problem:
        log.warning("Nova's metadata service at %s: %s", nova.url, problem)
        return Response(502)


def signed(nova: Nova, port: Port, address: str) -> dict[str, str]:
    """The headers that say who asks."""
    signature = hmac.new(nova.secret.encode(), port.device_id.encode(), sha256)
    return {
        "X-Forwarded-For": address,
        "X-Instance-ID": port.device_id,
        "X-Tenant-ID": port.project_id,
        "X-Instance-ID-Signature": signature.hexdigest(),
    }


async def _ask(nova: Nova, request: Request, who: dict[str, str]) -> Response:
    place = urlsplit(nova.url)
    secure = ssl.create_default_context() if place.scheme == "https" else None
    number = place.port or (443 if secure else 80)
    reader, writer = await asyncio.open_connection(place.hostname, number, ssl=secure)
    try:
        protocol = h11.Connection(h11.CLIENT)
        headers = [
            ("Host", place.netloc),
            ("Connection", "close"),
            ("Content-Length", str(len(request.body))),
            *((name, value) for name, value in request.headers if name in PASSED_ON),
            *who.items(),
        ]
        head = h11.Request(method=request.method, target=place.path.rstrip("/") + request.target, headers=headers)
        parts = [protocol.send(head), protocol.send(h11.Data(data=request.body)), protocol.send(h11.EndOfMessage())]
        writer.write(b"".join(part for part in parts if part))
        return await _read_response(protocol, reader)
    finally:
        writer.close()


async def _read_response(protocol: h11.Connection, reader: asyncio.StreamReader) -> Response:
    head: h11.Response | None = None
    body = b""
    while True:
        event = protocol.next_event()
        match event:
            case h11.Response():
                head = event
            case h11.Data():
                body += event.data
                if len(body) > LARGEST:
                    raise h11.RemoteProtocolError("an answer too long")
            case h11.EndOfMessage():
                assert head is not None
                kind = next((value for name, value in head.headers if name == b"content-type"), b"text/plain")
                return Response(head.status_code, body, kind.decode("latin-1"))
            case h11.ConnectionClosed():
                raise h11.RemoteProtocolError("the connection has ended too early")
            case h11.NEED_DATA:
                protocol.receive_data(await reader.read(CHUNK))
