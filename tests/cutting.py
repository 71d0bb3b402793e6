"""A wire to PostgreSQL that is cut at the worst moment: around a commit."""

import socket
from contextlib import suppress
from enum import Enum
from threading import Thread


class Cut(Enum):
    """When the wire is cut."""

    NEVER = "never"
    BEFORE = "before the database hears of the commit"
    AFTER = "before the client hears that it was kept"


class Wire:
    """Listens on a port of loopback and leads to another; `cut` says what happens at the next commit."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.cut = Cut.NEVER
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        """Take no more connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._to))
                for work in (self._carry_up, self._carry_down):
                    Thread(target=work, args=(client, server), daemon=True).start()

    def _carry_up(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while piece := client.recv(65536):
                if b"COMMIT" in piece and self.cut is Cut.BEFORE:
                    self.cut = Cut.NEVER
                    break
                if b"COMMIT" in piece and self.cut is Cut.AFTER:
                    self.cut = Cut.NEVER
                    # What it answers is swallowed.
                    _end(client)
                server.sendall(piece)
        _end(client, server)

    def _carry_down(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while piece := server.recv(65536):
                with suppress(OSError):
                    client.sendall(piece)
        _end(client, server)
        client.close()
        server.close()


def _end(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
