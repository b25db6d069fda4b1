"""Databases for tests: a SQLite file, or one of its own on a private PostgreSQL."""

import itertools
import os
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Engine, event

from helpdesk.store import migrations, sqlite
from tests.servers.postgres import Postgres

_numbers = itertools.count(1)


class Database(Protocol):
    """A database that may be lost, saved and brought back."""

    @property
    def url(self) -> str:
        """Where it is."""

    def lay(self) -> None:
        """Make a place without tables."""

    def make(self) -> None:
        """Make it with its tables, unless it is there."""

    def empty(self) -> None:
        """Lose all that it holds; nobody may be connected."""

    def save(self) -> None:
        """Make a backup; nobody may be connected."""

    def bring_back(self) -> bool:
        """Put the backup in its place, if there is one; nobody may be connected."""


@dataclass(frozen=True, slots=True)
class SqliteFile:
    """`board.db` in a folder."""

    folder: Path

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder / 'board.db'}"

    def lay(self) -> None:
        pass

    def make(self) -> None:
        file = self.folder / "board.db"
        if not file.exists():
            file.write_bytes(_migrated())

    def clear(self) -> None:
        """Take away the database and its backup."""
        for path in self.folder.glob("*.db*"):
            path.unlink()

    def empty(self) -> None:
        for path in self.folder.glob("board.db*"):
            path.unlink()
        self.make()

    def save(self) -> None:
        target = self.folder / "backup.db"
        target.unlink(missing_ok=True)
        sqlite.backup(self.folder / "board.db", target)

    def bring_back(self) -> bool:
        saved = self.folder / "backup.db"
        if saved.exists():
            self.empty()
            sqlite.backup(saved, self.folder / "board.db")
        return saved.exists()


@cache
def _migrated() -> bytes:
    """An empty database that went through all migrations, once a process: thousands of worlds begin with it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "empty.db"
        migrations.upgrade(f"sqlite:///{file}")
        return file.read_bytes()


@dataclass(frozen=True, slots=True)
class OnServer:
    """A database of its own; an empty one is a copy of another that went through all migrations."""

    server: Postgres
    name: str

    @property
    def url(self) -> str:
        return self.server.url(self.name)

    def lay(self) -> None:
        self.server.do(f"CREATE DATABASE {self.name}")

    def make(self) -> None:
        if not self._exists(self.name):
            self.empty()

    def empty(self) -> None:
        if not self._exists("made"):
            self.server.do("CREATE DATABASE made")
            migrations.upgrade(self.server.url("made"))
        self._replace(self.name, "made")

    def save(self) -> None:
        self._replace(f"{self.name}_saved", self.name)

    def bring_back(self) -> bool:
        saved = self._exists(f"{self.name}_saved")
        if saved:
            self._replace(self.name, f"{self.name}_saved")
        return saved

    def drop(self) -> None:
        """It is needed no more."""
        self.server.do(
            *(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)" for name in (self.name, f"{self.name}_saved"))
        )

    def _replace(self, name: str, source: str) -> None:
        self.server.do(
            f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name} TEMPLATE {source}"
        )

    def _exists(self, name: str) -> bool:
        return (name,) in self.server.do("SELECT datname FROM pg_database")


def on_server(server: Postgres) -> OnServer:
    """A new one, not made yet."""
    return OnServer(server, f"t{next(_numbers)}_{os.getpid()}")


def impatient(engine: Engine) -> None:
    """Let its connections wait for other writers no longer than a moment."""
    words = "SET lock_timeout = 50" if engine.dialect.name == "postgresql" else "PRAGMA busy_timeout = 50"

    def tell(connection: Any, _record: object) -> None:
        connection.execute(words).close()
        connection.commit()

    event.listen(engine, "connect", tell)
