"""The little of rtnetlink(7) that an agent speaks: requests with an answer, and attributes to and fro.

A library for all of it costs a host more time and memory at the agent's start than everything else together.
"""

import errno
import os
import socket
from collections.abc import Iterator, Mapping
from itertools import count
from struct import pack, unpack_from

ERROR, DONE = 2, 3
NEWLINK, DELLINK, GETLINK, SETLINK, GETADDR = 16, 17, 18, 19, 22
REQUEST, ACK, ROOT_MATCH, EXCLUSIVE, CREATE = 0x1, 0x4, 0x300, 0x200, 0x400
HEADER = 16
RECEIVED = 1 << 18


class NetlinkRefused(OSError):
    """The kernel's answer to a request was an error."""


def messages(datagram: bytes) -> Iterator[tuple[int, bytes]]:
    """The type and body of each message in a datagram; what is cut short is left out."""
    at = 0
    while at + HEADER <= len(datagram):
        length, kind = unpack_from("=IH", datagram, at)
        if length < HEADER or at + length > len(datagram):
            return
        yield kind, datagram[at + HEADER : at + length]
        at += (length + 3) & ~3


def attributes(area: bytes) -> dict[int, bytes]:
    """The attributes in an area; what is cut short is left out."""
    found, at = {}, 0
    while at + 4 <= len(area):
        length, kind = unpack_from("=HH", area, at)
        if length < 4 or at + length > len(area):
            break
        found[kind & 0x3FFF] = area[at + 4 : at + length]
        at += (length + 3) & ~3
    return found


def encode(wanted: Mapping[int, bytes]) -> bytes:
    """Attributes as the kernel reads them; nest by encoding what is inside first."""
    return b"".join(
        pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4) for kind, value in wanted.items()
    )


def message(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    """A request."""
    return pack("=IHHII", HEADER + len(body), kind, REQUEST | flags, sequence, 0) + body


def open_socket(groups: int = 0) -> socket.socket:
    """A socket to the kernel of this thread's namespace, member of some multicast groups."""
    opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
    opened.bind((0, groups))
    return opened


class Netlink:
    """A conversation with the kernel: one request, then its answer. It blocks, for microseconds."""

    def __init__(self) -> None:
        self._socket = open_socket()
        self._sequence = count(1)

    def __enter__(self) -> "Netlink":
        return self

    def __exit__(self, *reason: object) -> None:
        self._socket.close()

    def ask(self, kind: int, flags: int, body: bytes) -> list[bytes]:
        """The bodies of the answers; NetlinkRefused if the kernel refuses."""
        self._socket.send(message(kind, flags | ACK, next(self._sequence), body))
        found: list[bytes] = []
        while True:
            for answer, content in messages(self._socket.recv(RECEIVED)):
                if answer in (ERROR, DONE):
                    _raise(content)
                    return found
                found.append(content)


def _raise(content: bytes) -> None:
    """The first number of an acknowledgement, or of a list's end, is an error's or 0."""
    (code,) = unpack_from("=i", content) if len(content) >= 4 else (-errno.EBADMSG,)
    if code:
        raise NetlinkRefused(-code, os.strerror(-code))
