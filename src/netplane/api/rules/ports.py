"""Ports."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from netplane.api.bodies import Wish
from netplane.api.context import Context
from netplane.api.errors import conflict, invalid
from netplane.api.ids import new_id
from netplane.api.policy import check_given, visible
from netplane.api.rules.addresses import assign, remake
from netplane.api.rules.dhcp import merge_options
from netplane.api.rules.kind import Extra, Rules, Services
from netplane.api.rules.macs import check_mac, new_mac
from netplane.api.rules.metadata import check_metadata
from netplane.api.rules.names import assignment, with_names
from netplane.api.rules.port_bindings import BINDINGS, check_plug
from netplane.api.rules.port_security import secure, secure_new
from netplane.api.rules.security import check_groups, default_group, identity_of, release_identity
from netplane.api.rules.subports import check_in_no_trunk, trunk_details
from netplane.api.views import View
from netplane.model import ROUTER_INTERFACE, FixedIP, Network, Port, Trunk
from netplane.store import Ahead, Reader, Transaction
from netplane.store.announcements import drop_announcements
from netplane.store.bindings import bind_requested
from netplane.store.reports import PORT_STATUS

ROUTERS_OWN = frozenset(
    {
        "fixed_ips",
        "mac_address",
        "device_id",
        "device_owner",
        "security_groups",
        "host_id",
        "port_security_enabled",
        "allowed_address_pairs",
    }
)
"""What a router's port keeps as long as the router has it."""


def create(transaction: Transaction, context: Context, wish: Wish) -> Port:
    """A port with a MAC, addresses and groups; bound at once if it requests a host that is there."""
    network = visible(transaction, context, Network, wish["network_id"])
    _check_owner(wish)
    _check_asked(transaction, context, "create", wish, wish)
    wish["mac_address"] = check_mac(wish["mac_address"]) if "mac_address" in wish else new_mac(transaction, network)
    wish["fixed_ips"] = assign(
        transaction, network, wish["mac_address"], wish.get("fixed_ips"), owner=wish.get("device_owner", "")
    )
    secure_new(network, wish)
    wish["security_groups"] = groups = _choose_groups(transaction, context, wish)
    wish["extra_dhcp_opts"] = merge_options((), wish.get("extra_dhcp_opts"))
    port = transaction.add(Port(id=new_id(), identity_id=identity_of(transaction, groups), **wish))
    bind_requested(transaction, port)
    return port


def update(transaction: Transaction, context: Context, port: Port, wish: Wish) -> Port:
    """Addresses, groups and host are replaced as a whole, DHCP options one by one."""
    if port.is_router_interface and wish.keys() & ROUTERS_OWN:
        raise _routers(port)
    _check_owner(wish)
    network = transaction.get(Network, port.network_id)
    assert network is not None, "a port refers to its network"
    _check_asked(transaction, context, "update", wish, port)
    if "mac_address" in wish:
        wish["mac_address"] = check_mac(wish["mac_address"])
    if not wish.keys().isdisjoint(("fixed_ips", "mac_address")):
        wish["fixed_ips"] = _readdress(transaction, network, port, wish)
    if "extra_dhcp_opts" in wish:
        wish["extra_dhcp_opts"] = merge_options(port.extra_dhcp_opts, wish["extra_dhcp_opts"])
    secure(port, wish)
    if "security_groups" in wish:
        wish["security_groups"] = groups = check_groups(transaction, context, wish["security_groups"])
        wish["identity_id"] = identity_of(transaction, groups)
    after = transaction.put(replace(port, **wish))
    bind_requested(transaction, after, port)
    drop_announcements(transaction, after)
    if after.identity_id != port.identity_id:
        release_identity(transaction, port.identity_id)
    return after


def delete(transaction: Transaction, _context: Context, port: Port) -> None:
    """Its binding goes with it, and its identity if it was the last one there."""
    if port.is_router_interface:
        raise _routers(port)
    check_in_no_trunk(transaction, port)
    transaction.delete(port)
    release_identity(transaction, port.identity_id)


def _readdress(transaction: Transaction, network: Network, port: Port, wish: Wish) -> tuple[FixedIP, ...]:
    mac = wish.get("mac_address", port.mac_address)
    if "fixed_ips" in wish:
        return assign(transaction, network, mac, wish["fixed_ips"], port.fixed_ips)
    return remake(transaction, network, mac, port.fixed_ips)


EXTRAS = (
    Extra("status"),
    Extra("dns_assignment"),
    Extra("ip_allocation"),
    Extra("binding:vif_type"),
    Extra("binding:vif_details"),
)


def show(reader: Reader, services: Services, _context: Context, ports: Sequence[Port]) -> list[View]:
    """Its status, its names, how it is plugged in (by a tap device named after it), and the trunk it is parent of."""
    status = services.port_status(reader, [port.id for port in ports if not port.is_router_interface])
    trunks = trunk_details(reader, ports)
    return [
        {
            "status": _status(port, status.get(port.id, "DOWN")),
            "dns_assignment": assignment(port, services.dns_domain),
            "ip_allocation": "immediate" if port.fixed_ips else "none",
            "binding:vif_type": "tap" if port.host_id else "unbound",
            "binding:vif_details": {"port_filter": True} if port.host_id else {},
            **({"trunk_details": trunks[port.id]} if port.id in trunks else {}),
        }
        for port in ports
    ]


def fit(services: Services, wish: Wish, _before: Port | None) -> Wish:
    """With a name that is one, and what a machine may read about itself."""
    if "metadata" in wish:
        check_metadata(wish["metadata"])
    check_plug(wish)
    return with_names(services, wish)


def _status(port: Port, reported: str) -> str:
    """A port that is switched off is down, wherever its device is; a router's is everywhere."""
    if not port.admin_state_up:
        return "DOWN"
    return "ACTIVE" if port.is_router_interface else reported


def reported_status(reader: Reader, ids: Sequence[str]) -> Mapping[str, str]:
    """The status of ports as hosts last reported it."""
    return {id: str(report.body) for id, report in reader.reports(PORT_STATUS, ids).items()}


def _check_owner(wish: Wish) -> None:
    if wish.get("device_owner") == ROUTER_INTERFACE:
        raise invalid(f"a port becomes a '{ROUTER_INTERFACE}' by add_router_interface of the router only")


def _check_asked(transaction: Transaction, context: Context, verb: str, wish: Wish, of: Port | Wish) -> None:
    """What is more than it seems: addresses that the port does not have yet, and to pass for the platform's own."""
    had = {fixed.ip_address for fixed in of.fixed_ips} if isinstance(of, Port) else set()
    chosen = [fixed.ip_address for fixed in wish.get("fixed_ips") or () if fixed.ip_address is not None]
    if not had.issuperset(chosen):
        check_given(transaction, context, Port, verb, "fixed_ips:ip_address", of)
    if wish.get("device_owner", "").startswith("network:"):
        check_given(transaction, context, Port, verb, "device_owner:network", of)


def _choose_groups(transaction: Transaction, context: Context, wish: Wish) -> tuple[str, ...]:
    default = default_group(transaction, wish["project_id"])
    if "security_groups" not in wish:
        return (default,)
    return check_groups(transaction, context, wish["security_groups"])


def _routers(port: Port) -> Exception:
    text = (
        f"Port {port.id} cannot be changed or deleted directly via the port API: has device owner {port.device_owner}."
    )
    return conflict("L3PortInUse", text)


PORTS = Rules(
    Port,
    create,
    update,
    delete,
    EXTRAS,
    show,
    ahead=Ahead(reports=(PORT_STATUS,), referring=((Trunk, "port_id"),)),
    filled=frozenset({"mac_address"}),
    fit=fit,
    parts=(BINDINGS,),
    indexed=("network_id",),
)
