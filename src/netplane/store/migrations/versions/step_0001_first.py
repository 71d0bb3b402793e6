"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "resource",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("kind", TEXT, primary_key=True),
        sa.Column("project", TEXT, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("resource_by_project", "resource", ["kind", "project", "id"])
    op.create_table(
        "reference",
        sa.Column("source", TEXT, primary_key=True),
        sa.Column("kind", TEXT, primary_key=True),
        sa.Column("field", TEXT, primary_key=True),
        sa.Column("target", TEXT, primary_key=True),
        sa.Column("cascade", sa.Boolean, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("reference_by_target", "reference", ["target", "kind", "field"])
    op.create_table(
        "claim",
        sa.Column("space", TEXT, primary_key=True),
        sa.Column("value", TEXT, primary_key=True),
        sa.Column("owner", TEXT, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "change",
        sa.Column("revision", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("operation", TEXT, nullable=False),
        sa.Column("body", sa.LargeBinary),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("time", TEXT, nullable=False),
    )
    op.create_table(
        "log",
        sa.Column("identity", TEXT, primary_key=True),
        sa.Column("revision", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "report",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("kind", TEXT, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("time", TEXT, nullable=False),
        sqlite_with_rowid=False,
    )
