"""Clients of the API that take as little as can be for themselves, since they share the processors with the server."""

import json
import socket
import time
from collections.abc import Callable, Sequence
from statistics import quantiles
from threading import Thread
from typing import Any, NamedTuple

Call = tuple[str, str, object]
"""Method, path and body; None for none."""


class Client:
    """One connection, kept, and one token."""

    def __init__(self, port: int, token: str) -> None:
        self._token = token
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def call(self, method: str, path: str, body: object = None) -> bytes:
        """The body that answers; RuntimeError if it is a refusal."""
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {self._token}\r\n"
        self._socket.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        return self._receive()

    def make(self, collection: str, kind: str, **fields: object) -> str:
        """Create something; answers its id."""
        body = json.loads(self.call("POST", f"/v2.0/{collection}", {kind: fields}))
        id: str = body[kind]["id"]
        return id

    def _receive(self) -> bytes:
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._more()
        head, _, body = received.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 2"):
            raise RuntimeError(f"refused: {head!r} {body!r}")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        parts, size = [body], len(body)
        while size < length:
            parts.append(self._more())
            size += len(parts[-1])
        return b"".join(parts)

    def _more(self) -> bytes:
        more = self._socket.recv(1 << 20)
        if not more:
            raise ConnectionError("the server hung up")
        return more

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


class Run(NamedTuple):
    """Many calls of one sort."""

    rate: float
    """Calls a second, wall time."""
    median: float
    """Milliseconds."""
    worst: float
    """Milliseconds that 99 of 100 calls do not exceed."""
    cpu: float
    """Milliseconds of the servers' processors a call."""


def run(clients: Sequence[Client], calls: Sequence[Call], read_cpu: Callable[[], float]) -> Run:
    """Send calls by several clients at once, each its share, one after the other; then they hang up.

    `read_cpu` gives seconds.
    """
    times: list[float] = []
    faults: list[BaseException] = []

    def work(client: Client, share: Sequence[Call]) -> None:
        try:
            for method, path, body in share:
                start = time.perf_counter()
                client.call(method, path, body)
                times.append(time.perf_counter() - start)
        except BaseException as fault:
            faults.append(fault)

    shares = [calls[index :: len(clients)] for index in range(len(clients))]
    threads = [Thread(target=work, args=pair) for pair in zip(clients, shares, strict=True)]
    before, start = read_cpu(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds, cpu = time.perf_counter() - start, read_cpu() - before
    for client in clients:
        client.close()
    if faults:
        raise faults[0]
    worst = quantiles(times, n=100)[98] if len(times) > 1 else times[0]
    middle = sorted(times)[len(times) // 2]
    return Run(len(calls) / seconds, middle * 1000, worst * 1000, cpu / len(calls) * 1000)


def body_of(kind: str, **fields: Any) -> dict[str, Any]:
    """A body that asks for one resource."""
    return {kind: fields}
