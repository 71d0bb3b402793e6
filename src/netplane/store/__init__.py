"""Where intent is kept: records, what they refer to, what they claim, and every change, in one SQL database.

The store knows records only through what they declare (`references`, `claims`). It is synchronous; whoever lives in
an event loop calls it from a thread. Its shape is drawn in `store.schema`.
"""

from netplane.store.audit import Line, Sought
from netplane.store.errors import Conflict, Exhausted, InUse, Malformed, Missing, StoreError, Unavailable, Unsettled
from netplane.store.group import Broken, Group
from netplane.store.journal import Entry
from netplane.store.migrations import Unfit
from netplane.store.reader import Ahead, Reader
from netplane.store.reports import Report
from netplane.store.store import Store
from netplane.store.transaction import Transaction
from netplane.store.viewing import Question

__all__ = [
    "Ahead",
    "Broken",
    "Conflict",
    "Entry",
    "Exhausted",
    "Group",
    "InUse",
    "Line",
    "Malformed",
    "Missing",
    "Question",
    "Reader",
    "Report",
    "Sought",
    "Store",
    "StoreError",
    "Transaction",
    "Unavailable",
    "Unfit",
    "Unsettled",
]
