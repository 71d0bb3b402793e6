"""Bindings of ports: where one is, and where it may be moved to. Activating another moves it, as live migration does.

The active binding is the port's own `binding:host_id`; the others are kept beside it, and nothing comes of them.
"""

from typing import Any

from msgspec import Struct
from msgspec.json import Decoder, encode
from msgspec.structs import replace

from netplane.api.bodies import Wish, parse_struct
from netplane.api.errors import ApiError, conflict, invalid
from netplane.api.parts import Parts
from netplane.api.policy.sharing import Look
from netplane.api.views import View
from netplane.model import Binding, Host, InactiveBinding, Port, inactive_binding_id
from netplane.model.port import VNIC_TYPE
from netplane.store import Reader, Transaction
from netplane.store.bindings import bind_requested

ACTIVE, INACTIVE = "ACTIVE", "INACTIVE"
LONGEST_PROFILE = 4095
"""Characters of JSON, as in OpenStack Networking."""
DEEPEST_PROFILE = 16
"""Lists and objects in each other: what reads it later may have little stack left."""


class BindingWish(Struct, frozen=True, forbid_unknown_fields=True):
    """What a client says of a binding."""

    host: str = ""
    profile: dict[str, Any] | None = None
    vnic_type: str = VNIC_TYPE


class BindingBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a call."""

    binding: BindingWish


_body = Decoder(BindingBody)


def check_plug(wish: Wish) -> None:
    """400 for another way to plug in than the one that there is, and for a profile that is too long or too deep."""
    if wish.get("vnic_type", VNIC_TYPE) != VNIC_TYPE:
        raise invalid(f"binding:vnic_type: '{wish['vnic_type']}' is not in ['{VNIC_TYPE}']")
    if _is_deeper(wish.get("profile", {}), DEEPEST_PROFILE):
        raise invalid(f"binding:profile value nested too deeply, maximum is {DEEPEST_PROFILE}")
    if len(encode(wish.get("profile", {}))) > LONGEST_PROFILE:
        raise invalid(f"binding:profile value too long, maximum is {LONGEST_PROFILE}")


def _is_deeper(value: object, most: int) -> bool:
    """Whether lists and objects lie in each other more than so often."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return parts is not None and (most == 0 or any(_is_deeper(part, most - 1) for part in parts))


def list_bindings(reader: Reader, port: Port) -> list[View]:
    """The active one first, if there is one."""
    others = sorted(reader.find(InactiveBinding, "port_id", port.id), key=lambda binding: binding.host_id)
    here = _active_host(reader, port)
    active = [_shown(here, port.profile, ACTIVE)] if here else []
    return active + [_shown(other.host_id, other.profile, INACTIVE) for other in others]


def create(transaction: Transaction, port: Port, body: bytes) -> View:
    """One more, which is active if there was none."""
    wish = _parse(port, body)
    if not wish.host:
        raise invalid("a binding must name a 'host'")
    if transaction.get(Host, wish.host) is None:
        text = f"Binding for port {port.id} on host {wish.host} could not be created or updated."
        raise ApiError(400, "PortBindingError", text)
    active = _active_host(transaction, port)
    if wish.host == active or transaction.get(InactiveBinding, _id(port, wish.host)) is not None:
        text = f"Binding for port {port.id} on host {wish.host} already exists."
        raise conflict("PortBindingAlreadyExists", text)
    profile = wish.profile or {}
    if active:
        transaction.add(_inactive(port, wish.host, profile))
        return _shown(wish.host, profile, INACTIVE)
    return _move(transaction, port, wish.host, profile)


def update(transaction: Transaction, port: Port, host: str, body: bytes) -> View:
    """Another profile."""
    wish = _parse(port, body)
    if wish.host not in ("", host):
        raise invalid("the 'host' of a binding cannot be changed")
    if host == _active_host(transaction, port):
        after = replace(port, profile=port.profile if wish.profile is None else wish.profile)
        return _shown(host, transaction.put(after).profile, ACTIVE)
    before = _found(transaction, port, host)
    kept = transaction.put(replace(before, profile=before.profile if wish.profile is None else wish.profile))
    return _shown(host, kept.profile, INACTIVE)


def delete(transaction: Transaction, port: Port, host: str) -> None:
    """One fewer; without the active one, the port is where its device appears."""
    if host == _active_host(transaction, port):
        _move(transaction, port, "", {})
    else:
        transaction.delete(_found(transaction, port, host))


def activate(transaction: Transaction, port: Port, host: str) -> View:
    """Move the port: the binding that was active becomes inactive."""
    active = _active_host(transaction, port)
    if host == active:
        text = f"Binding for port {port.id} on host {host} is already active."
        raise conflict("PortBindingAlreadyActive", text)
    chosen = _found(transaction, port, host)
    transaction.delete(chosen)
    if active:
        transaction.add(_inactive(port, active, port.profile))
    return _move(transaction, port, host, chosen.profile)


def _parse(port: Port, body: bytes) -> BindingWish:
    wish: BindingWish = parse_struct(_body, body).binding
    if port.is_router_interface:
        raise invalid("a router's port is on every host, and is bound to none")
    check_plug({"vnic_type": wish.vnic_type, "profile": wish.profile or {}})
    return wish


def _move(transaction: Transaction, port: Port, host: str, profile: dict[str, Any]) -> View:
    after = transaction.put(replace(port, host_id=host, profile=profile))
    binding = transaction.get(Binding, port.id)
    if host:
        bind_requested(transaction, after, port)
    elif binding is not None:
        transaction.delete(binding)
    return _shown(host, profile, ACTIVE)


def _active_host(look: Look, port: Port) -> str:
    """The host that a port requests, or else the one that carries it."""
    binding = None if port.host_id else look.get(Binding, port.id)
    return port.host_id if binding is None else binding.host_id


def _found(transaction: Transaction, port: Port, host: str) -> InactiveBinding:
    found = transaction.get(InactiveBinding, _id(port, host))
    if found is None:
        raise _missing(port, host)
    return found


def _missing(port: Port, host: str) -> ApiError:
    return ApiError(404, "PortBindingNotFound", f"Binding for port {port.id} on host {host} could not be found.")


def _inactive(port: Port, host: str, profile: dict[str, Any]) -> InactiveBinding:
    return InactiveBinding(id=_id(port, host), port_id=port.id, host_id=host, profile=profile)


def _id(port: Port, host: str) -> str:
    return inactive_binding_id(port.id, host)


def _shown(host: str, profile: dict[str, Any], status: str) -> View:
    return {
        "host": host,
        "vif_type": "tap",
        "vif_details": {"port_filter": True},
        "vnic_type": VNIC_TYPE,
        "profile": profile,
        "status": status,
    }


BINDINGS = Parts(
    "bindings",
    "binding",
    "host",
    seen_by="show_bindings",
    changed_by="bind",
    missing=_missing,
    list=list_bindings,
    create=create,
    update=update,
    delete=delete,
    actions={"activate": activate},
)
