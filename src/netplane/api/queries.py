"""What follows the question mark: filters, `fields`, sorting and paging."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlencode

from msgspec import Struct, structs
from msgspec.inspect import is_struct_type

from netplane.api.bodies import plural
from netplane.api.errors import ApiError, bad_request, invalid, not_found
from netplane.api.fields import Field, fields_by_wire
from netplane.api.tags import FILTERS, tag_test
from netplane.model import Record
from netplane.model.resource import Resource

R = TypeVar("R", bound=Record)
Pairs = tuple[tuple[str, str], ...]
Test = Callable[[Any], bool]

TRUE, FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")
CHANGED_SINCE = "changed_since"
MOST = 10**9
"""Resources of a page: more than there can be."""
MOST_PARTS = 20
"""Parts of texts that are looked for: each is, in each resource."""


class Query(NamedTuple):
    """A parsed query."""

    filters: dict[str, list[str]]
    """What is asked of fields."""
    tests: tuple[tuple[str, Test], ...]
    """What else is asked of fields of the record."""
    fields: frozenset[str]
    sort: tuple[tuple[str, bool], ...]
    """Names of fields and whether they ascend."""
    limit: int | None
    marker: str | None
    is_reverse: bool

    @property
    def is_forward(self) -> bool:
        """Whether it asks for a page in the order of ids."""
        return self.limit is not None and not (self.sort or self.is_reverse)


def parse_query(kind: type[Record], pairs: Pairs, extras: frozenset[str], hidden: frozenset[str]) -> Query:
    """A query on a kind; `extras` are the fields of its view that are no fields of its records.

    What is `hidden` from a caller it can neither filter nor sort by.
    """
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    fields = frozenset(values.pop("fields", ()))
    keys, directions = values.pop("sort_key", []), values.pop("sort_dir", [])
    limit, marker = _last(values, "limit"), _last(values, "marker")
    is_reverse = (_last(values, "page_reverse") or "").lower() in TRUE
    tests = [("tags", tag_test(name, values.pop(name))) for name in FILTERS if name in values]
    if CHANGED_SINCE in values:
        tests.append(("updated_at", _since(values.pop(CHANGED_SINCE)[-1])))
    known = (fields_by_wire(kind).keys() | extras) - hidden
    unknown = sorted(values.keys() - known)
    if unknown:
        raise bad_request(f"{unknown} is invalid attribute for filtering")
    sort = _parse_sort(kind, keys, directions, hidden)
    return Query(values, tuple(tests), fields, sort, _parse_limit(limit), marker, is_reverse)


def match_records(kind: type[R], query: Query, records: Iterable[R]) -> list[R]:
    """The records that pass the filters on their own fields."""
    known = fields_by_wire(kind)
    tests = [(known[name].name, values_test(values)) for name, values in query.filters.items() if name in known]
    tests += query.tests
    return [record for record in records if all(test(getattr(record, field)) for field, test in tests)]


def match_views(kind: type[Record], query: Query, views: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The views that pass the filters on what is no field of the record."""
    known = fields_by_wire(kind)
    tests = [(name, values_test(values)) for name, values in query.filters.items() if name not in known]
    return [view for view in views if all(test(view.get(name)) for name, test in tests)]


def has_view_filters(kind: type[Record], query: Query) -> bool:
    """Whether a filter needs more than the records."""
    return not query.filters.keys() <= fields_by_wire(kind).keys()


def order(query: Query, records: list[R]) -> list[R]:
    """Records in the order asked for; by id where it says nothing."""
    known = fields_by_wire(Resource)
    records.sort(key=attrgetter("id"))
    for name, ascending in reversed(query.sort):
        field = known[name].name if name in known else name
        records.sort(key=_sort_key(field), reverse=not ascending)
    return records


def page(kind: type[Record], query: Query, records: list[Any]) -> list[Any]:
    """The page that limit, marker and direction name."""
    if query.marker is not None:
        place = next((index for index, record in enumerate(records) if record.id == query.marker), None)
        if place is None:
            raise not_found(kind, query.marker)
        records = records[:place] if query.is_reverse else records[place + 1 :]
    if query.limit is None:
        return records
    return records[max(0, len(records) - query.limit) :] if query.is_reverse else records[: query.limit]


def links(kind: type[Record], query: Query, pairs: Pairs, url: str, ids: Sequence[str]) -> dict[str, Any]:
    """Where the neighbouring pages are, if the list is paged: a short page has none further on its way."""
    if query.limit is None or not ids:
        return {}
    rest = [pair for pair in pairs if pair[0] not in ("marker", "page_reverse")]
    is_short = len(ids) < query.limit
    found = []
    if not is_short or query.is_reverse:
        found.append({"rel": "next", "href": f"{url}?{urlencode([*rest, ('marker', ids[-1])])}"})
    if not is_short or not query.is_reverse:
        href = f"{url}?{urlencode([*rest, ('marker', ids[0]), ('page_reverse', 'True')])}"
        found.append({"rel": "previous", "href": href})
    return {f"{plural(kind)}_links": found}


def _last(values: dict[str, list[str]], name: str) -> str | None:
    found = values.pop(name, None)
    return found[-1] if found else None


def _parse_limit(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdecimal():
        text = f"Bad limit request: Limit must be an integer 0 or greater and not '{text}'."
        raise ApiError(400, "BadRequest", text)
    digits = text.lstrip("0")
    return MOST if len(digits) > len(str(MOST)) else int(digits or "0") or None


def _parse_sort(
    kind: type[Record], keys: list[str], directions: list[str], hidden: frozenset[str]
) -> tuple[tuple[str, bool], ...]:
    known = fields_by_wire(kind)
    if len(directions) > len(keys) or any(direction not in ("asc", "desc") for direction in directions):
        raise bad_request("The number of sort_keys and sort_dirs must be same, and a sort_dir is 'asc' or 'desc'")
    for key in keys:
        if key not in known or key in hidden or not _is_sortable(known[key]):
            raise bad_request(f"['{key}'] is invalid attribute for sort_keys")
    padded = directions + ["asc"] * (len(keys) - len(directions))
    chosen: dict[str, bool] = {}
    for key, direction in zip(keys, padded, strict=True):
        # Said again, a key changes no order any more, but would cost a sort.
        chosen.setdefault(known[key].name, direction == "asc")
    return tuple(chosen.items())


def parse_moment(name: str, text: str) -> str:
    """A time that a client names, in the form that times are kept in, to the second (UTC)."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo is None else moment.astimezone(UTC)).isoformat()[: len("YYYY-MM-DDTHH:MM:SS")]
    except (ValueError, OverflowError):
        raise invalid(f"The input {name} must be in the following format: YYYY-MM-DDTHH:MM:SSZ") from None


def _since(text: str) -> Test:
    start = parse_moment(CHANGED_SINCE, text)
    return lambda updated: bool(updated >= start)


def _is_sortable(field: Field) -> bool:
    base = field.type.__origin__
    return getattr(base, "__origin__", None) not in (tuple, dict) and not is_struct_type(base)


def _sort_key(name: str) -> Callable[[Any], Any]:
    def key(record: Any) -> Any:
        value = getattr(record, name)
        return (value is not None, value)

    return key


def values_test(values: list[str]) -> Test:
    """Whether a value is one of those asked for, whatever its type; values of tuples are asked for one by one."""
    wanted = frozenset(values)
    lowered = frozenset(value.lower() for value in values)
    pairs = _pairs(values)

    def test(value: Any) -> bool:
        match value:
            case None:
                return "" in wanted or "null" in lowered
            case bool():
                return not lowered.isdisjoint(TRUE if value else FALSE)
            case tuple() | list():
                return _any_item(value, wanted, pairs)
            case _:
                return str(value) in wanted

    return test


def _any_item(items: Sequence[Any], wanted: frozenset[str], pairs: dict[str, set[str]]) -> bool:
    parts = [structs.asdict(item) if isinstance(item, Struct) else item for item in items]
    if parts and isinstance(parts[0], dict):
        return bool(pairs) and all(_any_part(parts, name, allowed) for name, allowed in pairs.items())
    return any(str(part) in wanted for part in parts)


def _any_part(parts: Sequence[dict[str, Any]], name: str, allowed: set[str]) -> bool:
    """Whether a part has one of the values; with a name like `ip_address_substr`, one that holds one of them."""
    whole = name.removesuffix("_substr")
    if whole != name:
        return any(text in str(part.get(whole, "")) for part in parts for text in allowed)
    return any(str(part.get(name)) in allowed for part in parts)


def _pairs(values: list[str]) -> dict[str, set[str]]:
    """`fixed_ips=subnet_id=1&fixed_ips=ip_address=2` as what each name may be."""
    pairs: dict[str, set[str]] = {}
    for value in values:
        name, sign, rest = value.partition("=")
        if sign:
            pairs.setdefault(name, set()).add(rest)
    if any(len(texts) > MOST_PARTS for name, texts in pairs.items() if name.endswith("_substr")):
        raise bad_request(f"at most {MOST_PARTS} parts of a text can be asked for at once")
    return pairs
