"""What a database complains of is a sentence that says what to do, and no word of a mail; the daemon lives through it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert
from sqlalchemy.exc import IntegrityError

from helpdesk.errors import UnreachableError, UsageError
from helpdesk.store import db, meta, migrations
from helpdesk.store.core import META
from helpdesk.store.lock import instance_lock
from tests.databases import OnServer, SqliteFile, impatient
from tests.test_daemon_inside import Inside, nothing
from tests.world import mail


@pytest.fixture
def url(tmp_path: Path) -> str:
    return SqliteFile(tmp_path).url


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    migrations.upgrade(url)
    made = db.open_engine(url)
    yield made
    made.dispose()


def pragma(engine: Engine, words: str) -> None:
    """Set something for each connection from now on."""
    engine.dispose()
    event.listen(engine, "connect", lambda connection, _record: connection.execute(f"PRAGMA {words}").close())


def grow(engine: Engine) -> None:
    """Write more than there is room for."""
    with engine.begin() as conn:
        meta.put(conn, "key", "secret words " * 100_000)


def test_a_full_disk_is_said(engine: Engine, url: str) -> None:
    """Waiting may help, so it is no mistake of the configuration; the file is named, what was to be written is not."""
    pragma(engine, "max_page_count = 1")  # SQLite takes it for the end of the disk
    with pytest.raises(UnreachableError, match=r"no room left on the disk of .*board\.db") as caught:
        grow(engine)
    assert "secret words" not in str(caught.value)
    with instance_lock(url):
        pass


def test_a_disk_that_is_not_mounted_is_said(tmp_path: Path) -> None:
    """Where even the folder is missing waiting may help, and systemd tries again; where it is there, only a person can."""
    url = f"sqlite:///{tmp_path}/disk/board.db"
    with pytest.raises(UnreachableError, match="is its disk mounted"), instance_lock(url):
        pass
    with pytest.raises(UnreachableError, match="is its disk mounted"):
        migrations.upgrade(url)
    (tmp_path / "disk" / "board.db").mkdir(parents=True)
    with pytest.raises(UsageError):
        migrations.upgrade(url)


def test_a_lock_that_lasts_is_said(engine: Engine, url: str) -> None:
    """Who waits in vain for another writer is told so."""
    other = db.open_engine(url)
    impatient(other)
    with engine.begin(), pytest.raises(UnreachableError, match="somebody else has been writing"):
        grow(other)
    other.dispose()


def test_a_file_that_may_not_be_written_is_said(engine: Engine) -> None:
    """Only a person can help, so nothing is tried again: it is said whose the file must be."""
    pragma(engine, "query_only = ON")  # SQLite says what it says of a file of somebody else
    with pytest.raises(UsageError, match=r"board\.db: attempt to write a readonly database; its owner must"):
        grow(engine)


def test_no_error_quotes_what_was_to_be_written(engine: Engine) -> None:
    """Not even a mistake of ours shows in its words what a statement was given."""
    with pytest.raises(IntegrityError) as caught, engine.begin() as conn:
        conn.execute(insert(META), [{"key": "secret words", "value": "secret words"}] * 2)
    assert "secret words" not in str(caught.value)


def test_a_board_on_a_full_disk_waits(tmp_path: Path) -> None:
    """A look that cannot be written down is told as of any server that is away, and the first with room does it all."""
    inside, pages = Inside(tmp_path), [1]

    def limit(connection: Any, _record: object, _proxy: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages[-1]}").close()

    event.listen(inside.engine, "checkout", limit)
    for number in range(200):  # more than the pages that are there already can take
        inside.server.deliver("INBOX", mail("ann@users.example", f"{number} {'x' * 900}", f"<{number}@x>"))
    inside.steps = [nothing, lambda: pages.append(1_000_000)]
    assert inside.run() == 0
    inside.engine.dispose()
    [failed] = inside.lines("the look failed")
    assert (failed["kind"], failed["level"]) == ("unreachable", "warning")
    assert "no room left on the disk" in failed["reason"]
    assert inside.lines("looked")[0]["new"] == 200
    assert 'helpdesk_errors_total{kind="unexpected"} 0.0' in inside.page


def test_a_server_that_became_a_replica_is_waited_for(on_postgresql: OnServer) -> None:
    """A PostgreSQL that takes no changes for the moment is one that is away."""
    engine = db.open_engine(on_postgresql.url)

    def only_read(connection: Any, _record: object) -> None:
        connection.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY").close()
        connection.commit()

    event.listen(engine, "connect", only_read)
    with pytest.raises(UnreachableError, match=r"the database takes no changes: .*read-only"):
        grow(engine)
    engine.dispose()


def test_a_full_server_is_said_without_what_it_was_to_write(on_postgresql: OnServer) -> None:
    """Of a server without room its first sentence is told; the details, which quote rows, are not."""
    on_postgresql.server.do(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'no space left on device'"
        " USING ERRCODE = '53100', DETAIL = NEW.value, HINT = NEW.value; END $$",
        "CREATE TRIGGER refuse BEFORE INSERT ON meta FOR EACH ROW EXECUTE FUNCTION refuse()",
        database=on_postgresql.name,
    )
    engine = db.open_engine(on_postgresql.url)
    with pytest.raises(UnreachableError) as caught:
        grow(engine)
    assert str(caught.value) == "the database: no space left on device"
    engine.dispose()
