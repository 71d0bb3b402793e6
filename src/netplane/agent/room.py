"""When a table gets more room than it has, and how much.

More room means new programs (`Datapath.grow`), so it comes before a table is full, in large steps, and for all tables
of a patch at once: a first slice of a million entries copies nothing twenty times. What the agent writes it counts
before it writes. What the datapath writes is counted by sweeps, between which much can come, so there is more of a
margin.
"""

from collections.abc import Mapping

from netplane.datapath import Datapath
from netplane.tables.pipeline import BY_NAME
from netplane.tables.schema import Table, Writer


def lacking(datapath: Datapath, entries: Mapping[str, int]) -> dict[str, int]:
    """What room tables shall have that have too little for so many entries, by name."""
    found = {}
    for name, count in entries.items():
        table, room = BY_NAME[name], datapath.room(name)
        if room < table.capacity and (wanted := room_for(table, count, room)) > room:
            found[name] = wanted
    return found


def room_for(table: Table, entries: int, room: int) -> int:
    """How many entries a table shall have room for that has `entries` of them, and so much room now."""
    if table.writer is Writer.DATAPATH:
        return 4 * entries if 2 * entries > room else room
    return 2 * entries if 4 * entries > 3 * room else room
