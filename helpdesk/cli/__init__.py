"""The commands: each is thin, and says in `--help` what it is good for.

`shell` holds what they share (options, exit codes, errors), `screen` prints, `carry` has requests carried out.
"""

import sys
from importlib.metadata import PackageNotFoundError, version
from io import TextIOWrapper
from typing import Annotated

import typer

from helpdesk.cli import (
    explaining,
    importing,
    loadtesting,
    looking,
    overviews,
    pinning,
    robotics,
    robots_run,
    robots_states,
    setting_up,
    shell,
    site_building,
    site_reports,
    working,
)
from helpdesk.cli.database import database
from helpdesk.cli.demo import demo
from helpdesk.cli.digesting import digest
from helpdesk.cli.evaluating import evaluate
from helpdesk.cli.loadtesting import loadtest
from helpdesk.cli.mailing import outbox
from helpdesk.cli.replaying import replay
from helpdesk.cli.robotics import robots
from helpdesk.cli.shell import CARE, EVERY_DAY, LOOK, ROBOTS, SETUP
from helpdesk.cli.shifting import shifts

commands = typer.Typer(
    cls=shell.Shell,
    name="helpdesk",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 fine, 1 a check failed or something is held, 2 wrong usage or configuration, 3 a server could"
    " not be reached.",
)


def _version(asked: bool) -> None:
    if asked:
        try:
            found = version("helpdesk")
        except PackageNotFoundError:
            found = "from a folder, not installed"
        typer.echo(f"helpdesk {found}")
        raise typer.Exit


@commands.callback()
def _helpdesk(
    config: shell.BoardConfig = None,
    _told: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Your support list's mailbox becomes the board: no ticket system, no new client.

    A first look: helpdesk init, helpdesk check, helpdesk plan.  The mailbox is the truth; whatever a human does in a
    mail client wins.
    """


_DEMO = "Example: helpdesk demo --pace 2"
_INIT = "Example: helpdesk init --name dast --list-address dast@lists.example.org --host imap.example.org"
_REPLAY = "Example: helpdesk replay list.mbox.gz --json | jq .first_answer"
_RUN = "Example: helpdesk run --once --json | jq .actions"
_PLAN = "Example: helpdesk plan --now 2026-06-16T08:00Z"
_THREADS = "Example: helpdesk threads --attention"
_SHOW = "Example: helpdesk show 7kq2m"
_UNDO = "Example: helpdesk undo 3f9a1c --- or: helpdesk undo --thread 7kq2m"
_SHIFTS = "Example: helpdesk shifts --month 2026-06 --zone America/Chicago"
_DIGEST = "Example: helpdesk digest --html digest.html"
_CLIENTS = "Example: helpdesk clients neomutt > board.muttrc"
_RULES = "Example: helpdesk explain-rules mail.eml"
_PIN = 'Example: helpdesk robots pin DESY-HH out --until "18 Jun" --why "new storage"'
_IMPORT = "Example: helpdesk robots import sam.jsonl --campaign sam --weight 0.5"
_EVALUATE = "Example: helpdesk robots evaluate --world rough --seeds 101,102 --days 20"
_REPORT = "Example: helpdesk report site DESY-HH --week 24"
_RELEASE = "Example: helpdesk release Ganga 5.2.1"

commands.command("demo", rich_help_panel=SETUP, epilog=_DEMO)(demo)
commands.command("replay", rich_help_panel=SETUP, epilog=_REPLAY)(replay)
commands.command("init", rich_help_panel=SETUP, epilog=_INIT)(setting_up.init)
commands.command("check", rich_help_panel=SETUP, epilog="Example: helpdesk check --probe")(setting_up.check)
commands.command("clients", rich_help_panel=SETUP, epilog=_CLIENTS)(looking.clients)
commands.command("run", rich_help_panel=EVERY_DAY, epilog=_RUN)(working.run)
commands.command("plan", rich_help_panel=EVERY_DAY, epilog=_PLAN)(working.plan)
commands.command("undo", rich_help_panel=EVERY_DAY, epilog=_UNDO)(working.undo)
commands.command("release", rich_help_panel=EVERY_DAY, epilog=_RELEASE)(working.release)
commands.command("resume", rich_help_panel=EVERY_DAY, epilog="Example: helpdesk plan; helpdesk resume")(
    working.resume
)
commands.command("threads", rich_help_panel=LOOK, epilog=_THREADS)(looking.threads)
commands.command("show", rich_help_panel=LOOK, epilog=_SHOW)(looking.show)
commands.command("shifts", rich_help_panel=LOOK, epilog=_SHIFTS)(shifts)
commands.command("digest", rich_help_panel=LOOK, epilog=_DIGEST)(digest)
commands.command("labels", rich_help_panel=LOOK, epilog="Example: helpdesk labels")(looking.labels)
commands.command("explain-rules", rich_help_panel=LOOK, epilog=_RULES)(explaining.explain_rules)
commands.command("ledger", rich_help_panel=CARE, epilog="Example: helpdesk ledger && echo fine")(
    explaining.ledger_command
)
robots.command("data", epilog="Example: helpdesk robots data zmumu --events 1000000 --to data/zmumu.root")(
    robotics.make_data
)
robots.command("run", epilog="Example: helpdesk robots run --site DESY-HH --template dimuon --count 3")(
    robots_run.run_jobs
)
robots.command("status", epilog="Example: helpdesk robots status --json | jq .sites")(robots_states.status)
robots.command("verdicts", epilog="Example: helpdesk robots verdicts DESY-HH")(robots_states.show_verdicts)
robots.command("records", epilog="Example: helpdesk robots records --site DESY-HH --since 2026-06-08")(
    robotics.show_records
)
robots.command("export", epilog="Example: helpdesk robots export records.parquet --since 2026-06-01")(
    robotics.export
)
robots.command("import", epilog=_IMPORT)(importing.import_records)
robots.command("evaluate", epilog=_EVALUATE)(evaluate)
robots.command("pin", epilog=_PIN)(pinning.pin)
robots.command("unpin", epilog="Example: helpdesk robots unpin DESY-HH")(pinning.unpin)
site_reports.report.command("site", epilog=_REPORT)(site_reports.site)
commands.add_typer(robots, name="robots", rich_help_panel=ROBOTS)
site_reports.report.command("overview", epilog="Example: helpdesk report overview --week 24")(overviews.show)
commands.add_typer(site_reports.report, name="report", rich_help_panel=ROBOTS)
loadtest.command("run", epilog="Example: helpdesk loadtest run DESY-HH --ramp 1,2,4,8 --template dimuon")(
    loadtesting.run
)
loadtest.command("list", epilog="Example: helpdesk loadtest list --site DESY-HH")(loadtesting.listing)
loadtest.command("report", epilog="Example: helpdesk loadtest report --html report.html")(loadtesting.report)
loadtest.command("stop", epilog="Example: helpdesk loadtest stop lt7kq2mx3a")(loadtesting.stop)
commands.add_typer(loadtest, name="loadtest", rich_help_panel=ROBOTS)
site_building.site.command("build", epilog="Example: helpdesk site build /var/www/sites")(site_building.build)
commands.add_typer(site_building.site, name="site", rich_help_panel=ROBOTS)
commands.add_typer(outbox, name="outbox", rich_help_panel=CARE)
commands.add_typer(database, name="db", rich_help_panel=CARE)


def main() -> None:
    """The program `helpdesk`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without UTF-8 gets question marks, no traceback
    commands()
