"""What is wrong, as hosts and the controller itself have said it last."""

from collections.abc import Iterable, Mapping

from netplane.base.problem import Problem


class Problems:
    """Problems by host: what its agent says, and claims of its that were refused."""

    def __init__(self) -> None:
        self._said: dict[str, list[Problem]] = {}
        self._refused: dict[str, dict[str, Problem]] = {}

    def say(self, host: str, problems: list[Problem]) -> None:
        """All that an agent has to complain about; replaces what it said before."""
        self._said[host] = problems

    def judge(self, host: str, ports: Iterable[str], refused: Mapping[str, Problem]) -> None:
        """Which of the ports that a host claimed or released it may not carry, and why."""
        known = self._refused.setdefault(host, {})
        for port in ports:
            known.pop(port, None)
        known.update(refused)

    def open(self, host: str) -> None:
        """A session with a host begins: it will say everything again."""
        self._said.pop(host, None)
        self._refused.pop(host, None)

    @property
    def hosts(self) -> set[str]:
        """The hosts that anything is known of."""
        return self._said.keys() | self._refused.keys()

    def of(self, host: str) -> list[dict[str, str]]:
        """Every problem that was met on a host."""
        found = [*self._said.get(host, ()), *self._refused.get(host, {}).values()]
        return [{"kind": each.kind, "id": each.id, "text": each.text} for each in sorted(found)]
