"""The kernel's network devices, from rtnetlink messages (rtnetlink(7)): a parser without a socket, and a watch.

Messages are read here rather than through a library since an agent that waits for links must cost nothing: one
socket, no thread, no poll.
"""

import asyncio
import errno
import socket
from collections.abc import Callable, Iterator, Mapping
from struct import pack, unpack_from
from typing import NamedTuple

NEWLINK, DELLINK, GETLINK = 16, 17, 18
ERROR, DONE = 2, 3
REQUEST, DUMP = 0x1, 0x300
GROUP_LINK = 1
IFNAME, LINKINFO, IFALIAS, LINK_NETNSID, INFO_KIND = 3, 18, 20, 37, 1
UP = 0x1
HEADER, BODY = 16, 16


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
    at = 0
    while at + HEADER <= len(datagram):
        length, kind = unpack_from("=IH", datagram, at)
        if length < HEADER:
            return
        if kind in (DONE, ERROR):
            yield End()
        elif kind in (NEWLINK, DELLINK) and length >= HEADER + BODY:
            yield from _link(kind, datagram[at + HEADER : at + length])
        at += (length + 3) & ~3


def _link(kind: int, message: bytes) -> Iterator[Link | Gone]:
    family, ifindex, flags = unpack_from("=BxxxiI", message)
    if family != socket.AF_UNSPEC:
        # A bridge's notices share these types: DELLINK then says that a device has left it.
        return
    if kind == DELLINK:
        yield Gone(ifindex)
        return
    found = dict(_attributes(message[BODY:]))
    yield Link(
        ifindex=ifindex,
        name=_text(found.get(IFNAME, b"")),
        alias=_text(found.get(IFALIAS, b"")),
        kind=_text(dict(_attributes(found.get(LINKINFO, b""))).get(INFO_KIND, b"")),
        up=bool(flags & UP),
        elsewhere=LINK_NETNSID in found,
    )


def _attributes(area: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(area):
        length, kind = unpack_from("=HH", area, at)
        if length < 4:
            return
        yield kind & 0x3FFF, area[at + 4 : at + length]
        at += (length + 3) & ~3


def _text(octets: bytes) -> str:
    return octets.rstrip(b"\0").decode(errors="replace")


class LinkWatch:
    """Knows all devices of this namespace from the start, and says when something about them has changed."""

    def __init__(self) -> None:
        self._links: dict[int, Link] = {}
        self._sequence = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.bind((0, GROUP_LINK))
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
        self._sequence += 1
        request = pack("=IHHII", HEADER + BODY, GETLINK, REQUEST | DUMP, self._sequence, 0)
        self._socket.send(request + bytes(BODY))
        self._links = {}
        while not self._take(self._socket.recv(1 << 18)):
            pass

    def _readable(self, changed: Callable[[], None]) -> None:
        try:
            while True:
                self._take(self._socket.recv(1 << 18))
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
