"""How many ports a second a cloud takes, and how soon each is where it is needed meanwhile."""

import time
from collections.abc import Iterator
from random import Random
from threading import Thread

from bench.control.latency import stamped, worst
from bench.control.site import Site
from bench.figure import Figure, at_least, at_most
from netplane.lab.api import Api

CLIENTS = 8
CALLS = 25
"""Of each client."""
PORTS = 10
"""In one call."""
RATE, DELAY = 1_000.0, 500.0


def figures(site: Site) -> Iterator[Figure]:
    """Ports a second from the first call to the last entry, and how long a call's ports took."""
    faults: list[BaseException] = []
    calls: list[tuple[float, int]] = []
    clients = [site.api(number) for number in range(CLIENTS)]
    cpu = site.controllers_cpu, site.agents_cpu
    began = time.time()
    threads = [Thread(target=_work, args=(site, api, n, calls, faults)) for n, api in enumerate(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    delays, ends = [], []
    for start, revision in sorted(calls):
        answer = clients[0].read_realised(revision, wait=60)
        if answer["pending"]:
            raise TimeoutError(f"revision {revision} is not on {answer['pending'][:3]}")
        ends.append(max(map(stamped, answer["realised"].values())))
        delays.append((ends[-1] - start) * 1e3)
    ports, size = CLIENTS * CALLS * PORTS, site.profile.name
    spent = [(now - then) / ports * 1e3 for now, then in zip((site.controllers_cpu, site.agents_cpu), cpu, strict=True)]
    cost = f"{spent[0]:.2f} ms CPU of the controller(s), {spent[1]:.2f} of all agents a port"
    how = f"{CLIENTS} clients, {CALLS} calls each, {PORTS} ports of a project on any hosts in a call; {cost}"
    yield Figure(f"{size}: ports realised at saturation", ports / (max(ends) - began), "1/s", how, at_least(RATE))
    yield Figure(f"{size}: a call's ports at saturation, 99th percentile", worst(delays), "ms", how, at_most(DELAY))


def _work(site: Site, api: Api, number: int, calls: list[tuple[float, int]], faults: list[BaseException]) -> None:
    lots, hosts = Random(number), site.cloud.hosts
    try:
        for _ in range(CALLS):
            project = lots.choice(site.cloud.projects)
            network = lots.choice(project.networks).id
            wish = {"network_id": network, "project_id": project.id}
            wishes = [wish | {"binding:host_id": lots.choice(hosts).name} for _ in range(PORTS)]
            start = time.time()
            calls.append((start, api.call("POST", "/v2.0/ports", {"ports": wishes}).revision))
    except BaseException as fault:
        faults.append(fault)
