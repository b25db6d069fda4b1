"""What SQLite complains of that is no fault of ours, in a sentence (https://www.sqlite.org/rescode.html).

Where waiting may help, a lock, a full disk or one that is not mounted, it is an UnreachableError, which the daemon survives and after which systemd
tries again.  What only a person can mend, a file that may not be written or is damaged, is a UsageError.
"""

import sqlite3
from pathlib import Path

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext

from helpdesk.errors import HelpdeskError, UnreachableError, UsageError
from helpdesk.store.sqlite import BUSY_SECONDS

_LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_CLOSED = frozenset(
    {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}
)


def listen(engine: Engine) -> None:
    """Let every error of a database be such a sentence."""
    event.listen(engine, "handle_error", _on_error)


def _on_error(context: ExceptionContext) -> None:
    if isinstance(context.original_exception, sqlite3.Error):
        where = context.engine.url.database if context.engine is not None else None
        found = complaint(context.original_exception, str(where or "the database"))
        if found is not None:
            raise found


def is_damaged(error: sqlite3.Error) -> bool:
    """Whether the file can be of no use any more."""
    return _code(error) in _DAMAGED


def complaint(error: sqlite3.Error, where: str) -> HelpdeskError | None:
    """The sentence; None for what only a mistake of ours can cause."""
    code = _code(error)
    if code in _LOCKED:
        return UnreachableError(
            f"the database: somebody else has been writing to {where} for more than {BUSY_SECONDS} seconds"
        )
    if code == sqlite3.SQLITE_FULL:
        return UnreachableError(f"the database: there is no room left on the disk of {where}")
    if code == sqlite3.SQLITE_IOERR:
        return UnreachableError(f"the database: {where}: {error}; is its disk full, or broken?")
    if code in _CLOSED:
        return _closed(error, where)
    if code in _DAMAGED:
        return UsageError(
            f"the database: {where}: {error}; `helpdesk db restore` brings a backup back, or move the file away:"
            " the mailbox is adopted anew then"
        )
    return None


def _closed(error: sqlite3.Error, where: str) -> HelpdeskError:
    folder = Path(where).parent
    if _code(error) == sqlite3.SQLITE_CANTOPEN and not folder.is_dir():
        return no_folder(folder)
    return UsageError(f"the database: {where}: {error}; its owner must be able to write it and its folder")


def no_folder(folder: Path) -> UnreachableError:
    """Say that the folder of a database is not there: at the start of a machine its disk may be mounted later."""
    return UnreachableError(
        f"the database: there is no folder {folder}: is its disk mounted? If it never was there: [store] url, or mkdir"
    )


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary result code is the low byte
