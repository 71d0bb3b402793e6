"""Which ports stand on a network, and which hosts carry them.

Ports are kept in parts of a bounded size, since what hosts are told of a part is made at one time: one port more makes
few endpoints be encoded anew. Which part a port is in follows from its id; the parts double in number when they have
become too large.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence

from netplane.model import Presence

LARGE = 500
"""Ports of a part, on average, beyond which the parts of a network double."""


class Stand:
    """Some of the ports that stand on a network."""

    __slots__ = ("ports",)

    def __init__(self) -> None:
        self.ports: dict[str, None] = {}


class Standing:
    """One network's."""

    __slots__ = ("_count", "_hosts", "_network", "_presence", "parts")

    def __init__(self, network: str, ports: Collection[str] = (), hosts: Iterable[int] = ()) -> None:
        """With ports that stand there already, each on its host of `hosts`, by number."""
        self.parts: Sequence[Stand] = (Stand(),)
        self.parts[0].ports.update(dict.fromkeys(ports))
        self._count = len(ports)
        self._hosts: dict[int, int] = dict(Counter(hosts))
        self._network = network
        self._presence: Presence | None = None
        self._keep_small()

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        return (port for part in self.parts for port in part.ports)

    def add(self, port: str) -> Sequence[Stand]:
        """One more; answers the parts that differ, or are no more."""
        part = self._part(port)
        part.ports[port] = None
        self._count += 1
        if self._count <= LARGE * len(self.parts):
            return (part,)
        before = self.parts
        self._double()
        return before

    def remove(self, port: str) -> Stand:
        """One less; answers the part that it was in."""
        part = self._part(port)
        del part.ports[port]
        self._count -= 1
        return part

    def appear(self, host: int) -> bool:
        """One more machine of a host, by number; whether it is the first."""
        count = self._hosts.get(host, 0)
        self._hosts[host] = count + 1
        if not count:
            self._presence = None
        return not count

    def disappear(self, host: int) -> bool:
        """One less; whether it was the last."""
        self._hosts[host] -= 1
        if self._hosts[host]:
            return False
        del self._hosts[host]
        self._presence = None
        return True

    @property
    def presence(self) -> Presence:
        """The hosts that have appeared."""
        if self._presence is None:
            self._presence = Presence(id=self._network, hosts=tuple(sorted(self._hosts)))
        return self._presence

    def _part(self, port: str) -> Stand:
        return self.parts[hash(port) % len(self.parts)]

    def _keep_small(self) -> None:
        while self._count > LARGE * len(self.parts):
            self._double()

    def _double(self) -> None:
        ports = list(self)
        self.parts = tuple(Stand() for _ in range(2 * len(self.parts)))
        for port in ports:
            self._part(port).ports[port] = None
