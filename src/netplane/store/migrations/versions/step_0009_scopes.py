"""The ranges of a scope's pools are claimed, so that whether they overlap is looked up and not worked out from all."""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from netplane.model import SubnetPool
from netplane.model.prefixes import prefix_claim, scope_space
from netplane.store.codec import decode

revision = "0009"
down_revision = "0008"

READ = sa.text("SELECT body FROM resource WHERE kind = 'subnetpool'")
INSERT = sa.text(
    "INSERT INTO claim (space, value, owner) VALUES (:space, :value, :owner) ON CONFLICT (space, value) DO NOTHING"
)


def upgrade() -> None:
    """Claim them."""
    connection = op.get_bind()
    for (body,) in connection.execute(READ).all():
        if rows := list(_rows(decode(body))):
            connection.execute(INSERT, rows)


def _rows(pool: object) -> Iterator[dict[str, str]]:
    if isinstance(pool, SubnetPool) and pool.address_scope_id is not None:
        for prefix in pool.prefixes:
            space = scope_space(pool.address_scope_id)
            yield {"space": space, "value": prefix_claim(prefix), "owner": pool.id}
