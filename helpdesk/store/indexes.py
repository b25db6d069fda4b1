"""Indexes that a first sync makes when the rows are there: kept up row by row, their pages are written again and again.

Between `drop` and `make` every query works, if slowly.  A first sync that was interrupted is done again, and the indexes with it.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, Index
from sqlalchemy.schema import CreateIndex, DropIndex

from helpdesk.store.core import COPY, MESSAGE, REF, THREAD

_ASKED: Final = {"ix_message_message_id", "copy_guid", "copy_location"}
"""What reading the mailbox looks up all the time, or must not have twice."""

_PLACED: Final = {"ix_message_thread"}

GROUPING: Final[Sequence[Index]] = [
    index
    for table in (MESSAGE, COPY)
    for index in sorted(table.indexes, key=str)
    if index.name not in _ASKED | _PLACED
]
"""What is complete when the mailbox is read."""

DECIDING: Final[Sequence[Index]] = [
    index
    for table in (MESSAGE, REF, THREAD)
    for index in sorted(table.indexes, key=str)
    if table is not MESSAGE or index.name in _PLACED
]
"""What is complete when every message is in its thread."""


def drop(conn: Connection) -> None:
    """Do without all of them for a while."""
    for index in (*GROUPING, *DECIDING):
        conn.execute(DropIndex(index, if_exists=True))


def make(conn: Connection, indexes: Sequence[Index]) -> None:
    """Make those that are not there."""
    for index in indexes:
        conn.execute(CreateIndex(index, if_not_exists=True))
