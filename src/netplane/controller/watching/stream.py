"""One watch over HTTP: what is asked for, what was missed, then what happens."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from itertools import takewhile
from typing import NamedTuple

from msgspec.structs import replace
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from netplane.api.app import context_of
from netplane.api.context import Context
from netplane.api.errors import ApiError, forbidden, invalid
from netplane.api.policy import may_call
from netplane.api.policy.sharing import of_others, shared_by
from netplane.api.rules import RULES
from netplane.controller.controller import Controller
from netplane.controller.parameters import check_known
from netplane.controller.watching.events import heartbeat, lent_event, named
from netplane.controller.watching.watchers import Wanted, Watcher
from netplane.model import Binding, Host, kind_of
from netplane.model.resource import Resource
from netplane.store import Entry, Unavailable

LOGGER = logging.getLogger(__name__)

PARAMETERS = ("kind", "project_id", "since")
HEARTBEAT = 15.0
"""Seconds between signs of life when nothing happens."""
PATIENCE = 30.0
"""Seconds that a client may take for what it has been sent."""
LONGEST = 3_600.0
"""Seconds that a watch lasts at most."""
RECHECK = 2.0
"""Seconds between two looks at whether the token is still good for what it was."""
MOST_WATCHERS, MOST_OF_ONE = 1_000, 100
"""Watches of this controller, and of one project."""
MOST_MISSED = 100_000
"""Changes, its own or not, that a project may have missed: they are read for it, which costs more than a list."""
MOST_CHANGES = 1 << 62
BATCH = 1_000
"""Changes that are read from the log at a time."""

TENANTS = tuple(kind_of(rules.kind) for rules in RULES)
OPERATORS = (kind_of(Host), kind_of(Binding))
"""Kinds that only administrators see."""


class Watch(NamedTuple):
    """What is asked for, by whom."""

    context: Context
    wanted: Wanted
    since: int | None
    """The revision that the caller has got to; None for what happens from now on."""
    lent: Sequence[Resource]
    """What it sees of other projects now."""


async def watch(controller: Controller, request: Request) -> "EventStream":
    """Check who asks for what, and from when on; what follows is a stream that only ends."""
    context = context_of(request)
    if not context.may_see(context.project):
        raise forbidden("Nothing may be watched with this token.")
    wanted = _wanted(context, request)
    watchers = controller.watchers
    if len(watchers) >= MOST_WATCHERS or watchers.count(wanted.viewer) >= MOST_OF_ONE:
        raise ApiError(503, "TooManyWatches", "There are too many watches on this controller.")
    since = _since(request)
    if since is not None:
        await asyncio.to_thread(_check_kept, controller, since, MOST_CHANGES if wanted.viewer is None else MOST_MISSED)
    if wanted.viewer is None:
        return EventStream(controller, Watch(context, wanted, since, ()))
    wanted, lent = await asyncio.to_thread(_with_lent, controller, context, wanted)
    return EventStream(controller, Watch(context, wanted, since, lent))


class EventStream:
    """The answer to a watch."""

    def __init__(self, controller: Controller, asked: Watch) -> None:
        self._controller = controller
        self._asked = asked
        self._moved = asyncio.Event()
        self._watcher = Watcher(asked.wanted, self._moved.set)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until either side has enough."""
        headers = [
            (b"content-type", b"text/event-stream"),
            (b"cache-control", b"no-cache"),
            (b"x-accel-buffering", b"no"),
            (b"x-openstack-request-id", scope["netplane.request_id"].encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        listening = asyncio.create_task(self._listen(receive))
        checking = asyncio.create_task(self._check(scope["netplane.ask_again"]))
        ending = asyncio.get_running_loop().call_later(LONGEST, self._watcher.end)
        try:
            async for part in self._parts():
                async with asyncio.timeout(PATIENCE):
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        except TimeoutError:
            LOGGER.info("a watcher takes nothing any more")
        finally:
            ending.cancel()
            listening.cancel()
            checking.cancel()
            self._controller.watchers.remove(self._watcher)

    async def _listen(self, receive: Receive) -> None:
        """Wait until the client is gone."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self._watcher.end()

    async def _check(self, ask_again: Callable[[], Awaitable[Context | None]]) -> None:
        """Wait until the token is not good any more, or for something else; a source that is away changes nothing."""
        asked = replace(self._asked.context, request="")
        found: Context | None = asked
        while found == asked:
            await asyncio.sleep(RECHECK)
            with suppress(ApiError, Unavailable):
                found = await ask_again()
        self._watcher.end()

    async def _parts(self) -> AsyncIterator[bytes]:
        """What was missed, what happens, and the end."""
        asked, watchers = self._asked, self._controller.watchers
        position = watchers.revision if asked.since is None else asked.since
        yield named("begin", position, {"revision": position, "log": self._controller.log})
        if asked.wanted.viewer is not None:
            yield lent_event(position, asked.lent, asked.context)
        while position < watchers.revision and not self._watcher.is_over:
            missed = await asyncio.to_thread(self._controller.store.journal, position, BATCH)
            followed = list(takewhile(lambda entry: not asked.wanted.ends(entry), missed))
            position = followed[-1].change.revision if followed else position
            if not missed or len(followed) < len(missed):
                self._watcher.end()
            yield self._told([entry for entry in followed if asked.wanted.has(entry)], position)
        self._watcher.after = position
        watchers.add(self._watcher)
        while True:
            self._moved.clear()
            reached = max(position, watchers.revision)
            if taken := self._watcher.take():
                position = taken[-1].change.revision
                yield self._told(taken, position)
            elif self._watcher.is_over:
                break
            elif not await self._moves():
                position = reached
                yield heartbeat(position)
        yield named("end", position, {"revision": position})

    async def _moves(self) -> bool:
        """Whether anything happens before the next sign of life is due."""
        with suppress(TimeoutError):
            async with asyncio.timeout(HEARTBEAT):
                return await self._moved.wait()
        return False

    def _told(self, entries: Sequence[Entry], position: int) -> bytes:
        rendered = self._controller.watchers.rendered
        events = [rendered.event(entry, self._asked.context) for entry in entries]
        return b"".join(events) if events else heartbeat(position)


def _wanted(context: Context, request: Request) -> Wanted:
    query = request.query_params
    check_known(query, PARAMETERS)
    watches_all = may_call(context, "watch")
    known = (*TENANTS, *OPERATORS) if watches_all else TENANTS
    kinds = frozenset(query.getlist("kind")) or frozenset(known)
    if unknown := sorted(kinds.difference(known)):
        raise invalid(f"there is no kind {', '.join(map(repr, unknown))} to watch; there are {', '.join(known)}")
    return Wanted(kinds, None if watches_all else context.project, query.get("project_id"))


def _since(request: Request) -> int | None:
    """What a browser has seen last when its connection broke, or what the client says."""
    text = request.headers.get("last-event-id") or request.query_params.get("since")
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise invalid(f"'since' is a revision, not {text!r}")
    return int(text)


def _check_kept(controller: Controller, since: int, most: int) -> None:
    with controller.store.read() as reader:
        first, last = reader.kept
    if not max(first - 1, last - most) <= since <= last:
        text = f"Revision {since} is not to be had: list the resources, and watch from revision {last} on."
        raise ApiError(410, "RevisionGone", text)


def _with_lent(controller: Controller, context: Context, wanted: Wanted) -> tuple[Wanted, list[Resource]]:
    with controller.store.read() as reader:
        lent = [record for rules in RULES for record in of_others(reader, context, rules.kind)]
        shares = frozenset(shared_by(reader, context.project))
        keys = frozenset((kind_of(record), record.id) for record in lent)
        seen = wanted._replace(lent=keys, shares=shares, since=reader.revision)
    return seen, [record for record in lent if kind_of(record) in wanted.kinds]
