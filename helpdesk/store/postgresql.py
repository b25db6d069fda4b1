"""All that is special about PostgreSQL (https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS).

It behaves here as SQLite does: transactions that may write take turns, so that none overtakes what another has read;
those that only read see one state of the database and wait for nobody; texts are compared by their bytes.
"""

import os
import socket
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.types import String

from helpdesk.errors import UnreachableError, UsageError

WAIT_SECONDS = 15
"""How long another writer may take: as long as with SQLite."""

READING = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""The execution options of connections that only read."""

LOCKS = 0x68656C70
"""The first half of the keys of our advisory locks: "help"."""

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
    "idle_in_transaction_session_timeout": "0",  # a look at a large mailbox reads for long
    "idle_session_timeout": "0",  # the session with the instance lock has nothing to do
    "tcp_keepalives_idle": "30",  # a client that is gone keeps neither its turn nor its lock for long
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "jit": "off",  # compiling takes longer than any query of ours
}
"""Settings of every session, as far as the server's version knows them."""

_SET = (
    "SELECT set_config(name, wanted, false) FROM pg_settings JOIN (VALUES "
    + ", ".join(f"('{name}', '{value}')" for name, value in _SESSION.items())
    + ") AS ours (ours, wanted) ON name = ours"
)
_DURABLE = (
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
)
"""What is committed is on the disk, whatever the server's default; a stronger promise is kept."""

_BUSY = "55P03"
_GONE = frozenset({"57P01", "57P02", "57P03", "57P04", "57P05", "53300"})
"""SQLSTATE of a server that ends, starts, or has no room for us."""


def open_engine(url: URL, password: Callable[[], str] | None = None) -> Engine:
    """Connect as often as needed; the password that is not in the URL is asked for at every login."""
    ours = {name: value for name, value in _CONNECTING.items() if name not in url.query}
    ours["application_name"] = f"helpdesk: process {os.getpid()} on {socket.gethostname()}"[:63]
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
    return engine


def _on_connect(connection: Any, _record: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_SET)
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
    error = context.original_exception
    state = getattr(error, "sqlstate", None)
    if context.is_pre_ping or not isinstance(error, context.dialect.loaded_dbapi.Error):
        return
    if state == _BUSY:
        raise UnreachableError(
            f"the database: somebody else has been writing for more than {WAIT_SECONDS} seconds"
        )
    if context.connection is None or context.is_disconnect or state in _GONE:
        raise UnreachableError(f"the database: {' '.join(str(error).split())}")


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
