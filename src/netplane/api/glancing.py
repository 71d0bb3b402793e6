"""The thread that reads single resources: all that are asked for by then at once, in one view of the database.

A view costs as much as what a call reads in it, and a way to a database on another machine and back costs more than
either. So those who have come by the moment at which a view begins share it, and what they will ask is asked together.
Nobody who comes later does: he may have written something meanwhile that this view does not show.
"""

from asyncio import Future, get_running_loop
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread
from typing import NamedTuple

from starlette.responses import Response

from netplane.api.worker import Job, Work, attempt, tell
from netplane.store import Question, Store

MOST = 32
"""Calls that share a view: each waits for the last of them."""


class Glance(NamedTuple):
    """A call, and what it will ask of the store, if that is known."""

    job: Job
    question: Question | None


class Glances:
    """One thread, which lives as long as the process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._queue: SimpleQueue[Glance] = SimpleQueue()
        Thread(target=self._run, name="api-glances", daemon=True).start()

    async def run(self, work: Work, size: int = 0, question: Question | None = None) -> Response:
        """Wait for some work's response."""
        future: Future[Response] = get_running_loop().create_future()
        self._queue.put(Glance(Job(future, work, False), question))
        return await future

    def _run(self) -> None:
        while True:
            glances = [self._queue.get()]
            with suppress(Empty):
                while len(glances) < MOST:
                    glances.append(self._queue.get_nowait())
            with suppress(Exception):  # as those were told whom it concerns
                self._look(glances)

    def _look(self, glances: list[Glance]) -> None:
        with self._store.view() as foresee:
            with suppress(Exception):  # each is told when he asks
                foresee([glance.question for glance in glances if glance.question is not None])
            tell([attempt(glance.job) for glance in glances])


class Foresight(NamedTuple):
    """Of calls of one sort it is known what each will ask, by what stands in its path."""

    glances: Glances
    foresee: Callable[..., None]
    """Tells a reader."""

    def look(self, work: Work, path: Mapping[str, str]) -> Awaitable[Response]:
        """Wait for a call's response."""
        return self.glances.run(work, question=partial(self.foresee, **path))
