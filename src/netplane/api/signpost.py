"""Finding the route of a path by what it begins with, instead of trying one after the other.

There are hundreds of routes, and each costs about a microsecond to try. Two parts of a path (`/v2.0/ports`) leave a
handful, which are then tried in the order in which they were declared.
"""

from collections.abc import Sequence

from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

Beginning = tuple[str, ...]


class Signpost(BaseRoute):
    """Routes as one route."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self.routes = routes
        beginnings = {_beginning(route) for route in routes} - {None}
        self._near = {one: [route for route in routes if _beginning(route) in (one, None)] for one in beginnings}
        self._everywhere = [route for route in routes if _beginning(route) is None]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a route has a request's path, and its method; if so, `handle` takes the one that is found."""
        best, found = Match.NONE, scope
        for route in self._near.get(_parts(scope["path"]), self._everywhere):
            match, child = route.matches(scope)
            if match.value > best.value:
                best, found = match, {**child, "route": route}
            if best is Match.FULL:
                break
        return best, found if best is not Match.NONE else {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The route that `matches` has found."""
        await scope["route"].handle(scope, receive, send)


def _parts(path: str) -> Beginning:
    return tuple(path.split("/", 3)[1:3])


def _beginning(route: BaseRoute) -> Beginning | None:
    """The parts that the paths of a route begin with; None if they are not told by its declaration."""
    parts = _parts(route.path) if isinstance(route, Route) else ("{",)
    return None if "{" in "".join(parts) else parts
