"""All that is special about SQLite (https://www.sqlite.org/pragma.html, https://www.sqlite.org/backup.html)."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.sql.compiler import SQLCompiler

BUSY_SECONDS = 15
READING = {"helpdesk_reading": True}
"""The execution options of connections that only read: they never wait for a writer, nor does one wait for them."""


def prepare(engine: Engine) -> None:
    """Make every connection durable and patient, and let our own BEGIN decide who writes."""
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)


def _on_connect(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver would begin late and by itself
    for pragma in (
        f"busy_timeout = {BUSY_SECONDS * 1000}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "temp_store = MEMORY",
        "wal_autocheckpoint = 4000",  # 16 MB: a first sync writes the same pages again and again
        "cache_size = -24576",  # 24 MB, and there may be two of them: more made no first sync faster
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _on_begin(connection: Connection) -> None:
    """A transaction that may write takes the lock at once: one that asks later cannot wait (SQLITE_BUSY_SNAPSHOT)."""
    reading = connection.get_execution_options().get("helpdesk_reading")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@contextmanager
def lazily(connection: Connection) -> Iterator[None]:
    """A transaction that is in the log when it is committed, and on the disk with the next that waits for it."""
    driver: Any = connection.connection.driver_connection
    ((before,),) = driver.execute("PRAGMA synchronous").fetchall()
    driver.execute(f"PRAGMA synchronous = {min(before, _NO_WAIT)}").close()
    try:
        with connection.begin():
            yield
    finally:
        driver.execute(f"PRAGMA synchronous = {before}").close()


_NO_WAIT = 1  # NORMAL: with a log (WAL) no commit waits, and none is torn


def hurry(engine: Engine) -> None:
    """Do without what lets a database survive a crash: nobody looks at it afterwards."""
    event.listen(
        engine, "connect", lambda connection, _record: connection.execute("PRAGMA synchronous = OFF").close()
    )


def restrain(engine: Engine) -> None:
    """Write nothing, and keep 2 MB of pages."""

    def on_connect(connection: Any, _record: object) -> None:
        for pragma in ("query_only = ON", "cache_size = -2048"):
            connection.execute(f"PRAGMA {pragma}").close()

    event.listen(engine, "connect", on_connect)


def run_many(
    conn: Connection, compiled: SQLCompiler, names: Sequence[str], columns: Sequence[Sequence[Any]]
) -> None:
    """Execute a statement for each row, of which the `columns` are given."""
    ordered = (columns[names.index(name)] for name in compiled.positiontup or ())
    conn.exec_driver_sql(compiled.string, list(zip(*map(_plain, ordered), strict=True)))


def _plain(column: Sequence[Any]) -> Sequence[Any]:
    """Truth as a number: it is stored as one, and the driver is slow to find out."""
    return list(map(_NUMBERS.get, column, column)) if isinstance(column[0], bool) else column


_NUMBERS = {True: 1, False: 0}


def time_text(utc: datetime) -> str:
    """Write a time as SQLAlchemy does, without its zone; SQLite has no type for it (tests/test_store.py)."""
    return utc.isoformat(" ", "microseconds")[:26]


def time_of(text: str | None) -> datetime | None:
    """The inverse, in UTC: SQLAlchemy's own way takes three calls for each value."""
    return None if text is None else datetime.fromisoformat(f"{text}+00:00")


def backup(source: Path, target: Path) -> None:
    """Copy a database that may be in use; the source is only read.

    A read-only connection would leave a `-wal` and a `-shm` behind where there were none.  One that may write takes them
    away again, and has nothing to write unless the log of a crash lies there.
    """
    log = source.with_name(f"{source.name}-wal")
    mode = "ro" if log.exists() and log.stat().st_size else "rw"
    uri = f"{source.absolute().as_uri()}?mode={mode}"
    with (
        closing(sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS)) as old,
        closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)
