"""Bodies of requests: parsed straight into what the declarations allow, and nothing else."""

import re
from functools import cache
from typing import Annotated, Any

from msgspec import UNSET, DecodeError, Meta, Struct, UnsetType, ValidationError, defstruct, field
from msgspec.json import Decoder

from netplane.api.errors import ApiError, bad_request, invalid
from netplane.api.fields import Field, fields_by_wire, fields_of
from netplane.api.nul import SAID, body_has_nul
from netplane.api.tags import arranged
from netplane.model import AddressPair, DhcpOption, FixedIP, Record, Route, kind_of
from netplane.model.firewall import PortsText
from netplane.model.security import ProtocolText

Wish = dict[str, Any]
"""What a client asks of a record: values by the names of fields; a field not named is not in it."""

Further = tuple[tuple[str, Any], ...]
"""Names and types."""

LIST_LIMIT = 10_000
"""Resources that one POST may ask for: they are made in one transaction, and other writers wait for it."""

LONG = 64 * 1024
"""Bytes of a body that cannot have too many values."""
OBJECTS = 100_000
"""JSON's objects in one body: ten for each resource of the longest list."""
VALUES = 500_000
"""Values in one body, commas in texts included: fifty for each resource of the longest list."""

UNKNOWN = re.compile(r"unknown field `(.+?)`")
MISSING = re.compile(r"missing required field `(.+?)`")


class FixedIPWish(Struct, frozen=True, forbid_unknown_fields=True):
    """A wish for an address: any of a subnet, a certain one, or both said."""

    subnet_id: str | None = None
    ip_address: str | None = None


class DhcpOptionWish(Struct, frozen=True, forbid_unknown_fields=True):
    """A wish for a DHCP option; no value takes it away."""

    opt_name: str
    opt_value: Annotated[str, Meta(max_length=255)] | None
    ip_version: Annotated[int, Meta(ge=4, le=6)] = 4


class RouteWish(Route, frozen=True, forbid_unknown_fields=True):
    """A wish for a route, which says nothing else."""


class AddressPairWish(Struct, frozen=True, forbid_unknown_fields=True):
    """A wish for an address pair; no MAC address means the port's own."""

    ip_address: str
    mac_address: str | None = None


LOOSER: dict[Any, Any] = {
    tuple[FixedIP, ...]: tuple[FixedIPWish, ...],
    tuple[AddressPair, ...]: tuple[AddressPairWish, ...] | None,
    tuple[DhcpOption, ...]: tuple[DhcpOptionWish, ...] | None,
    tuple[Route, ...]: tuple[RouteWish, ...] | None,
    ProtocolText | None: ProtocolText | int | None,
    PortsText | None: PortsText | int | None,
}
"""Types that clients may leave partly open, by the type that the record holds."""


def plural(kind: type[Record]) -> str:
    """The key of lists of a kind, such as `security_groups`: the last part of its path."""
    return kind.collection.rpartition("/")[2].replace("-", "_")


def parse_create(kind: type[Record], filled: frozenset[str], further: Further, body: bytes) -> tuple[list[Wish], bool]:
    """The wishes of a POST, and whether it was a list.

    `filled` are the required fields that rules fill, `further` what may be asked for that is no field.
    """
    parsed = _parse(kind, _decoder(kind, "POST", filled, further), "POST", body)
    single, many = getattr(parsed, kind_of(kind)), getattr(parsed, plural(kind))
    if (single is UNSET) == (many is UNSET):
        raise bad_request(f"Unable to find '{kind_of(kind)}' in request body")
    if many is not UNSET and not many:
        raise bad_request("Resources required")
    if many is not UNSET and len(many) > LIST_LIMIT:
        raise bad_request(f"A list has at most {LIST_LIMIT} resources")
    return [_wish(wanted) for wanted in ([single] if many is UNSET else many)], many is not UNSET


def parse_update(kind: type[Record], further: Further, body: bytes) -> Wish:
    """The wish of a PUT."""
    parsed = _parse(kind, _decoder(kind, "PUT", frozenset(), further), "PUT", body)
    single = getattr(parsed, kind_of(kind))
    if single is UNSET:
        raise bad_request(f"Unable to find '{kind_of(kind)}' in request body")
    return _wish(single)


def parse_struct(decoder: Decoder[Any], body: bytes) -> Any:
    """A body that is not that of a resource."""
    _check(body)
    try:
        return decoder.decode(body)
    except ValidationError as error:
        raise invalid(str(error)) from error
    except (DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise bad_request("Body contains invalid data") from error


@cache
def body_type(kind: type[Record], method: str, filled: frozenset[str], further: Further) -> type[Struct]:
    """What the body of a POST or PUT may be; `filled` and `further` as in `parse_create`."""
    fields = [wanted for wanted in fields_of(kind) if _is_open(wanted, method)]
    columns = [
        _column(wanted, wanted.is_required and method == "POST" and wanted.name not in filled) for wanted in fields
    ]
    columns += [(name, type_ | UnsetType, UNSET) for name, type_ in further]
    if method == "POST":
        columns.append(("tenant_id", str | UnsetType, UNSET))
    entity = _struct(f"{kind.__name__}{method.title()}", columns)
    body: list[Any] = [(kind_of(kind), entity | UnsetType, UNSET)]
    if method == "POST":
        body.append((plural(kind), list[entity] | UnsetType, UNSET))  # type: ignore[valid-type]
    return _struct(f"{kind.__name__}{method.title()}Body", body)


@cache
def _decoder(kind: type[Record], method: str, filled: frozenset[str], further: Further) -> Decoder[Any]:
    # Not strict: clients send numbers and truths as text, as OpenStack Networking has always let them.
    return Decoder(body_type(kind, method, filled, further), strict=False)


def _struct(name: str, columns: list[Any]) -> type[Struct]:
    return defstruct(name, columns, kw_only=True, forbid_unknown_fields=True)


def _is_open(wanted: Field, method: str) -> bool:
    return wanted.access.create if method == "POST" else wanted.access.update


def _column(wanted: Field, required: bool) -> tuple[Any, ...]:
    type_ = LOOSER.get(getattr(wanted.type, "__origin__", None), wanted.type)
    if required:
        return wanted.name, type_, field(name=wanted.wire)
    return wanted.name, type_ | UnsetType, field(name=wanted.wire, default=UNSET)


def _check(body: bytes) -> None:
    """413 for more values than anybody means: a few bytes each in a body, but a hundred or more when decoded.

    They are counted before, since a decoder knows the length of a list only when it has made all of it. 400 for a NUL.
    """
    if body_has_nul(body):
        raise bad_request(SAID)
    if len(body) > LONG and (body.count(b"{") > OBJECTS or body.count(b",") > VALUES):
        text = f"The body has more than {OBJECTS} objects or {VALUES} values."
        raise ApiError(413, "HTTPRequestEntityTooLarge", text)


def _parse(kind: type[Record], decoder: Decoder[Any], method: str, body: bytes) -> Any:
    _check(body)
    try:
        return decoder.decode(body)
    except ValidationError as error:
        raise _explain(kind, method, str(error)) from error
    except (DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise bad_request("Body contains invalid data") from error


def _explain(kind: type[Record], method: str, text: str) -> ApiError:
    unknown, missing = UNKNOWN.search(text), MISSING.search(text)
    if missing:
        return bad_request(f"Failed to parse request. Required attribute '{missing[1]}' not specified")
    if unknown and unknown[1] in fields_by_wire(kind):
        return bad_request(f"Attribute '{unknown[1]}' not allowed in {method}")
    if unknown:
        return bad_request(f"Unrecognized attribute(s) '{unknown[1]}'")
    return invalid(text)


def _wish(wanted: Struct) -> Wish:
    wish = {name: value for name in wanted.__struct_fields__ if (value := getattr(wanted, name)) is not UNSET}
    if "tags" in wish:
        wish["tags"] = arranged(wish["tags"])
    tenant = wish.pop("tenant_id", None)
    if tenant is not None and wish.setdefault("project_id", tenant) != tenant:
        raise bad_request("'project_id' and 'tenant_id' do not match")
    return wish
