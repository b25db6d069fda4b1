"""A private throw-away copy of a database, in a SQLite file: whatever is tried there never reaches the real one."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, DateTime, Engine, MetaData, Table, func, insert, select

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
        sqlite.hurry(engine)
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
    """Copy the rows of a table as one driver gives and the other takes them; SQLite has no type for times."""
    columns = [
        func.to_char(column, "YYYY-MM-DD HH24:MI:SS.US") if isinstance(column.type, DateTime) else column
        for column in table.columns
    ]
    statement = str(insert(table).compile(dialect=target.dialect))
    found = source.execution_options(yield_per=CHUNK).execute(select(*columns).order_by(*table.primary_key))
    for part in found.partitions():
        target.exec_driver_sql(statement, [tuple(row) for row in part])
