"""Item 4: every machine's own host answers it with names and metadata, and no other project's."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection

import dns.message
import dns.query
from dns.exception import DNSException
from dns.rcode import NXDOMAIN
from dns.rdatatype import PTR, A

from netplane.lab.demo.check import Check, all_of
from netplane.lab.demo.scene import Scene
from netplane.lab.demo.tenant import DNS
from netplane.lab.machine import Machine
from netplane.lab.namespace import inside

SERVICES = "169.254.169.254"
DOMAIN = "openstacklocal."
SECONDS = 3.0


def checks(scene: Scene) -> Iterator[Check]:
    """Names by UDP and TCP, to both addresses; names back; names of others; metadata."""
    for name, server, tcp in (
        ("names, asked of 169.254.169.254", SERVICES, False),
        ("names, by TCP", SERVICES, True),
        ("names, asked of the subnet's resolver", DNS, False),
    ):
        yield all_of(name, _names(scene, server, tcp=tcp))
    yield all_of("addresses have names", _reverse(scene))
    yield all_of("another project's names do not exist", _foreign(scene))
    yield all_of("metadata is each machine's own", _metadata(scene))


def _names(scene: Scene, server: str, *, tcp: bool) -> Iterator[tuple[str, bool, str]]:
    for project, tenant in scene.tenants.items():
        machines = tenant.machines
        wanted = [machine.address for machine in machines.values()]
        asker = machines["a1"]
        found = [_ask(asker, f"{name}.{DOMAIN}", server=server, tcp=tcp) for name in machines]
        yield project, found == wanted, f"{sum(map(str.__eq__, found, wanted))} of {len(wanted)}"


def _reverse(scene: Scene) -> Iterator[tuple[str, bool, str]]:
    for project, tenant in scene.tenants.items():
        reverse = ".".join(reversed(tenant.machines["a3"].address.split(".")))
        found = _ask(tenant.machines["b1"], f"{reverse}.in-addr.arpa.", kind="PTR")
        yield project, found == f"a3.{DOMAIN}", found


def _foreign(scene: Scene) -> Iterator[tuple[str, bool, str]]:
    """Only green has a machine called a4."""
    found = _ask(scene.machine("a1"), f"a4.{DOMAIN}")
    yield "blue", found == "NXDOMAIN", found


def _metadata(scene: Scene) -> Iterator[tuple[str, bool, str]]:
    for project, tenant in scene.tenants.items():
        right = 0
        for machine in tenant.machines.values():
            told = json.loads(_get(machine, "/openstack/latest/meta_data.json"))
            id = _get(machine, "/latest/meta-data/instance-id")
            right += told["uuid"] == id == machine.plug.port and told["project_id"] == project
        yield project, right == len(tenant.machines), f"{right} of {len(tenant.machines)}"


def _ask(machine: Machine, name: str, *, server: str = SERVICES, kind: str = "A", tcp: bool = False) -> str:
    """The first record that a machine finds, or why it finds none."""
    query = dns.message.make_query(name, kind, use_edns=0)
    ask = dns.query.tcp if tcp else dns.query.udp
    try:
        with inside(machine.namespace):
            answer = ask(query, server, timeout=SECONDS)
    except (OSError, DNSException) as problem:
        return type(problem).__name__
    if answer.rcode() == NXDOMAIN:
        return "NXDOMAIN"
    return next((str(item) for rrset in answer.answer for item in rrset if rrset.rdtype in (A, PTR)), "nothing")


def _get(machine: Machine, path: str) -> str:
    """A document of the metadata service."""
    connection = HTTPConnection(SERVICES, timeout=SECONDS)
    try:
        with inside(machine.namespace):
            connection.request("GET", path)
        return connection.getresponse().read().decode()
    except OSError as problem:
        return json.dumps({"uuid": type(problem).__name__, "project_id": ""})
    finally:
        connection.close()
