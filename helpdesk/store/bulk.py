"""One statement for many rows, by the database driver itself: a first sync is mostly this.

SQLAlchemy compiles the statement, for whichever database it is; what it would do for each value of each row again is done
here, and there is only one kind of value that needs anything: times.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Insert, Update
from sqlalchemy.sql.compiler import SQLCompiler

from helpdesk.store import postgresql, sqlite
from helpdesk.store.core import chunks
from helpdesk.store.times import writer

Row = tuple[Any, ...]

MANY = 5000  # rows in the hands of the driver at once


def run_many(
    conn: Connection,
    statement: Insert | Update,
    names: Sequence[str],
    rows: Iterable[Row],
    times: Sequence[str] = (),
) -> None:
    """Execute a statement for each row; `names` are its parameters in the order of a row, `times` those that are times.

    The statement is a constant of its module: what it is compiled to is kept with it.
    """
    compiled = _compiled(statement, conn.dialect, tuple(names))
    run = sqlite.run_many if conn.dialect.name == "sqlite" else postgresql.run_many
    places = [names.index(name) for name in times]
    write = writer(conn.dialect)
    for chunk in chunks(rows, MANY):
        columns: list[Sequence[Any]] = list(zip(*chunk, strict=True))
        for place in places:
            columns[place] = _written(columns[place], write)
        run(conn, compiled, names, columns)


@lru_cache(maxsize=64)
def _compiled(statement: Insert | Update, dialect: Dialect, names: tuple[str, ...]) -> SQLCompiler:
    """The statement as this database wants it."""
    keys = list(names) if isinstance(statement, Insert) else None
    compiled = statement.compile(dialect=dialect, column_keys=keys)
    assert isinstance(compiled, SQLCompiler)
    return compiled


def _written(moments: Sequence[datetime | None], write: Callable[[datetime | None], object]) -> list[object]:
    first = moments[0]
    if all(moment is first for moment in moments):  # when a copy arrived: the same for all
        return [write(first)] * len(moments)
    return list(map(write, moments))
