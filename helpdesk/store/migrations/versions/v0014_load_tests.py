"""Load tests: what was asked, and how far each is."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "load_test",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("experiment", sa.String(), nullable=False),
        sa.Column("engine", sa.String(), nullable=False),
        sa.Column("queue", sa.String(), nullable=False),
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("shape", sa.String(), nullable=False),
        sa.Column("most", sa.Integer(), nullable=False),
        sa.Column("hours", sa.Float(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("asked", sa.DateTime(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("began", sa.DateTime(), nullable=True),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.Column("filled_until", sa.DateTime(), nullable=True),
        sa.Column("stopped", sa.DateTime(), nullable=True),
        sa.Column("stop_by", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ended", sa.DateTime(), nullable=True),
        sa.Column("looked", sa.DateTime(), nullable=True),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("gaps", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("load_test_asked", "load_test", ["asked"], unique=False)
    op.create_index(
        "load_test_open",
        "load_test",
        ["site"],
        unique=True,
        sqlite_where=sa.text("ended IS NULL"),
        postgresql_where=sa.text("ended IS NULL"),
    )
