"""Which hosts have a session with this controller, told to the store again and again: whoever is silent is dead."""

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress

from netplane.model import agent_id
from netplane.store import Store, Unavailable
from netplane.store.clock import fine_stamp
from netplane.store.reports import HEARTBEAT

PERIOD = 5.0
"""Seconds between reports."""


async def report_heartbeats(store: Store, connected: Callable[[], Collection[str]]) -> None:
    """Report all hosts that are connected, in one batch each time, without an end."""
    since: dict[str, str] = {}
    while True:
        here = fine_stamp(store.clock())
        since = {host: since.get(host, here) for host in connected()}
        if since:
            reports = {agent_id(host): begun for host, begun in since.items()}
            with suppress(Unavailable):
                await asyncio.to_thread(store.report, HEARTBEAT, reports)
        await asyncio.sleep(PERIOD)
