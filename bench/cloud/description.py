"""What a cloud consists of: plain frozen values that no system of networking has a say in.

Ids are UUIDs, those of projects 32 hexadecimal digits; references are by id, and to hosts by name.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Host:
    """A machine that carries others."""

    name: str
    address: str
    """In the underlay, IPv4."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a group lets begin; None means any."""

    id: str
    direction: str
    """`ingress` (to the machine) or `egress`."""
    ethertype: str
    """`IPv4` or `IPv6`."""
    protocol: str | None = None
    first: int | None = None
    last: int | None = None
    """Destination ports."""
    remote_group: str | None = None
    remote_prefix: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A security group."""

    id: str
    name: str
    """`default` for the one that a project has from the start."""
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Network:
    """A network with one subnet, which the project's router joins."""

    id: str
    name: str
    subnet: str
    """The id of its subnet."""
    range: str
    """The subnet's, as network/length."""
    gateway: str
    """The router's address in it."""
    interface: str
    """The id of the router's port."""
    interface_mac: str


@dataclass(frozen=True, slots=True)
class Router:
    """What joins a project's networks."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Port:
    """Where a machine plugs in."""

    id: str
    network: str
    mac: str
    address: str
    groups: tuple[str, ...]
    """Sorted."""
    machine: str
    """The id of what plugs in."""
    host: str
    """The name of the host that carries it."""


@dataclass(frozen=True, slots=True)
class Project:
    """An owner, and all that it has."""

    id: str
    router: Router
    networks: tuple[Network, ...]
    groups: tuple[Group, ...]
    """The default one first."""
    ports: tuple[Port, ...]


@dataclass(frozen=True, slots=True)
class Cloud:
    """Hosts, and the projects whose machines they carry."""

    hosts: tuple[Host, ...]
    projects: tuple[Project, ...]

    @property
    def ports(self) -> int:
        """How many machines' ports there are."""
        return sum(len(project.ports) for project in self.projects)
