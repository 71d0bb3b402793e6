"""All hosts, some at a time: who shares a large domain with most others is told of them by the crowd, not one by one.

Crowds are made when they are asked for, and again when any host has come, changed or gone, which is seldom.
"""

from collections.abc import Iterable, Mapping, Sequence

CROWD = 50
"""Hosts of a crowd."""


class Crowd:
    """Some hosts, by name."""

    __slots__ = ("hosts",)

    def __init__(self, hosts: Iterable[str]) -> None:
        self.hosts = dict.fromkeys(hosts)


class Crowds:
    """Those that all hosts are of."""

    def __init__(self) -> None:
        self._made: Sequence[Crowd] = ()

    def within(self, hosts: Mapping[str, None], everybody: Iterable[str]) -> tuple[Sequence[Crowd], Iterable[str]]:
        """The crowds of these hosts alone, and those hosts that are in none of them; `everybody` is all there are."""
        if not self._made:
            names = tuple(everybody)
            self._made = [Crowd(names[start : start + CROWD]) for start in range(0, len(names), CROWD)]
        found = [crowd for crowd in self._made if crowd.hosts.keys() <= hosts.keys()]
        if not found:
            return found, hosts
        rest = set(hosts).difference(*(crowd.hosts for crowd in found))
        return found, [host for host in hosts if host in rest] if rest else ()

    def forget(self) -> Sequence[Crowd]:
        """Hosts are others than before: the crowds that are no more."""
        gone, self._made = self._made, ()
        return gone
