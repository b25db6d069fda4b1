"""All that is special about PostgreSQL (https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS).

It behaves here as SQLite does: transactions that may write take turns, so that none overtakes what another has read;
those that only read see one state of the database and wait for nobody; texts are compared by their bytes.
"""

import os
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Insert, create_engine, event, inspect
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import String

from helpdesk.errors import UnreachableError, UsageError

Row = tuple[Any, ...]

WAIT_SECONDS = 15
"""How long another writer may take: as long as with SQLite."""

READING = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""The execution options of connections that only read."""

LOCKS = 0x68656C70
"""The first half of the keys of our advisory locks: "help"."""

NAMED = "helpdesk, "
"""How our sessions are called begins with this."""

_TURN = 1

_CONNECTING = {
    "connect_timeout": "10",
    "client_encoding": "utf8",
    "keepalives_idle": "30",  # a server that is gone is noticed within a minute
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
"""What libpq should do, unless the URL says otherwise."""

_SESSION = {
    "lock_timeout": f"{WAIT_SECONDS}s",
    "statement_timeout": "0",  # a first sync enters thousands of rows at once
    "transaction_timeout": "0",
    "idle_in_transaction_session_timeout": "0",  # a look at a large mailbox reads for long
    "idle_session_timeout": "0",  # the session with the instance lock has nothing to do
    "tcp_keepalives_idle": "30",  # a client that is gone keeps neither its turn nor its lock for long
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "jit": "off",  # compiling takes longer than any query of ours
}
"""Settings of every session, as far as the server's version knows them."""

_SET = (
    "SELECT set_config(name, wanted, false)"
    " FROM pg_settings JOIN unnest(%s::text[], %s::text[]) AS ours (ours, wanted) ON name = ours"
)
_DURABLE = (
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
)
"""What is committed is on the disk, whatever the server's default; a stronger promise is kept."""

_COPY = "COPY "
_PARAMETER = re.compile(r"%\((\w+)\)s")

_BUSY = "55P03"
_DENIED = "42501"
_GONE = frozenset({"57P01", "57P02", "57P03", "57P04", "57P05"})
"""SQLSTATE of a server that ends or starts."""

_POOR = frozenset({"53000", "53100", "53200", "53300", "58030", "57014", "40P01"})
"""Of one that has no room (disk, memory, connections), cannot write, or ended what we asked for."""

_REPLICA = "25006"
"""Of one that only reads: what was the first server is the second now."""


def open_engine(url: URL, password: Callable[[], str] | None = None) -> Engine:
    """Connect as often as needed; the password that is not in the URL is asked for at every login."""
    ours = {name: value for name, value in (_CONNECTING | _tls(url)).items() if name not in url.query}
    ours["application_name"] = f"{NAMED}process {os.getpid()} on {socket.gethostname()}"[:63]
    try:
        engine = create_engine(url, pool_pre_ping=True, hide_parameters=True, connect_args=ours)
    except ModuleNotFoundError as error:
        raise UsageError("PostgreSQL needs psycopg: install helpdesk with its extra [postgresql]") from error
    if password is not None:
        event.listen(
            engine, "do_connect", lambda _dialect, _record, _args, how: how.update(password=password())
        )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    event.listen(engine, "handle_error", _on_error)
    event.listen(engine, "do_executemany", _on_many)
    return engine


@contextmanager
def lazily(connection: Connection) -> Iterator[None]:
    """A transaction that is in the server's log when it is committed, and on its disk soon after."""
    with connection.begin():
        connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
        yield


def _tls(url: URL) -> dict[str, str]:
    """Verify the server's certificate and name, unless it is on this machine or somebody told otherwise."""
    hosts = url.query.get("host", url.host or os.environ.get("PGHOST", ""))
    told = {"sslmode", "service"} & url.query.keys() or {"PGSSLMODE", "PGSERVICE"} & os.environ.keys()
    if told or all(_is_here(one) for one in ([hosts] if isinstance(hosts, str) else hosts)):
        return {}
    if "PGSSLROOTCERT" in os.environ or Path("~/.postgresql/root.crt").expanduser().exists():
        return {"sslmode": "verify-full"}
    # where the system's authorities are, the OpenSSL inside of psycopg's wheel does not know
    return {"sslmode": "verify-full", "sslrootcert": ssl.get_default_verify_paths().cafile or "system"}


def _is_here(host: str) -> bool:
    """Whether this is a socket, or an address of this machine for itself."""
    if host in {"", "localhost"} or host.startswith(("/", "@")):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _on_connect(connection: Any, _record: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_SET, (list(_SESSION), list(_SESSION.values())))
        cursor.execute(_DURABLE)
    connection.commit()


def _on_begin(connection: Connection) -> None:
    """A transaction that may write waits for its turn at once, as SQLite's BEGIN IMMEDIATE does."""
    if may_write(connection):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCKS}, {_TURN})")


def may_write(connection: Connection) -> bool:
    """Whether this is an ordinary transaction: neither a reader's nor the session that holds the instance lock."""
    options = connection.get_execution_options()
    return not options.get("postgresql_readonly") and options.get("isolation_level") != "AUTOCOMMIT"


def _on_error(context: ExceptionContext) -> None:
    """What a new connection, or waiting, may heal is said in one sentence; the driver's words hold no password."""
    error, driver = context.original_exception, context.dialect.loaded_dbapi
    if context.is_pre_ping or not isinstance(error, driver.Error):
        return
    state, words = getattr(error, "sqlstate", None), _words(error)
    if state == _REPLICA and context.connection is not None and may_write(context.connection):
        raise UnreachableError(f"the database takes no changes: {words}")
    if state == _BUSY:
        raise UnreachableError(
            f"the database: somebody else has been writing for more than {WAIT_SECONDS} seconds"
        )
    if state == _DENIED:
        raise UsageError(f"the database: {words}; its owner must be the user in [store] url")
    if context.connection is None and isinstance(error, driver.ProgrammingError):
        raise UsageError(f"[store] url: {words}")
    if context.connection is None or context.is_disconnect or state in _GONE | _POOR:
        raise UnreachableError(f"the database: {words}")


def _words(error: Any) -> str:
    """What the server says first: details and context may quote what was to be written."""
    return " ".join((error.diag.message_primary or str(error)).split())


def run_many(
    conn: Connection, compiled: SQLCompiler, names: Sequence[str], columns: Sequence[Sequence[Any]]
) -> None:
    """Execute a statement for each row, of which the `columns` are given, at once: the server may be far away."""
    if len(columns[0]) == 1:
        conn.exec_driver_sql(
            compiled.string, {name: one for name, (one,) in zip(names, columns, strict=True)}
        )
    elif isinstance(compiled.statement, Insert):
        quote = conn.dialect.identifier_preparer.quote
        where = f"{quote(compiled.statement.table.name)} ({', '.join(map(quote, names))})"
        conn.exec_driver_sql(f"{_COPY}{where} FROM STDIN", list(zip(*columns, strict=True)))
    else:
        lists = dict(zip(names, map(list, columns), strict=True))
        conn.exec_driver_sql(_at_once(compiled, names), lists)


def _at_once(compiled: SQLCompiler, names: Sequence[str]) -> str:
    """An UPDATE by key that takes a list for each parameter; no key is there twice."""
    kinds = {name: compiled.binds[name].type.compile(compiled.dialect) for name in names}
    lists = ", ".join(f"%({name})s::{kinds[name]}[]" for name in names)
    change, where, key = _PARAMETER.sub(r"many.\1", compiled.string).partition("WHERE")
    return f"{change} FROM unnest({lists}) AS many ({', '.join(names)}) {where}{key}"


def _on_many(cursor: Any, statement: str, rows: Sequence[Row], _context: object) -> bool | None:
    """Stream rows into a table; tells whether that was asked for."""
    if not statement.startswith(_COPY):
        return None
    with cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
    return True


def is_pooled(engine: Engine) -> bool:
    """Whether two sessions at once are served by one process: then none of them is a session of the server's."""
    ask = "SELECT pg_backend_pid()"
    with engine.connect() as one, engine.connect() as other:
        both = [conn.execution_options(isolation_level="AUTOCOMMIT") for conn in (one, other)]
        return len({conn.exec_driver_sql(ask).scalar_one() for conn in both}) < len(both)


def unfit(connection: Connection) -> str | None:
    """Why a database cannot be ours."""
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
    if encoding != "UTF8":
        return f"The database stores text as {encoding}: make it with CREATE DATABASE ... ENCODING 'UTF8'."
    return None


def settle(connection: Connection) -> None:
    """Compare all texts by their bytes: prefixes are ranges then, and no update of the system reorders an index."""
    found = inspect(connection)
    quote = connection.dialect.identifier_preparer.quote
    for table in found.get_table_names():
        changes = [
            f'ALTER COLUMN {quote(column["name"])} TYPE {column["type"].compile(connection.dialect)} COLLATE "C"'
            for column in found.get_columns(table)
            if isinstance(column["type"], String) and column["type"].collation != "C"
        ]
        if changes:
            connection.exec_driver_sql(f"ALTER TABLE {quote(table)} {', '.join(changes)}")
