"""Keeping child processes running until SIGTERM or SIGINT."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before a process that has ended is started again; doubled each time."""

STEADY = 60.0
"""Seconds after which a process counts as started well, and its pause is short again."""

TERM_SECONDS = 10.0

PATIENCE = 5.0
"""Seconds that a command waits for another's file before it begins without."""

LOOK = 0.05
"""Seconds between two looks whether the file is there."""


async def supervise(
    commands: Mapping[str, Sequence[str]], environment: Mapping[str, str], after: Mapping[str, Path] | None = None
) -> None:
    """Run all commands, each again when it ends, until this process is asked to end; then end them in turn.

    `after` names the file that a command first waits for, so that it need not complain of another that is not up yet.
    """
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    full = {**os.environ, **environment}
    files = after or {}
    await asyncio.gather(*(_keep(name, argv, full, ending, files.get(name)) for name, argv in commands.items()))


async def _keep(
    name: str, argv: Sequence[str], environment: Mapping[str, str], ending: asyncio.Event, file: Path | None
) -> None:
    pause = FIRST_PAUSE
    loop = asyncio.get_running_loop()
    patient = loop.time() + PATIENCE
    while file and not file.exists() and loop.time() < patient and not ending.is_set():
        await asyncio.sleep(LOOK)
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
