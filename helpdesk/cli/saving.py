"""`helpdesk db backup` and `helpdesk db restore`."""

from pathlib import Path
from typing import Annotated

import typer

from helpdesk import app
from helpdesk.cli import screen, shell
from helpdesk.errors import UsageError
from helpdesk.settings import Settings
from helpdesk.store import backup as store

Target = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", help="A new file, or a folder: then the board's name and the time make one."
    ),
]
Source = Annotated[Path, typer.Argument(metavar="FILE", help="What `helpdesk db backup` wrote.")]

_NEXT = """\
Mails are held until you say `helpdesk resume`.  Before that, look whether any of them had left already:

  helpdesk outbox list    the mails that this database knows of; `helpdesk outbox drop ID` forgets one
  helpdesk plan           the threads about which a mail is due (pending)
"""


def backup(
    target: Target,
    keep: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Of the board's backups in that folder keep the newest N; none goes unless this one was made.",
        ),
    ] = None,
    as_json: shell.Json = False,
    config: shell.Config = None,
) -> None:
    """Save the database and the board's secret, while the daemon runs: FILE, and beside it FILE's name with .secret."""
    settings = shell.load(config)
    place, board = _place(settings), settings.board.name
    if target.is_dir():
        target /= store.name_of(board, app.clock())
    elif keep is not None:
        raise UsageError(f"--keep goes with a folder, and {target} is none")
    made = [str(path) for path in store.back_up(place, target)]
    removed = [] if keep is None else [str(path) for path in store.thin(target, board, keep)]
    if as_json:
        screen.document({"files": made, "removed": removed})
    else:
        for path in made:
            screen.say(path)
        for path in removed:
            screen.say(f"removed: {path}")


def restore(source: Source, as_json: shell.Json = False, config: shell.Config = None) -> None:
    """Put a backup in the place of the database; stop the daemon first.  Mails are held until `helpdesk resume`.

    What is there now is saved beside the database.
    """
    kept = [str(path) for path in store.restore(_place(shell.load(config)), source, app.clock())]
    if as_json:
        screen.document({"kept": kept, "held": ["mails"]})
        return
    for path in kept:
        screen.say(f"what was there before: {path}")
    screen.block(_NEXT)


def _place(settings: Settings) -> store.Place:
    """A database on a server is saved by the server's own tools, with the secret."""
    file, secret = settings.store.file, settings.secret_path
    if file is None or secret is None:
        raise UsageError(
            "only a database in a SQLite file is saved by this command; for PostgreSQL see pg_dump and pg_restore,"
            f" and save {secret or 'the secret_file'} with it"
        )
    return store.Place(file, secret)
