"""What holds for a database in a SQLite file alone."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from helpdesk.errors import HeldError, UsageError
from helpdesk.store import db, meta, migrations
from helpdesk.store.lock import instance_lock
from helpdesk.store.scratch import scratch
from tests.databases import SqliteFile


@pytest.fixture
def url(tmp_path: Path) -> str:
    return SqliteFile(tmp_path).url


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    migrations.upgrade(url)
    made = db.open_engine(url)
    yield made
    made.dispose()


def test_connections_are_durable(engine: Engine) -> None:
    """Every connection writes ahead, syncs fully, checks foreign keys and waits for others."""
    with engine.connect() as conn:
        found = [
            conn.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    assert found == ["wal", 2, 1, 15000]


def test_checking_makes_no_file(url: str, tmp_path: Path) -> None:
    """The check of a database that does not exist, and a throw-away copy of it, do not make it."""
    assert migrations.check(url) == [migrations.EMPTY]
    with scratch(url) as copy, copy.connect() as conn:
        assert meta.last_cycle(conn) is None
    assert list(tmp_path.iterdir()) == []


def test_a_lost_lock_is_noticed(url: str, engine: Engine, tmp_path: Path) -> None:
    """When somebody removes the lock file the instance stops before its next batch."""
    with instance_lock(url) as lock:
        lock.guard(engine)
        with engine.begin() as conn:
            meta.put(conn, "key", "value")
        (tmp_path / "board.db.lock").unlink()
        with pytest.raises(HeldError, match="removed the lock"), engine.begin():
            pass


def test_a_throw_away_copy_leaves_no_trace(url: str, engine: Engine, tmp_path: Path) -> None:
    """Making a copy and writing to it changes not a byte of the real database, and leaves nothing beside it."""
    with engine.begin() as conn:
        meta.put(conn, "key", "real")
    engine.dispose()
    before = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in tmp_path.iterdir()}
    with scratch(url) as copy, copy.begin() as conn:
        meta.put(conn, "key", "tried")
    assert {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in tmp_path.iterdir()} == before


def test_a_database_in_memory_is_ours_alone() -> None:
    """In memory there is nobody to be kept out, and nothing that could be copied."""
    engine = db.open_engine("sqlite://")
    with instance_lock("sqlite://") as lock:
        lock.guard(engine)
        with engine.begin():
            pass
    engine.dispose()
    assert migrations.check("sqlite://") == [migrations.EMPTY]
    with pytest.raises(UsageError, match="cannot be copied"), scratch("sqlite://"):
        pass
