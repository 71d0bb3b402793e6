"""How long a new port takes from `POST` to the kernels of all hosts that need it, on three hosts with real agents.

The end is the answer of `GET /netplane/v1/revisions/N?wait=`: every host has acknowledged the revision.
"""

import time
from statistics import median

from bench.figure import Figure, at_most
from netplane.lab.api import Api
from netplane.lab.lab import Lab

PROJECT = "bench"
PORTS = 300
WARM_UP = 20
HOSTS = 3


def figures() -> list[Figure]:
    """Median and 99th percentile."""
    with Lab("bench", HOSTS, [PROJECT]) as lab:
        lab.start()
        api, admin = lab.controller.api(PROJECT), lab.controller.api()
        seconds = sorted(_create_ports(api, admin, list(lab.hosts)))
        if admin.read_realised(admin.revision)["realised"].keys() != lab.hosts.keys():
            raise AssertionError("some host did not need the port")
    how = f"{PORTS} ports of a network, one after another, each on one of {HOSTS} hosts and needed by all"
    return [
        Figure("POST to kernels, median", median(seconds) * 1000, "ms", how, at_most(20)),
        Figure("POST to kernels, 99th percentile", seconds[int(len(seconds) * 0.99)] * 1000, "ms", how, at_most(80)),
    ]


def _create_ports(api: Api, admin: Api, hosts: list[str]) -> list[float]:
    """Seconds of each port but the first ones, by which every host comes to carry one."""
    network = api.create("network", name="bench")["id"]
    api.create("subnet", network_id=network, cidr="10.88.0.0/16", ip_version=4)
    return [_create_port(admin, network, hosts[i % len(hosts)]) for i in range(PORTS + WARM_UP)][WARM_UP:]


def _create_port(admin: Api, network: str, host: str) -> float:
    """From the first byte of the call to the last acknowledgement of its revision."""
    start = time.perf_counter()
    admin.create("port", network_id=network, binding__host_id=host)
    answer = admin.read_realised(admin.revision)
    seconds = time.perf_counter() - start
    if answer["pending"]:
        raise TimeoutError(f"revision {admin.revision} is not in every kernel")
    return seconds
