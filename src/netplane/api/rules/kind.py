"""What the rules of a kind are, and what all rules use."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from netplane.api.bodies import Wish
from netplane.api.context import Context
from netplane.api.limits import DEFAULTS
from netplane.api.parts import Parts
from netplane.api.views import View
from netplane.model.network import DEFAULT_DOMAIN, DEFAULT_MTU
from netplane.model.resource import Resource
from netplane.store import Ahead, Reader, Transaction
from netplane.store.clock import Clock, wall_clock

PortStatus = Callable[[Reader, Sequence[str]], Mapping[str, str]]
"""The status of those of some ports that are not `DOWN`."""


class Services(NamedTuple):
    """What rules ask besides the store."""

    port_status: PortStatus
    largest_mtu: int = DEFAULT_MTU
    """Of networks: what the underlay leaves, in bytes."""
    dns_domain: str = DEFAULT_DOMAIN
    """What machines' names end with by default, with a final dot; empty for nothing."""
    now: Clock = wall_clock
    limits: Mapping[str, int] = DEFAULTS
    """How many resources of a kind a project may have unless somebody has said otherwise; -1 for any number."""


class Extra(NamedTuple):
    """A field of a view that is no field of the record."""

    name: str


Action = Callable[[Transaction, Context, Any, bytes], View | list[View]]
"""`PUT /v2.0/{collection}/{id}/{action}`: works on the record that the path names."""


class Rules(NamedTuple):
    """One kind: how it is made, changed and deleted, and what its views say besides its fields."""

    kind: type[Resource]
    create: Callable[[Transaction, Context, Wish], Resource] | None
    """None for what comes by itself."""
    update: Callable[[Transaction, Context, Any, Wish], Resource]
    delete: Callable[[Transaction, Context, Any], None]
    extras: tuple[Extra, ...]
    show: Callable[[Reader, Services, Context, Sequence[Any]], list[View]]
    """The extra fields of each record, in the order of the records."""
    ahead: Ahead = Ahead()
    """What `show` asks of one record, whichever it is."""
    filled: frozenset[str] = frozenset()
    """Required fields that `create` fills when the client does not."""
    indexed: tuple[str, ...] = ()
    """Fields that always refer to a record: filters on them need not read the others."""
    actions: Mapping[str, Action] = {}
    questions: Mapping[str, Callable[[Reader, Any], View]] = {}
    """`GET /v2.0/{collection}/{id}/{question}`: what is told of the record that the path names."""
    before_list: Callable[[Transaction, Context], object] | None = None
    """What a list must find done, in a transaction of its own."""
    is_ready: Callable[[Reader, Context], bool] | None = None
    """Whether that is done already."""
    fit: Callable[[Services, Wish, Any], Wish] | None = None
    """Fits a wish into what the services leave, before all else; the record is the one to change, None if new."""
    parts: tuple[Parts, ...] = ()
    further: tuple[tuple[str, Any], ...] = ()
    """What a client may ask for besides the fields of the record: names and types; other records keep it."""


def simply_delete(transaction: Transaction, _context: Context, record: Resource) -> None:
    """Nothing needs to be done first."""
    transaction.delete(record)
