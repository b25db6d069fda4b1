"""What every command shares: its options, its exit codes, and how an error becomes a sentence."""

import errno
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from typer.core import TyperGroup

from helpdesk import app, doors
from helpdesk.cli import screen
from helpdesk.errors import HelpdeskError, UsageError
from helpdesk.settings import Settings
from helpdesk.store import db, migrations, names
from helpdesk.store.complaints import complaint

DEFAULT_CONFIG = Path("helpdesk.toml")
OK, FAILED, USAGE, UNREACHABLE, INTERRUPTED = 0, 1, 2, 3, 130

SETUP, EVERY_DAY, LOOK, ROBOTS, CARE = "Set up", "Every day", "Look", "Robots", "Care"
"""The panels of `helpdesk --help`, in their order."""


class Shell(TyperGroup):
    """The group of all commands: whatever is expected to go wrong is a sentence on stderr and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except typer.Abort:  # Ctrl-C, or the end of the input, at a question
            raise typer.Exit(INTERRUPTED) from None
        except HelpdeskError as error:
            code, words = error.exit_code, f"{error}\n-> {error.todo}" if error.todo else str(error)
        except DBAPIError as error:
            code = USAGE if isinstance(error.orig, sqlite3.Error) else UNREACHABLE
            words = f"the database: {error.orig}"
        except sqlite3.Error as error:  # a copy of a file
            found = complaint(error, "the file or its copy") or UsageError(f"the database: {error}")
            code, words = found.exit_code, str(found)
        except OSError as error:
            if error.errno == errno.EPIPE:  # `helpdesk threads | head` is no error
                raise
            code = UNREACHABLE if error.errno in _PASSING else USAGE
            words = f"{error.filename or 'helpdesk'}: {error.strerror or error}"
        screen.complain(words)
        raise typer.Exit(code)


_PASSING = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ENFILE, errno.ENOMEM}
    | {
        errno.ESTALE,
        errno.ENODEV,
        errno.ENXIO,
        errno.ENOTCONN,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.ETIMEDOUT,
    }
)
"""Trying later may help: systemd tries again, which it never does after exit code 2.  The second row is of file servers."""


def _chosen(ctx: typer.Context, given: Path | None) -> Path:
    """The command's own --config, else the one before the command's name."""
    outer = ctx.parent
    while given is None and outer is not None:
        given, outer = outer.params.get("config"), outer.parent
    return given or DEFAULT_CONFIG


def moment(text: str) -> datetime:
    """Read an ISO 8601 time; one without a zone is UTC."""
    try:
        found = datetime.fromisoformat(text.strip())
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"{text!r} is no ISO 8601 time; for example 2026-06-09T14:00Z") from None


_CONFIG_HELP = "The board's configuration."
_JSON_HELP = "Print one JSON document, and nothing else, on stdout (docs/json.md)."
_NOW_HELP = (
    "Act as if it were this time: ISO 8601, UTC without a zone. Marks an empty database as simulated for good"
    " (plan and check mark nothing)."
)

BoardConfig = Annotated[
    Path | None,
    typer.Option("--config", "-c", metavar="FILE", show_default=str(DEFAULT_CONFIG), help=_CONFIG_HELP),
]
"""The option before a command's name."""

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        show_default=str(DEFAULT_CONFIG),
        help=_CONFIG_HELP,
        callback=_chosen,
    ),
]
Json = Annotated[bool, typer.Option("--json", help=_JSON_HELP)]
Now = Annotated[datetime | None, typer.Option("--now", metavar="TIME", parser=moment, help=_NOW_HELP)]


def load(config: Path | None) -> Settings:
    """The settings; ConfigError says every problem at once."""
    return app.load(config or DEFAULT_CONFIG)


@contextmanager
def reading(settings: Settings) -> Iterator[Connection]:
    """The database, for a command that only looks: no lock, nothing is made, and one state of it is seen."""
    with app.opened(settings, writing=False) as engine, db.reading(engine) as conn:
        yield conn


def short_names(settings: Settings, ids: Iterable[str]) -> Callable[[str], str]:
    """How people call these threads: by the shortest beginning that is unique (the board's name is left out)."""
    prefix = f"{settings.board.name}-"
    known: dict[str, str] = {}
    if not migrations.check(doors.database(settings)):
        with reading(settings) as conn:
            known = {one: names.short(conn, one.removeprefix(prefix)) for one in set(ids) if one}
    return lambda one: known.get(one, one.removeprefix(prefix))


def finish(code: int) -> None:
    """End with an exit code."""
    if code:
        sys.stdout.flush()
        raise typer.Exit(code)
