"""Networks."""

from collections.abc import Sequence

from msgspec.structs import replace

from netplane.api.bodies import Wish
from netplane.api.context import Context
from netplane.api.rules.kind import Extra, Rules, Services, new_id, simply_delete
from netplane.api.rules.security import default_group
from netplane.api.views import View
from netplane.model import Network, Subnet
from netplane.store import Reader, Transaction

VNIS = (1, 0xFFFFFF)
"""24 bits (RFC 7348, section 5); 0 stays unused."""


def create(transaction: Transaction, _context: Context, wish: Wish) -> Network:
    """A network with a VNI of its own."""
    default_group(transaction, wish["project_id"])
    return transaction.add(Network(id=new_id(), vni=transaction.allocate("vni", *VNIS), **wish))


def update(transaction: Transaction, _context: Context, network: Network, wish: Wish) -> Network:
    """Whatever may be changed needs no check."""
    return transaction.put(replace(network, **wish))


EXTRAS = (
    Extra("status"),
    Extra("subnets"),
    Extra("shared"),
    Extra("router:external"),
    Extra("provider:network_type", is_operators=True),
    Extra("provider:physical_network", is_operators=True),
)


def show(reader: Reader, _services: Services, _context: Context, networks: Sequence[Network]) -> list[View]:
    """Its subnets, and what is the same for all networks."""
    subnets = reader.group(Subnet, "network_id", [network.id for network in networks])
    return [
        {
            "status": "ACTIVE" if network.admin_state_up else "DOWN",
            "subnets": [subnet.id for subnet in subnets[network.id]],
            "shared": False,
            "router:external": False,
            "provider:network_type": "vxlan",
            "provider:physical_network": None,
        }
        for network in networks
    ]


NETWORKS = Rules(Network, create, update, simply_delete, EXTRAS, show, filled=frozenset({"vni"}))
