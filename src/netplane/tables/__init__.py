"""The datapath's tables as data.

`schema` says what a table is, `pipeline` declares all of ours, `decisions` names the stages, verdicts and reasons,
`header` writes the C header from them, `text` shows entries to people, and `machine` is the datapath's executable
specification: it runs a packet over entries as the kernel's programs must.
"""

from netplane.tables.schema import Entry, Field, Table

__all__ = ["Entry", "Field", "Table"]
