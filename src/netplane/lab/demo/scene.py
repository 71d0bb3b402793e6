"""The scene of the demo: two tenants with the very same addresses, spread over three hosts.

              host 1        host 2      last host
    left      a1  a2        a3                        10.0.1.11  .12  .13
    right     b1                        b2            10.0.2.11            .12

The first tenant is blue, the second green; green also has `a4` (10.0.1.99) on host 2, which blue has not.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain

from netplane.lab import Host, Lab, Machine
from netplane.lab.demo.tenant import EXTRA_ROUTE, Tenant
from netplane.tables.pipeline import TABLES
from netplane.tables.schema import Writer

PROJECTS = ("blue", "green")
ONLY_GREEN = "10.0.1.99"

Tables = dict[str, dict[str, list[str]]]


@dataclass
class Scene:
    """What the checks work with."""

    lab: Lab
    tenants: dict[str, Tenant] = field(default_factory=dict)
    empty: Tables = field(default_factory=dict)
    """The tables of each host before anything was there."""

    @property
    def blue(self) -> Tenant:
        """The tenant that most checks look at."""
        return self.tenants["blue"]

    @property
    def machines(self) -> list[Machine]:
        """Those of all tenants."""
        return list(chain.from_iterable(tenant.machines.values() for tenant in self.tenants.values()))

    def machine(self, name: str, project: str = "blue") -> Machine:
        """A machine by its short name."""
        return self.tenants[project].machines[name]


OF_TRAFFIC = frozenset(table.name for table in TABLES if table.writer is Writer.DATAPATH)
"""The tables that traffic writes: what has passed, and what is left of it until the agents' next round."""


def read_all_tables(lab: Lab) -> Tables:
    """What the kernel of each host holds, as text."""
    api = lab.controller.api()
    return {name: api.read_tables(name) for name in lab.hosts}


def build(lab: Lab, announce: Callable[[str], None] = lambda _: None) -> Scene:
    """Make the tenants and their machines in a running lab."""
    scene = Scene(lab, empty=read_all_tables(lab))
    for project in PROJECTS:
        announce(f"project {project}")
        scene.tenants[project] = add_tenant(lab, project)
    first, second, *_, last = lab.host_list
    for project in PROJECTS:
        scene.tenants[project].add_machines(placement(first, second, last))
    scene.tenants["green"].add_machines({"a4": ("left", ONLY_GREEN, second)})
    return scene


def placement(first: Host, second: Host, last: Host) -> dict[str, tuple[str, str, Host]]:
    """Each machine of a tenant: its network, address and host."""
    return {
        "a1": ("left", "10.0.1.11", first),
        "a2": ("left", "10.0.1.12", first),
        "a3": ("left", "10.0.1.13", second),
        "b1": ("right", "10.0.2.11", first),
        "b2": ("right", "10.0.2.12", last),
    }


def add_tenant(lab: Lab, project: str) -> Tenant:
    """A project with two networks of both versions of IP, and a router between them."""
    tenant = Tenant(lab, project)
    tenant.add_router()
    routes = [{"destination": EXTRA_ROUTE, "nexthop": "10.0.1.254"}]
    tenant.add_segment("left", "10.0.1", ipv6="2001:db8:1", host_routes=routes)
    tenant.add_segment("right", "10.0.2", ipv6="2001:db8:2")
    return tenant
