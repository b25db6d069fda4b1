"""`helpdesk db`: the database's tables."""

import typer

from helpdesk import doors
from helpdesk.cli import saving, screen, shell
from helpdesk.store import migrations
from helpdesk.store.lock import instance_lock

database = typer.Typer(
    cls=shell.Shell, no_args_is_help=True, help="The database: upgrade, check, backup, restore."
)


@database.callback()
def _before(config: shell.BoardConfig = None) -> None:
    """The tables of the board's database; what they hold can be lost and costs clocks, never mail."""


@database.command("upgrade", epilog="Example: helpdesk db upgrade")
def upgrade(as_json: shell.Json = False, config: shell.Config = None) -> None:
    """Make the tables, or bring them up to date; stop the daemon first.  `run` does it by itself."""
    where = doors.database(shell.load(config))
    before = list(migrations.check(where))
    with instance_lock(where):
        migrations.upgrade(where)
    if as_json:
        screen.document({"changed": bool(before), "was": before})
    else:
        screen.say("The database was brought up to date." if before else "The database is up to date.")


@database.command("check", epilog="Example: helpdesk db check && echo fine")
def check(as_json: shell.Json = False, config: shell.Config = None) -> None:
    """Say what is wrong with the tables, changing nothing.  Exit code 1: something is."""
    problems = list(migrations.check(doors.database(shell.load(config))))
    if as_json:
        screen.document({"ok": not problems, "problems": problems})
    else:
        for problem in problems or ["The database is up to date."]:
            screen.say(problem)
    shell.finish(shell.FAILED if problems else shell.OK)


database.command("backup", epilog="Example: helpdesk db backup /var/backups/helpdesk")(saving.backup)
database.command("restore", epilog="Example: helpdesk db restore dast-20260609T140000Z.db")(saving.restore)
