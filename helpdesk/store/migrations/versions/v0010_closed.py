"""When a thread was closed, found by an index: what happened since a shift began."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, which the next decision fills: what was closed before an upgrade is no news after it."""
    op.add_column("thread", sa.Column("closed_at", sa.DateTime(), nullable=True))
    op.create_index(
        "thread_closed_at",
        "thread",
        ["closed_at"],
        unique=False,
        sqlite_where=sa.text("closed_at IS NOT NULL"),
        postgresql_where=sa.text("closed_at IS NOT NULL"),
    )
