"""TCP between namespaces: an echo server, single exchanges, and a steady stream to see interruptions with."""

import socket
import struct
import threading
import time
from contextlib import suppress
from typing import NamedTuple

from netplane.lab.namespace import inside

CONNECT_SECONDS = 1.0
TCP_INFO_RETRANSMITS, TCP_INFO_DUPLICATES = 100, 216
"""Where `tcpi_total_retrans` and `tcpi_dsack_dups` lie in struct tcp_info (include/uapi/linux/tcp.h)."""


class Exchange(NamedTuple):
    """What came of a TCP connection."""

    bytes: int
    """Echoed and compared."""
    error: str
    """Why it failed; empty if it did not."""
    connect_ms: float

    @property
    def ok(self) -> bool:
        """Whether everything came back as it was sent."""
        return not self.error

    def __str__(self) -> str:
        return self.error or f"{self.bytes // 1024} KiB echoed, connected in {self.connect_ms:.2f} ms"


def make_socket(
    namespace: str, kind: socket.SocketKind = socket.SOCK_STREAM, family: socket.AddressFamily = socket.AF_INET
) -> socket.socket:
    """A socket that lives in a namespace; any thread may use it."""
    with inside(namespace):
        return socket.socket(family, kind)


class EchoServer:
    """A TCP server in a namespace that sends back what it gets, by both versions of IP."""

    def __init__(self, namespace: str, port: int) -> None:
        self.port = port
        self._again: list[Again] = []
        self._threads: list[threading.Thread] = []
        self._listener = make_socket(namespace, family=socket.AF_INET6)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self._listener.bind(("::", port))
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._echo, args=(connection,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def _echo(self, connection: socket.socket) -> None:
        with connection:
            try:
                while received := connection.recv(65536):
                    connection.sendall(received)
            except OSError:
                return
            finally:
                self._again.append(sent_again(connection))

    def sent_again(self, seconds: float = 2.0) -> "Again":
        """What this end has sent again, on connections whose clients have closed them."""
        for thread in self._threads:
            thread.join(seconds)
        return Again(*map(sum, zip(Again(0, 0), *self._again, strict=True)))

    def close(self) -> None:
        """Stop listening; open connections stay until their clients close."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def __enter__(self) -> "EchoServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def connect(namespace: str, target: str, port: int, seconds: float = CONNECT_SECONDS) -> socket.socket:
    """A TCP connection from a namespace; OSError if it does not come about in time."""
    connection = make_socket(namespace, family=socket.AF_INET6 if ":" in target else socket.AF_INET)
    connection.settimeout(seconds)
    try:
        connection.connect((target, port))
    except OSError:
        connection.close()
        raise
    return connection


def exchange(namespace: str, target: str, port: int, size: int = 65536, seconds: float = CONNECT_SECONDS) -> Exchange:
    """Connect, send `size` bytes, and compare what comes back."""
    begun = time.perf_counter()
    try:
        with connect(namespace, target, port, seconds) as connection:
            connected = (time.perf_counter() - begun) * 1000
            connection.settimeout(5)
            return Exchange(size, _compare(connection, bytes(range(256)) * (size // 256)), connected)
    except OSError as problem:
        return Exchange(0, str(problem) or type(problem).__name__, 0.0)


def _compare(connection: socket.socket, wanted: bytes) -> str:
    sender = threading.Thread(target=connection.sendall, args=(wanted,), daemon=True)
    sender.start()
    got = receive(connection, len(wanted))
    sender.join()
    return "" if got == wanted else f"{len(got)} of {len(wanted)} bytes came back right"


def receive(connection: socket.socket, size: int) -> bytes:
    """Read exactly `size` bytes, fewer only if the other side closes."""
    parts, left = [], size
    while left and (part := connection.recv(min(left, 65536))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


class Stream:
    """A TCP connection with a steady flow, to see whether anything interrupts it.

    It is paced well below what the path carries, so that a packet that is lost was not lost to a full queue.
    """

    def __init__(self, namespace: str, target: str, port: int, pause: float = 0.002, size: int = 8192) -> None:
        self._connection = connect(namespace, target, port, 3)
        self._connection.settimeout(20)
        self._pause = pause
        self._block = bytes(size)
        self._ending = threading.Event()
        self.rounds = 0
        self.longest = 0.0
        self.last = time.monotonic()
        self.error = ""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ending.is_set():
            begun = time.perf_counter()
            try:
                self._connection.sendall(self._block)
                if len(receive(self._connection, len(self._block))) < len(self._block):
                    raise ConnectionError("closed by the other side")
            except OSError as problem:
                self.error = str(problem) or type(problem).__name__
                return
            self.longest = max(self.longest, time.perf_counter() - begun)
            self.last = time.monotonic()
            self.rounds += 1
            time.sleep(self._pause)

    def stop(self, server: EchoServer) -> "Flow":
        """End it and say how it went, with what the server had to send again: half of the packets come from there."""
        self._ending.set()
        self._thread.join(25)
        here = sent_again(self._connection)
        self._connection.close()
        there = server.sent_again()
        size = self.rounds * len(self._block)
        return Flow(size, here.lost + there.lost, here.late + there.late, self.longest * 1000, self.error)

    def abandon(self) -> None:
        """Let go of a connection that does not carry anything any more."""
        self._ending.set()
        # Data that cannot be delivered would keep the socket in the kernel for minutes.
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._connection.close()


class Flow(NamedTuple):
    """How a steady TCP connection fared."""

    bytes: int
    """Sent and echoed."""
    retransmits: int
    """Segments that either end had to send again, since they were lost."""
    late: int
    """Segments that either end sent again too soon."""
    longest_ms: float
    """The slowest round of one block."""
    error: str

    @property
    def ok(self) -> bool:
        """Whether it ran through without losing a packet."""
        return not self.error and not self.retransmits and self.bytes > 0

    def __str__(self) -> str:
        size = f"{self.bytes / 2**20:.1f} MiB"
        return self.error or f"{size} echoed, {self.retransmits} retransmits, slowest round {self.longest_ms:.0f} ms"


class Again(NamedTuple):
    """Segments that one end of a connection has sent again."""

    lost: int
    late: int
    """Of which the other end said that it had them twice (RFC 2883): TCP tries again after some milliseconds
    (RFC 8985, section 7), and on a busy machine a packet may take longer."""


def sent_again(connection: socket.socket) -> Again:
    """What this end has sent again so far."""
    counters = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_DUPLICATES + 4)
    again, late = (
        struct.unpack_from("=I", counters, offset)[0] for offset in (TCP_INFO_RETRANSMITS, TCP_INFO_DUPLICATES)
    )
    return Again(max(again - late, 0), late)
