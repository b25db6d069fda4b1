"""A private throw-away copy of a database, in a SQLite file: whatever is tried there never reaches the real one."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, DateTime, Engine, MetaData, Table, insert, select

from helpdesk.errors import UsageError
from helpdesk.store import db, migrations, sqlite

CHUNK = 5000  # rows in memory at once


@contextmanager
def scratch(address: db.Address) -> Iterator[Engine]:
    """The copy, brought up to date."""
    source = db.sqlite_file(address)
    if source is None and not db.on_server(address):
        raise UsageError("a plan works on a copy of the database, and one in memory cannot be copied")
    with tempfile.TemporaryDirectory(prefix="helpdesk-") as folder:
        target = Path(folder) / "scratch.db"
        if source is not None and source.exists():
            sqlite.backup(source, target)
        engine = db.open_engine(f"sqlite:///{target}")
        try:
            if source is None:
                _from_server(address, engine)
            migrations.upgrade_engine(engine)
            yield engine
        finally:
            engine.dispose()


def _from_server(address: db.Address, target: Engine) -> None:
    """Copy one state of a database by reading only; its tables are made as old as they are there."""
    origin = db.open_engine(address)
    try:
        with db.reading(origin) as source:
            found = migrations.revision(source)
            if found is None:
                return
            migrations.upgrade_engine(target, found)
            with target.begin() as copy:
                tables = MetaData()
                tables.reflect(copy)
                for table in tables.sorted_tables:
                    if table.name != migrations.HISTORY:
                        _copy(source, copy, table)
    finally:
        origin.dispose()


def _copy(source: Connection, target: Connection, table: Table) -> None:
    """Copy the rows of a table as the drivers give and take them: only times are told differently."""
    places = [n for n, column in enumerate(table.columns) if isinstance(column.type, DateTime)]
    statement = str(insert(table).compile(dialect=target.dialect))
    rows = source.execution_options(yield_per=CHUNK).execute(select(table)).partitions()
    for part in rows:
        target.exec_driver_sql(statement, [_told(row, places) for row in part])


def _told(row: Sequence[Any], places: Sequence[int]) -> tuple[Any, ...]:
    values = list(row)
    for place in places:
        if values[place] is not None:
            values[place] = sqlite.time_text(values[place])
    return tuple(values)
