"""The history of the tables, as Alembic revisions (https://alembic.sqlalchemy.org).

Alembic is loaded when there is something to do: most runs only look whether there is.
"""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection, Engine, column, inspect, select, table

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
        if revision(connection) == known()[0]:
            return
        _upgrade(connection, target)
        if connection.dialect.name == "postgresql":
            postgresql.settle(connection)


def revision(connection: Connection) -> str | None:
    """The revision of a database, None for an empty one; UsageError for one that cannot be ours, or not yet."""
    if connection.dialect.name == "postgresql" and (reason := postgresql.unfit(connection)):
        raise UsageError(reason)
    found, ours = _revision(connection), known()
    if found is None and inspect(connection).get_table_names():
        raise UsageError(_NOT_OURS)
    if found is not None and found not in ours:
        raise UsageError(_newer(found, ours[0]))
    return found


def check(address: db.Address) -> Sequence[str]:
    """Say what is wrong with the tables of a database, changing nothing; no sentence: nothing."""
    if db.on_server(address):
        engine = db.open_engine(address)
    else:
        file = db.sqlite_file(address)
        if file is None or not file.is_file():
            return [EMPTY]
        engine = db.peephole(file)
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
    if found != (newest := known()[0]):
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
    if not inspect(connection).has_table(HISTORY):
        return None
    return connection.execute(select(column("version_num")).select_from(table(HISTORY))).scalar_one_or_none()


def known() -> Sequence[str]:
    """All revisions, the newest first: they are one line, and each is called like its file (tests/test_store.py)."""
    files = (Path(__file__).parent / "versions").glob("v*_*.py")
    return sorted((file.stem[1:].partition("_")[0] for file in files), reverse=True)


def _upgrade(connection: Connection, target: str) -> None:
    from alembic import command  # noqa: PLC0415 -- an eighth of all imports, for a database that is behind
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, target)
