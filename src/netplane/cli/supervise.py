"""Keeping child processes running until SIGTERM or SIGINT."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before a process that has ended is started again; doubled each time."""

STEADY = 60.0
"""Seconds after which a process counts as started well, and its pause is short again."""

TERM_SECONDS = 10.0

Before = Callable[[], Awaitable[str]]
"""What is done before a command runs for the first time, while others run already; what is to be said then."""


async def supervise(
    commands: Mapping[str, Sequence[str]], environment: Mapping[str, str], after: Mapping[str, Before] | None = None
) -> None:
    """Run all commands, each again when it ends, until this process is asked to end; then end them in turn.

    `after` has what must be done before a command. Should that raise, all others end, and it is raised here; who was
    asked to end meanwhile says nothing of it.
    """
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    full = {**os.environ, **environment}
    first = after or {}
    keeping = (_keep(name, argv, full, ending, first.get(name)) for name, argv in commands.items())
    for outcome in await asyncio.gather(*keeping, return_exceptions=True):
        if outcome is not None:
            raise outcome


async def _keep(
    name: str, argv: Sequence[str], environment: Mapping[str, str], ending: asyncio.Event, before: Before | None
) -> None:
    try:
        said = await before() if before is not None else ""
        if said and not ending.is_set():
            print(said, flush=True)
        await _run_on(name, argv, environment, ending)
    except BaseException:
        ending.set()
        raise


async def _run_on(name: str, argv: Sequence[str], environment: Mapping[str, str], ending: asyncio.Event) -> None:
    pause = FIRST_PAUSE
    loop = asyncio.get_running_loop()
    while not ending.is_set():
        begun = loop.time()
        status = await _run(argv, environment, ending)
        if ending.is_set():
            return
        pause = FIRST_PAUSE if loop.time() - begun > STEADY else min(pause * 2, LONGEST_PAUSE)
        print(f"netplane up: the {name} has ended with status {status}; again in {pause:g} s", file=sys.stderr)
        with suppress(TimeoutError):
            await asyncio.wait_for(ending.wait(), pause)


async def _run(argv: Sequence[str], environment: Mapping[str, str], ending: asyncio.Event) -> int:
    """Run one process to its end, or to ours; it dies with us whatever we die of (PR_SET_PDEATHSIG)."""
    process = await asyncio.create_subprocess_exec(
        "setpriv", "--pdeathsig", "TERM", "--", *argv, env=dict(environment), start_new_session=True
    )
    ended, asked = asyncio.create_task(process.wait()), asyncio.create_task(ending.wait())
    await asyncio.wait((ended, asked), return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if not ended.done():
        process.terminate()
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(ended), TERM_SECONDS)
        if not ended.done():
            process.kill()
    return await ended
