"""Networks."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from netplane.api.bodies import Wish
from netplane.api.context import Context
from netplane.api.errors import invalid
from netplane.api.ids import new_id
from netplane.api.policy.sharing import is_shared, shared_among
from netplane.api.rules.availability import check_hints
from netplane.api.rules.kind import Extra, Rules, Services, simply_delete
from netplane.api.rules.modes import check_mtu
from netplane.api.rules.names import with_names
from netplane.api.rules.rbac import share, unshare
from netplane.api.rules.scopes import scopes_of
from netplane.api.rules.security import default_group
from netplane.api.views import View
from netplane.model import EVERY_PROJECT, Network, Subnet
from netplane.model.network import SMALLEST_MTU
from netplane.model.segment import NETWORK_TYPE
from netplane.store import Reader, Transaction

VNIS = (1, 0xFFFFFF)
"""24 bits (RFC 7348, section 5); 0 stays unused."""


def fit(services: Services, wish: Wish, before: Network | None) -> Wish:
    """With an MTU that the underlay leaves, all of it if the client names none, and a domain that is one."""
    wish = with_names(services, wish)
    if before is None:
        wish.setdefault("mtu", 0)
    if "mtu" not in wish:
        return wish
    mtu = wish["mtu"] or services.largest_mtu
    if mtu > services.largest_mtu:
        raise invalid(f"Requested MTU is too big, maximum is {services.largest_mtu}")
    if mtu < SMALLEST_MTU:
        raise invalid(f"Requested MTU is too small, minimum is {SMALLEST_MTU}")
    return wish | {"mtu": mtu}


def create(transaction: Transaction, _context: Context, wish: Wish) -> Network:
    """A network with a VNI of its own."""
    is_for_all = wish.pop("shared", False)
    check_hints(transaction, wish)
    default_group(transaction, wish["project_id"])
    network = transaction.add(Network(id=new_id(), vni=transaction.allocate("vni", *VNIS), **wish))
    if is_for_all:
        _set_shared(transaction, network, wanted=True)
    return network


def update(transaction: Transaction, _context: Context, network: Network, wish: Wish) -> Network:
    """Its MTU must do for its subnets; sharing is a matter of its own."""
    if "mtu" in wish and any(subnet.ip_version == 6 for subnet in transaction.find(Subnet, "network_id", network.id)):
        check_mtu(network.id, wish["mtu"])
    if "shared" in wish:
        _set_shared(transaction, network, wanted=wish.pop("shared"))
    return transaction.put(replace(network, **wish))


def _set_shared(transaction: Transaction, network: Network, *, wanted: bool) -> None:
    """Sharing with all projects is an RBAC policy like others, which may also be set in this way."""
    if wanted != is_shared(transaction, network.id, EVERY_PROJECT):
        (share if wanted else unshare)(transaction, network)


SCOPES = {4: "ipv4_address_scope", 6: "ipv6_address_scope"}
"""What tells the address scope of a network's subnets, by their IP version."""

EXTRAS = (
    Extra("status"),
    Extra("subnets"),
    Extra("shared"),
    Extra("availability_zones"),
    *(Extra(name) for name in SCOPES.values()),
    Extra("router:external"),
    Extra("l2_adjacency"),
    Extra("provider:network_type"),
    Extra("provider:physical_network"),
)


def show(reader: Reader, _services: Services, context: Context, networks: Sequence[Network]) -> list[View]:
    """Its subnets, whether it is shared with all projects or the caller's, and what is the same for all networks."""
    shared = shared_among(reader, context.project, [network.id for network in networks])
    subnets = reader.group(Subnet, "network_id", [network.id for network in networks])
    scopes = scopes_of(reader, [subnet for found in subnets.values() for subnet in found])
    return [
        {
            "status": "ACTIVE" if network.admin_state_up else "DOWN",
            "subnets": [subnet.id for subnet in subnets[network.id]],
            "shared": network.id in shared,
            "availability_zones": network.availability_zone_hints,
            **_scopes(subnets[network.id], scopes),
            "router:external": False,
            "l2_adjacency": True,
            "provider:network_type": NETWORK_TYPE,
            "provider:physical_network": None,
        }
        for network in networks
    ]


def _scopes(subnets: Sequence[Subnet], scopes: Mapping[str, str | None]) -> View:
    found = {subnet.ip_version: scopes[subnet.id] for subnet in subnets}
    return {name: found.get(version) for version, name in SCOPES.items()}


NETWORKS = Rules(
    Network,
    create,
    update,
    simply_delete,
    EXTRAS,
    show,
    filled=frozenset({"vni"}),
    fit=fit,
    further=(("shared", bool),),
)
