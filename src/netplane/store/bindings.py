"""Hosts and who carries what: the writes that the API and the sessions of hosts share."""

from netplane.base.problem import Problem
from netplane.model import HOST_NAME, HOST_NAMES, Agent, Binding, Host, Port, agent_id
from netplane.store.enrolments import revoke
from netplane.store.transaction import Transaction

NUMBERS = (1, 0xFFFFFFFF)
"""Numbers of hosts, routers and identities: 32 bits in the tables, 0 means none."""


def register_host(transaction: Transaction, name: str, address: str) -> Host:
    """The record of a host that has come; at its first coming it gets a number and the ports that wait for it.

    Conflict if another host has the address, ValueError if no host may have the name.
    """
    if not HOST_NAME.fullmatch(name):
        raise ValueError(f"a host's name is {HOST_NAMES}, not {name!r}")
    known = transaction.get(Host, name)
    number = transaction.allocate("host", *NUMBERS) if known is None else known.number
    host = transaction.put(Host(id=name, number=number, address=address))
    if transaction.get(Agent, agent_id(name)) is None:
        transaction.add(Agent(id=agent_id(name), host=name))
    if known is None:
        for port in transaction.list(Port):
            bind_requested(transaction, port)
    return host


def remove_host(transaction: Transaction, name: str) -> None:
    """A host is gone for good, its agent with it. Its ports are free; those that request it wait for it.

    It does not come back by itself: whoever would come as it must join.
    """
    revoke(transaction, name)
    for binding in transaction.find(Binding, "host_id", name):
        transaction.delete(binding)
    host = transaction.get(Host, name)
    if host is not None:
        transaction.delete(host)


def bind_requested(transaction: Transaction, port: Port, before: Port | None = None) -> None:
    """Bind a port to the host that it requests; `before` is the port as it was, if it is being changed.

    A port that no longer requests its host is free for the host where its device appears; one that requests a host
    that has not come yet waits for it.
    """
    if before is not None and before.host_id == port.host_id:
        return
    if port.host_id and transaction.get(Host, port.host_id) is not None:
        transaction.put(Binding(id=port.id, host_id=port.host_id))
    elif before is not None:
        _unbind(transaction, port.id)


def claim_port(transaction: Transaction, port_id: str, host: str) -> Problem | None:
    """Bind a port to the host where its device has appeared; a problem if it may not be there."""
    port = transaction.get(Port, port_id)
    if port is None:
        return no_port(port_id, host)
    if port.is_router_interface:
        return Problem("port", port_id, f"host {host} has a device of a router's port")
    if port.host_id not in ("", host):
        return Problem("port", port_id, f"host {host} has a device of a port that is requested on {port.host_id}")
    transaction.put(Binding(id=port_id, host_id=host))
    return None


def no_port(port_id: str, host: str) -> Problem:
    """What is wrong with a device whose port is none."""
    return Problem("port", port_id, f"host {host} has a device of a port that does not exist")


def release_port(transaction: Transaction, port_id: str, host: str) -> None:
    """The device of a port is gone from a host: the port is free, unless it is requested there."""
    binding, port = transaction.get(Binding, port_id), transaction.get(Port, port_id)
    if binding is not None and binding.host_id == host and (port is None or port.host_id != host):
        transaction.delete(binding)


def _unbind(transaction: Transaction, port_id: str) -> None:
    binding = transaction.get(Binding, port_id)
    if binding is not None:
        transaction.delete(binding)
