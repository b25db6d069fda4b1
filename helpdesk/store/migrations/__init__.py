"""The history of the tables, as Alembic revisions (https://alembic.sqlalchemy.org)."""

from collections.abc import Sequence
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, inspect
from sqlalchemy.engine import make_url

from helpdesk.errors import UsageError

_EMPTY = "The database is empty: `helpdesk db upgrade` or the first run makes the tables."


def upgrade(url: str) -> None:
    """Bring a database up to date, or make an empty one."""
    from helpdesk.store.db import open_engine  # noqa: PLC0415 - db brings its scratch copies up to date with this module

    engine = open_engine(url)
    try:
        upgrade_engine(engine)
    finally:
        engine.dispose()


def upgrade_engine(engine: Engine) -> None:
    """Bring an open database up to date."""
    with engine.begin() as connection:
        found, known = _revision(connection), _known()
        if found == known[0]:
            return
        if found is not None and found not in known:
            raise UsageError(_newer(found, known[0]))
        command.upgrade(_config(connection), "head")


def check(url: str) -> Sequence[str]:
    """Say what is wrong with the tables of a database, changing nothing; no sentence: nothing."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
        return [_EMPTY]
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return _problems(connection)
    finally:
        engine.dispose()


def _problems(connection: Connection) -> Sequence[str]:
    found, known = _revision(connection), _known()
    if found is None:
        if inspect(connection).get_table_names():
            return ["The database holds tables that are not ours: give the board a database of its own."]
        return [_EMPTY]
    if found not in known:
        return [_newer(found, known[0])]
    if found != known[0]:
        return [
            f"The database is at revision {found}, this helpdesk needs {known[0]}: run `helpdesk db upgrade`."
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
