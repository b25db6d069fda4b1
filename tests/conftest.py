"""Private servers, one of each kind per session, and a fresh IMAP user per test."""

import itertools
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.databases import Database, OnServer, SqliteFile, on_server
from tests.human import ImapHuman
from tests.servers import cyrus, dovecot, postgres, pymap_server
from tests.servers.process import memory

# Whoever starts the tests in the background of a shell hands down a SIGINT that is ignored; programs that the tests
# start would inherit that, and Ctrl-C is a promise of theirs.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Thousands of databases are written, and each commit would wait for a disk.  PYTEST_DEBUG_TEMPROOT is where pytest makes
# its temporary folders (https://docs.pytest.org/en/stable/reference/reference.html#environment-variables).
if folder := memory():
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", folder)

SERVERS: Final = (
    "dovecot-mdbox",
    "dovecot-maildir",
    "dovecot-poor",
    "pymap",
    *(["cyrus"] if cyrus.ROOT else []),
)
"""The real servers of the contract suite; Cyrus only where it has been unpacked (see `tests/servers/cyrus.py`)."""

POOR: Final = "IMAP4rev1 UIDPLUS CONDSTORE ENABLE ID NAMESPACE IDLE AUTH=PLAIN"
"""What a server announces that has neither QRESYNC, MOVE, ESEARCH, UNSELECT, LIST-STATUS nor LITERAL+."""

BELOW: Final = "namespace inbox {\n  separator = .\n  prefix = INBOX.\n}\n"
"""The personal namespace (RFC 2342) of such a server."""

_users = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Login:
    """A fresh user of a private server, without TLS."""

    server: str
    host: str
    port: int
    user: str
    password: str


@pytest.fixture(scope="session")
def dovecot_mdbox() -> Iterator[dovecot.Dovecot]:
    yield from _dovecot("mdbox", tls=True, lmtp=True)


@pytest.fixture(scope="session")
def dovecot_maildir() -> Iterator[dovecot.Dovecot]:
    yield from _dovecot("maildir", tls=False, lmtp=False)


@pytest.fixture(scope="session")
def dovecot_poor() -> Iterator[dovecot.Dovecot]:
    yield from _dovecot("mdbox", tls=False, lmtp=False, extra=f"imap_capability = {POOR}\n")


@pytest.fixture(scope="session")
def dovecot_below() -> Iterator[dovecot.Dovecot]:
    """Everything lies below the inbox, with dots between: as with Courier, and Cyrus without altnamespace."""
    yield from _dovecot("maildir", tls=False, lmtp=False, extra=BELOW)


@pytest.fixture(scope="session")
def pymap() -> Iterator[pymap_server.Pymap]:
    server = pymap_server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session", name="cyrus")
def running_cyrus() -> Iterator[cyrus.Cyrus]:
    server = cyrus.start()
    yield server
    server.stop()


@pytest.fixture
def login(request: pytest.FixtureRequest) -> Callable[[str], Login]:
    """Make a fresh user on the named server (one of `SERVERS`), starting it when it is the first."""

    def fresh(name: str) -> Login:
        user = f"u{next(_users)}-{os.getpid()}"
        server = request.getfixturevalue(name.replace("-", "_"))
        if isinstance(server, pymap_server.Pymap):
            server.add_user(user)
        return Login(name, server.host, server.port, user, server.password)

    return fresh


@pytest.fixture
def human_on() -> Iterator[Callable[[Login], ImapHuman]]:
    """Seat a person at a mail client for a login."""
    seated: list[ImapHuman] = []

    def sit(login: Login) -> ImapHuman:
        seated.append(ImapHuman(login.host, login.port, login.user, login.password))
        return seated[-1]

    yield sit
    for human in seated:
        human.close()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[postgres.Postgres]:
    if postgres.PROGRAMS is None:
        if os.environ.get("CI") == "true":
            pytest.fail("PostgreSQL is missing, and this is CI")
        pytest.skip("PostgreSQL is not installed")
    server = postgres.start()
    yield server
    server.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A place for a database, nothing in it yet: what the store promises, it promises on both."""
    if request.param == "sqlite":
        yield SqliteFile(tmp_path)
        return
    place = on_server(request.getfixturevalue("postgresql"))
    yield place
    place.drop()


@pytest.fixture
def on_postgresql(postgresql: postgres.Postgres) -> Iterator[OnServer]:
    """A database of its own on the server, with its tables; whoever stops the server need not start it again."""
    place = on_server(postgresql)
    place.make()
    yield place
    if postgresql.process is None:
        postgresql.start()
    place.drop()


def _dovecot(store: str, *, tls: bool, lmtp: bool, extra: str = "") -> Iterator[dovecot.Dovecot]:
    if dovecot.BINARY is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Dovecot is missing, and this is CI")
        pytest.skip("Dovecot is not installed")
    server = dovecot.start(store, tls=tls, lmtp=lmtp, extra=extra)
    yield server
    server.stop()
