"""The numbers that entries, counters and traces hold, with their names."""

from collections.abc import Iterator
from enum import IntEnum

from netplane.tables.decisions import PACES, SHARED, TIMEOUTS, Pace
from tools.reference.markdown import member_texts, page_of, summary, table_of

INTRODUCTION = (
    "`netplane trace` and the counters speak in these. What to do about a drop reason stands in "
    "[operations](../operations.md)."
)
SECOND = 1_000_000_000
PROTOCOLS = {1: "ICMP", 6: "TCP", 17: "UDP", 58: "ICMPv6", 0: "others"}


def page() -> str:
    """The page."""
    return page_of("Decisions", INTRODUCTION, *_enumerations(), *_timeouts(), *_paces())


def _enumerations() -> Iterator[str]:
    for enum in SHARED:
        yield f"## {enum.__name__}"
        yield summary(enum)
        texts = member_texts(enum)
        yield table_of(
            ("number", "name", "meaning"), ((member.value, member.name, texts.get(member.name, "")) for member in enum)
        )


def _timeouts() -> Iterator[str]:
    yield "## Timeouts"
    yield "Seconds after which a connection without packets ends."
    rows = ((PROTOCOLS[protocol], state.name, seconds) for (protocol, state), seconds in TIMEOUTS.items())
    yield table_of(("protocol", "state", "seconds"), rows)


def _paces() -> Iterator[str]:
    yield "## Paces"
    yield "How often each machine may do what costs others; what is beyond is dropped (`PUNT_LIMIT`, `STORM`)."
    yield table_of(("what", "a second", "at once"), (_pace(kind, pace) for kind, pace in PACES.items()))


def _pace(kind: int, pace: Pace) -> tuple[object, ...]:
    assert isinstance(kind, IntEnum)
    return f"{type(kind).__name__}.{kind.name}", SECOND // pace.pause, pace.burst // pace.pause
