"""Threads that work calls off in batches.

Waking the event loop for every answer makes it fight the thread for the interpreter in the middle of the next call.
So what has queued up is worked off in a row, and the loop is told of all of it at once.
"""

from asyncio import AbstractEventLoop, Future, get_running_loop
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import NamedTuple

from starlette.responses import Response

LONGEST = 0.005
"""Seconds that an answer may wait for the rest of its batch."""

Work = Callable[[], Response]


class Job(NamedTuple):
    """Work, and who waits for it."""

    future: "Future[Response]"
    work: Work


class Done(NamedTuple):
    """What came of a job."""

    future: "Future[Response]"
    response: Response | None
    fault: BaseException | None


class Worker:
    """One thread or some, which live as long as the process."""

    def __init__(self, name: str, threads: int = 1) -> None:
        self._queue: SimpleQueue[Job] = SimpleQueue()
        for _ in range(threads):
            Thread(target=self._run, name=name, daemon=True).start()

    async def run(self, work: Work) -> Response:
        """Wait for some work's response."""
        future: Future[Response] = get_running_loop().create_future()
        self._queue.put(Job(future, work))
        return await future

    def _run(self) -> None:
        while True:
            _tell(self._work_off(self._queue.get()))

    def _work_off(self, job: Job) -> list[Done]:
        """A job, and those that have queued up meanwhile, until the first has waited long enough for its answer."""
        end = monotonic() + LONGEST
        done = [_attempt(job)]
        with suppress(Empty):
            while monotonic() < end:
                done.append(_attempt(self._queue.get_nowait()))
        return done


def _tell(done: list[Done]) -> None:
    by_loop: dict[AbstractEventLoop, list[Done]] = {}
    for one in done:
        by_loop.setdefault(one.future.get_loop(), []).append(one)
    for loop, finished in by_loop.items():
        with suppress(RuntimeError):  # the loop has closed: nobody waits any more
            loop.call_soon_threadsafe(_settle, finished)


def _attempt(job: Job) -> Done:
    try:
        return Done(job.future, job.work(), None)
    except BaseException as fault:
        return Done(job.future, None, fault)


def _settle(finished: list[Done]) -> None:
    for future, response, fault in finished:
        if future.cancelled():
            continue
        if fault is not None:
            future.set_exception(fault)
        elif response is not None:
            future.set_result(response)
