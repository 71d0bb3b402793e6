"""The tables, the same on SQLite and PostgreSQL.

```
resource   kind, id, project, revision, body        what is, one row a record
reference  kind, source, field, target, cascade     who points at whom
claim      space, value, owner                      who holds what exclusively
change     revision, kind, id, operation, body,     what happened, forever: feed, audit log and
           actor, time, request, project             history in one; the body of a delete is what was there
log        identity, revision                       one row: which log this is, and where it has got to
report     kind, id, body, time                     what the network says of itself; not intent
tally      project, kind, used                      how many resources of each kind each project has
secret     name, body                               what controllers share and nobody else may read; in no change
```

Bodies are msgpack. Every writer locks the row of `log` before it looks at anything, and moves its revision when it
commits: so revisions appear in the order of their numbers and no reader of the feed can skip one.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, MetaData, String, Table

METADATA = MetaData()

# The primary key begins with the id: were it the kind, SQLite would take it for lists of a project too and read all.
RESOURCE = Table(
    "resource",
    METADATA,
    Column("id", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("resource_by_project", "kind", "project", "id"),
    sqlite_with_rowid=False,
)

REFERENCE = Table(
    "reference",
    METADATA,
    Column("source", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("field", String, primary_key=True),
    Column("target", String, primary_key=True),
    Column("cascade", Boolean, nullable=False),
    Index("reference_by_target", "target", "kind", "field"),
    sqlite_with_rowid=False,
)

CLAIM = Table(
    "claim",
    METADATA,
    Column("space", String, primary_key=True),
    Column("value", String, primary_key=True),
    Column("owner", String, nullable=False),
    sqlite_with_rowid=False,
)

CHANGE = Table(
    "change",
    METADATA,
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False),
    Column("id", String, nullable=False),
    Column("operation", String, nullable=False),
    Column("body", LargeBinary),
    Column("actor", String, nullable=False),
    Column("time", String, nullable=False),
    Column("request", String, nullable=False, server_default=""),
    Column("project", String, nullable=False, server_default=""),
    Index("change_by_project", "project", "revision"),
)

LOG = Table(
    "log",
    METADATA,
    Column("identity", String, primary_key=True),
    Column("revision", BigInteger, nullable=False),
)

TALLY = Table(
    "tally",
    METADATA,
    Column("project", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("used", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

REPORT = Table(
    "report",
    METADATA,
    Column("id", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("time", String, nullable=False),
    sqlite_with_rowid=False,
)

SECRET = Table(
    "secret",
    METADATA,
    Column("name", String, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
