"""Mails that end the connection: who is suspected, and when a condemned one is tried again."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table and the columns: what lies in quarantine already came, and was no mail."""
    op.create_table(
        "suspect",
        sa.Column("folder", sa.String(), nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("strikes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("folder", "uidvalidity", "first"),
    )
    op.add_column("quarantine", sa.Column("strikes", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("quarantine", sa.Column("again_at", sa.DateTime(), nullable=True))
