"""What Alembic runs: the revisions, on the connection that `helpdesk.store.migrations` hands over."""

from alembic import context

from helpdesk.store.core import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,  # SQLite cannot change a column in place
    transaction_per_migration=False,
)
context.run_migrations()
