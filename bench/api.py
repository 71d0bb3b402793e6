"""What the API's calls cost, over HTTP, by real controllers: one on SQLite, two on one PostgreSQL.

Each sort of call is measured in an empty database and beside 100,000 ports: nothing may become much slower by what
else there is. Clients and controllers share this machine's processors, so the processor time counts more than the rate.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.calling import Call, Client, Run, body_of, run
from bench.figure import Figure, Goal, at_least, at_most
from bench.processes import wait_for_rest
from bench.serving import SECRET, Servers, serve
from tests import postgres

CLIENTS = 8
SINGLES = 1600
OTHERS = 320
SHOWS = 4000
BULK = 1000
BULKS = 5
PAGES = 20
PAGE = 1000
MANY = 100_000

RATES = {"port": 600.0, f"{BULK} ports": 8.0, "port shown": 3000.0}
"""Calls a second that are the goal."""


class Place(NamedTuple):
    """What the calls work on."""

    network: str
    group: str


def figures() -> Iterator[Figure]:
    """One page: calls a second, and in what was measured the median, the 99th percentile and the processor time."""
    yield from _figures("SQLite", 1)
    if postgres.BINARIES:
        yield from _figures("PostgreSQL, 2 controllers", 2)


def _figures(database: str, controllers: int) -> Iterator[Figure]:
    with _running(database, controllers) as servers:
        few = dict(_measure(servers))
        _fill(_client(servers))
        wait_for_rest(servers.read_cpu)
        many = dict(_measure(servers))
    for what, empty in few.items():
        full = many[what]
        yield _figure(f"{database}, 0 ports: {what}", what, empty)
        yield _figure(f"{database}, {MANY:,} ports: {what}", what, full)
        how = f"processor time a call beside {MANY:,} ports, compared with none: {full.cpu:.3g}/{empty.cpu:.3g} ms"
        yield Figure(f"{database}: {what}, growth", full.cpu / empty.cpu, "times", how, at_most(1.5))


def _figure(name: str, what: str, measured: Run) -> Figure:
    how = f"{measured.median:.2f} ms median, {measured.worst:.2f} ms 99th percentile, {measured.cpu:.2f} ms CPU a call"
    if what.startswith("page"):
        return Figure(name, measured.cpu, "ms CPU", f"at most {PAGE} of all ports: {how}", at_most(30))
    goal: Goal | None = at_least(RATES[what]) if what in RATES else None
    return Figure(name, measured.rate, "1/s", how, goal)


def _client(servers: Servers, index: int = 0) -> Client:
    return Client(servers.ports[index % len(servers.ports)], SECRET)


def _measure(servers: Servers) -> Iterator[tuple[str, Run]]:
    """Each sort of call; what it makes goes with the database."""
    for what, count, callers, calls in _calls(servers, _place(_client(servers))):
        for part in (calls[count:], calls[:count]):  # first some to warm up
            measured = run([_client(servers, index) for index in range(callers)], part, servers.read_cpu)
        yield what, measured


def _place(client: Client) -> Place:
    network = client.make("networks", "network", name="bench")
    client.make("subnets", "subnet", network_id=network, cidr="10.0.0.0/12", ip_version=4)
    return Place(network, client.make("security-groups", "security_group", name="bench"))


def _calls(servers: Servers, place: Place) -> Iterator[tuple[str, int, int, list[Call]]]:
    """What is called, how often, by how many clients, and the calls, some more than that."""

    def posts(collection: str, bodies: Sequence[object]) -> list[Call]:
        return [("POST", f"/v2.0/{collection}", body) for body in bodies]

    def more(count: int) -> range:
        return range(count + count // 8 + 1)

    yield (
        "network",
        OTHERS,
        CLIENTS,
        posts("networks", [body_of("network", name=f"n{index}") for index in more(OTHERS)]),
    )
    client = _client(servers)  # anew each time: controllers hang up on who says nothing
    networks = [client.make("networks", "network", name="s") for _ in more(OTHERS)]
    subnets = [body_of("subnet", network_id=each, cidr="10.1.0.0/24", ip_version=4) for each in networks]
    yield "subnet", OTHERS, CLIENTS, posts("subnets", subnets)
    routers = [body_of("router", name=f"r{index}") for index in more(OTHERS)]
    yield "router", OTHERS, CLIENTS, posts("routers", routers)
    rules = [
        body_of(
            "security_group_rule",
            security_group_id=place.group,
            direction="ingress",
            protocol="tcp",
            port_range_min=index + 1,
            port_range_max=index + 1,
        )
        for index in more(OTHERS)
    ]
    yield "rule", OTHERS, CLIENTS, posts("security-group-rules", rules)
    ports = [body_of("port", network_id=place.network) for _ in more(SINGLES)]
    yield "port", SINGLES, CLIENTS, posts("ports", ports)
    client = _client(servers)
    known = [client.make("ports", "port", network_id=place.network) for _ in range(100)]
    shows: list[Call] = [("GET", f"/v2.0/ports/{known[index % 100]}", None) for index in more(SHOWS)]
    yield "port shown", SHOWS, CLIENTS, shows
    lists = [{"ports": [{"network_id": place.network, "name": f"p{index}"} for index in range(BULK)]}] * (BULKS + 1)
    yield f"{BULK} ports", BULKS, 1, posts("ports", lists)
    for name, value in (("network_id", place.network), ("project_id", "bench"), ("name", "p7")):
        page: Call = ("GET", f"/v2.0/ports?{name}={value}&limit={PAGE}", None)
        yield f"page by {name}", PAGES, 1, [page] * (PAGES + 3)


def _fill(client: Client) -> None:
    """Ports of 100 other networks."""
    for number in range(MANY // BULK):
        network = client.make("networks", "network", name=f"fill{number}")
        client.make("subnets", "subnet", network_id=network, cidr="10.0.0.0/16", ip_version=4)
        client.call("POST", "/v2.0/ports", {"ports": [{"network_id": network}] * BULK})


@contextmanager
def _running(database: str, controllers: int) -> Iterator[Servers]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        at = str(folder / "bench.db") if controllers == 1 else stack.enter_context(_postgresql())
        yield stack.enter_context(serve(folder, at, controllers))


@contextmanager
def _postgresql() -> Iterator[str]:
    """An empty database on a PostgreSQL that keeps what it is told, with the settings that it comes with."""
    cluster = postgres.new_cluster(
        fsync="on", full_page_writes="on", autovacuum="on", shared_buffers="128MB", max_wal_size="1GB"
    )
    try:
        cluster.start()
        yield cluster.create()
    finally:
        cluster.remove()
