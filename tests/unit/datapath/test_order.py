"""The order in which a patch reaches the tables."""

from collections.abc import Iterable, Mapping

from netplane.base.delta import Delta
from netplane.datapath.contract import apply_in_order
from netplane.datapath.fake import FakeDatapath
from netplane.tables.pipeline import AGENT_TABLES

ENTRIES = {table.name: {bytes(table.key.size): b"\1" * table.value.size} for table in AGENT_TABLES}
OTHERS = {table.name: [b"\1" * table.key.size] for table in AGENT_TABLES}


class Recorder(FakeDatapath):
    """A fake that writes down what was done, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[str] = []

    def write(self, table: str, entries: Mapping[bytes, bytes]) -> None:
        self.done.append(f"write {table}")
        super().write(table, entries)

    def delete(self, table: str, keys: Iterable[bytes]) -> None:
        self.done.append(f"delete {table}")
        super().delete(table, keys)


def test_what_is_referred_to_comes_first_and_goes_last_and_seals_vouch_at_the_end() -> None:
    recorder = Recorder()
    apply_in_order(recorder, Delta(ENTRIES, OTHERS))
    plain = ["settings", "host", "spread", "crowd", "broadcast", "prefix", "policy"]
    plain += [
        "endpoint",
        "pair",
        "range",
        "station",
        "firewall",
        "hop",
        "route",
        "gateway",
        "device",
        "resolver",
        "peer",
        "client",
        "port",
    ]
    assert recorder.done == [
        *(f"write {name}" for name in plain),
        *(f"delete {name}" for name in reversed(plain)),
        "write profile",
        "delete profile",
    ]


def test_tables_without_edits_are_left_alone() -> None:
    recorder = Recorder()
    apply_in_order(recorder, Delta({"port": ENTRIES["port"]}))
    assert recorder.done == ["write port"]
