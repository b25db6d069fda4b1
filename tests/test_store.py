"""The database: its history, its lock, its throw-away copy, and its times."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, create_mock_engine, insert, inspect, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import OperationalError, StatementError

from helpdesk.errors import HeldError, UsageError
from helpdesk.store import db, meta, migrations
from helpdesk.store.bulk import run_many
from helpdesk.store.core import COPY, HIDDEN, META, METADATA, QUARANTINE
from helpdesk.store.lock import instance_lock


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'board.db'}"


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    migrations.upgrade(url)
    made = db.open_engine(url)
    yield made
    made.dispose()


def test_the_migrations_make_the_tables(engine: Engine) -> None:
    """A database that went through all revisions has the tables, columns and indexes of tables.py, and no others."""
    with engine.connect() as conn:
        context = MigrationContext.configure(conn)
        assert compare_metadata(context, METADATA) == []
        made = inspect(conn)
        for table in METADATA.sorted_tables:
            assert {i["name"] for i in made.get_indexes(table.name)} == {i.name for i in table.indexes}


def test_the_tables_are_good_for_postgresql() -> None:
    """Every table and index can be said in PostgreSQL's words, with 64-bit UIDs and partial indexes."""
    words: list[str] = []
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy forgot one
    engine = create_mock_engine(
        "postgresql+psycopg://", lambda sql, *_: words.append(str(sql.compile(dialect=dialect)))
    )
    METADATA.create_all(engine, checkfirst=False)
    assert sum("BIGINT" in one for one in words) >= 4
    assert any("WHERE limbo IS NOT NULL" in one for one in words)


def test_upgrading_twice_changes_nothing(url: str, engine: Engine) -> None:
    """A database that is up to date is left alone, and has nothing to complain of."""
    with engine.begin() as conn:
        meta.put(conn, "key", "value")
    migrations.upgrade(url)
    with engine.connect() as conn:
        assert meta.get(conn, "key") == "value"
    assert migrations.check(url) == []


def test_a_newer_database_is_refused(url: str, engine: Engine) -> None:
    """A database that a newer helpdesk wrote is neither changed nor read, and the error says what to do."""
    with engine.begin() as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert "newer helpdesk (revision 9999" in migrations.check(url)[0]
    with pytest.raises(UsageError, match="install that version"):
        migrations.upgrade(url)


def test_checking_makes_nothing(url: str, tmp_path: Path) -> None:
    """The check of a database that does not exist says so and does not make it; nor is a stranger's taken for ours."""
    assert "is empty" in migrations.check(url)[0]
    assert list(tmp_path.iterdir()) == []
    stranger = create_engine(url)
    with stranger.begin() as conn:
        conn.execute(text("CREATE TABLE theirs (id INTEGER)"))
    stranger.dispose()
    assert "not ours" in migrations.check(url)[0]


def test_connections_are_durable(engine: Engine) -> None:
    """Every connection writes ahead, syncs fully, checks foreign keys and waits for others."""
    with engine.connect() as conn:
        found = [
            conn.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    assert found == ["wal", 2, 1, 15000]


def test_readers_do_not_wait_for_a_writer(engine: Engine) -> None:
    """While a cycle writes, a reading command reads the state before it; it cannot write by mistake behind its back."""
    with engine.begin() as writing:
        meta.put(writing, "key", "new")
        with db.reading(engine) as reading:
            assert meta.get(reading, "key") is None
    with db.reading(engine) as conn:
        assert meta.get(conn, "key") == "new"


HOLDER = """
import sys, time
from helpdesk.store.lock import instance_lock
with instance_lock(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_one_instance_at_a_time(url: str) -> None:
    """A second instance is told which process holds the board, and may begin as soon as that one is dead."""
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, url], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(HeldError, match=f"process {holder.pid} "), instance_lock(url):
        pass
    holder.kill()
    holder.wait()
    holder.stdout.close()
    with instance_lock(url) as lock:
        lock.check()


def test_a_lost_lock_is_noticed(url: str, tmp_path: Path) -> None:
    """When somebody removes the lock file the instance stops before its next batch."""
    with instance_lock(url) as lock:
        (tmp_path / "board.db.lock").unlink()
        with pytest.raises(HeldError, match="removed the lock"):
            lock.check()


def test_a_throw_away_copy(url: str, engine: Engine, tmp_path: Path) -> None:
    """What is tried on the copy reaches neither the real database nor its folder, and the copy is gone afterwards."""
    with engine.begin() as conn:
        meta.put(conn, "key", "real")
    engine.dispose()
    before = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in tmp_path.iterdir()}
    with db.scratch(url) as copy:
        with copy.begin() as conn:
            assert meta.get(conn, "key") == "real"
            meta.put(conn, "key", "tried")
        scratch = Path(str(copy.url.database))
        assert scratch.exists()
    assert not scratch.parent.exists()
    assert {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in tmp_path.iterdir()} == before


def test_a_copy_of_a_database_in_use(url: str, engine: Engine) -> None:
    """The copy shows what is committed, while the daemon goes on writing."""
    with engine.begin() as conn:
        meta.put(conn, "key", "committed")
    with engine.begin() as conn:
        meta.put(conn, "key", "not yet")
        with db.scratch(url) as copy, copy.connect() as other:
            assert meta.get(other, "key") == "committed"


def test_a_copy_of_nothing(url: str, tmp_path: Path) -> None:
    """Where there is no database yet the copy is an empty one, and none is made; in memory there is nothing to copy."""
    with db.scratch(url) as copy, copy.connect() as conn:
        assert meta.last_cycle(conn) is None
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UsageError, match="SQLite file"), db.scratch("sqlite://"):
        pass


def test_times_are_utc(engine: Engine) -> None:
    """Times go in with any zone and come out in UTC, in bulk as one by one, and a time without a zone is refused."""
    summer = datetime(2026, 6, 8, 8, 0, 0, 5, tzinfo=timezone(timedelta(hours=2)))
    values = {"folder": 1, "uid": 1, "guid": "", "why": "", "seen_at": summer}
    with engine.begin() as conn:
        conn.execute(insert(QUARANTINE).values(values))
        run_many(conn, insert(QUARANTINE), tuple(values), [(1, 2, "", "", summer)], ("seen_at",))
        found = conn.execute(select(QUARANTINE.c.seen_at)).scalars().all()
        assert found == [summer, summer]
        assert all(time.tzinfo is UTC for time in found)
        assert len(set(conn.exec_driver_sql("SELECT seen_at FROM quarantine"))) == 1
        with pytest.raises(StatementError, match="no time zone"):
            conn.execute(
                insert(QUARANTINE).values({**values, "uid": 3, "seen_at": summer.replace(tzinfo=None)})
            )


def test_the_file_is_ours_alone(engine: Engine, url: str) -> None:
    """Two writers wait for each other instead of failing later, and the second is told when it waited too long."""
    impatient = create_engine(url, connect_args={"timeout": 0.05})
    with engine.begin() as conn:
        conn.execute(insert(META).values(key="a", value=json.dumps(os.getpid())))
        with pytest.raises(OperationalError, match="locked"), impatient.begin() as other:
            other.execute(insert(HIDDEN).values(folder=1, uid=1))
    impatient.dispose()
    with engine.begin() as conn:
        assert conn.execute(select(COPY)).all() == []
