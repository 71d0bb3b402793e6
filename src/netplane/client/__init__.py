"""HTTP to a controller: one connection, one token, a body or one of three faults.

    Fault ─┬─ Unanswered   nobody answers
           ├─ Stranger     what answers is not netplane
           └─ Refused      the controller says no

Made for programs that start, ask a few things and end: nothing but the language's own library is loaded.
"""

import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.message import Message
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

SECONDS = 30.0
NO_CONTENT = 204
Body = dict[str, Any]


class Fault(Exception):
    """A controller could not be asked, or did not do what it was asked for."""


class Unanswered(Fault):
    """Nobody answers; says why."""


class Stranger(Fault):
    """What answers does not speak as a controller does."""


class Refused(Fault):
    """The controller says no; `status` is HTTP's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Client:
    """One controller and one token; the connection is made with the first call and kept."""

    def __init__(self, url: str, token: str, *, authority: str = "", verify: bool = True) -> None:
        """`authority` is the path of certificates to believe for HTTPS, besides those that the system does.

        Without `verify` any certificate will do: for what is proven by other means.
        """
        self.url = url.rstrip("/")
        self._headers = {"X-Auth-Token": token, "Content-Type": "application/json"}
        self._authority = authority
        self._verify = verify
        self._connection: HTTPConnection | None = None
        self.revision = 0
        """The newest revision that a call has made; 0 if none has written anything."""

    def call(self, method: str, path: str, body: object = None) -> Body:
        """The body that answers, {} where there is none; a Fault for anything but success."""
        status, _, data = self._exchange(method, path, None if body is None else json.dumps(body).encode(), {})
        self._check(status, data)
        return {} if status == NO_CONTENT else self._decode(data)

    def log_in(self, body: object) -> tuple[str, Body]:
        """The token that a login gives, and what is said of it."""
        status, headers, data = self._exchange("POST", "/v3/auth/tokens", json.dumps(body).encode(), {})
        self._check(status, data)
        return headers.get("X-Subject-Token", ""), self._decode(data)

    def revoke(self, token: str) -> None:
        """Make a token void."""
        status, _, data = self._exchange("DELETE", "/v3/auth/tokens", None, {"X-Subject-Token": token})
        self._check(status, data)

    @contextmanager
    def stream(self, path: str) -> Iterator[HTTPResponse]:
        """What answers a GET and goes on, line by line as it comes; a Fault for anything but success, also midway."""
        self.close()
        try:
            connection = self._connection = _connection(self.url, self._tls)
            connection.request("GET", urlsplit(self.url).path + path, headers=self._headers)
            answer = connection.getresponse()
            if answer.status >= 400:
                self._check(answer.status, answer.read())
            yield answer
        except (OSError, HTTPException, ValueError) as problem:
            raise Unanswered(_reason(problem)) from None
        finally:
            self.close()

    def close(self) -> None:
        """Give the connection up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _check(self, status: int, data: bytes) -> None:
        if status >= 400:
            raise Refused(status, _message(data) or data.decode(errors="replace")[:200] or "no reason was given")

    def _exchange(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, Message, bytes]:
        try:
            if self._connection is None:
                self._connection = _connection(self.url, self._tls)
            self._connection.request(method, urlsplit(self.url).path + path, body, {**self._headers, **headers})
            answer = self._connection.getresponse()
            self.revision = max(self.revision, int(answer.headers.get("X-Netplane-Revision", 0)))
            return answer.status, answer.headers, answer.read()
        except (OSError, HTTPException, ValueError) as problem:
            self.close()
            raise Unanswered(_reason(problem)) from None

    def _tls(self) -> ssl.SSLContext:
        if self._verify:
            context = ssl.create_default_context()
            if self._authority:
                context.load_verify_locations(self._authority)
            return context
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context

    def _decode(self, data: bytes) -> Body:
        body = _parse(data)
        if not isinstance(body, dict):
            raise Stranger(f"what answers at {self.url} is not netplane")
        return body


def _connection(url: str, tls: Callable[[], ssl.SSLContext]) -> HTTPConnection:
    """A connection that is opened by its first request; ValueError for what is no URL of HTTP."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("not a URL of http or https")
    if parts.scheme == "http":
        return HTTPConnection(parts.hostname, parts.port, timeout=SECONDS)
    return HTTPSConnection(parts.hostname, parts.port, timeout=SECONDS, context=tls())


def _reason(problem: Exception) -> str:
    if isinstance(problem, OSError) and problem.strerror:
        return problem.strerror.lower()
    return str(problem) or type(problem).__name__


def _message(data: bytes) -> str:
    """What a Neutron-shaped error says: `{"NeutronError": {"type", "message", "detail"}}`."""
    body = _parse(data)
    error = next(iter(body.values()), "") if isinstance(body, dict) else ""
    return str(error.get("message", "")) if isinstance(error, dict) else str(error)


def _parse(data: bytes) -> object:
    try:
        return json.loads(data)
    except ValueError:
        return None
