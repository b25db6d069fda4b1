"""A backup is two files of mode 0600: the database as it was at one moment, and beside it the board's secret.

Without the secret nobody could tell which mail in the mailbox is ours, so the two belong together.  The database in a
backup stands for itself: no log lies beside it.  Restoring is one transaction in the database that is there.
"""

import os
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from helpdesk.errors import UsageError
from helpdesk.store import complaints, db, holds, migrations, sqlite
from helpdesk.store.lock import instance_lock


@dataclass(frozen=True, slots=True)
class Place:
    """Where a board keeps what a backup saves."""

    database: Path
    secret: Path

    @property
    def url(self) -> str:
        """The database, as the rest of the store calls it."""
        return f"sqlite:///{self.database}"


def name_of(board: str, now: datetime) -> str:
    """What a backup is called when only a folder is named for it."""
    return f"{board}-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}.db"


def thin(made: Path, board: str, keep: int) -> Sequence[Path]:
    """Remove what this board saved into the folder of `made` but for the newest `keep`, by their names; the files that are gone.

    Called when a backup has been made and never by age alone: who cannot make new ones keeps the old ones.
    """
    ours = re.compile(rf"{re.escape(board)}-[0-9]{{8}}T[0-9]{{6}}Z\.db")
    saved = sorted(one for one in made.parent.iterdir() if ours.fullmatch(one.name))
    gone = []
    for old in saved[:-keep]:
        for path in (old, _secret_beside(old)):
            if old != made and path.exists():  # a clock that was ahead names older ones as the newest
                path.unlink()
                gone.append(path)
    return gone


def back_up(place: Place, target: Path) -> Sequence[Path]:
    """Save a database that may be in use; the files, the database first.  Nothing that lies there is replaced."""
    if not place.database.is_file():
        raise UsageError(f"{place.database}: there is no database yet, and so nothing to save")
    secret = _secret_beside(target)
    for path in (target, secret):
        if path.exists():
            raise UsageError(f"{path}: exists already and was left as it is")
    with _draft(target) as draft:
        sqlite.backup(place.database, draft)
        _stand_alone(draft)
        if place.secret.exists():
            _save(place.secret, secret)
        _publish(draft, target)
    return [path for path in (target, secret) if path.exists()]


def restore(place: Place, source: Path, now: datetime) -> Sequence[Path]:
    """Put a backup in the place of the database, and hold mails until a person has looked: it may not know the newest.

    Nobody may work on the board meanwhile.  What lay there is saved beside it first: those files.
    """
    with instance_lock(place.url), _draft(place.database) as draft:
        _copy_of(source, draft)
        _same_secret(place, _secret_beside(source))
        kept = _set_aside(place, _before(place, now)) if place.database.is_file() else ()
        _hold_mails(draft, source.name, now)
        sqlite.backup(draft, place.database)
    return kept


def _set_aside(place: Place, target: Path) -> Sequence[Path]:
    """Save what lies there; a damaged file, of which SQLite makes no copy, is moved away with its log."""
    try:
        return back_up(place, target)
    except sqlite3.DatabaseError as error:
        if not complaints.is_damaged(error):
            raise
    moved = []
    for end in ("", "-wal", "-shm"):
        old = place.database.with_name(f"{place.database.name}{end}")
        if old.exists():
            moved.append(old.rename(target.with_name(f"{target.name}{end}")))
    return moved


def _copy_of(source: Path, draft: Path) -> None:
    """Refuse what is no backup of ours, damaged, or of a newer helpdesk; one of an older helpdesk is brought up to date."""
    if not source.is_file():
        raise UsageError(f"{source}: there is no such backup")
    try:
        sqlite.backup(source, draft)
        with closing(sqlite3.connect(draft)) as conn:
            found = conn.execute("PRAGMA integrity_check(1)").fetchone()[0]
            conn.execute("SELECT version_num FROM alembic_version").close()
    except sqlite3.DatabaseError as error:
        raise UsageError(f"{source}: is no backup of a board ({error})") from error
    if found != "ok":
        raise UsageError(f"{source}: the backup is damaged ({found})")
    migrations.upgrade(f"sqlite:///{draft}")


def _hold_mails(draft: Path, name: str, now: datetime) -> None:
    engine = db.open_engine(f"sqlite:///{draft}")
    try:
        with engine.begin() as conn:
            why = f"the database was restored from {name}; what was mailed since then may be unknown to it"
            holds.update(conn, [("mails", why)], now)
    finally:
        engine.dispose()


def _same_secret(place: Place, saved: Path) -> None:
    """Bring the secret back where there is none; another one means another board, or mail that nobody recognises."""
    if not saved.exists():
        return
    if not place.secret.exists():
        _save(saved, place.secret)
    elif place.secret.read_bytes() != saved.read_bytes():
        raise UsageError(
            f"{saved} and {place.secret} differ, and by the secret a board recognises its own mail: move the one that"
            " is wrong away"
        )


def _save(secret: Path, target: Path) -> None:
    with _draft(target) as draft:
        draft.write_bytes(secret.read_bytes())
        _publish(draft, target)


def _before(place: Place, now: datetime) -> Path:
    return place.database.with_name(f"{place.database.stem}-before-restore-{now:%Y%m%dT%H%M%S%f}Z.db")


def _secret_beside(database: Path) -> Path:
    return database.with_suffix(".secret")


@contextmanager
def _draft(path: Path) -> Iterator[Path]:
    """An empty file of mode 0600 beside `path`; at the end it is gone, whatever it has become."""
    draft = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        yield draft
    finally:
        for left in (draft, *(draft.with_name(f"{draft.name}{end}") for end in ("-wal", "-shm"))):
            left.unlink(missing_ok=True)


def _publish(draft: Path, path: Path) -> None:
    """Give a complete draft its name: what lies under it is always whole."""
    _sync(draft)
    draft.rename(path)
    _sync(path.parent)


def _stand_alone(copy: Path) -> None:
    """Leave the mode that needs a log beside the file: a backup may lie where nobody can write."""
    with closing(sqlite3.connect(copy)) as conn:
        conn.execute("PRAGMA journal_mode = DELETE").close()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # some file systems cannot sync a folder
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
