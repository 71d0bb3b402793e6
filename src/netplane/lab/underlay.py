"""The physical network of a lab: each host in a subnet of its own, joined by one router.

    np-x-h1 ── 198.18.1.0/24 ──┐
    np-x-h2 ── 198.18.2.0/24 ──┼── np-x-router
    np-x-h3 ── 198.18.3.0/24 ──┘

The addresses are from the range for benchmarks (RFC 2544); namespaces keep those of other labs apart.
"""

from collections.abc import Iterator

from netplane.lab.namespace import batch, write_sysctl

UPLINK = "uplink"


def address(index: int) -> str:
    """The underlay address of the host of this index, from 1."""
    return f"198.18.{index}.2"


def join(router: str, hosts: dict[str, int]) -> None:
    """Connect hosts (namespace -> index) to the router's namespace; all namespaces exist."""
    batch(_links(router, hosts))
    batch(_router(hosts), router)
    write_sysctl(router, "ipv4/ip_forward", 1)
    for host, index in hosts.items():
        batch(_host(index), host)


def _links(router: str, hosts: dict[str, int]) -> Iterator[str]:
    for host, index in hosts.items():
        yield f"link add {UPLINK} netns {host} type veth peer name h{index} netns {router}"


def _router(hosts: dict[str, int]) -> Iterator[str]:
    yield "link set lo up"
    for index in hosts.values():
        yield f"address add 198.18.{index}.1/24 dev h{index}"
        yield f"link set h{index} up"


def _host(index: int) -> Iterator[str]:
    yield "link set lo up"
    yield f"address add {address(index)}/24 dev {UPLINK}"
    yield f"link set {UPLINK} up"
    yield f"route add default via 198.18.{index}.1"
