"""Trunks and their subports."""

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.json import Decoder
from msgspec.structs import replace

from netplane.api.bodies import Wish, parse_struct
from netplane.api.context import Context
from netplane.api.errors import ApiError, bad_request, conflict, invalid
from netplane.api.ids import new_id
from netplane.api.policy import allowed
from netplane.api.rules.kind import Extra, PortStatus, Rules, Services
from netplane.api.rules.ports import reported_status
from netplane.api.rules.subports import VLAN, show_subport
from netplane.api.views import View, view
from netplane.model import Network, Port, SubPort, Trunk
from netplane.model.port import TRUNK_PORTS
from netplane.store import Reader, Transaction

SUBPORT = "trunk:subport"
"""The `device_owner` of subports."""

INHERIT = "inherit"
IDS = range(1, 4095)
"""VLAN ids that may be used (IEEE 802.1Q): 0 is no VLAN, and 4095 is reserved."""


class SubPortWish(Struct, frozen=True, forbid_unknown_fields=True):
    """A subport as clients name it."""

    port_id: str
    segmentation_type: str | None = None
    segmentation_id: int | None = None


class Body(Struct, frozen=True, forbid_unknown_fields=True):
    """What `add_subports` and `remove_subports` are told."""

    sub_ports: list[SubPortWish]


_body = Decoder(Body, strict=False)


def create(transaction: Transaction, context: Context, wish: Wish) -> Trunk:
    """A trunk on a port of the caller's own, with subports at once if the client says so."""
    wanted = wish.pop("sub_ports", [])
    parent = allowed(transaction, context, "update", Port, wish["port_id"])
    if parent.is_router_interface or transaction.holder(TRUNK_PORTS, parent.id) is not None:
        raise _parent_in_use(parent.id)
    trunk = transaction.add(Trunk(id=new_id(), **wish))
    _add(transaction, context, trunk, wanted)
    return trunk


def update(transaction: Transaction, _context: Context, trunk: Trunk, wish: Wish) -> Trunk:
    """Name and state; subports have calls of their own."""
    if "sub_ports" in wish:
        raise bad_request("Attribute 'sub_ports' not allowed in PUT")
    return transaction.put(replace(trunk, **wish))


def delete(transaction: Transaction, _context: Context, trunk: Trunk) -> None:
    """Its ports stay, each for itself."""
    _check_enabled(trunk)
    parent = _parent(transaction, trunk)
    for carried in parent.sub_ports:
        _own_again(transaction, carried.port_id)
    transaction.delete(trunk)
    if parent.sub_ports:
        transaction.put(replace(parent, sub_ports=()))


def add_subports(transaction: Transaction, context: Context, trunk: Trunk, body: bytes) -> View:
    """Let the parent's device carry more ports."""
    wish: Body = parse_struct(_body, body)
    _check_enabled(trunk)
    _add(transaction, context, trunk, wish.sub_ports)
    return _answer(transaction, context, trunk)


def remove_subports(transaction: Transaction, context: Context, trunk: Trunk, body: bytes) -> View:
    """Let it carry fewer."""
    wish: Body = parse_struct(_body, body)
    _check_enabled(trunk)
    parent, gone = _parent(transaction, trunk), {wanted.port_id for wanted in wish.sub_ports}
    known = {carried.port_id for carried in parent.sub_ports}
    for id in gone:
        if id not in known:
            text = f"SubPort on trunk {trunk.id} with parent port {id} could not be found."
            raise ApiError(404, "SubPortNotFound", text)
        _own_again(transaction, id)
    left = tuple(carried for carried in parent.sub_ports if carried.port_id not in gone)
    transaction.put(replace(parent, sub_ports=left))
    return _answer(transaction, context, trunk)


def get_subports(reader: Reader, trunk: Trunk) -> View:
    """What the parent's device carries."""
    parent = reader.get(Port, trunk.port_id)
    return {"sub_ports": [] if parent is None else [show_subport(carried) for carried in parent.sub_ports]}


EXTRAS = (Extra("status"), Extra("sub_ports"))


def show(reader: Reader, services: Services, _context: Context, trunks: Sequence[Trunk]) -> list[View]:
    """The subports, and how far the trunk is there."""
    return _shown(reader, services.port_status, trunks)


def _shown(reader: Reader, port_status: PortStatus, trunks: Sequence[Trunk]) -> list[View]:
    ports = {port.id: port for port in reader.list(Port, None, [trunk.port_id for trunk in trunks])}
    carried = [each.port_id for parent in ports.values() for each in parent.sub_ports]
    status = port_status(reader, [*ports, *carried])
    parents = [ports[trunk.port_id] for trunk in trunks]
    return [
        {"status": _status(parent, status), "sub_ports": [show_subport(each) for each in parent.sub_ports]}
        for parent in parents
    ]


def _status(parent: Port, status: Mapping[str, str]) -> str:
    """`BUILD` while subports come: a host learns of them when it has the parent."""
    if status.get(parent.id) != "ACTIVE":
        return "DOWN"
    return "ACTIVE" if all(status.get(each.port_id) == "ACTIVE" for each in parent.sub_ports) else "BUILD"


def _answer(transaction: Transaction, context: Context, trunk: Trunk) -> View:
    """As OpenStack Networking answers these calls: the trunk without a name around it."""
    [more] = _shown(transaction.reader, reported_status, [trunk])
    return view(trunk, context) | more


def _add(transaction: Transaction, context: Context, trunk: Trunk, wanted: Sequence[SubPortWish]) -> None:
    parent = _parent(transaction, trunk)
    limit = _mtu(transaction, parent)
    _check_apart(wanted)
    taken = {carried.segmentation_id for carried in parent.sub_ports}
    for wish in wanted:
        port = allowed(transaction, context, "update", Port, wish.port_id)
        id = _check_segmentation(wish)
        if id in taken:
            text = f"segmentation_type {VLAN} and segmentation_id {id} already in use on trunk {trunk.id}."
            raise conflict("DuplicateSubPort", text)
        _check_free(transaction, port, parent)
        if (mtu := _mtu(transaction, port)) > limit:
            text = f"MTU {mtu} of subport {port.id} cannot be greater than MTU {limit} of trunk {trunk.id}."
            raise conflict("SubPortMtuGreaterThanTrunkPortMtu", text)
        transaction.put(replace(port, device_owner=SUBPORT))
    if wanted:
        carried = tuple(SubPort(wish.port_id, wish.segmentation_id or 0) for wish in wanted)
        transaction.put(replace(parent, sub_ports=(*parent.sub_ports, *carried)))


def _check_apart(wanted: Sequence[SubPortWish]) -> None:
    ports, ids = Counter(wish.port_id for wish in wanted), Counter(wish.segmentation_id for wish in wanted)
    twice = [str(value) for value, count in (*ports.items(), *ids.items()) if count > 1]
    if twice:
        raise invalid(f"'{twice[0]}' stands twice among 'sub_ports'")


def _check_segmentation(wish: SubPortWish) -> int:
    kind, id = wish.segmentation_type, wish.segmentation_id
    if kind == INHERIT:
        raise invalid(
            f"segmentation_type '{INHERIT}' of subport {wish.port_id}: its network is of type 'vxlan', which gives no "
            "VLAN id to inherit"
        )
    if kind is None or id is None:
        raise invalid(
            f"Invalid subport details for port {wish.port_id}: missing segmentation information. "
            "Must specify both segmentation_id and segmentation_type"
        )
    if kind != VLAN:
        raise invalid(f"Unknown segmentation_type '{kind}'")
    if id not in IDS:
        raise invalid(f"Segmentation ID '{id}' is not in range")
    return id


def _check_free(transaction: Transaction, port: Port, parent: Port) -> None:
    if port.id == parent.id:
        raise _parent_in_use(port.id)
    if transaction.holder(TRUNK_PORTS, port.id) is not None:
        raise conflict("TrunkPortInUse", f"Port {port.id} is in use by another trunk.")
    if port.device_id or port.is_router_interface:
        text = (
            f"Unable to complete operation on port {port.id} for network {port.network_id}. "
            f"Port already has an attached device {port.device_id}."
        )
        raise conflict("PortInUse", text)


def _parent_in_use(id: str) -> ApiError:
    text = f"Port {id} is currently in use and is not eligible for use as a parent port."
    return conflict("ParentPortInUse", text)


def _check_enabled(trunk: Trunk) -> None:
    if not trunk.admin_state_up:
        raise conflict("TrunkDisabled", f"Trunk {trunk.id} is currently disabled.")


def _parent(transaction: Transaction, trunk: Trunk) -> Port:
    parent = transaction.get(Port, trunk.port_id)
    assert parent is not None, "a trunk refers to its port"
    return parent


def _own_again(transaction: Transaction, id: str) -> None:
    """A port is no subport any more."""
    port = transaction.get(Port, id)
    if port is not None and port.device_owner == SUBPORT:
        transaction.put(replace(port, device_owner=""))


def _mtu(transaction: Transaction, port: Port) -> int:
    network = transaction.get(Network, port.network_id)
    assert network is not None, "a port refers to its network"
    return network.mtu


TRUNKS = Rules(
    Trunk,
    create,
    update,
    delete,
    EXTRAS,
    show,
    indexed=("port_id",),
    actions={"add_subports": add_subports, "remove_subports": remove_subports},
    questions={"get_subports": get_subports},
    further=(("sub_ports", list[SubPortWish]),),
)
