"""What a table is: named fields with types, packed as the kernel's programs see them."""

from enum import Enum
from functools import cached_property
from struct import Struct as Packer
from typing import Any, NamedTuple

ELEMENTS = {"__u8": 1, "__u16": 2, "__be16": 2, "__u32": 4, "__u64": 8}
"""Bytes of the types of C."""


class FieldType(Enum):
    """A field's type: its C spelling, its size in bytes and its `struct` code (host order unless named otherwise)."""

    U8 = ("__u8", 1, "B")
    U16 = ("__u16", 2, "H")
    BE16 = ("__be16", 2, "2s")
    U32 = ("__u32", 4, "I")
    U64 = ("__u64", 8, "Q")
    MAC = ("__u8", 6, "6s")
    ADDRESS = ("__u8", 16, "16s")
    U32X16 = ("__u32", 64, "64s")
    """Sixteen numbers; Python holds them as they lie."""

    @property
    def c_type(self) -> str:
        """The C type of one element."""
        return self.value[0]

    @property
    def size(self) -> int:
        """Bytes."""
        return self.value[1]

    @property
    def code(self) -> str:
        """The code that Python's `struct` packs it with; byte strings pass through."""
        return self.value[2]

    @property
    def alignment(self) -> int:
        """Bytes that its offset must be a multiple of."""
        return ELEMENTS[self.c_type] if self.is_bytes else self.size

    @property
    def length(self) -> int:
        """How many elements of its C type it has."""
        return self.size // ELEMENTS[self.c_type]

    @property
    def is_bytes(self) -> bool:
        """Whether Python holds it as bytes."""
        return self.code.endswith("s")


class Field(NamedTuple):
    """One field of a key or a value. A name that starts with `pad` is zero and never shown."""

    name: str
    type: FieldType
    text: str = ""

    @property
    def is_padding(self) -> bool:
        """Whether it only fills a gap."""
        return self.name.startswith("pad")


class Kind(Enum):
    """The kernel's map types that we use."""

    HASH = "BPF_MAP_TYPE_HASH"
    PERCPU_HASH = "BPF_MAP_TYPE_PERCPU_HASH"
    LPM = "BPF_MAP_TYPE_LPM_TRIE"
    ARRAY = "BPF_MAP_TYPE_ARRAY"
    PERCPU_ARRAY = "BPF_MAP_TYPE_PERCPU_ARRAY"


class Writer(Enum):
    """Who writes a table's entries."""

    AGENT = "agent"
    """The agent, from records."""
    SNOOPING = "snooping"
    """The agent, from what machines say."""
    DATAPATH = "datapath"


class Layout(NamedTuple):
    """A key or a value: its fields in order, without gaps."""

    fields: tuple[Field, ...]

    @property
    def format(self) -> str:
        """The `struct` format, native order, no implicit padding."""
        return "=" + "".join(f"{f.type.size}x" if f.is_padding else f.type.code for f in self.fields)

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(f.type.size for f in self.fields)

    def offsets(self) -> dict[str, int]:
        """Where each field starts, in bytes."""
        found, offset = {}, 0
        for f in self.fields:
            found[f.name] = offset
            offset += f.type.size
        return found


class Entry(NamedTuple):
    """One key and value of a table, packed."""

    table: str
    key: bytes
    value: bytes


class Table:
    """A table: its layouts, who writes it, and functions to pack and unpack it.

    `capacity` is how many entries it may ever hold. A hash table has a bucket for each from the start, whether it is
    filled or not: one that says what `room` it has at first begins so small, and grows as it fills.
    A `seal` vouches for entries of other tables: it is written after everything else of a patch, deletes included.
    In an `LPM` table the first field of the key is `bits`, the length of the prefix that follows it, in bits.
    """

    def __init__(
        self,
        name: str,
        text: str,
        kind: Kind,
        key: tuple[Field, ...],
        value: tuple[Field, ...],
        *,
        capacity: int,
        room: int | None = None,
        writer: Writer = Writer.AGENT,
        seal: bool = False,
    ) -> None:
        self.name = name
        self.text = text
        self.kind = kind
        self.key = Layout(key)
        self.value = Layout(value)
        self.capacity = capacity
        self.room = capacity if room is None else room
        self.writer = writer
        self.seal = seal
        self.pack_key = Packer(self.key.format).pack
        self.pack_value = Packer(self.value.format).pack

    @cached_property
    def _unpackers(self) -> tuple[Packer, Packer]:
        return Packer(self.key.format), Packer(self.value.format)

    def entry(self, key: tuple[Any, ...], value: tuple[Any, ...]) -> Entry:
        """An entry from the fields in declared order, padding left out."""
        return Entry(self.name, self.pack_key(*key), self.pack_value(*value))

    def unpack_key(self, packed: bytes) -> dict[str, Any]:
        """The fields of a packed key by name."""
        return _named(self.key, self._unpackers[0].unpack(packed))

    def unpack_value(self, packed: bytes) -> dict[str, Any]:
        """The fields of a packed value by name."""
        return _named(self.value, self._unpackers[1].unpack(packed))

    def __repr__(self) -> str:
        return f"Table({self.name})"


class Ring:
    """A ring that the datapath writes events to and the agent takes them from, in order; `size` bytes, a power of 2.

    What finds no room is lost.
    """

    def __init__(self, name: str, text: str, event: tuple[Field, ...], *, size: int) -> None:
        self.name = name
        self.text = text
        self.event = Layout(event)
        self.size = size
        self._packer = Packer(self.event.format)

    def pack(self, *values: Any) -> bytes:
        """An event from its fields in declared order, padding left out."""
        return self._packer.pack(*values)

    def unpack(self, packed: bytes) -> dict[str, Any]:
        """The fields of a packed event by name."""
        return _named(self.event, self._packer.unpack(packed))

    def __repr__(self) -> str:
        return f"Ring({self.name})"


def _named(layout: Layout, values: tuple[Any, ...]) -> dict[str, Any]:
    names = (f.name for f in layout.fields if not f.is_padding)
    return dict(zip(names, values, strict=True))
