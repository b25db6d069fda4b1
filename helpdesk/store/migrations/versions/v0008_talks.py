"""Escalation as a conversation: whose word a mail is, its ticket numbers, whom it reached; when a mail of ours left."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; what was read before is nobody's word, and reached whom it may."""
    for name in ("word_of", "tickets", "ticket", "audience"):
        op.add_column("message", sa.Column(name, sa.String(), nullable=False, server_default=""))
    op.create_index(
        "message_ticket",
        "message",
        ["ticket"],
        unique=False,
        sqlite_where=sa.text("ticket <> ''"),
        postgresql_where=sa.text("ticket <> ''"),
    )
    op.add_column("outbox", sa.Column("left_at", sa.DateTime(), nullable=True))
    op.execute("UPDATE outbox SET left_at = planned_at WHERE state IN ('sent', 'observed')")
