"""Why the store refuses a write. Whatever is raised, nothing of the transaction is kept.

```
StoreError
├── Conflict    a claimed value is held by another record, or an id is taken
├── InUse       a record to be deleted is referred to
├── Missing     a reference to a record that does not exist
├── Malformed   a record that is not as its kind declares: nobody could read it again
└── Exhausted   nothing is free in the range that a value should come from

Unavailable     the database cannot serve now: it is gone, full or stuck. Trying again later helps
└── Unsettled   it went away during the commit, and whether that was kept could not be found out
```
"""


class StoreError(Exception):
    """A write that would break the integrity of the store."""


class Conflict(StoreError):
    """`owner` already holds `value` in `space`; empty if the holder could not be told any more."""

    def __init__(self, space: str, value: str, owner: str) -> None:
        super().__init__(f"{value} in {space} is held by {owner or 'another record'}")
        self.space = space
        self.value = value
        self.owner = owner


class InUse(StoreError):
    """The record `target` cannot go: the record `source` of kind `kind` refers to it by `field`."""

    def __init__(self, target: str, kind: str, source: str, field: str) -> None:
        super().__init__(f"{target} is in use by {kind} {source} ({field})")
        self.target = target
        self.kind = kind
        self.source = source
        self.field = field


class Missing(StoreError):
    """The record `source` refers by `field` to `target`, which does not exist."""

    def __init__(self, source: str, field: str, target: str) -> None:
        super().__init__(f"{source} refers to {target} ({field}), which does not exist")
        self.source = source
        self.field = field
        self.target = target


class Malformed(StoreError):
    """A record is not as its kind declares: what is written must be readable by all who follow the log."""

    def __init__(self, id: str, reason: str) -> None:
        super().__init__(f"{id} is malformed: {reason}")
        self.id = id
        self.reason = reason


class Exhausted(StoreError):
    """Every value of the ranges in `space` is claimed."""

    def __init__(self, space: str) -> None:
        super().__init__(f"nothing is free in {space}")
        self.space = space


class Unavailable(Exception):
    """The database cannot serve now; says why. A transaction that this ends is not kept."""


class Unsettled(Unavailable):
    """The database went away during a commit, for so long that nobody knows whether it was kept."""
