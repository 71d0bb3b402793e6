"""How often Python's garbage collector looks, and at what, in whatever process of netplane's.

Each of its rounds may walk through all that is in memory: modules while a process starts, records from then on. Hardly
anything here refers to itself; what does not goes at once, without the collector.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

RARELY = (100_000, 20, 100)
"""How much it lets come together, as `gc.set_threshold` takes it."""


def collect_rarely() -> None:
    """Have it look rarely, in this process, from now on."""
    gc.set_threshold(*RARELY)


@contextmanager
def uncollected() -> Iterator[None]:
    """What is made in the block is there to stay and has no cycles: it does not look at that, in the block or after."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
