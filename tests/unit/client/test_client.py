"""The client against a server that answers from a table, over real HTTP."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from netplane.client import Client, Refused, Stranger, Unanswered
from tests.answering import served

ANSWERS = {
    "GET /v2.0/ports": (200, b'{"ports": []}'),
    "GET /list": (200, b"[]"),
    "GET /page": (200, b"<html>"),
    "DELETE /v2.0/ports/1": (204, b""),
    "DELETE /v2.0/ports/2": (404, b'{"NeutronError": {"type": "X", "message": "not here", "detail": ""}}'),
    "GET /text": (502, b"Bad gateway"),
    "GET /nothing": (500, b""),
}


class Answering(BaseHTTPRequestHandler):
    """Answers from the table and keeps connections; a POST gets its own body and token back."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(*ANSWERS[f"{self.command} {self.path}"])

    do_DELETE = do_GET

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        said = {"body": body, "token": self.headers["X-Auth-Token"], "from": self.client_address[1]}
        self._answer(201, json.dumps(said).encode())

    def _answer(self, status: int, data: bytes) -> None:
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served(Answering) as address:
        yield address


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    client = Client(f"{url}/", "secret")
    yield client
    client.close()


def test_successes(client: Client) -> None:
    assert client.call("GET", "/v2.0/ports") == {"ports": []}
    assert client.call("DELETE", "/v2.0/ports/1") == {}
    said = client.call("POST", "/anything", {"a": 1})
    assert (said["body"], said["token"]) == ({"a": 1}, "secret")


def test_a_connection_is_kept(client: Client) -> None:
    assert client.call("POST", "/x", {})["from"] == client.call("POST", "/x", {})["from"]


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("DELETE", "/v2.0/ports/2", 404, "not here"),
        ("GET", "/text", 502, "Bad gateway"),
        ("GET", "/nothing", 500, "no reason was given"),
    ],
)
def test_refusals(client: Client, method: str, path: str, status: int, said: str) -> None:
    with pytest.raises(Refused, match=said) as caught:
        client.call(method, path)
    assert caught.value.status == status


@pytest.mark.parametrize("path", ["/list", "/page"])
def test_what_is_not_netplane(client: Client, path: str) -> None:
    with pytest.raises(Stranger, match="not netplane"):
        client.call("GET", path)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:9", "connection refused"),
        ("ftp://127.0.0.1", "not a URL"),
        ("nonsense", "not a URL"),
        ("http://127.0.0.1:x", "[Pp]ort"),
    ],
)
def test_where_nobody_answers(url: str, said: str) -> None:
    with pytest.raises(Unanswered, match=said):
        Client(url, "secret").call("GET", "/")
