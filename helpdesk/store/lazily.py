"""Commits that nobody waits for: what they say may be lost with the machine, and must be true all the same."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from helpdesk.store import postgresql, sqlite


@contextmanager
def lazily(connection: Connection) -> Iterator[None]:
    """A transaction that survives the end of this process, but that of the machine only with the next one that is durable."""
    lazy = postgresql.lazily if connection.dialect.name == "postgresql" else sqlite.lazily
    with lazy(connection):
        yield
