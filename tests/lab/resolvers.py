"""The underlay's resolvers: dnsmasq in the router's namespace, one that the hosts ask and one that a subnet names."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from netplane.lab import Lab
from netplane.lab.namespace import batch
from netplane.lab.process import start
from netplane.lab.wait import until
from tests.lab.asking import run_in

HOSTS, SUBNETS, SILENT = "198.18.1.1", "192.0.2.53", "192.0.2.99"
"""Whom hosts ask by themselves; whom a subnet names; and who never answers."""

NAME = "www.elsewhere.test"
ANSWERS = {HOSTS: "198.51.100.1", SUBNETS: "198.51.100.2"}
LONG = "long.elsewhere.test"
"""A name with so many addresses that they do not fit into a datagram."""

MANY = 100


def _answers(namespace: str, argv: list[str], answer: str) -> bool:
    return run_in(namespace, argv) == answer


@contextmanager
def resolvers(lab: Lab) -> Iterator[None]:
    """Both run; hosts ask the first."""
    router = f"np-{lab.prefix}-router"
    batch([f"address add {SUBNETS}/32 dev lo", "link set lo up"], router)
    lab.host_list[0].resolv_conf.write_text(f"# the underlay's\nsearch nowhere.test\nnameserver {HOSTS}\n")
    children = [
        start(
            lab.ledger,
            ["dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", "--no-daemon", "--bind-interfaces"]
            + ["--conf-file=/dev/null", f"--listen-address={address}", "--except-interface=none", "--pid-file="]
            + [f"--host-record={NAME},{answer}", "--local=/elsewhere.test/"]
            + [f"--host-record={LONG},203.0.113.{last}" for last in range(MANY)],
            log=lab.ledger.directory / "log" / f"resolver-{address}.log",
            namespace=router,
        )
        for address, answer in ANSWERS.items()
    ]
    try:
        for address, answer in ANSWERS.items():
            dig = ["dig", "+short", "+time=1", "+tries=1", f"@{address}", NAME]
            until(f"{address} answers", partial(_answers, router, dig, answer), 5)
        yield
    finally:
        for child in children:
            child.stop()
