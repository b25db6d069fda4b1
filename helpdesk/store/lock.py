"""One instance per board: two would undo each other's work.

Beside a SQLite file lies a lock file; the kernel frees it when its holder ends, however it ends.  On PostgreSQL it is a
session that holds an advisory lock (`helpdesk.store.advisory`).
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol

from sqlalchemy import Engine, event

from helpdesk.errors import HeldError
from helpdesk.store import advisory
from helpdesk.store.complaints import no_folder
from helpdesk.store.db import Address, on_server, sqlite_file


class InstanceLock(Protocol):
    """Proof that we are the only one."""

    def guard(self, engine: Engine) -> None:
        """Let every transaction of an engine that may write ask first, and fail (HeldError) once the lock was lost."""


class _FileLock:
    """An flock; it is lost when somebody replaces the file."""

    def __init__(self, path: Path, file: IO[str]) -> None:
        self._path = path
        self._file = file

    def guard(self, engine: Engine) -> None:
        """Ask before each transaction."""
        event.listen(engine, "begin", lambda _connection: self.check())

    def check(self) -> None:
        """Compare what lies there with the file that we hold."""
        held = os.fstat(self._file.fileno())
        try:
            there = self._path.stat()
        except FileNotFoundError:
            there = None
        if there is None or (there.st_dev, there.st_ino) != (held.st_dev, held.st_ino):
            raise HeldError(
                f"somebody removed the lock {self._path}: another instance may be running, so this one stops"
            )


class _NoLock:
    """A database in memory is ours alone."""

    def guard(self, engine: Engine) -> None:
        """Nothing can be lost."""


@contextmanager
def instance_lock(address: Address) -> Iterator[InstanceLock]:
    """Hold the lock of a database, or say who does (HeldError)."""
    if on_server(address):
        with advisory.held(address) as session:
            yield session
        return
    database = sqlite_file(address)
    if database is None:
        yield _NoLock()
        return
    path = database.with_name(f"{database.name}.lock")
    if not path.parent.is_dir():
        raise no_folder(path.parent)
    with path.open("a+") as file:
        _take(file, path)
        with suppress(OSError):  # on a full disk the lock holds all the same: the number is for people
            os.truncate(file.fileno(), 0)
            os.pwrite(file.fileno(), f"{os.getpid()}\n".encode(), 0)
        lock = _FileLock(path, file)
        lock.check()  # it may have been replaced between opening and locking
        yield lock


def _take(file: IO[str], path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        holder = file.read(20).strip()
        who = f"process {holder}" if holder.isdigit() else "another process"
        raise HeldError(f"another helpdesk works on this board: {who} holds {path}") from error
