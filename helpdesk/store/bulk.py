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
        run(conn, compiled, names, _with_times(chunk, places, write) if places else chunk)


@lru_cache(maxsize=64)
def _compiled(statement: Insert | Update, dialect: Dialect, names: tuple[str, ...]) -> SQLCompiler:
    """The statement as this database wants it."""
    keys = list(names) if isinstance(statement, Insert) else None
    compiled = statement.compile(dialect=dialect, column_keys=keys)
    assert isinstance(compiled, SQLCompiler)
    return compiled


def _with_times(
    rows: Sequence[Row], places: Sequence[int], write: Callable[[datetime | None], object]
) -> list[Row]:
    known: dict[datetime | None, object] = {}
    found: list[Row] = []
    for row in rows:
        values = list(row)
        for place in places:
            moment = row[place]
            if moment not in known:
                known[moment] = write(moment)
            values[place] = known[moment]
        found.append(tuple(values))
    return found
