"""The door to the database: SQLite beside the configuration, or PostgreSQL."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine import URL, make_url

from helpdesk.store import complaints, postgresql, sqlite


@dataclass(frozen=True, slots=True)
class Secured:
    """A database whose password is somewhere else: whoever connects asks for it, and nobody keeps it."""

    url: str = field(repr=False)
    password: Callable[[], str] = field(repr=False)


Address = str | Secured
"""Where a database is: a URL, which may hold a password, or one that does not."""


def open_engine(address: Address) -> Engine:
    """Open a database as it is; `helpdesk.store.migrations.upgrade` brings it up to date."""
    url = _url(address)
    if url.get_backend_name() == "postgresql":
        return postgresql.open_engine(url, address.password if isinstance(address, Secured) else None)
    pooled = url.database not in {None, "", ":memory:"}
    warm = {"pool_use_lifo": True} if pooled else {}  # the last one is warm
    engine = create_engine(url, hide_parameters=True, **warm)  # an error must not quote a mail
    sqlite.prepare(engine)
    complaints.listen(engine)
    return engine


def peephole(file: Path) -> Engine:
    """A SQLite file as it is, without the settings that would change it: for who only looks whether it is ours."""
    engine = create_engine(f"sqlite:///{file}", hide_parameters=True)
    complaints.listen(engine)
    return engine


def onlooker(engine: Engine) -> Engine:
    """One more door to the same SQLite database, for a process beside this one: it writes nothing, and keeps little in memory."""
    door = create_engine(engine.url, hide_parameters=True)
    sqlite.prepare(door)
    sqlite.restrain(door)
    return door


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection that sees one state of the database and does not keep anybody from writing."""
    options = postgresql.READING if engine.dialect.name == "postgresql" else sqlite.READING
    with engine.connect() as connection:
        yield connection.execution_options(**options)


def sqlite_file(address: Address) -> Path | None:
    """The file of a SQLite database; None for one in memory or on a server."""
    parsed = _url(address)
    if parsed.get_backend_name() != "sqlite" or parsed.database in {None, "", ":memory:"}:
        return None
    return Path(str(parsed.database))


def on_server(address: Address) -> bool:
    """Whether other machines may use the database too."""
    return _url(address).get_backend_name() == "postgresql"


def _url(address: Address) -> URL:
    return make_url(address.url if isinstance(address, Secured) else address)
