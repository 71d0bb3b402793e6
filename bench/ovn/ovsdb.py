"""A client of OVSDB (RFC 7047), as much of it as a benchmark needs: transactions, and reading what a table holds.

It is a few lines over a Unix socket, so that what is measured is the servers, not a client library's replica.
"""

import json
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Operation = dict[str, Any]
WAIT = 600.0
"""Seconds for an answer: a server that is busy with a large transaction answers nobody else."""


class Refused(Exception):
    """The server did not carry out a transaction."""


class Database:
    """One connection to one database of a server."""

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        self._socket = _connect(path)
        self._rest = ""
        self._last = 0

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def transact(self, *operations: Operation) -> list[Row]:
        """Carry out all operations or none, and give what each answered; Refused if none."""
        results: list[Row | None] = self._ask("transact", [self.name, *operations])
        bad = [result for result in results if result is None or "error" in result]
        if bad:
            raise Refused(str(bad[0]))
        return [result for result in results if result is not None]

    def select(self, table: str, *columns: str, where: Sequence[Any] = ()) -> list[Row]:
        """Rows of a table."""
        query = {"op": "select", "table": table, "where": list(where), "columns": list(columns)}
        found: list[Row] = self.transact(query)[0]["rows"]
        return found

    def _ask(self, method: str, parameters: list[Any]) -> Any:
        self._last += 1
        self._send({"method": method, "params": parameters, "id": self._last})
        while True:
            message = self._receive()
            if message.get("method") == "echo":
                self._send({"id": message["id"], "result": message["params"], "error": None})
            elif message.get("id") == self._last:
                if message["error"] is not None:
                    raise Refused(str(message["error"]))
                return message["result"]

    def _send(self, message: Row) -> None:
        self._socket.sendall(json.dumps(message, separators=(",", ":")).encode())

    def _receive(self) -> Row:
        """The next message; they follow each other without anything between them."""
        pieces = [self._rest]
        while True:
            if pieces[-1].endswith("}"):
                text = "".join(pieces)
                try:
                    message, end = json.JSONDecoder().raw_decode(text)
                except json.JSONDecodeError:
                    pass
                else:
                    self._rest = text[end:]
                    return dict(message)
            piece = self._socket.recv(1 << 20)
            if not piece:
                raise ConnectionError(f"the server of {self.name} has gone")
            pieces.append(piece.decode("latin-1"))


def _connect(path: Path) -> socket.socket:
    """A socket to a server that may still be starting."""
    end = time.monotonic() + WAIT
    while True:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(WAIT)
        try:
            connection.connect(str(path))
            return connection
        except (FileNotFoundError, ConnectionRefusedError):
            connection.close()
            if time.monotonic() > end:
                raise
            time.sleep(0.01)


def insert(table: str, name: str | None = None, /, **columns: Any) -> Operation:
    """A new row; others of the same transaction refer to it by `named(name)`."""
    operation: Operation = {"op": "insert", "table": table, "row": columns}
    return operation | ({"uuid-name": name} if name else {})


def update(table: str, where: Sequence[Any], /, **columns: Any) -> Operation:
    """Other values for the rows that conditions choose."""
    return {"op": "update", "table": table, "where": list(where), "row": columns}


def mutate(table: str, where: Sequence[Any], *mutations: Sequence[Any]) -> Operation:
    """Changes that begin with what is there, such as a set's new members."""
    return {"op": "mutate", "table": table, "where": list(where), "mutations": [list(one) for one in mutations]}


def many(values: Sequence[Any]) -> list[Any]:
    """A set, as OVSDB writes it."""
    return ["set", list(values)]


def mapping(values: Mapping[str, str]) -> list[Any]:
    """A map, as OVSDB writes it."""
    return ["map", [[key, value] for key, value in values.items()]]


def named(name: str) -> list[str]:
    """The row that this transaction inserts under a name."""
    return ["named-uuid", name]


def known(uuid: str) -> list[str]:
    """A row by its id."""
    return ["uuid", uuid]
