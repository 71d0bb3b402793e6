"""From a host's slice to the entries of its tables: pure functions, one feature a file.

```
 Endpoint ─▶ endpoints ─▶ endpoint          SecurityGroupRule AddressGroup ╮
 Host ─────▶ hosts ─────▶ host              Identity ──────────────────────┴▶ policy ─▶ prefix policy profile
 Port ─┬───▶ ports ─────▶ port device       ▲ Device Identity Network Subnet
       ├───▶ clients ───▶ client peer       ▲ Device Network
       └───▶ routing ───▶ endpoint gateway route  ▲ Router Network Subnet Wall
 Network ──▶ flooding ──▶ spread crowd broadcast  ▲ Presence Port Device Subnet
 Subnet ───▶ resolvers ─▶ resolver          ▲ Network Port
 Router ───▶ routes ────▶ hop route               ▲ Port Network Subnet Wall
 Wall ─────▶ firewall ──▶ firewall
```

The record on the left of an arrow owns the entries on the right; the others are read. What was read is noted, so a
change compiles again exactly the owners that depend on it: `netplane.base.incremental` says how. An inconsistent
slice never raises: what makes no sense comes to nothing and is a `Problem`.
"""

from collections.abc import Iterable, Mapping, Sequence

from netplane.base.delta import Delta
from netplane.base.incremental import Feature, Fill, Incremental, Item, Shortcut, Step, evaluate
from netplane.base.problem import Problem
from netplane.base.world import View
from netplane.compiler.endpoints import endpoints, plain, rank
from netplane.compiler.firewall import firewall
from netplane.compiler.flooding import flooding
from netplane.compiler.hosts import hosts
from netplane.compiler.policy import policy
from netplane.compiler.ports import ports
from netplane.compiler.routes import routes
from netplane.compiler.routing import routing
from netplane.compiler.services import clients, resolvers
from netplane.model import (
    KINDS,
    Endpoint,
    Filled,
    Host,
    Identity,
    Network,
    News,
    Port,
    Record,
    Router,
    Subnet,
    Wall,
    kind_of,
)
from netplane.tables.pipeline import AGENT_TABLES, ENDPOINT, SETTINGS
from netplane.tables.text import show_key

__all__ = ["COMPILED", "Compiler", "compile_slice"]

COMPILED: tuple[str, ...] = tuple(table.name for table in AGENT_TABLES if table is not SETTINGS)
"""The tables that are compiled; `settings` describes the host itself and comes from its agent."""

KIND_NAMES = {kind_of(kind): kind for kind in KINDS}


def plugs(port: Port, view: View) -> Sequence[Item]:
    """A port is a machine's or a router's."""
    return routing(port, view) if port.is_router_interface else [*ports(port, view), *clients(port, view)]


FEATURES: Mapping[type[Record], Feature] = {
    Endpoint: endpoints,
    Host: hosts,
    Identity: policy,
    Network: flooding,
    Port: plugs,
    Router: routes,
    Subnet: resolvers,
    Wall: firewall,
}
"""Each kind that owns entries, with the feature that makes them."""


SHORTCUTS: Mapping[type[Record], Shortcut] = {Endpoint: Shortcut(ENDPOINT.name, plain)}
"""Kinds that there may be very many of."""


class Compiler:
    """A slice that changes, and its entries."""

    def __init__(self) -> None:
        self._engine = Incremental(KIND_NAMES, FEATURES, COMPILED, describe=_describe, rank=rank, shortcuts=SHORTCUTS)

    def apply(self, news: Iterable[News]) -> Delta:
        """Take in news as one batch; returns what they change in the tables."""
        return self._engine.apply(map(_step, news))

    def load(self, records: Iterable[Record]) -> Delta:
        """Make these the whole slice, as a snapshot says; returns what that changes in the tables."""
        return self._engine.load(records)

    @property
    def desired(self) -> Mapping[str, Mapping[bytes, bytes]]:
        """All entries by table and key; every compiled table is there."""
        return self._engine.tables

    @property
    def problems(self) -> list[Problem]:
        """What is inconsistent in the slice now, sorted."""
        return self._engine.problems

    @property
    def view(self) -> View:
        """The slice's records."""
        return self._engine.world

    def owners(self, table: str, key: bytes) -> list[tuple[str, str]]:
        """The (kind, id) of each record that wants an entry, the one whose value stands first."""
        return self._engine.owners(table, key)

    def footprint(self) -> dict[str, int]:
        """How much is kept of each sort; everything is 0 once every record is gone."""
        return self._engine.footprint()


def compile_slice(records: Iterable[Record]) -> dict[str, dict[bytes, bytes]]:
    """All entries of a slice from scratch; what `Compiler` must agree with after any sequence of changes."""
    return evaluate(records, KIND_NAMES, FEATURES, COMPILED, rank)


def _step(news: News) -> Step | Fill:
    if isinstance(news, Filled):
        return Fill(KIND_NAMES[news.kind], news.records)
    return KIND_NAMES[news.kind], news.id, news.record


def _describe(table: str, key: bytes) -> str:
    return f"{table} {show_key(table, key)}"
