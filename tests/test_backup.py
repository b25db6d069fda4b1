"""Backups: taken while the board works, whole at every moment; a restored one mails nothing twice."""

import json
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import event

from helpdesk.errors import HeldError, UsageError
from helpdesk.store import backup, db, holds, meta, migrations
from helpdesk.store.backup import Place
from helpdesk.store.lock import instance_lock
from tests.desk import T0, T1, Desk, memory_desk
from tests.memory_mailbox import MemoryMailbox
from tests.memory_server import MemoryServer
from tests.world import World

NOW = datetime(2026, 6, 9, 14, 0, tzinfo=UTC)
GGUS = "ggus@tracker.example.net"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    server = MemoryServer()
    told = World(server, lambda: MemoryMailbox(server), tmp_path)
    told.tick()
    yield told
    told.mailbox.close()
    told.engine.dispose()


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return memory_desk(tmp_path, monkeypatch)


def place(world: World) -> Place:
    return Place(world.folder / "board.db", world.folder / "board.secret")


def told_ggus(world: World) -> int:
    """How many mails the destination got."""
    return sum(GGUS in letter.recipients for letter in world.mailer.arrived)


def backups_of_an_escalation(world: World) -> list[Path]:
    """One backup at each commit of the cycle that mails a destination: while it writes, and before it is told so."""
    question = world.incoming("ann@users.example.com", "All jobs fail")
    world.tick()
    world.on(question, "add_flags", ["ggus"])
    world.settle()
    made: list[Path] = []

    def save(_connection: object) -> None:
        made.append(backup.back_up(place(world), world.folder / f"{len(made)}.db")[0])

    event.listen(world.engine, "commit", save)
    world.advance(minutes=10)
    event.remove(world.engine, "commit", save)
    assert told_ggus(world) == 1
    return made


def test_a_backup_is_whole_at_every_moment_of_a_cycle(world: World) -> None:
    """Whenever in a cycle a backup is taken, it is a sound database of one file, for its owner alone, with the secret."""
    made = backups_of_an_escalation(world)
    assert len(made) > 3
    for path in made:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as conn:
            assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert (
            path.read_bytes()[18:20] == b"\x01\x01"
        )  # no log beside it: https://www.sqlite.org/fileformat.html
        assert migrations.check(f"sqlite:///{path}") == []
        assert path.with_suffix(".secret").read_bytes() == (world.folder / "board.secret").read_bytes()
        assert {stat.S_IMODE(one.stat().st_mode) for one in (path, path.with_suffix(".secret"))} == {0o600}
    assert [one.name for one in world.folder.iterdir() if one.name.startswith(".")] == []


def test_a_restored_backup_mails_nothing_twice(world: World) -> None:
    """Whichever moment a backup is of, mails are held after it is restored; approved, what came home is not sent again."""
    made = backups_of_an_escalation(world)
    world.human.deliver("INBOX", world.mailer.arrived[0].content, world.now)
    for path in made[::3]:
        backup.restore(place(world), path, world.now)
        assert "mails" in {hold.what for hold in world.advance(minutes=1).held}
        assert told_ggus(world) == 1
        world.ask("resume")
        for _ in range(3):
            assert world.advance(minutes=20).held == []
        assert told_ggus(world) == 1


def test_mail_of_which_no_copy_came_home_waits_for_a_person(world: World) -> None:
    """A mail that only its recipient has is not sent again before somebody has looked; dropped, it never is."""
    made = backups_of_an_escalation(world)
    backup.restore(place(world), made[0], world.now)
    for _ in range(3):
        world.advance(minutes=20)
    assert told_ggus(world) == 1
    assert {hold.what for hold in world.tick().held} == {"mails"}


def test_a_copied_backup_is_noticed_too(world: World) -> None:
    """Who restores with cp instead is found out by the mail that the database does not know: mails are held."""
    saved = world.folder / "saved.db"
    backup.back_up(place(world), saved)
    backups_of_an_escalation(world)
    world.human.deliver("INBOX", world.mailer.arrived[0].content, world.now)
    world.lose_database()
    world.engine.dispose()
    (world.folder / "board.db").write_bytes(saved.read_bytes())
    assert "mails" in {hold.what for hold in world.advance(minutes=1).held}
    assert told_ggus(world) == 1


# -- the commands ------------------------------------------------------------------------------------------------


def test_the_commands_save_and_restore(desk: Desk) -> None:
    """`db backup FOLDER` names its files; `db restore` brings back what was there then, and keeps what there is now."""
    desk.deliver("Jobs fail", "<a@x>")
    desk.run(T0)
    before = desk.read("threads")
    shelf = desk.folder / "shelf"
    shelf.mkdir()
    made = desk.read("db", "backup", str(shelf))["files"]
    [database, secret] = [Path(one) for one in made]
    assert (database.suffix, secret) == (".db", database.with_suffix(".secret"))
    assert database.name.startswith("dast-20")
    desk.deliver("Other jobs fail", "<b@x>")
    desk.run(T1)
    assert len(desk.read("threads")) == 2
    told = desk.read("db", "restore", str(database))
    assert desk.read("threads") == before
    assert told["held"] == ["mails"]
    assert {Path(one).suffix for one in told["kept"]} == {".db", ".secret"}
    again = desk.say("db", "restore", told["kept"][0])
    assert again.code == 0
    assert "helpdesk resume" in again.out
    assert len(desk.read("threads")) == 2
    assert desk.read("plan", "--now", "2026-06-08T10:00Z", code=1)["held"][0]["what"] == "mails"


def test_a_lost_disk_comes_back_with_its_secret(desk: Desk) -> None:
    """Where nothing is left, a restore makes the database and the secret anew."""
    desk.run(T0)
    saved = desk.folder / "saved.db"
    assert desk.say("db", "backup", str(saved)).code == 0
    secret = desk.folder / "helpdesk.secret"
    octets = secret.read_bytes()
    for path in desk.folder.glob("helpdesk.*"):
        if path != desk.config:
            path.unlink()
    assert desk.read("db", "restore", str(saved)) == {"kept": [], "held": ["mails"]}
    assert secret.read_bytes() == octets
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert desk.read("db", "check")["ok"]


@pytest.mark.parametrize("age", ["0001", "0007"])
def test_a_backup_of_an_older_helpdesk_comes_up_to_date(world: World, age: str) -> None:
    """What an earlier version saved is brought to the tables of today, the backup itself is not, and mails are held."""
    old = world.folder / "old.db"
    engine = db.open_engine(f"sqlite:///{old}")
    migrations.upgrade_engine(engine, age)
    with engine.begin() as conn:
        meta.put(conn, "key", "value")
    engine.dispose()
    world.engine.dispose()
    backup.restore(place(world), old, NOW)
    assert migrations.check(place(world).url) == []
    assert migrations.check(f"sqlite:///{old}") != []
    engine = db.open_engine(place(world).url)
    with db.reading(engine) as conn:
        assert meta.get(conn, "key") == "value"
        assert [hold.what for hold in holds.current(conn)] == ["mails"]
    engine.dispose()


@pytest.mark.parametrize("begin", [0, 5000], ids=["nothing is left", "torn"])
def test_a_damaged_database_is_moved_away(desk: Desk, begin: int) -> None:
    """What SQLite cannot read any more is said to be damaged by every command, and a restore puts it aside as it is."""
    desk.deliver("Jobs fail", "<a@x>")
    desk.run(T0)
    saved, database = desk.folder / "saved.db", desk.folder / "helpdesk.db"
    assert desk.say("db", "backup", str(saved)).code == 0
    octets = database.read_bytes()
    broken = octets[:begin] + b"\xa5" * (len(octets) - begin)
    database.write_bytes(broken)
    for command in (("threads",), ("run", "--once"), ("db", "check")):
        said = desk.say(*command)
        assert said.code in {1, 2}
        assert "`helpdesk db restore` brings a backup back" in f"{said.out}{said.err}"
    [kept] = desk.read("db", "restore", str(saved))["kept"][:1]
    assert len(Path(kept).read_bytes()) == len(broken)
    assert [one["subject"] for one in desk.read("threads")] == ["Jobs fail"]
    assert "mails" in desk.say("plan").out


def test_nothing_is_replaced_by_a_backup(desk: Desk) -> None:
    """A backup never overwrites a file, and without a database there is nothing to save: bad usage, and no file."""
    saved = desk.folder / "saved.db"
    said = desk.say("db", "backup", str(saved))
    assert (said.code, saved.exists()) == (2, False)
    desk.run(T0)
    saved.write_text("precious")
    said = desk.say("db", "backup", str(saved))
    assert (said.code, saved.read_text()) == (2, "precious")
    assert "exists already" in said.err


def test_a_database_on_a_server_has_its_own_tools(desk: Desk) -> None:
    """For PostgreSQL the commands name pg_dump and the secret that belongs to it."""
    desk.write_config(more='[store]\nurl = "postgresql+psycopg://u@db.example.org/dast"\n')
    text = desk.config.read_text().replace('name = "dast"', 'name = "dast"\nsecret_file = "s"', 1)
    desk.config.write_text(text)
    for command in ("backup", "restore"):
        said = desk.say("db", command, str(desk.folder / "x.db"))
        assert said.code == 2
        assert "pg_dump" in said.err
        assert str(desk.folder / "s") in said.err


def test_what_is_no_backup_changes_nothing(world: World) -> None:
    """A missing, foreign, damaged or newer file, and one of another secret, is refused before anything is touched."""
    good = backup.back_up(place(world), world.folder / "good.db")[0]
    foreign, damaged, newer = (world.folder / f"{name}.db" for name in ("foreign", "damaged", "newer"))
    foreign.write_text("no database at all, but long enough to look at" * 40)
    octets = bytearray(good.read_bytes())
    octets[-4096:] = b"x" * 4096  # what a first look would not see
    damaged.write_bytes(octets)
    newer.write_bytes(good.read_bytes())
    with closing(sqlite3.connect(newer)) as conn:
        conn.execute("UPDATE alembic_version SET version_num = '9999'").close()
        conn.commit()
    other = backup.back_up(place(world), world.folder / "other.db")[0]
    other.with_suffix(".secret").write_bytes(b"the secret of another board")
    before = (world.folder / "board.db").read_bytes(), sorted(world.folder.iterdir())
    for path in (world.folder / "missing.db", foreign, damaged, newer, other):
        with pytest.raises(UsageError):
            backup.restore(place(world), path, NOW)
    files = sorted(one for one in world.folder.iterdir() if one.name != "board.db.lock")
    assert ((world.folder / "board.db").read_bytes(), files) == before


def test_a_board_that_somebody_works_on_is_not_restored(world: World) -> None:
    """While a daemon holds the board's lock, a restore refuses; a backup does not mind."""
    saved = world.folder / "saved.db"
    with instance_lock(place(world).url):
        backup.back_up(place(world), saved)
        with pytest.raises(HeldError):
            backup.restore(place(world), saved, NOW)


@pytest.mark.parametrize("name", ["backup", "restore"])
def test_help_teaches_with_an_example(desk: Desk, name: str) -> None:
    """Each command's --help shows a line that can be typed as it is."""
    assert f"helpdesk db {name} " in " ".join(desk.say("db", name, "--help").out.split())


def test_the_documents_are_ascii_json(desk: Desk) -> None:
    """--json prints one document and nothing else."""
    desk.run(T0)
    said = desk.say("db", "backup", str(desk.folder / "x.db"), "--json")
    assert json.loads(said.out) == {
        "files": [str(desk.folder / "x.db"), str(desk.folder / "x.secret")],
        "removed": [],
    }


def test_old_backups_go_when_a_new_one_was_made(desk: Desk) -> None:
    """--keep leaves the newest of this board with their secrets, and files of others; a backup that fails removes none."""
    desk.run(T0)
    shelf = desk.folder / "shelf"
    shelf.mkdir()
    days = [f"dast-2026050{day}T033000Z" for day in range(1, 8)]
    others = {"dast-2-20250101T033000Z.db", "dast-before.db", "notes.txt"}
    for name in [*others, *(f"{day}{end}" for day in days for end in (".db", ".secret"))]:
        (shelf / name).touch()
    [database] = desk.folder.glob("*.db")
    database.rename(shelf.parent / "away")
    assert desk.say("db", "backup", "--keep", "3", str(shelf)).code == 2
    (shelf.parent / "away").rename(database)
    assert desk.say("db", "backup", "--keep", "3", str(shelf / "one.db")).code == 2
    assert len(list(shelf.iterdir())) == len(others) + 2 * len(days)
    told = desk.read("db", "backup", "--keep", "3", str(shelf))
    left = {one.name for one in shelf.iterdir()}
    assert left - {Path(one).name for one in told["files"]} == {
        *others,
        *(f"{day}{end}" for day in days[-2:] for end in (".db", ".secret")),
    }
    assert len(told["removed"]) == 10
    for one in told["files"]:
        Path(one).unlink()
    (shelf / "dast-20990101T000000Z.db").touch()  # of a clock that was wrong
    [made, _] = desk.read("db", "backup", "--keep", "1", str(shelf))["files"]
    assert Path(made).exists()
