"""What former netplanes leave wrong that work on the same database until each controller is restarted, or in backups.

They know nothing of what this one writes beside a record. The claims of scopes' ranges (step 9) are held against the
pools whenever a store is opened: that costs little, and the last controller to start comes when the last former one
has gone.
"""

from sqlalchemy import Connection, delete, insert, select

from netplane.model import Claim, SubnetPool
from netplane.model.prefixes import SCOPES
from netplane.store.group import LOCK
from netplane.store.reader import Reader
from netplane.store.schema import CLAIM

_END = SCOPES[:-1] + chr(ord(SCOPES[-1]) + 1)


def settle(connection: Connection) -> None:
    """Claim the ranges of scopes' pools, and let go what no pool has any more."""
    if _claimed(connection) != _wanted(connection):
        LOCK.first(connection, {})
        claimed, wanted = _claimed(connection), _wanted(connection)
        for claim, owner in claimed.items() - wanted.items():
            at = (CLAIM.c.space == claim.space) & (CLAIM.c.value == claim.value) & (CLAIM.c.owner == owner)
            connection.execute(delete(CLAIM).where(at))
        for claim, owner in wanted.items() - claimed.items():
            connection.execute(insert(CLAIM).values(space=claim.space, value=claim.value, owner=owner))


def _claimed(connection: Connection) -> dict[Claim, str]:
    rows = connection.execute(select(CLAIM).where(CLAIM.c.space >= SCOPES, CLAIM.c.space < _END))
    return {Claim(row.space, row.value): row.owner for row in rows}


def _wanted(connection: Connection) -> dict[Claim, str]:
    """Of pools that have the same range, which only a former netplane lets be, the last is said to have it."""
    pools = Reader(connection).list(SubnetPool)
    return {claim: pool.id for pool in pools for claim in pool.claims() if claim.space.startswith(SCOPES)}
