"""What an endpoint costs a host from the record to the kernel: compiled, and written to the real table."""

import gc
from time import process_time

from bench.compiler import ENDPOINTS, endpoints, upserts
from bench.datapath import scratch
from bench.figure import Figure, at_most
from netplane.compiler import Compiler


def figures() -> list[Figure]:
    """One figure: what the goal of a host's start is about."""
    changes = list(upserts(endpoints(ENDPOINTS)))
    with scratch() as datapath:
        gc.collect()
        start = process_time()
        datapath.apply(Compiler().apply(changes))
        seconds = process_time() - start
    how = f"{ENDPOINTS:,} endpoint records compiled in one batch and written by batch calls, CPU time of the process"
    return [Figure("endpoint, from record to kernel", seconds / ENDPOINTS * 1e6, "µs CPU", how, at_most(6))]
