"""Address groups: ranges in one notation, each once, added and removed by actions of their own."""

from collections.abc import Iterable, Sequence
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.json import Decoder
from msgspec.structs import replace

from netplane.api.bodies import Wish, parse_struct
from netplane.api.context import Context
from netplane.api.errors import ApiError, bad_request, invalid
from netplane.api.ids import new_id
from netplane.api.policy.sharing import is_shared, shared_among
from netplane.api.rules.kind import Extra, Rules, Services, simply_delete
from netplane.api.rules.ranges import Range, loose_range
from netplane.api.views import View, view
from netplane.model import ADDRESS_LIMIT, AddressGroup
from netplane.store import Reader, Transaction


class AddressesWish(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of add_addresses and remove_addresses."""

    addresses: Annotated[tuple[str, ...], Meta(max_length=ADDRESS_LIMIT)]


_addresses = Decoder(AddressesWish)


def create(transaction: Transaction, _context: Context, wish: Wish) -> AddressGroup:
    """A group of ranges; one that is named twice counts once."""
    wish["addresses"] = _sorted(_parse(wish.get("addresses", ())))
    return transaction.add(AddressGroup(id=new_id(), **wish))


def update(transaction: Transaction, _context: Context, group: AddressGroup, wish: Wish) -> AddressGroup:
    """Only what people read; addresses have their own calls."""
    return transaction.put(replace(group, **wish))


def show(reader: Reader, _services: Services, context: Context, groups: Sequence[AddressGroup]) -> list[View]:
    """Whether it is shared with all projects or the caller's."""
    shared = shared_among(reader, context.project, [group.id for group in groups])
    return [{"shared": group.id in shared} for group in groups]


def add_addresses(transaction: Transaction, context: Context, group: AddressGroup, body: bytes) -> View:
    """All of them, or none if one is there already."""
    present, added = _parse(group.addresses), _parse_body(body)
    if known := present & added:
        text = f"Addresses {_listed(known)} already exist in the address group {group.id}."
        raise ApiError(400, "AddressesAlreadyExist", text)
    if len(present) + len(added) > ADDRESS_LIMIT:
        raise invalid(f"an address group has at most {ADDRESS_LIMIT} addresses")
    return _changed(transaction, context, group, present | added)


def remove_addresses(transaction: Transaction, context: Context, group: AddressGroup, body: bytes) -> View:
    """All of them, or none if one is not there."""
    present, removed = _parse(group.addresses), _parse_body(body)
    if unknown := removed - present:
        text = f"Addresses {_listed(unknown)} not found in the address group {group.id}."
        raise ApiError(404, "AddressesNotFound", text)
    return _changed(transaction, context, group, present - removed)


def _parse_body(body: bytes) -> set[Range]:
    wish: AddressesWish = parse_struct(_addresses, body)
    if not wish.addresses:
        raise bad_request("At least one address is required")
    return _parse(wish.addresses)


def _parse(texts: Iterable[str]) -> set[Range]:
    return {_parse_range(text) for text in texts}


def _parse_range(text: str) -> Range:
    try:
        return loose_range(text)
    except ValueError as error:
        raise invalid(f"'{text}' is not a valid IP subnet") from error


def _sorted(ranges: Iterable[Range]) -> tuple[str, ...]:
    """IPv4 first, in the order of addresses."""
    return tuple(
        str(one) for one in sorted(ranges, key=lambda one: (one.version, one.network_address.packed, one.prefixlen))
    )


def _listed(ranges: Iterable[Range]) -> str:
    return ", ".join(_sorted(ranges))


def _changed(transaction: Transaction, context: Context, group: AddressGroup, ranges: set[Range]) -> View:
    after = transaction.put(replace(group, addresses=_sorted(ranges)))
    is_lent = is_shared(transaction, after.id, context.project)
    return {"address_group": view(after, context) | {"shared": is_lent}}


ADDRESS_GROUPS = Rules(
    AddressGroup,
    create,
    update,
    simply_delete,
    (Extra("shared"),),
    show,
    actions={"add_addresses": add_addresses, "remove_addresses": remove_addresses},
)
