"""What one controller knows of the hosts that are connected to it; and its answers when others ask for that.

| topic | body | answer |
|---|---|---|
| `hosts` | | of each host here: revision, behind_since, problems |
| `realised` | number, wait | of a revision: where it is real since when, and whom it waits for |
| `fates` | numbers | the same of several revisions, as it is now |
| `ask` | host, topic, body, timeout | what the host's agent answers |
| `decisions` | the filter | decisions of hosts here, with their places |
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, NamedTuple

from msgspec import Struct, convert, to_builtins

from netplane.controller.decisions import DecisionBook, Heard, Wanted
from netplane.controller.picture import Picture
from netplane.controller.problems import Problems
from netplane.store.clock import fine_stamp
from netplane.stream.faults import Refused
from netplane.stream.server import SouthboundServer

Until = Callable[[Callable[[], bool], float], Awaitable[bool]]


class Filter(Struct, frozen=True):
    """`decisions.Wanted`, as it travels: whose decisions may be seen, and which of them are asked for."""

    project: str | None
    """None: everybody's."""
    port: str = ""
    event: str = ""
    direction: str = ""
    after: int = 0
    limit: int = 100

    def wanted(self) -> Wanted:
        """For the book."""
        may_see = (lambda _: True) if self.project is None else (lambda project: project == self.project)
        return Wanted(may_see, self.port, self.event, self.direction, self.after, self.limit)


class Connected(NamedTuple):
    """Views of one controller's own."""

    southbound: SouthboundServer
    picture: Picture
    problems: Problems
    decisions: DecisionBook
    until: Until

    def hosts(self) -> dict[str, dict[str, Any]]:
        """How far each host is that is connected here, and what is wrong there."""
        ports, revisions = self.picture.ports, self.picture.revisions
        return {
            host: {
                "revision": ports.acknowledged(host),
                "behind_since": revisions.behind_since(host),
                "problems": self.problems.of(host),
            }
            for host in self.southbound.connected
        }

    async def realised(self, number: int, wait: float) -> dict[str, Any]:
        """When a revision was realised on which hosts, and which of those here it waits for; waits until for none."""
        if wait:
            known = self.picture.revisions
            await self.until(lambda: known.reached >= number and not any(self._pending(number)), wait)
        return self.fate(number)

    def fate(self, number: int) -> dict[str, Any]:
        """The same as it is now."""
        batch = self.picture.revisions.find(number)
        realised = {host: fine_stamp(time) for host, time in batch.realised.items()} if batch else {}
        return {"realised": realised, "pending": list(self._pending(number))}

    def _pending(self, number: int) -> Iterator[str]:
        """The hosts here that a revision waits for."""
        batch = self.picture.revisions.find(number)
        return filter(self.southbound.is_connected, batch.waiting if batch else ())

    def find(self, filter: Filter) -> list[Heard]:
        """The youngest decisions that are asked for."""
        return self.decisions.find(filter.wanted())

    async def answer(self, topic: str, body: Mapping[str, Any]) -> Any:
        """What another controller asks."""
        match topic:
            case "hosts":
                return self.hosts()
            case "realised":
                return await self.realised(body["number"], body["wait"])
            case "fates":
                return [self.fate(number) for number in body["numbers"]]
            case "ask":
                return await self.southbound.ask(body["host"], body["topic"], body["body"], body["timeout"])
            case "decisions":
                return to_builtins(self.find(convert(body, Filter)))
        raise Refused(f"nobody here knows about {topic}")
