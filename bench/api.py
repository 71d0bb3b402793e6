"""How many ports a second the API makes, over HTTP, on SQLite, security groups and addresses included.

A server in a process of its own, clients here, all on this machine's loopback, connections kept.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from bench.figure import Figure, at_least

SECRET = "bench"
TOKENS = f'[[token]]\nsecret = "{SECRET}"\nproject = "bench"\n'
CLIENTS = 8
SINGLES = 2000
BULK = 1000
BULKS = 5


class Client:
    """One connection; as little work of its own as can be, since it shares the processors with the server."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def post(self, collection: str, body: object) -> bytes:
        """Make something; answers the body of the response."""
        content = json.dumps(body).encode()
        head = f"POST /v2.0/{collection} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {SECRET}\r\n"
        self._socket.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        return self._receive()

    def _receive(self) -> bytes:
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._more()
        head, _, body = received.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 201"):
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


def figures() -> Iterator[Figure]:
    """Creates a second, one by one and in lists."""
    with tempfile.TemporaryDirectory() as folder, _server(Path(folder)) as port:
        network = _network(port)
        how = f"{SINGLES} POST /v2.0/ports by {CLIENTS} clients on kept connections to a server process; wall time"
        yield Figure("port creates, one a call", _singles(port, network), "1/s", how, at_least(500))
        how = f"the best of {BULKS} POST /v2.0/ports of {BULK} ports by one client; wall time"
        yield Figure(f"port creates, {BULK} a call", _bulks(port, network), "1/s", how, at_least(5000))


def _network(port: int) -> str:
    client = Client(port)
    network: str = json.loads(client.post("networks", {"network": {"name": "bench"}}))["network"]["id"]
    client.post("subnets", {"subnet": {"network_id": network, "cidr": "10.0.0.0/12"}})
    client.close()
    return network


def _singles(port: int, network: str) -> float:
    def work() -> None:
        client = Client(port)
        for _ in range(SINGLES // CLIENTS):
            client.post("ports", {"port": {"network_id": network}})
        client.close()

    threads = [Thread(target=work) for _ in range(CLIENTS)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return SINGLES / (time.perf_counter() - start)


def _bulks(port: int, network: str) -> float:
    client = Client(port)
    best = float("inf")
    for _ in range(BULKS):
        start = time.perf_counter()
        client.post("ports", {"ports": [{"network_id": network, "name": f"p{index}"} for index in range(BULK)]})
        best = min(best, time.perf_counter() - start)
    client.close()
    return BULK / best


@contextmanager
def _server(folder: Path) -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    (folder / "tokens.toml").write_text(TOKENS)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    process = subprocess.Popen([sys.executable, "-m", "bench.api", "serve", str(folder), str(port)], env=environment)
    try:
        _wait_until_open(port)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _wait_until_open(port: int) -> None:
    end = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def _serve(folder: Path, port: int) -> None:
    import uvicorn

    from netplane.api import make_app, read_tokens
    from netplane.store import Store

    store = Store.open(f"sqlite:///{folder}/bench.db")
    app = make_app(store, read_tokens(folder / "tokens.toml"))
    uvicorn.run(app, port=port, log_level="warning", access_log=False, loop="uvloop", http="httptools")


def main() -> None:
    """Print the figures, or serve for them."""
    if sys.argv[1:2] == ["serve"]:
        _serve(Path(sys.argv[2]), int(sys.argv[3]))
        return
    for figure in figures():
        print(f"{figure.name:32} {figure.value:10,.0f} {figure.unit:6} {figure.how}")


if __name__ == "__main__":
    main()
