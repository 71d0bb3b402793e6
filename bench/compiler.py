"""What compiling costs: figures of the compiler, without a kernel and without a network."""

import gc
import tracemalloc
from collections.abc import Iterable, Iterator
from time import process_time

from bench.figure import Figure, at_most
from netplane.compiler import Compiler
from netplane.model import (
    Change,
    Device,
    Endpoint,
    FixedIP,
    Host,
    Identity,
    Network,
    Operation,
    Port,
    Record,
    Router,
    SecurityGroupRule,
    Subnet,
    kind_of,
)

ENDPOINTS = 100_000
SLICE = 10_000
ROUNDS = 5


def figures() -> list[Figure]:
    """Every figure of the compiler."""
    kept, packed = memory_per_endpoint()
    fresh = f"{ENDPOINTS:,} new endpoints in one batch, packed"
    memory = (
        f"what the compiler keeps for one of {ENDPOINTS:,}, without its record; its key and value are {packed} of them"
    )
    change = f"address and identity of a port on this host change, slice of {SLICE:,} endpoints"
    joined = "one more identity in a group of 100 identities that allow each other"
    return [
        Figure("endpoint compiled from scratch", endpoint_cpu(), "µs CPU", fresh, at_most(3.5)),
        Figure("endpoint in the compiler's memory", kept, "bytes", memory),
        Figure("port change compiled", port_change(), "ms CPU", change, at_most(1)),
        Figure("new identity compiled", new_identity(), "ms CPU", joined),
    ]


def upserts(records: Iterable[Record]) -> Iterator[Change]:
    """Changes that write these records."""
    return (Change(1, Operation.UPSERT, kind_of(record), record.id, record) for record in records)


def endpoints(count: int) -> list[Record]:
    """Endpoints with an address each, on one network, over 100 hosts and 100 identities."""
    return [endpoint(number) for number in range(count)]


def endpoint(number: int, identity: int = 0) -> Endpoint:
    """The endpoint of that number."""
    return Endpoint.of(
        f"{number:08x}-0000-4000-8000-000000000000",
        vni=100,
        mac=b"\x02\x00" + number.to_bytes(4, "big"),
        addresses=(bytes(10) + b"\xff\xff\x0a" + number.to_bytes(3, "big"),),
        identity=identity or 1 + number % 100,
        host=1 + number % 100,
    )


def topology(count: int) -> list[Record]:
    """A slice of that many endpoints: 100 hosts, 100 identities with a common group, 200 ports on this host."""
    records = endpoints(count)
    records += [Host(id=f"h{n}", number=n, address=f"192.0.2.{n}") for n in range(1, 101)]
    records += [Identity(id=f"i{n}", number=n, groups=(f"g{n}", "common")) for n in range(1, 101)]
    records += [
        Network(id="n", vni=100),
        Subnet(id="s", network_id="n", cidr="10.0.0.0/8"),
        Router(id="r", number=1),
        rule("00000001", direction="egress"),
        rule("00000002", direction="ingress", remote_group_id="common"),
        rule("00000003", direction="ingress", protocol="tcp", port_range_min=22, port_range_max=22),
        rule("00000004", direction="ingress", protocol="tcp", port_range_min=8000, port_range_max=8999),
    ]
    for number in range(200):
        records += [port(number), Device(id=endpoint(number).id, ifindex=number + 1)]
    return records


def rule(id: str, direction: str, **fields: str | int) -> SecurityGroupRule:
    """A rule of the common group."""
    return SecurityGroupRule(id=id, security_group_id="common", direction=direction, **fields)  # type: ignore[arg-type]


def port(number: int, name: str = "") -> Port:
    """The port of an endpoint."""
    mac = endpoint(number).mac.hex(":")
    fixed = FixedIP(subnet_id="s", ip_address=f"10.0.0.{number}")
    return Port(id=endpoint(number).id, name=name, network_id="n", mac_address=mac, fixed_ips=(fixed,))


def endpoint_cpu() -> float:
    """µs of CPU for one endpoint, from its change to its packed entry in a delta; the best of a few rounds."""
    records, took = endpoints(ENDPOINTS), []
    for _ in range(ROUNDS):
        compiler = Compiler()
        gc.collect()
        began = process_time()
        delta = compiler.load(records)
        took.append(process_time() - began)
        assert len(delta) == ENDPOINTS
    return min(took) / ENDPOINTS * 1e6


def memory_per_endpoint() -> tuple[float, int]:
    """Bytes kept for one endpoint beside its record, and those of its packed key and value."""
    records, compiler = endpoints(ENDPOINTS), Compiler()
    tracemalloc.start()
    compiler.apply(upserts(records))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    key, value = next(iter(compiler.desired["endpoint"].items()))
    return kept / ENDPOINTS, len(key) + len(value)


def port_change() -> float:
    """Ms of CPU to compile again after one port has changed, average of 100."""
    compiler = Compiler()
    compiler.apply(upserts(topology(SLICE)))
    changes = [[port(n, name="renamed"), endpoint(n, identity=1 + (n + 1) % 100)] for n in range(100)]
    began = process_time()
    for records in changes:
        compiler.apply(upserts(records))
    return (process_time() - began) / len(changes) * 1e3


def new_identity() -> float:
    """Ms of CPU when an identity appears in a group that 100 identities are in and allow, average of 10."""
    compiler = Compiler()
    compiler.apply(upserts(topology(SLICE)))
    began = process_time()
    for number in range(101, 111):
        compiler.apply(upserts([Identity(id=f"i{number}", number=number, groups=("common",))]))
    return (process_time() - began) / 10 * 1e3
