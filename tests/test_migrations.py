"""Databases of every age come up to date with all that they hold."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    insert,
    select,
)

from helpdesk.store import db, migrations
from tests.databases import Database

SOME: Final = (
    (DateTime, datetime(2026, 6, 9, 14, 0, tzinfo=UTC).replace(tzinfo=None)),
    (Boolean, True),
    (Integer, 1),
    (Float, 0.5),
    (LargeBinary, b"x"),
)


def something(column: Column[Any]) -> object:
    """A value that the column takes; each first row has the key 1 or "x", so whatever it refers to is there."""
    return next((value for kind, value in SOME if isinstance(column.type, kind)), "x")


def rows(conn: Connection, tables: Mapping[str, Table]) -> dict[str, list[dict[str, Any]]]:
    """All that lies in the tables, but how old they are."""
    found = {name: conn.execute(select(table)).mappings().all() for name, table in tables.items()}
    return {name: [dict(row) for row in found[name]] for name in found if name != migrations.HISTORY}


def reflected(conn: Connection) -> dict[str, Table]:
    known = MetaData()
    known.reflect(conn)
    return {table.name: table for table in known.sorted_tables}


@pytest.mark.parametrize("age", sorted(migrations.known()))
def test_nothing_is_lost_on_the_way_up(database: Database, age: str) -> None:
    """From each revision, with a row in every table of then, to the newest: every row is there with every value."""
    database.lay()
    engine = db.open_engine(database.url)
    migrations.upgrade_engine(engine, age)
    with engine.begin() as conn:
        old = reflected(conn)
        for name, table in old.items():
            if name != migrations.HISTORY:
                conn.execute(insert(table), {column.name: something(column) for column in table.columns})
        before = rows(conn, old)
    migrations.upgrade_engine(engine)
    with engine.connect() as conn:
        assert migrations.revision(conn) == migrations.known()[0]
        after = rows(conn, reflected(conn))
    engine.dispose()
    kept = {
        name: [{key: row[key] for key in was} for row in after[name]] for name, (was, *_) in before.items()
    }
    assert kept == before
    assert len(before) > 10
