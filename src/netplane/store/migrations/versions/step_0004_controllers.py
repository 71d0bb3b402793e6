"""Several controllers: who they are, what they share and say to each other. How many resources each project has."""

import sqlalchemy as sa
from alembic import op

from netplane.store.tally import COUNTED

revision = "0004"
down_revision = "0003"

TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Add tables and columns."""
    op.add_column("log", sa.Column("oldest", sa.Integer, nullable=False, server_default="1"))
    op.add_column("report", sa.Column("rank", sa.BigInteger, nullable=False, server_default="0"))
    op.create_table(
        "controller",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("url", TEXT, nullable=False),
        sa.Column("seen", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "session",
        sa.Column("host", TEXT, primary_key=True),
        sa.Column("controller", TEXT, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "secret",
        sa.Column("name", TEXT, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
        if_not_exists=True,
    )
    op.create_table(
        "letter",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("receiver", TEXT, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("letter_by_receiver", "letter", ["receiver"])
    op.create_table(
        "tally",
        sa.Column("project", TEXT, primary_key=True),
        sa.Column("kind", TEXT, primary_key=True),
        sa.Column("used", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
        if_not_exists=True,
    )
    op.execute("DELETE FROM tally")
    op.execute(
        sa.text(
            "INSERT INTO tally (project, kind, used) SELECT project, kind, count(*) FROM resource"
            " WHERE kind IN :kinds GROUP BY project, kind"
        ).bindparams(sa.bindparam("kinds", COUNTED, expanding=True))
    )
