"""Secrets that all controllers of a database share, such as an authority's key.

They are no records: what is in the change log is there for ever, is shown to operators, and goes to whoever watches.
"""

from collections.abc import Callable

from sqlalchemy import Connection, bindparam, insert, select

from netplane.store.prepared import Prepared
from netplane.store.schema import LOG, SECRET

LOCK = Prepared(select(LOG.c.revision).with_for_update())
READ = Prepared(select(SECRET.c.body).where(SECRET.c.name == bindparam("name")))


def keep_secret(connection: Connection, name: str, make: Callable[[], bytes]) -> bytes:
    """The secret of a name, made now if there is none; controllers that want it at once get the same."""
    LOCK.first(connection, {})
    body = READ.first(connection, {"name": name})
    if body is None:
        body = make()
        connection.execute(insert(SECRET), {"name": name, "body": body})
    return bytes(body)
