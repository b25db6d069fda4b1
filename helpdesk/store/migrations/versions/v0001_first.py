"""The tables of the first release."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "action",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("thread", sa.Integer(), nullable=True),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("guideline", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_action_at"), "action", ["at"], unique=False)
    op.create_index(op.f("ix_action_thread"), "action", ["thread"], unique=False)
    op.create_table(
        "copy",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message", sa.Integer(), nullable=False),
        sa.Column("folder", sa.Integer(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("guid", sa.String(), nullable=False),
        sa.Column("flags", sa.String(), nullable=False),
        sa.Column("base", sa.String(), nullable=False),
        sa.Column("planned", sa.String(), nullable=True),
        sa.Column("base_place", sa.String(), nullable=False),
        sa.Column("planned_place", sa.String(), nullable=True),
        sa.Column("touches", sa.String(), nullable=False),
        sa.Column("arrived_cycle", sa.Integer(), nullable=False),
        sa.Column("arrived_at", sa.DateTime(), nullable=False),
        sa.Column("limbo", sa.Integer(), nullable=True),
        sa.Column("left", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("copy_guid", "copy", ["guid"], unique=False)
    op.create_index(
        "copy_in_flight",
        "copy",
        ["id"],
        unique=False,
        sqlite_where=sa.text("planned IS NOT NULL OR planned_place IS NOT NULL"),
        postgresql_where=sa.text("planned IS NOT NULL OR planned_place IS NOT NULL"),
    )
    op.create_index(
        "copy_limbo",
        "copy",
        ["id"],
        unique=False,
        sqlite_where=sa.text("limbo IS NOT NULL"),
        postgresql_where=sa.text("limbo IS NOT NULL"),
    )
    op.create_index("copy_location", "copy", ["folder", "uid"], unique=True)
    op.create_index("copy_message", "copy", ["message"], unique=False)
    op.create_table(
        "folder",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=False),
        sa.Column("uidnext", sa.BigInteger(), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("modseq", sa.BigInteger(), nullable=True),
        sa.Column("rotation", sa.BigInteger(), nullable=False),
        sa.Column("passes", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "hidden",
        sa.Column("folder", sa.Integer(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("folder", "uid"),
    )
    op.create_table(
        "message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("refs", sa.String(), nullable=False),
        sa.Column("parents", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("subject_key", sa.String(), nullable=False),
        sa.Column("link", sa.String(), nullable=False),
        sa.Column("people", sa.String(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("author_name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("via", sa.String(), nullable=False),
        sa.Column("trusted", sa.Boolean(), nullable=False),
        sa.Column("nature", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("date", sa.DateTime(), nullable=True),
        sa.Column("time", sa.DateTime(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("adopted", sa.Boolean(), nullable=False),
        sa.Column("hits", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("thread", sa.Integer(), nullable=False),
        sa.Column("of_ours", sa.Boolean(), nullable=False),
        sa.Column("correspondence", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_message_message_id"), "message", ["message_id"], unique=False)
    op.create_index(op.f("ix_message_subject_key"), "message", ["subject_key"], unique=False)
    op.create_index(op.f("ix_message_thread"), "message", ["thread"], unique=False)
    op.create_table(
        "meta",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("thread", sa.Integer(), nullable=True),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("occasion", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("recipients", sa.String(), nullable=False),
        sa.Column("context", sa.String(), nullable=False),
        sa.Column("planned_at", sa.DateTime(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("first_unknown_at", sa.DateTime(), nullable=True),
        sa.Column("next_try_at", sa.DateTime(), nullable=True),
        sa.Column("last_answer", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("message_id"),
    )
    op.create_index(op.f("ix_outbox_planned_at"), "outbox", ["planned_at"], unique=False)
    op.create_index(op.f("ix_outbox_state"), "outbox", ["state"], unique=False)
    op.create_index(op.f("ix_outbox_thread"), "outbox", ["thread"], unique=False)
    op.create_table(
        "quarantine",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("folder", sa.Integer(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("guid", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("seen_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("quarantine_location", "quarantine", ["folder", "uid"], unique=True)
    op.create_table(
        "ref",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("component", sa.Integer(), nullable=False),
        sa.Column("thread", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_ref_code"), "ref", ["code"], unique=False)
    op.create_index(op.f("ix_ref_component"), "ref", ["component"], unique=False)
    op.create_table(
        "request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("args", sa.String(), nullable=False),
        sa.Column("done_at", sa.DateTime(), nullable=True),
        sa.Column("answer", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "thread",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("component", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("dirty", sa.Boolean(), nullable=False),
        sa.Column("due", sa.DateTime(), nullable=True),
        sa.Column("pending", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(), nullable=False),
        sa.Column("last_activity_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_thread_code"), "thread", ["code"], unique=False)
    op.create_index(op.f("ix_thread_component"), "thread", ["component"], unique=False)
    op.create_index(op.f("ix_thread_dirty"), "thread", ["dirty"], unique=False)
    op.create_index(op.f("ix_thread_due"), "thread", ["due"], unique=False)
    op.create_index(op.f("ix_thread_open"), "thread", ["open"], unique=False)
