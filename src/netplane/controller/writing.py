"""What hosts say, written down in their names; and waiting until the picture has what was written."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from netplane.store import Store, StoreError, Transaction, Unavailable
from netplane.store.enrolments import NotAdmitted
from netplane.stream.faults import Refused
from netplane.trust.faults import Distrust

LOGGER = logging.getLogger(__name__)

RETRY = 0.5
"""Seconds before a database that could not serve is tried again."""
SHOWN = 5.0
"""Seconds in which the picture has what is committed."""

Until = Callable[[Callable[[], bool], float], Awaitable[bool]]
"""Waits until something is so, at most so many seconds; whether it is."""

T = TypeVar("T")


async def write_as(store: Store, host: str, work: Callable[[Transaction], T]) -> tuple[T, int]:
    """What `work` gives in a transaction in the name of a host, and the revision after it.

    It waits for a database that is away. Distrust for a host that may not come; Refused for what the store refuses.
    """

    def write() -> tuple[T, int]:
        with store.write(f"host:{host}") as transaction:
            result = work(transaction)
        return result, transaction.revision

    while True:
        try:
            return await asyncio.to_thread(write)
        except NotAdmitted as refusal:
            raise Distrust(str(refusal)) from refusal
        except StoreError as error:
            raise Refused(f"host {host}: {error}") from error
        except Unavailable as outage:
            # What hosts say changes nothing the second time.
            LOGGER.warning("what host %s says must wait: %s", host, outage)
            await asyncio.sleep(RETRY)
