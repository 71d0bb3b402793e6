"""Threads that work calls off in batches.

Waking the event loop for every answer makes it fight the thread for the interpreter in the middle of the next call.
So what has queued up is worked off in a row, and the loop is told of all of it at once. What writes is also kept at
once: a batch is one commit, and nobody is answered before it (`store.group`).
"""

from asyncio import AbstractEventLoop, Future, get_running_loop
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import NamedTuple

from starlette.responses import Response

from netplane.store import Broken, Group

LONGEST = 0.005
"""Seconds that an answer may wait for the rest of its batch."""
LONG = 16 * 1024
"""Bytes of a body from which on a call may take so long that no other shall wait for its end."""

Work = Callable[[], Response]


class Job(NamedTuple):
    """Work, and who waits for it."""

    future: "Future[Response]"
    work: Work
    is_long: bool
    """Whether it has a batch to itself."""


class Done(NamedTuple):
    """What came of a job."""

    future: "Future[Response]"
    response: Response | None
    fault: BaseException | None


Grouping = Callable[[], AbstractContextManager[Group | None]]
"""What a batch is done within: what its jobs write is kept when that ends."""


class Worker:
    """One thread or some, which live as long as the process."""

    def __init__(self, name: str, threads: int = 1, grouping: Grouping = nullcontext) -> None:
        self._queue: SimpleQueue[Job] = SimpleQueue()
        self._grouping = grouping
        for _ in range(threads):
            Thread(target=self._run, name=name, daemon=True).start()

    async def run(self, work: Work, size: int = 0) -> Response:
        """Wait for some work's response; `size` is how much it is about, in bytes."""
        future: Future[Response] = get_running_loop().create_future()
        self._queue.put(Job(future, work, size > LONG))
        return await future

    def _run(self) -> None:
        following: Job | None = None
        while True:
            following = self._work_off(following or self._queue.get())

    def _work_off(self, job: Job) -> Job | None:
        """A job, and those that have queued up meanwhile, until the first has waited long enough for its answer.

        Answers the job that the next batch begins with, if it is known.
        """
        jobs, done = [job], list[Done]()
        following: Job | None = None
        try:
            with self._grouping() as group:
                begun = monotonic()
                done.append(attempt(job))
                with suppress(Empty):
                    # Waiting for other controllers does not count: they would wait for each other for single calls.
                    while not job.is_long and monotonic() - begun - (group.waited if group else 0) < LONGEST:
                        job = self._queue.get_nowait()
                        if job.is_long:
                            following = job
                        else:
                            jobs.append(job)
                            done.append(attempt(job))
        except Broken:
            done = [attempt(each) for each in jobs]  # by itself, each has its own answer
        except BaseException as fault:
            done = [Done(each.future, None, fault) for each in jobs]
        tell(done)
        return following


def tell(done: list[Done]) -> None:
    """Tell whoever waits."""
    by_loop: dict[AbstractEventLoop, list[Done]] = {}
    for one in done:
        by_loop.setdefault(one.future.get_loop(), []).append(one)
    for loop, finished in by_loop.items():
        with suppress(RuntimeError):  # the loop has closed: nobody waits any more
            loop.call_soon_threadsafe(_settle, finished)


def attempt(job: Job) -> Done:
    """Do some work, whatever comes of it."""
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
