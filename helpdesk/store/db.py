"""The door to the database: SQLite beside the configuration, or PostgreSQL."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine import URL, make_url

from helpdesk.errors import UsageError
from helpdesk.store import migrations, sqlite


def open_engine(url: str) -> Engine:
    """Open a database as it is; `helpdesk.store.migrations.upgrade` brings it up to date."""
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        sqlite.prepare(engine)
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection that sees one state of the database and does not keep anybody from writing."""
    with engine.connect() as connection:
        yield connection.execution_options(**{sqlite.READING: True})


def sqlite_file(url: str | URL) -> Path | None:
    """The file of a SQLite database; None for one in memory or on a server."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in {None, "", ":memory:"}:
        return None
    return Path(str(parsed.database))


@contextmanager
def scratch(url: str) -> Iterator[Engine]:
    """A private throw-away copy, brought up to date: whatever is tried there never reaches the real database."""
    source = sqlite_file(url)
    if source is None:
        raise UsageError("a plan needs a database in a SQLite file: it works on a copy")
    with tempfile.TemporaryDirectory(prefix="helpdesk-") as folder:
        target = Path(folder) / "scratch.db"
        if source.exists():
            sqlite.backup(source, target)
        engine = open_engine(f"sqlite:///{target}")
        try:
            migrations.upgrade_engine(engine)
            yield engine
        finally:
            engine.dispose()
