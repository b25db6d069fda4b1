"""The history of the tables, as Alembic revisions (https://alembic.sqlalchemy.org)."""

from collections.abc import Sequence
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, inspect

from helpdesk.errors import UsageError
from helpdesk.store import db, postgresql

HISTORY = "alembic_version"
"""The table that says how far a database has come."""

EMPTY = "The database is empty: `helpdesk db upgrade` or the first run makes the tables."
_NOT_OURS = "The database holds tables that are not ours: give the board a database of its own."


def upgrade(address: db.Address) -> None:
    """Bring a database up to date, or make an empty one."""
    engine = db.open_engine(address)
    try:
        upgrade_engine(engine)
    finally:
        engine.dispose()


def upgrade_engine(engine: Engine, target: str = "head") -> None:
    """Bring an open database up to date, or up to a revision."""
    with engine.begin() as connection:
        if revision(connection) == _known()[0]:
            return
        command.upgrade(_config(connection), target)
        if connection.dialect.name == "postgresql":
            postgresql.settle(connection)


def revision(connection: Connection) -> str | None:
    """The revision of a database, None for an empty one; UsageError for one that cannot be ours, or not yet."""
    if connection.dialect.name == "postgresql" and (reason := postgresql.unfit(connection)):
        raise UsageError(reason)
    found, known = _revision(connection), _known()
    if found is None and inspect(connection).get_table_names():
        raise UsageError(_NOT_OURS)
    if found is not None and found not in known:
        raise UsageError(_newer(found, known[0]))
    return found


def check(address: db.Address) -> Sequence[str]:
    """Say what is wrong with the tables of a database, changing nothing; no sentence: nothing."""
    if db.on_server(address):
        engine = db.open_engine(address)
    else:
        file = db.sqlite_file(address)
        if file is None or not file.is_file():
            return [EMPTY]
        engine = create_engine(f"sqlite:///{file}")  # without the settings that would change it
    try:
        with db.reading(engine) as connection:
            return _problems(connection)
    finally:
        engine.dispose()


def _problems(connection: Connection) -> Sequence[str]:
    try:
        found = revision(connection)
    except UsageError as error:
        return [str(error)]
    if found is None:
        return [EMPTY]
    if found != (newest := _known()[0]):
        return [
            f"The database is at revision {found}, this helpdesk needs {newest}: run `helpdesk db upgrade`."
        ]
    return []


def _newer(found: str, ours: str) -> str:
    return (
        f"The database was written by a newer helpdesk (revision {found}; this one knows up to {ours}): "
        "install that version, or restore the database from before its upgrade."
    )


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _known() -> Sequence[str]:
    """All revisions, the newest first."""
    return [script.revision for script in ScriptDirectory(str(Path(__file__).parent)).walk_revisions()]


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
