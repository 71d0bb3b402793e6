"""A cloud in netplane's store, as its API would have written it, in bulk.

Each batch of projects takes three transactions, since a network, a group or a router counts what has changed about it
once a transaction: subnets come after their networks, and a router's second interface after its first.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from bench.cloud.description import Cloud, Group, Network, Port, Project, Rule
from netplane import model
from netplane.api.rules.networks import VNIS
from netplane.api.rules.ranges import default_pools, parse_address, parse_range
from netplane.model import ROUTER_INTERFACE, Binding, FixedIP, Identity, SecurityGroup, SecurityGroupRule, identity_id
from netplane.store import Store, Transaction
from netplane.store.bindings import NUMBERS, register_host

PROJECTS, PORTS = 200, 5_000
"""How much a transaction takes in."""
OWNER = "compute:nova"
ACTOR = "bench"

T = TypeVar("T")


def fill(store: Store, cloud: Cloud) -> None:
    """Write a cloud into an empty store."""
    with store.write(ACTOR) as transaction:
        for host in cloud.hosts:
            register_host(transaction, host.name, host.address)
    for projects in batches(cloud.projects, PROJECTS):
        with store.write(ACTOR) as transaction:
            for project in projects:
                _add_things(transaction, project)
        with store.write(ACTOR) as transaction:
            for project in projects:
                _add_parts(transaction, project)
        with store.write(ACTOR) as transaction:
            for project in projects:
                transaction.add(interface(project, project.networks[1]))
        for ports in batches(((project, port) for project in projects for port in project.ports), PORTS):
            with store.write(ACTOR) as transaction:
                add_ports(transaction, ports)


def add_ports(transaction: Transaction, ports: Iterable[tuple[Project, Port]]) -> None:
    """Ports with their identities, each bound to its host."""
    for project, port in ports:
        identity = identity_id(port.groups)
        if transaction.get(Identity, identity) is None:
            number = transaction.allocate("identity", *NUMBERS)
            transaction.add(Identity(id=identity, number=number, groups=port.groups))
        transaction.add(port_record(project, port))
        transaction.add(Binding(id=port.id, host_id=port.host))


def port_record(project: Project, port: Port) -> model.Port:
    """A machine's port."""
    subnet = next(network.subnet for network in project.networks if network.id == port.network)
    return model.Port(
        id=port.id,
        project_id=project.id,
        network_id=port.network,
        mac_address=port.mac,
        fixed_ips=(FixedIP(subnet, port.address),),
        device_id=port.machine,
        device_owner=OWNER,
        security_groups=port.groups,
        identity_id=identity_id(port.groups),
        host_id=port.host,
    )


def interface(project: Project, network: Network) -> model.Port:
    """The port by which a project's router joins a network."""
    return model.Port(
        id=network.interface,
        project_id=project.id,
        network_id=network.id,
        mac_address=network.interface_mac,
        fixed_ips=(FixedIP(network.subnet, network.gateway),),
        device_id=project.router.id,
        device_owner=ROUTER_INTERFACE,
        port_security_enabled=False,
    )


def rule_record(project: Project, group: Group, rule: Rule) -> SecurityGroupRule:
    """A rule of a group."""
    return SecurityGroupRule(
        id=rule.id,
        project_id=project.id,
        security_group_id=group.id,
        direction=rule.direction,
        ethertype=rule.ethertype,
        protocol=rule.protocol,
        port_range_min=rule.first,
        port_range_max=rule.last,
        remote_group_id=rule.remote_group,
        remote_ip_prefix=rule.remote_prefix,
    )


def batches(items: Iterable[T], size: int) -> Iterator[Sequence[T]]:
    """Items in lists of that size at most."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def _add_things(transaction: Transaction, project: Project) -> None:
    """What stands by itself, and the rules that groups begin with."""
    for group in project.groups:
        text = "Default security group" if group.name == "default" else ""
        transaction.add(SecurityGroup(id=group.id, project_id=project.id, name=group.name, description=text))
        for rule in group.rules:
            if _is_first(rule):
                transaction.add(rule_record(project, group, rule))
    for network in project.networks:
        vni = transaction.allocate("vni", *VNIS)
        transaction.add(model.Network(id=network.id, project_id=project.id, name=network.name, vni=vni))
    number, router = transaction.allocate("router", *NUMBERS), project.router
    transaction.add(model.Router(id=router.id, project_id=project.id, name=router.name, number=number))


def _add_parts(transaction: Transaction, project: Project) -> None:
    """What belongs to something: subnets, the rules that were added, and the first interface."""
    for network in project.networks:
        pools = default_pools(parse_range(network.range), parse_address(network.gateway))
        subnet = model.Subnet(
            id=network.subnet,
            project_id=project.id,
            network_id=network.id,
            cidr=network.range,
            gateway_ip=network.gateway,
            allocation_pools=pools,
        )
        transaction.add(subnet)
    for group in project.groups:
        for rule in group.rules:
            if not _is_first(rule):
                transaction.add(rule_record(project, group, rule))
    transaction.add(interface(project, project.networks[0]))


def _is_first(rule: Rule) -> bool:
    """Whether a group has it from the start: those that say nothing of protocols."""
    return rule.protocol is None
