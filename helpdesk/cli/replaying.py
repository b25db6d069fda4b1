"""`helpdesk replay`: what the board would have made of an archive."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from helpdesk import app, secrets, wiring
from helpdesk.cli import replay_screen, screen
from helpdesk.replay import terms
from helpdesk.replay.archive import open_archive
from helpdesk.replay.document import document
from helpdesk.replay.run import replay as play
from helpdesk.replay.terms import Terms
from helpdesk.settings import Settings
from helpdesk.wiring import context, folder_settings

_WORDS = {"read": "reading", "thread": "threading", "play": "playing"}


def _given(ctx: typer.Context, given: Path | None) -> Path | None:
    """The command's own --config, else the one before the command's name; None: no configuration."""
    outer = ctx.parent
    while given is None and outer is not None:
        given, outer = outer.params.get("config"), outer.parent
    return given


def replay(
    archive: Annotated[
        Path,
        typer.Argument(
            metavar="ARCHIVE", help="An mbox (also packed by gzip, bzip2 or xz), a Maildir, or - for stdin."
        ),
    ],
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print one JSON document, and nothing else, on stdout (docs/replay.md)."),
    ] = False,
    waiting: Annotated[
        bool,
        typer.Option(
            "--waiting/--no-waiting",
            help="Assume that who answers for the team sets WAITING, or that nobody does.",
        ),
    ] = True,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "-c",
            metavar="FILE",
            show_default="none",
            help="A board's configuration: its people, lists, destinations, rules and policy count.",
            callback=_given,
        ),
    ] = None,
) -> None:
    """Play an archive of mail through threading and rules, in its own time; nothing is changed or sent anywhere.

    It tells how long users waited, what would have been closed, reopened and mailed, what is automatic, and what cannot
    be read.  Without a configuration the first person of a thread is its user and everybody else is the team.
    """
    settings = None if config is None else app.load(config)
    assumed = _terms(settings, waiting=waiting)
    folders = None if settings is None else folder_settings(settings)
    with ExitStack() as closing:
        source = open_archive(archive, folders, closing)
        waits = closing.enter_context(_Watch())
        found = play(source, assumed, app.clock(), waits)
        seconds = waits.seconds()
    told = document(found, assumed, str(archive), seconds)
    if as_json:
        screen.document(told)
    else:
        replay_screen.show(told)


def _terms(settings: Settings | None, *, waiting: bool) -> Terms:
    if settings is None:
        return terms.assumed(waiting=waiting)
    policy = wiring.policy(settings)
    secret = b""
    if settings.secret_path is not None:
        secret = secrets.board_secret(settings, create=False).get_secret_value()
    board = context(settings, policy, wiring.dialect(settings), secret)
    return terms.configured(settings, policy, board, waiting=waiting)


class _Watch:
    """A progress bar for whoever waits at a terminal, and a stop-watch."""

    def __init__(self) -> None:
        self._began: list[tuple[str, float]] = []
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_why: object) -> None:
        self._bar.stop()

    def stage(self, name: str, total: int) -> None:
        """A part of the work begins."""
        self._began.append((name, app.steady()))
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(_WORDS[name], total=total or None)

    def at(self, done: int) -> None:
        """So much of it is done."""
        if self._task is not None:
            self._bar.update(self._task, completed=done)

    def seconds(self) -> dict[str, float]:
        """How long each stage took, up to now."""
        ends = [*(at for _, at in self._began[1:]), app.steady()]
        return {name: end - at for (name, at), end in zip(self._began, ends, strict=True)}
