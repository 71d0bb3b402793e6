"""The tables, the same on SQLite and PostgreSQL.

```
resource   kind, id, project, revision, body        what is, one row a record
reference  target, kind, field, source, cascade     who points at whom; and what records are found by (`=web`)
claim      space, value, owner                      who holds what exclusively
change     revision, kind, id, operation, body,     what happened, forever: feed, audit log and
           actor, time, request, project             history in one; the body of a delete is what was there
log        identity, revision, oldest               one row: which log this is, where it has got to, and the level
                                                    of the oldest netplane that may work on these tables
report     kind, id, body, time, rank               what the network says of itself; not intent
controller id, url, seen                            the controllers that share the database
session    host, controller                         which of them each host is connected to
letter     id, receiver, body                       what they ask and answer each other, until it is read
tally      project, kind, used                      how many resources of each kind each project has
secret     name, body                               what controllers share and nobody else may read; in no change
```

Bodies are msgpack. Every writer locks the row of `log` before it looks at anything, and moves its revision when it
commits: so revisions appear in the order of their numbers and no reader of the feed can skip one.

How the tables have become what they are, step by step, is told in `migrations`.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, String, Table

LEVEL = 9
"""How many steps of `migrations` these tables are made of."""
NEEDED = 9
"""The level from which on this netplane can work with a database."""

METADATA = MetaData()

# Ids and values are compared byte by byte, as Python does, whatever language a PostgreSQL database is set to.
TEXT = String().with_variant(String(collation="C"), "postgresql")

# The primary key begins with the id: were it the kind, SQLite would take it for lists of a project too and read all.
RESOURCE = Table(
    "resource",
    METADATA,
    Column("id", TEXT, primary_key=True),
    Column("kind", TEXT, primary_key=True),
    Column("project", TEXT, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("resource_by_project", "kind", "project", "id"),
    Index("resource_by_kind", "kind", "id"),
    sqlite_with_rowid=False,
)

# Nobody asks what a record refers to, which it says itself: so the primary key is all the order that there is.
REFERENCE = Table(
    "reference",
    METADATA,
    Column("target", TEXT, primary_key=True),
    Column("kind", TEXT, primary_key=True),
    Column("field", TEXT, primary_key=True),
    Column("source", TEXT, primary_key=True),
    Column("cascade", Boolean, nullable=False),
    sqlite_with_rowid=False,
)

CLAIM = Table(
    "claim",
    METADATA,
    Column("space", TEXT, primary_key=True),
    Column("value", TEXT, primary_key=True),
    Column("owner", TEXT, nullable=False),
    sqlite_with_rowid=False,
)

CHANGE = Table(
    "change",
    METADATA,
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", TEXT, nullable=False),
    Column("id", TEXT, nullable=False),
    Column("operation", TEXT, nullable=False),
    Column("body", LargeBinary),
    Column("actor", TEXT, nullable=False),
    Column("time", TEXT, nullable=False),
    Column("request", TEXT, nullable=False, server_default=""),
    Column("project", TEXT, nullable=False, server_default=""),
    Index("change_by_project", "project", "revision"),
)

LOG = Table(
    "log",
    METADATA,
    Column("identity", TEXT, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("oldest", Integer, nullable=False, server_default="1"),
)

TALLY = Table(
    "tally",
    METADATA,
    Column("project", TEXT, primary_key=True),
    Column("kind", TEXT, primary_key=True),
    Column("used", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

REPORT = Table(
    "report",
    METADATA,
    Column("id", TEXT, primary_key=True),
    Column("kind", TEXT, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("time", TEXT, nullable=False),
    Column("rank", BigInteger, nullable=False, server_default="0"),
    sqlite_with_rowid=False,
)

CONTROLLER = Table(
    "controller",
    METADATA,
    Column("id", TEXT, primary_key=True),
    Column("url", TEXT, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Column("southbound", TEXT, nullable=False, server_default=""),
)

SESSION = Table(
    "session",
    METADATA,
    Column("host", TEXT, primary_key=True),
    Column("controller", TEXT, nullable=False),
    sqlite_with_rowid=False,
)

SECRET = Table(
    "secret",
    METADATA,
    Column("name", TEXT, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

LETTER = Table(
    "letter",
    METADATA,
    Column("id", TEXT, primary_key=True),
    Column("receiver", TEXT, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("letter_by_receiver", "receiver"),
    sqlite_with_rowid=False,
)
