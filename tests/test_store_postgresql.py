"""What holds for a database on PostgreSQL alone: its lock is a session, its server may go away, its login is a secret."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import (
    Connection,
    Engine,
    String,
    bindparam,
    cast,
    event,
    func,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError

from helpdesk.errors import ConfigError, HeldError, UnreachableError, UsageError
from helpdesk.store import bulk, db, meta, migrations
from helpdesk.store.core import META, REF
from helpdesk.store.groups import Alias
from helpdesk.store.lock import instance_lock
from tests.databases import OnServer, impatient, on_server
from tests.servers.certificates import Authority
from tests.servers.postgres import PASSWORD, Postgres
from tests.servers.process import free_port


@pytest.fixture
def place(on_postgresql: OnServer) -> OnServer:
    return on_postgresql


@pytest.fixture
def engine(place: OnServer) -> Iterator[Engine]:
    made = db.open_engine(place.url)
    yield made
    made.dispose()


def value(engine: Engine) -> str | None:
    with db.reading(engine) as conn:
        return meta.get(conn, "key")


def put(engine: Engine, text: str) -> None:
    with engine.begin() as conn:
        meta.put(conn, "key", text)


def end_the_lock(place: OnServer) -> None:
    """An administrator ends the session that holds the instance lock."""
    server = place.server
    ended = server.do(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND objid = 2",
        database=place.name,
    )
    assert ended == [(True,)]


def cut_off(place: OnServer, conn: Connection) -> None:
    """An administrator ends the session of a connection."""
    pid = conn.execute(text("SELECT pg_backend_pid()")).scalar_one()
    place.server.do(f"SELECT pg_terminate_backend({pid}, 5000)")


# -- sessions ----------------------------------------------------------------------------------------------------


def test_what_is_committed_is_on_the_disk(place: OnServer, engine: Engine) -> None:
    """A server that does not wait for its disk waits for our commits; one that promises more keeps its promise."""
    for default, ours in (("off", "on"), ("remote_write", "remote_write")):
        place.server.do(f"ALTER DATABASE {place.name} SET synchronous_commit = {default}")
        engine.dispose()
        with engine.connect() as conn:
            assert conn.execute(text("SHOW synchronous_commit")).scalar() == ours


def test_no_patience_of_the_server_ends_a_session(place: OnServer, engine: Engine) -> None:
    """A site that ends idle sessions ends neither a long look nor the session with the lock; who waits is not kept for ever."""
    place.server.do(
        f"ALTER DATABASE {place.name} SET idle_in_transaction_session_timeout = 1000",
        f"ALTER DATABASE {place.name} SET idle_session_timeout = 1000",
        f"ALTER DATABASE {place.name} SET statement_timeout = 1000",
    )
    with engine.connect() as conn:
        found = [
            conn.execute(text(f"SHOW {name}")).scalar()
            for name in (
                "idle_in_transaction_session_timeout",
                "idle_session_timeout",
                "statement_timeout",
                "lock_timeout",
            )
        ]
    assert found == ["0", "0", "0", "15s"]


def test_who_only_reads_cannot_write(engine: Engine) -> None:
    """A reading command that would write by mistake fails."""
    with db.reading(engine) as conn, pytest.raises(DBAPIError, match="read-only transaction"):
        meta.put(conn, "key", "value")


def test_the_texts_of_every_table_are_compared_by_their_bytes(engine: Engine) -> None:
    """No column keeps the collation of the database, whatever migration made it."""
    with engine.connect() as conn:
        found = inspect(conn)
        assert conn.execute(text("SHOW server_encoding")).scalar() == "UTF8"
        odd = [
            (table, column["name"])
            for table in found.get_table_names()
            for column in found.get_columns(table)
            if getattr(column["type"], "collation", "C") != "C"
        ]
    assert odd == []


def test_rare_rows_have_indexes_of_their_own(engine: Engine) -> None:
    """What is in limbo or in flight is found by partial indexes."""
    with engine.connect() as conn:
        words = conn.execute(text("SELECT indexdef FROM pg_indexes WHERE tablename = 'copy'")).scalars().all()
    assert sum("WHERE" in one for one in words) == 2


def test_a_database_of_another_encoding_is_refused(postgresql: Postgres) -> None:
    """Where not every text can be stored the check and the upgrade say how to make the database."""
    name = "latin"
    postgresql.do(
        f"CREATE DATABASE {name} TEMPLATE template0 ENCODING LATIN1 LOCALE 'C' LOCALE_PROVIDER libc"
    )
    url = postgresql.url(name)
    assert "LATIN1" in migrations.check(url)[0]
    with pytest.raises(UsageError, match="ENCODING 'UTF8'"):
        migrations.upgrade(url)
    postgresql.do(f"DROP DATABASE {name} WITH (FORCE)")


def test_many_rows_are_one_statement(engine: Engine) -> None:
    """However many rows are entered or changed, the server is asked once for each few thousand of them."""
    said: list[str] = []
    change = update(REF).where(REF.c.id == bindparam("key")).values(thread=bindparam("t"))
    with engine.begin() as conn:
        event.listen(conn, "before_cursor_execute", lambda *args: said.append(args[2]))
        bulk.run_many(conn, insert(REF), Alias._fields, [(str(n), "", 0, 0) for n in range(bulk.MANY + 2)])
        bulk.run_many(conn, change, ("t", "key"), [(n, str(n)) for n in range(bulk.MANY + 1)])
        assert [words.split()[0] for words in said] == ["COPY", "COPY", "UPDATE", "UPDATE"]
        assert "unnest" in said[2]
        assert conn.execute(select(func.count()).where(cast(REF.c.thread, String) == REF.c.id)).scalar() == (
            bulk.MANY + 1
        )


# -- the instance lock -------------------------------------------------------------------------------------------


def test_a_lock_that_was_lost_is_taken_again(place: OnServer, engine: Engine) -> None:
    """An instance whose lock was lost holds it again before it writes, if nobody came in between."""
    with instance_lock(place.url) as lock:
        lock.guard(engine)
        put(engine, "before")
        end_the_lock(place)
        put(engine, "after")
        with pytest.raises(HeldError, match="another helpdesk works"), instance_lock(place.url):
            pass
        assert value(engine) == "after"


def test_a_lock_that_another_took_is_noticed(place: OnServer, engine: Engine) -> None:
    """An instance whose lock somebody else holds now writes nothing any more, and says who does."""
    with instance_lock(place.url) as first:
        first.guard(engine)
        put(engine, "first")
        end_the_lock(place)
        with instance_lock(place.url), pytest.raises(HeldError, match=r"process .* holds the lock"):
            put(engine, "too late")
        assert value(engine) == "first"


def test_who_came_in_between_is_noticed(place: OnServer, engine: Engine) -> None:
    """Nor does it write after the other one has ended: what it knows of the board is old."""
    other = db.open_engine(place.url)
    with instance_lock(place.url) as first:
        first.guard(engine)
        end_the_lock(place)
        with instance_lock(place.url) as second:
            second.guard(other)
            put(other, "second")
        with pytest.raises(HeldError, match="another helpdesk has worked"):
            put(engine, "too late")
        assert value(engine) == "second"
    other.dispose()


def test_a_transaction_ends_before_the_next_instance_begins(place: OnServer, engine: Engine) -> None:
    """Who takes the lock while a transaction of the one before it still runs waits for its end, and so sees all of it."""
    other = db.open_engine(place.url)
    with instance_lock(place.url) as first:
        first.guard(engine)
        with engine.begin() as conn:
            end_the_lock(place)
            meta.put(conn, "key", "in flight")
            with instance_lock(place.url) as second:
                impatient(other)
                with pytest.raises(UnreachableError, match="somebody else"):
                    second.guard(other)
        assert value(engine) == "in flight"
    other.dispose()


def test_the_lock_of_one_board_is_not_that_of_another(postgresql: Postgres, place: OnServer) -> None:
    """Boards share a server, each with a database of its own."""
    neighbour = on_server(postgresql)
    neighbour.make()
    with instance_lock(place.url), instance_lock(neighbour.url):
        pass
    neighbour.drop()


# -- a server that goes away -------------------------------------------------------------------------------------


def test_a_server_that_was_restarted_is_found_again(place: OnServer, engine: Engine) -> None:
    """After a restart between two transactions the next one goes well, and the lock is held again."""
    with instance_lock(place.url) as lock:
        lock.guard(engine)
        put(engine, "before")
        place.server.stop()
        with pytest.raises(UnreachableError, match=r"^the database: .*refused"):
            put(engine, "nowhere")
        place.server.start()
        put(engine, "after")
        with pytest.raises(HeldError), instance_lock(place.url):
            pass
        assert value(engine) == "after"


def test_a_transaction_that_loses_its_connection_never_was(place: OnServer, engine: Engine) -> None:
    """A connection that ends in the middle of a transaction is one sentence, and nothing of it is there; the next goes well."""
    put(engine, "before")
    with engine.connect() as conn:
        meta.put(conn, "key", "lost")
        cut_off(place, conn)
        with pytest.raises(UnreachableError, match=r"^the database: "):
            meta.put(conn, "other", "lost")
    assert value(engine) == "before"
    put(engine, "after")
    assert value(engine) == "after"


def test_a_connection_lost_while_many_rows_are_written(place: OnServer, engine: Engine) -> None:
    """The same holds in the middle of a bulk insert."""
    with engine.connect() as conn:
        cut_off(place, conn)
        with pytest.raises(UnreachableError, match=r"^the database: "):
            bulk.run_many(conn, insert(META), ("key", "value"), [("key", "lost"), ("other", "lost")])
    assert value(engine) is None


def test_a_server_that_is_not_there_is_said(place: OnServer) -> None:
    """Where nobody answers every way to open the database says so in one sentence, without a traceback of the driver."""
    nowhere = place.url.replace(str(place.server.port), str(free_port()))
    for way in (migrations.upgrade, migrations.check):
        with pytest.raises(UnreachableError, match=r"^the database: .*refused"):
            way(nowhere)
    with pytest.raises(UnreachableError, match="refused"), instance_lock(nowhere):
        pass


def test_a_database_that_is_not_there_is_said(postgresql: Postgres) -> None:
    """A name that the server does not know is said with that name."""
    with pytest.raises(UnreachableError, match='"nobody-made-this" does not exist'):
        migrations.check(postgresql.url("nobody-made-this"))


# -- the login ---------------------------------------------------------------------------------------------------


def secured(place: OnServer, *answers: str) -> db.Secured:
    """The database for somebody who needs a password; it is asked for these answers in turn, then for the last again."""
    place.server.do(
        f"GRANT ALL ON DATABASE {place.name} TO secretive", f"ALTER DATABASE {place.name} OWNER TO secretive"
    )
    left = list(answers)
    return db.Secured(
        place.server.url(place.name, "secretive"), lambda: left.pop(0) if len(left) > 1 else left[0]
    )


def test_the_password_is_asked_for_at_every_login(place: OnServer) -> None:
    """A password that was changed counts from the next connection on."""
    engine = db.open_engine(secured(place, "an old one", PASSWORD))
    with pytest.raises(UnreachableError, match="password authentication failed"), engine.connect():
        pass
    with engine.connect() as conn:
        assert conn.execute(text("SELECT current_user")).scalar() == "secretive"
    engine.dispose()


def test_a_password_shows_nowhere(place: OnServer) -> None:
    """Neither the address, nor an engine, nor an error of a login shows the password, wherever it came from."""
    wrong = "hunter2-and-more"
    asked = secured(place, wrong)
    written = place.server.url(place.name, "secretive").replace("secretive@", f"secretive:{wrong}@")
    for address in (asked, written):
        engine = db.open_engine(address)
        with pytest.raises(UnreachableError) as caught, engine.connect():
            pass
        shown = f"{engine} {engine!r} {engine.url} {caught.value} {caught.value!r} {caught.value.__cause__!r}"
        assert wrong not in shown
    assert repr(asked) == "Secured()"


def test_a_password_that_cannot_be_read_is_a_problem_of_the_configuration(place: OnServer) -> None:
    """What is wrong with the file of the password is said as it is."""

    def missing() -> str:
        raise ConfigError(("db-password: the secret cannot be read",))

    with pytest.raises(ConfigError, match="db-password"):
        migrations.check(db.Secured(place.url, missing))


def test_a_user_who_may_not_make_tables_is_told(postgresql: Postgres) -> None:
    """A role that does not own its database is said to need it."""
    place = on_server(postgresql)
    place.lay()
    engine = db.open_engine(db.Secured(postgresql.url(place.name, "secretive"), lambda: PASSWORD))
    with pytest.raises(UsageError, match=r"permission denied .*owner"):
        migrations.upgrade_engine(engine)
    engine.dispose()
    place.drop()


def test_an_option_that_the_driver_does_not_know_is_a_mistake_in_the_url(place: OnServer) -> None:
    """What follows the ? is libpq's, and what it does not know is said to be wrong."""
    with pytest.raises(UsageError, match=r"\[store\] url: .*colour"):
        migrations.check(f"{place.url}?colour=blue")


def test_options_of_the_url_win(place: OnServer) -> None:
    """What the URL says about connecting is not overruled."""
    engine = db.open_engine(f"{place.url}?connect_timeout=3&keepalives_idle=7")
    with engine.connect() as conn:
        found = conn.connection.driver_connection.info.get_parameters()  # type: ignore[union-attr]  # psycopg's
    assert (found["connect_timeout"], found["keepalives_idle"]) == ("3", "7")
    engine.dispose()


def test_without_the_driver_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where psycopg is missing the error names the extra to install."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UsageError, match=r"\[postgresql\]"):
        db.open_engine("postgresql+psycopg://dast@localhost/dast")


# -- the wire ----------------------------------------------------------------------------------------------------


@pytest.fixture
def encrypted(place: OnServer, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """The server speaks TLS as `db.example.org`; the address of the database under any name, as if it were far away."""
    server, authority = place.server, Authority()
    (tmp_path / "ca.pem").write_text(authority.pem)
    server.certify(authority.signed("db.example.org"))
    yield lambda name: f"{place.url.replace('127.0.0.1', name)}?hostaddr=127.0.0.1"
    server.certify(None)


def is_encrypted(url: str) -> bool:
    engine = db.open_engine(url)
    with engine.connect() as conn:
        query = text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        found = bool(conn.execute(query).scalar_one())
    engine.dispose()
    return found


def test_a_server_far_away_proves_who_it_is(encrypted: Callable[[str], str], tmp_path: Path) -> None:
    """TLS is verified, certificate and name, unless the URL says otherwise."""
    trusting = f"&sslrootcert={tmp_path / 'ca.pem'}"
    assert is_encrypted(encrypted("db.example.org") + trusting)
    with pytest.raises(UnreachableError, match="certificate verify failed"):
        is_encrypted(encrypted("db.example.org"))
    with pytest.raises(UnreachableError, match="does not match"):
        is_encrypted(encrypted("other.example.org") + trusting)
    assert is_encrypted(encrypted("other.example.org") + "&sslmode=require")
    assert not is_encrypted(encrypted("other.example.org") + "&sslmode=disable")


def test_a_server_far_away_without_tls_is_refused(place: OnServer) -> None:
    """Nothing goes over a network in the clear by itself; on this machine nothing is asked for."""
    far = f"{place.url.replace('127.0.0.1', 'db.example.org')}?hostaddr=127.0.0.1"
    with pytest.raises(UnreachableError, match="SSL"):
        is_encrypted(far)
    for name in ("localhost", "127.0.0.1"):
        assert not is_encrypted(place.url.replace("127.0.0.1", name))


def test_what_the_environment_says_of_tls_counts(place: OnServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has told libpq how to connect is obeyed."""
    monkeypatch.setenv("PGSSLMODE", "disable")
    assert not is_encrypted(f"{place.url.replace('127.0.0.1', 'db.example.org')}?hostaddr=127.0.0.1")
