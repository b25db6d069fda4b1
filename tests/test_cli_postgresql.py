"""The commands on a board whose database is on PostgreSQL."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from helpdesk import app
from helpdesk.store import db
from helpdesk.store.core import METADATA, REQUEST
from helpdesk.store.lock import instance_lock
from tests.databases import OnServer
from tests.desk import T0, T1, T2, Desk, memory_desk
from tests.servers.postgres import PASSWORD
from tests.servers.process import free_port


def write_config(desk: Desk, url: str, *lines: str) -> None:
    """A board whose database is there."""
    desk.write_config(more="\n".join(("[store]", f'url = "{url}"', *lines, "")))
    text = desk.config.read_text()
    desk.config.write_text(text.replace("[board]\n", '[board]\nsecret_file = "board.secret"\n', 1))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_postgresql: OnServer) -> Desk:
    made = memory_desk(tmp_path, monkeypatch)
    write_config(made, on_postgresql.url)
    return made


def rows(place: OnServer) -> object:
    """All that the database holds."""
    engine = db.open_engine(place.url)
    with db.reading(engine) as conn:
        found = {table.name: conn.execute(select(table)).all() for table in METADATA.sorted_tables}
    engine.dispose()
    return found


def test_a_board_lives_there(desk: Desk) -> None:
    """Run, threads, show and db check work as on SQLite, and the board's secret is made where the configuration says."""
    desk.deliver("Jobs fail", "<a@x>")
    desk.run(T0)
    desk.deliver("Re: Jobs fail", "<b@x>", answers=["<a@x>"])
    report = desk.run(T1)
    assert report["observed"]["new"] == 1
    [thread] = desk.read("threads")
    assert [m["message_id"] for m in thread["messages"]] == ["<a@x>", "<b@x>"]
    assert desk.read("show", thread["id"])["id"] == thread["id"]
    assert desk.read("db", "check") == {"ok": True, "problems": []}
    assert desk.read("db", "upgrade") == {"changed": False, "was": []}
    assert sorted(desk.files()) == ["board.secret", "helpdesk.toml"]


def test_the_tables_are_made_by_the_first_who_needs_them(desk: Desk, on_postgresql: OnServer) -> None:
    """An empty database is said to be empty by db check, is no problem to check, and db upgrade makes its tables."""
    server, name = on_postgresql.server, on_postgresql.name
    server.do(f"DROP DATABASE {name} WITH (FORCE)", f"CREATE DATABASE {name}")
    assert "is empty" in desk.read("db", "check", code=1)["problems"][0]
    assert "empty: the first run makes its tables" in desk.say("check").out
    assert desk.read("db", "upgrade")["changed"]
    assert desk.read("db", "check")["ok"]
    assert "its tables are up to date" in desk.say("check").out


def test_a_plan_changes_nothing_anywhere(desk: Desk, on_postgresql: OnServer) -> None:
    """`plan` shows what a run would do while the database takes no write at all, and without the lock of the board."""
    desk.deliver("Jobs fail", "<a@x>")
    desk.run(T0)
    desk.server.add_flags("INBOX", [1], ["ggus"])
    on_postgresql.server.do(f"ALTER DATABASE {on_postgresql.name} SET default_transaction_read_only = on")
    before = rows(on_postgresql), desk.mailbox_state(), desk.files()
    with instance_lock(on_postgresql.url):
        planned = desk.read("plan", "--now", T1)
    assert ("add_label", "repair") in {(a["kind"], a["rule"]) for a in planned["actions"]}
    assert (rows(on_postgresql), desk.mailbox_state(), desk.files()) == before
    on_postgresql.server.do(f"ALTER DATABASE {on_postgresql.name} RESET default_transaction_read_only")
    done = desk.say("run", "--once", "--json", "--now", T1).document  # nobody takes its mail
    assert [a["id"] for a in done["actions"]] == [a["id"] for a in planned["actions"]]


def test_what_is_asked_while_a_daemon_runs_is_written_down(desk: Desk) -> None:
    """Beside a daemon a command leaves its request to it, and does not touch the mailbox."""
    desk.run(T0)
    settings = app.load(desk.config)
    with app.opened(settings, writing=True) as engine:
        said = desk.say("release", "Ganga", "5.2", "--now", T1)
        assert said.code == 0
        assert "within a second or two" in said.out
        with db.reading(engine) as conn:
            assert [r.kind for r in conn.execute(select(REQUEST))] == ["release"]
    assert desk.say("run", "--once", "--now", T2).code == 0


def test_another_instance_is_named(desk: Desk, on_postgresql: OnServer) -> None:
    """A run beside a daemon is refused with 1 and the name of who holds the board."""
    with instance_lock(on_postgresql.url):
        said = desk.say("run", "--once", "--json")
    assert (said.code, said.out) == (1, "")
    assert "another helpdesk works on this board: process " in said.err


def test_the_password_comes_from_a_file(desk: Desk, on_postgresql: OnServer) -> None:
    """With password_file the commands log in; a wrong password is an error of 3, and is shown nowhere."""
    name, server = on_postgresql.name, on_postgresql.server
    server.do(f"DROP DATABASE {name} WITH (FORCE)", f"CREATE DATABASE {name} OWNER secretive")
    write_config(desk, server.url(name, "secretive"), 'password_file = "database-password"')
    secret = desk.folder / "database-password"
    secret.write_text(PASSWORD)
    secret.chmod(0o600)
    desk.run(T0)
    assert desk.read("threads") == []
    secret.write_text("hunter2")
    for command in (("threads",), ("run", "--once"), ("db", "check"), ("plan",)):
        said = desk.say(*command)
        assert (said.code, said.out) == (3, "")
        assert "password authentication failed" in said.err
        assert "hunter2" not in said.err
    found = json.loads(desk.say("check", "--json").out)
    assert "hunter2" not in json.dumps(found)
    assert "password authentication failed" in json.dumps(found)
    secret.chmod(0o644)
    assert "chmod 600" in desk.say("threads").err


def test_a_database_that_cannot_be_reached_is_one_sentence(desk: Desk, on_postgresql: OnServer) -> None:
    """Without its server every command ends with 3 and says so; check goes on with the rest and shows no password."""
    gone = on_postgresql.url.replace(str(on_postgresql.server.port), str(free_port()))
    write_config(desk, gone.replace("helpdesk@", "helpdesk:hunter2@"))
    desk.config.chmod(0o600)
    for command in (("threads",), ("run", "--once"), ("plan",), ("db", "check"), ("db", "upgrade")):
        said = desk.say(*command)
        assert (said.code, said.out) == (3, "")
        assert said.err.startswith("the database: ")
        assert len(said.err.splitlines()) == 1
        assert "hunter2" not in said.err
    checked = desk.say("check")
    assert checked.code == 3
    assert "the database: " in checked.out
    assert "hunter2" not in checked.out + checked.err
