"""The kernel's network devices, from rtnetlink's messages: a parser without a socket, and a watch.

An agent that waits for links costs nothing: one socket, no thread, no poll.
"""

import asyncio
import errno
import socket
from collections.abc import Callable, Iterator, Mapping
from struct import unpack_from
from typing import NamedTuple

from netplane.agent.devices.netlink import (
    DELLINK,
    DONE,
    ERROR,
    GETLINK,
    NEWLINK,
    RECEIVED,
    ROOT_MATCH,
    attributes,
    message,
    messages,
    open_socket,
)

GROUP_LINK = 1
IFNAME, MTU, LINKINFO, IFALIAS, LINK_NETNSID = 3, 4, 18, 20, 37
INFO_KIND, INFO_DATA = 1, 2
IFF_UP = 0x1
BODY = 16
"""The length of `struct ifinfomsg`."""


class Link(NamedTuple):
    """A network device of this namespace."""

    ifindex: int
    name: str
    alias: str
    kind: str
    """The driver's name for it, such as `veth`; empty for hardware."""
    up: bool
    elsewhere: bool
    """Whether the device it is tied to lies in another network namespace."""


class Gone(NamedTuple):
    """A device of this namespace that is no more."""

    ifindex: int


class End(NamedTuple):
    """The end of the list that was asked for."""


def parse(datagram: bytes) -> Iterator[Link | Gone | End]:
    """What a datagram from the kernel says of devices; whatever else it says is passed over."""
    for kind, body in messages(datagram):
        if kind in (DONE, ERROR):
            yield End()
        elif kind in (NEWLINK, DELLINK) and len(body) >= BODY:
            yield from _link(kind, body)


def _link(kind: int, body: bytes) -> Iterator[Link | Gone]:
    family, ifindex, flags = unpack_from("=BxxxiI", body)
    if family != socket.AF_UNSPEC:
        # A bridge's notices share these types: DELLINK then says that a device has left it.
        return
    if kind == DELLINK:
        yield Gone(ifindex)
        return
    found = attributes(body[BODY:])
    yield Link(
        ifindex=ifindex,
        name=text(found.get(IFNAME, b"")),
        alias=text(found.get(IFALIAS, b"")),
        kind=text(attributes(found.get(LINKINFO, b"")).get(INFO_KIND, b"")),
        up=bool(flags & IFF_UP),
        elsewhere=LINK_NETNSID in found,
    )


def text(octets: bytes) -> str:
    """A name as the kernel writes it."""
    return octets.rstrip(b"\0").decode(errors="replace")


class LinkWatch:
    """Knows all devices of this namespace from the start, and says when something about them has changed."""

    def __init__(self) -> None:
        self._links: dict[int, Link] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._socket = open_socket(GROUP_LINK)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._read_all()
        self._socket.setblocking(False)

    @property
    def links(self) -> Mapping[int, Link]:
        """All devices by ifindex, as of the last message."""
        return self._links

    def start(self, changed: Callable[[], None]) -> None:
        """Call `changed` from the running loop after each batch of news."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket, self._readable, changed)

    def close(self) -> None:
        """Stop watching; from the loop it was started in, if it was."""
        if self._loop is not None:
            self._loop.remove_reader(self._socket)
        self._socket.close()

    def _read_all(self) -> None:
        """List all devices; news that come in between are taken in turn."""
        self._links = {}
        self._socket.send(message(GETLINK, ROOT_MATCH, 1, bytes(BODY)))
        while not self._take(self._socket.recv(RECEIVED)):
            pass

    def _readable(self, changed: Callable[[], None]) -> None:
        try:
            while True:
                self._take(self._socket.recv(RECEIVED))
        except BlockingIOError:
            pass
        except OSError as problem:
            if problem.errno != errno.ENOBUFS:
                raise
            # News were lost: the only remedy is to look at everything again.
            self._socket.setblocking(True)
            self._read_all()
            self._socket.setblocking(False)
        changed()

    def _take(self, datagram: bytes) -> bool:
        """Take news in; whether a list has ended."""
        ended = False
        for news in parse(datagram):
            match news:
                case Link():
                    self._links[news.ifindex] = news
                case Gone():
                    self._links.pop(news.ifindex, None)
                case End():
                    ended = True
        return ended
