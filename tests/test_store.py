"""The database, wherever it is: its history, its turns, its throw-away copy, and its values."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Engine,
    Integer,
    Table,
    bindparam,
    delete,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.exc import OperationalError, StatementError

from helpdesk.errors import HeldError, UnreachableError, UsageError
from helpdesk.model import Place
from helpdesk.store import db, folders, indexes, meta, migrations
from helpdesk.store import names as thread_names
from helpdesk.store.bulk import run_many
from helpdesk.store.core import HIDDEN, MESSAGE, METADATA, OUTBOX, QUARANTINE, REF, THREAD
from helpdesk.store.folders import FolderState
from helpdesk.store.groups import Alias
from helpdesk.store.lock import InstanceLock, instance_lock
from helpdesk.store.scratch import scratch
from helpdesk.store.times import UtcTime
from helpdesk.uidset import UidSet
from tests.databases import Database, impatient

OLD = datetime(2001, 1, 1, tzinfo=UTC)
EMPTY = ((UtcTime, OLD), (Boolean, False), (Integer, 0))


def row_of(table: Table, **values: object) -> dict[str, Any]:
    """A row in which everything is empty, but what is given."""
    return {column.name: _nothing(column) for column in table.columns} | values


def _nothing(column: Column[Any]) -> object:
    values = (value for kind, value in EMPTY if isinstance(column.type, kind))
    return None if column.nullable else next(values, "")


def enter(conn: Connection, table: Table, *rows: dict[str, Any]) -> None:
    """Enter rows as a first sync does."""
    times = [column.name for column in table.columns if isinstance(column.type, UtcTime)]
    run_many(conn, insert(table), tuple(rows[0]), [tuple(row.values()) for row in rows], times)


@pytest.fixture
def url(database: Database) -> str:
    return database.url


@pytest.fixture
def bare(database: Database) -> str:
    """The same, and there are no tables in it."""
    database.lay()
    return database.url


@pytest.fixture
def engine(database: Database) -> Iterator[Engine]:
    """The same, and it is up to date."""
    database.make()
    made = db.open_engine(database.url)
    yield made
    made.dispose()


def test_the_migrations_make_the_tables(engine: Engine) -> None:
    """A database that went through all revisions has the tables, columns and indexes of tables.py, and no others."""
    with engine.connect() as conn:
        context = MigrationContext.configure(conn)
        assert compare_metadata(context, METADATA) == []
        made = inspect(conn)
        for table in METADATA.sorted_tables:
            unique = {str(one["name"]) for one in made.get_unique_constraints(table.name)}
            assert {i["name"] for i in made.get_indexes(table.name)} - unique == {
                i.name for i in table.indexes
            }


def test_indexes_go_for_a_while(engine: Engine) -> None:
    """Those that a first sync does without are made again, each once."""

    def names() -> set[str | None]:
        made = inspect(engine)
        return {index["name"] for table in METADATA.tables for index in made.get_indexes(table)}

    all_of_them = names()
    with engine.begin() as conn:
        indexes.drop(conn)
        indexes.drop(conn)
    late = {index.name for index in (*indexes.GROUPING, *indexes.DECIDING)}
    assert (names(), names() & late) == (all_of_them - late, set())
    for some in (indexes.GROUPING, indexes.DECIDING, indexes.DECIDING):
        with engine.begin() as conn:
            indexes.make(conn, some)
    assert names() == all_of_them


def test_upgrading_twice_changes_nothing(url: str, engine: Engine) -> None:
    """A database that is up to date is left alone, and has nothing to complain of."""
    with engine.begin() as conn:
        meta.put(conn, "key", "value")
    migrations.upgrade(url)
    with engine.connect() as conn:
        assert meta.get(conn, "key") == "value"
    assert migrations.check(url) == []


def test_what_is_known_without_alembic_is_what_alembic_knows() -> None:
    """The revisions, read off the names of their files, are the one line that Alembic walks."""
    script = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert migrations.known() == [one.revision for one in script.walk_revisions()]


def test_a_newer_database_is_refused(url: str, engine: Engine) -> None:
    """A database that a newer helpdesk wrote is neither changed nor read, and the error says what to do."""
    with engine.begin() as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert "newer helpdesk (revision 9999" in migrations.check(url)[0]
    with pytest.raises(UsageError, match="install that version"):
        migrations.upgrade(url)
    with pytest.raises(UsageError, match="install that version"), scratch(url):
        pass


def test_checking_makes_nothing(bare: str) -> None:
    """The check of a database that is empty says so, and leaves it so."""
    assert migrations.check(bare) == [migrations.EMPTY]
    assert migrations.check(bare) == [migrations.EMPTY]


def test_a_strangers_database_is_not_taken_for_ours(bare: str) -> None:
    """Where there are tables of somebody else's, the check says so and the upgrade makes none of ours beside them."""
    stranger = db.open_engine(bare)
    with stranger.begin() as conn:
        conn.execute(text("CREATE TABLE theirs (id INTEGER)"))
    assert "not ours" in migrations.check(bare)[0]
    with pytest.raises(UsageError, match="a database of its own"):
        migrations.upgrade(bare)
    with pytest.raises(UsageError, match="a database of its own"), scratch(bare):
        pass
    with stranger.connect() as conn:
        assert inspect(conn).get_table_names() == ["theirs"]
    stranger.dispose()


def test_readers_do_not_wait_for_a_writer(engine: Engine) -> None:
    """While a cycle writes, a reading command reads the state before it, and goes on seeing that one."""
    with engine.begin() as writing:
        meta.put(writing, "key", "new")
        with db.reading(engine) as reading:
            assert meta.get(reading, "key") is None
    with db.reading(engine) as conn:
        assert meta.get(conn, "key") == "new"
        with engine.begin() as writing:
            meta.put(writing, "key", "newer")
        assert meta.get(conn, "key") == "new"


def test_writers_take_turns(url: str, engine: Engine) -> None:
    """While one transaction may write another waits for it before it reads anything, and is told when that is too long."""
    other = db.open_engine(url)
    impatient(other)
    with engine.begin() as conn:
        assert meta.get(conn, "key") is None
        with (
            pytest.raises((OperationalError, UnreachableError), match=r"locked|somebody else"),
            other.begin(),
        ):
            pass
    with other.begin() as conn:
        meta.put(conn, "key", "value")
    other.dispose()


HOLDER = """
import sys, time
from helpdesk.store.lock import instance_lock
with instance_lock(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_one_instance_at_a_time(bare: str) -> None:
    """A second instance is told which process holds the board, and may begin as soon as that one is dead."""
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, bare], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(HeldError, match=f"process {holder.pid} "), instance_lock(bare):
        pass
    holder.kill()
    holder.wait()
    holder.stdout.close()
    migrations.upgrade(bare)
    engine = db.open_engine(bare)
    with _as_soon_as_free(bare) as lock:
        lock.guard(engine)
        with engine.begin() as conn:
            meta.put(conn, "key", "value")
    engine.dispose()


@contextmanager
def _as_soon_as_free(url: str) -> Iterator[InstanceLock]:
    """A server needs a moment to see that its client is dead."""
    with ExitStack() as stack:
        for attempt in range(100):
            try:
                lock = stack.enter_context(instance_lock(url))
            except HeldError:
                assert attempt < 99
                time.sleep(0.05)
            else:
                yield lock
                return


def test_a_throw_away_copy(url: str, engine: Engine) -> None:
    """All tables and values are on the copy; what is tried there does not reach the real database, and it is gone after."""
    uids = range(1, 7)
    with engine.begin() as conn:
        meta.put(conn, "key", "real")
        conn.execute(insert(MESSAGE), [row_of(MESSAGE, id=1), row_of(MESSAGE, id=2, date=OLD, trusted=True)])
        conn.execute(insert(OUTBOX), row_of(OUTBOX, id=1, content=b"\x00\xff"))
        conn.execute(insert(HIDDEN), [{"folder": 1, "uid": uid} for uid in uids])
        before = [conn.execute(select(table)).all() for table in METADATA.sorted_tables]
    with scratch(url) as copy:
        with copy.begin() as conn:
            assert [conn.execute(select(table)).all() for table in METADATA.sorted_tables] == before
            meta.put(conn, "key", "tried")
            conn.execute(delete(HIDDEN).where(HIDDEN.c.uid > 3))
        kept = Path(str(copy.url.database))
        assert kept.exists()
    assert not kept.parent.exists()
    with engine.connect() as conn:
        assert [conn.execute(select(table)).all() for table in METADATA.sorted_tables] == before


def test_a_copy_of_a_database_in_use(url: str, engine: Engine) -> None:
    """The copy shows what is committed, while the daemon goes on writing."""
    with engine.begin() as conn:
        meta.put(conn, "key", "committed")
    with engine.begin() as conn:
        meta.put(conn, "key", "not yet")
        with scratch(url) as copy, copy.connect() as other:
            assert meta.get(other, "key") == "committed"


def test_a_copy_of_nothing(bare: str) -> None:
    """Where there are no tables yet the copy has them, and none are made in the database."""
    with scratch(bare) as copy, copy.connect() as conn:
        assert meta.last_cycle(conn) is None
    assert migrations.check(bare) == [migrations.EMPTY]


def test_a_copy_of_an_older_database(bare: str) -> None:
    """A plan may be asked for before the database is brought up to date: only the copy is."""
    engine = db.open_engine(bare)
    migrations.upgrade_engine(engine, "0001")
    with engine.begin() as conn:
        meta.put(conn, "key", "old")
    with scratch(bare) as copy, copy.connect() as conn:
        assert meta.get(conn, "key") == "old"
        assert "notes" in {column["name"] for column in inspect(conn).get_columns("thread")}
    assert "needs 0" in migrations.check(bare)[0]
    engine.dispose()


def test_times_are_utc(engine: Engine) -> None:
    """Times go in with any zone and come out in UTC, in bulk as one by one, and a time without a zone is refused."""
    summer = datetime(2026, 6, 8, 8, 0, 0, 5, tzinfo=timezone(timedelta(hours=2)))
    values = {"folder": 1, "uid": 1, "guid": "", "why": "", "seen_at": summer, "strikes": 0}
    with engine.begin() as conn:
        conn.execute(insert(QUARANTINE).values(values))
        run_many(
            conn,
            insert(QUARANTINE),
            tuple(values),
            [(1, uid, "", "", summer, 0) for uid in (2, 3)],
            ("seen_at",),
        )
        found = conn.execute(select(QUARANTINE.c.seen_at)).scalars().all()
        assert found == [summer, summer, summer]
        assert all(moment.tzinfo is UTC for moment in found)
        assert len(set(conn.exec_driver_sql("SELECT seen_at FROM quarantine"))) == 1
        with pytest.raises(StatementError, match="no time zone"):
            conn.execute(
                insert(QUARANTINE).values({**values, "uid": 4, "seen_at": summer.replace(tzinfo=None)})
            )


@pytest.mark.parametrize("year", [1, 99, 1969, 9999])
def test_a_forged_date_is_kept(engine: Engine, year: int) -> None:
    """Whatever year a Date header claims, it comes back, and is compared by what it means."""
    claimed = datetime(year, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    dates = ((1, claimed), (2, OLD), (3, None))
    with engine.begin() as conn:
        enter(conn, MESSAGE, *(row_of(MESSAGE, id=key, date=date) for key, date in dates))
        later = select(MESSAGE.c.date).where(MESSAGE.c.date > datetime(2000, 1, 1, tzinfo=UTC))
        assert set(conn.execute(later).scalars()) == ({OLD} if year < 2000 else {OLD, claimed})
        assert conn.execute(select(MESSAGE.c.date).where(MESSAGE.c.id == 1)).scalar_one() == claimed


def test_the_numbers_of_a_server_fit(engine: Engine) -> None:
    """A UID of 32 bits, a size above four gigabytes and a MODSEQ of 63 bits are kept (RFC 9051, RFC 7162)."""
    uid, modseq, size = 2**32 - 1, 2**63 - 1, 5 * 2**30
    state = FolderState(1, "INBOX", Place.INBOX, uid, uid, 1, modseq, rotation=uid)
    with engine.begin() as conn:
        folders.save(conn, [state])
        folders.save(conn, [state])
        conn.execute(insert(HIDDEN).values(folder=1, uid=uid))
        conn.execute(insert(MESSAGE).values(row_of(MESSAGE, id=1, size=size)))
        assert folders.load(conn) == {"INBOX": state}
        assert folders.tracked_within(conn, 1, UidSet.span(1, uid)) == 1
        assert conn.execute(select(MESSAGE.c.size)).scalar_one() == size


TEXTS = (
    "ab",
    "aB",
    "a b",
    "a\x7fb",
    "a-b",
    "ä",
    "z",
    "Z",
    "ﬀ",
    "\U0001f600",
    "%",
    "_",
    "\\",
    "a\tb\nc",
    "\\N",
    "\ufffd",
)


def test_texts_are_compared_by_their_bytes(engine: Engine) -> None:
    """No rule of any language comes between: the order, equality and ranges of texts are those of their UTF-8 octets."""
    with engine.begin() as conn:
        run_many(conn, insert(REF), Alias._fields, [(one, one, 0, 0) for one in TEXTS])
        found = conn.execute(select(REF.c.id).order_by(REF.c.code)).scalars().all()
        assert found == sorted(TEXTS, key=str.encode)
        low, high = "a", "a\x7f"
        between = conn.execute(select(REF.c.id).where(REF.c.code >= low, REF.c.code < high)).scalars()
        assert set(between) == {one for one in TEXTS if low <= one < high}


def test_a_thread_is_found_by_the_beginning_of_its_code(engine: Engine) -> None:
    """A prefix means the codes that begin with it, those that end in it left out."""
    codes = ("7kq2mzzzzz", "7kq2n00000", "7kq3000000", "0000007kq2")
    with engine.begin() as conn:
        enter(conn, THREAD, *(row_of(THREAD, id=n, code=code) for n, code in enumerate(codes, 1)))
        assert thread_names.find(conn, "7kq2m", "dast") == 1
        assert thread_names.short(conn, codes[2]) == "7kq30"
        with pytest.raises(UsageError, match="more than one"):
            thread_names.find(conn, "7kq2", "dast")


def test_many_rows_are_changed_at_once(engine: Engine) -> None:
    """A statement with the values of many rows changes each as its own, empty values and times too."""
    names = ("s", "d", "t", "key")
    odd = 'it\'s "{a,b}" \\'
    change = (
        update(MESSAGE)
        .where(MESSAGE.c.id == bindparam("key"))
        .values(subject=bindparam("s"), date=bindparam("d"), trusted=bindparam("t"))
    )
    told = select(MESSAGE.c.subject, MESSAGE.c.date, MESSAGE.c.trusted).order_by(MESSAGE.c.id)
    with engine.begin() as conn:
        enter(conn, MESSAGE, *(row_of(MESSAGE, id=key) for key in (1, 2, 3)))
        run_many(conn, change, names, [(odd, OLD, True, 1), ("NULL", None, False, 2)], ("d",))
        assert conn.execute(told).all() == [(odd, OLD, True), ("NULL", None, False), ("", None, False)]
        run_many(conn, change, names, [("one", None, True, 3)], ("d",))
        assert conn.execute(told).all()[2] == ("one", None, True)
