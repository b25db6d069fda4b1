"""The tables as SQLAlchemy Core sees them: statements over many rows at once, no objects in between."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Column, ColumnElement, Table, and_, or_
from sqlmodel import SQLModel

from helpdesk.store import blame_tables, robot_tables, tables  # define what `metadata` knows
from helpdesk.uidset import UidSet

METADATA = SQLModel.metadata


def _table(model: type[SQLModel]) -> Table:
    return METADATA.tables[str(model.__tablename__)]


META = _table(tables.MetaRow)
FOLDER = _table(tables.FolderRow)
MESSAGE = _table(tables.MessageRow)
COPY = _table(tables.CopyRow)
REF = _table(tables.RefRow)
THREAD = _table(tables.ThreadRow)
ACTION = _table(tables.ActionRow)
OUTBOX = _table(tables.OutboxTable)
REQUEST = _table(tables.RequestRow)
QUARANTINE = _table(tables.QuarantineRow)
SUSPECT = _table(tables.SuspectRow)
HIDDEN = _table(tables.HiddenRow)
HANDOVER = _table(tables.HandoverRow)
WRONG = _table(tables.WrongRow)
JOB = _table(robot_tables.JobRow)
RECORD = _table(robot_tables.RecordRow)
VERDICT = _table(robot_tables.VerdictRow)
INCIDENT = _table(robot_tables.IncidentRow)
MENTION = _table(blame_tables.MentionRow)
FAULT = _table(blame_tables.FaultRow)
SITE_ORDER = _table(robot_tables.SiteOrderRow)
LOAD_TEST = _table(robot_tables.LoadTestRow)
COMMAND = _table(tables.CommandRow)

Values = dict[str, Any]
T = TypeVar("T")

CHUNK = 500  # bound parameters in one IN (...): every SQLite takes 999


def chunks(items: Iterable[T], size: int = CHUNK) -> Iterator[Sequence[T]]:
    """Cut anything into lists that fit into one statement."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def ranges(column: Column[Any], uids: UidSet) -> Iterator[ColumnElement[bool]]:
    """The condition that a UID lies in a set, cut into pieces that fit into one statement.

    Each piece names the span that it lies in: SQLite then walks that span of its index once, and not the whole folder.
    """
    for chunk in chunks(uids.ranges, CHUNK // 10):
        span = column.between(chunk[0][0], chunk[-1][1])
        yield and_(span, or_(*(column.between(first, last) for first, last in chunk)))
