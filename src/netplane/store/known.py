"""What was looked up of late and still holds: most transactions ask what the one before them has asked.

All of it holds as of one revision, and whoever writes has the log's lock: so it holds for him if the log is still
there, and otherwise as soon as he has taken the changes since (`take`). Nothing has to be guessed or to expire. Only
who has the store's turn uses it.
"""

from collections.abc import Iterable, Sequence

from netplane.model import Change, Claim, Record
from netplane.store.journal import Key, Mark

LIMIT = 20_000
"""Answers that are kept; with one more all are forgotten."""
FEW = 64
"""Records of a list that is kept."""

Lists = dict[tuple[str, str], Sequence[Record]]
"""Records of a kind by field and target."""
Window = dict[str, int]
"""Free numbers of a range by how they are claimed, in the order in which they are to be given."""


class Known:
    """Answers, as of one revision."""

    def __init__(self) -> None:
        self.revision: int | None = None
        """Whose answers these are; None if they are nobody's."""
        self.mark: Mark | None = None
        """That of the change that has this revision; None if it is not known, as at the beginning of the log."""
        self.records: dict[Key, Record | None] = {}
        """By kind and id; None where there is none."""
        self.holders: dict[Claim, str | None] = {}
        """Who has a claim; None if nobody has."""
        self._found: dict[str, Lists] = {}
        self._held: dict[str, list[Claim]] = {}
        self._free: dict[str, dict[tuple[int, int], Window]] = {}
        self._size = 0

    def forget(self) -> None:
        """Nothing holds any more."""
        self.revision = self.mark = None
        self._clear()

    def take(self, changes: Iterable[Change], claims: Iterable[Claim]) -> None:
        """What has changed since, and the claims that came or went with it: that is not known any more, or anew."""
        for change in changes:
            key = (change.kind, change.id)
            if key in self.records:
                self.records[key] = change.record
            self._found.pop(change.kind, None)
            for claim in self._held.pop(change.id, ()):
                self.holders.pop(claim, None)
        for claim in claims:
            self.holders.pop(claim, None)
            for window in self._free.get(claim.space, {}).values():
                window.pop(claim.value, None)

    def note(self, key: Key, record: Record | None) -> None:
        """There is this record; None: none."""
        self._count()
        self.records[key] = record

    def found(self, kind: str, field: str, target: str) -> Sequence[Record] | None:
        """The records of a kind that refer to a target by a field; None if that is not known."""
        return self._found.get(kind, {}).get((field, target))

    def note_found(self, kind: str, field: str, target: str, records: Sequence[Record]) -> None:
        """These are they."""
        if len(records) <= FEW:
            self._count(1 + len(records))
            self._found.setdefault(kind, {})[field, target] = records

    def note_holder(self, claim: Claim, owner: str | None) -> None:
        """This record holds a claim; None: nobody."""
        self._count()
        self.holders[claim] = owner
        if owner is not None:
            self._held.setdefault(owner, []).append(claim)

    def free(self, space: str, low: int, high: int) -> Window:
        """What is known to be free in a range, to take from."""
        return self._free.get(space, {}).get((low, high), {})

    def note_free(self, space: str, low: int, high: int, window: Window) -> None:
        """This is free, and is to be given after what was known before."""
        self._count(len(window))
        self._free.setdefault(space, {}).setdefault((low, high), {}).update(window)

    def _count(self, more: int = 1) -> None:
        self._size += more
        if self._size > LIMIT:
            self._clear()

    def _clear(self) -> None:
        self.records, self.holders = {}, {}
        self._found, self._held, self._free = {}, {}, {}
        self._size = 0
