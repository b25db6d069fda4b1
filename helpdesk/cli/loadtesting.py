"""`helpdesk loadtest`: how much a site does, on demand."""

import asyncio
import getpass
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection, Engine

from helpdesk import app
from helpdesk.cli import screen, shell
from helpdesk.cli.loadtest_run import Watching, follow, run_here
from helpdesk.cli.reports import when
from helpdesk.errors import HeldError, UsageError
from helpdesk.render import templates
from helpdesk.report import utc
from helpdesk.robots import kitchen, loadreport
from helpdesk.robots.load import document, telling
from helpdesk.robots.load.asking import Wish, asked, choose, per_hour_of, steps_of
from helpdesk.robots.load.telling import Told
from helpdesk.robots.load.values import LoadTest, State
from helpdesk.robots.schedule import Lane
from helpdesk.settings import Settings
from helpdesk.store import load_tests, requests

loadtest = typer.Typer(
    cls=shell.Shell,
    no_args_is_help=True,
    help="Load tests: how many events a second a site does, and at how many jobs at once it does no more.",
)
Begin = Callable[[Connection], LoadTest]
Test = Annotated[
    str | None, typer.Argument(metavar="ID", help="A test, or how its id begins. Default: the newest.")
]


@loadtest.callback()
def _before(config: shell.BoardConfig = None) -> None:
    """How much a site does."""


def run(  # noqa: PLR0913, PLR0917 -- each is an option of the command
    site: Annotated[str | None, typer.Argument(metavar="SITE", help="The name of a [[site]].")] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", min=1, max=100_000, help="At most so many jobs. Default: what the figures need."
        ),
    ] = None,
    concurrency: Annotated[
        int | None,
        typer.Option(
            "--concurrency", min=1, max=100_000, metavar="N", help="Keep N jobs there, all the time."
        ),
    ] = None,
    ramp: Annotated[
        str | None,
        typer.Option("--ramp", metavar="1,2,4", help="Steps of that: finds the knee. Default: 1,2,4,8."),
    ] = None,
    rate: Annotated[
        str | None,
        typer.Option(
            "--rate", metavar="60/h", help="Send jobs by the clock, whatever the site does: 60/h, 2/min, 1/s."
        ),
    ] = None,
    even: Annotated[
        bool, typer.Option("--even", help="With --rate: one distance, not by chance (Poisson).")
    ] = False,
    hours: Annotated[float, typer.Option("--hours", min=0.01, max=168, help="It ends after so long.")] = 4.0,
    template: Annotated[str | None, typer.Option("--template", help="The kind of job.")] = None,
    experiment: Annotated[str | None, typer.Option("--experiment", help="Only its queue.")] = None,
    queue: Annotated[str | None, typer.Option("--queue", help="Only this queue.")] = None,
    resume: Annotated[
        str | None, typer.Option("--resume", metavar="ID", help="Go on with a test that was cut short.")
    ] = None,
    as_json: shell.Json = False,
    config: shell.Config = None,
) -> None:
    """Test a site under load, and show what it did; Ctrl-C stops the test, cancels its jobs, and reports on what was.

    Where a daemon runs on the board, that one does it, and this command looks on.
    """
    settings = shell.load(config)
    wish = Wish(
        jobs,
        concurrency,
        None if ramp is None else steps_of(ramp),
        None if rate is None else per_hour_of(rate),
        even,
        hours,
    )
    if (site is None) == (resume is None):
        raise UsageError("name a SITE, or a test to go on with (--resume ID)")

    def begin(conn: Connection) -> LoadTest:
        return (
            _found(conn, resume)
            if site is None
            else _ask(settings, conn, (site, template, experiment, queue), wish)
        )

    told = _until_ended(settings, begin, quiet=as_json)
    _show(settings, told, as_json=as_json)
    shell.finish(shell.OK if told.figures.succeeded else shell.FAILED)


def stop(test: Test = None, as_json: shell.Json = False, config: shell.Config = None) -> None:
    """Stop a test: nothing more is sent, its jobs are cancelled, and it is reported on what was."""
    settings = shell.load(config)

    def begin(conn: Connection) -> LoadTest:
        found = _found(conn, test)
        if found.state is State.ENDED:
            raise UsageError(f"{found.id} has ended: {found.reason}")
        load_tests.stop(conn, found.id, _who())
        requests.ring(conn)
        return found

    _show(settings, _until_ended(settings, begin, quiet=as_json), as_json=as_json)


def listing(
    site: Annotated[str | None, typer.Option("--site", help="Only this site.")] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="The newest so many.")] = 20,
    as_json: shell.Json = False,
    config: shell.Config = None,
) -> None:
    """List load tests, the newest first."""
    settings = shell.load(config)
    with shell.reading(settings) as conn:
        found = load_tests.read(conn, site=site, most=most)
    if as_json:
        screen.document([document.heading(one) for one in found])
        return
    screen.table(
        ("test", "site", "asked (UTC)", "state", "what", "by"),
        [
            (
                one.id,
                one.lane.site,
                when(utc(one.asked)),
                one.state.value,
                f"{one.shape.words}, {one.template}" + (f": {one.reason}" if one.reason else ""),
                one.by,
            )
            for one in found
        ],
        fixed=3,
    )


def report(
    test: Test = None,
    text: Annotated[bool, typer.Option("--text", help="Print it (which is what happens anyway).")] = False,  # noqa: ARG001 - it is the contract's, and the default
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write it as a page.")] = None,
    as_json: shell.Json = False,
    config: shell.Config = None,
) -> None:
    """Report on a test, from its records: events/s first, and what limits the figures last."""
    settings = shell.load(config)
    with shell.reading(settings) as conn:
        told = loadreport.told(conn, _found(conn, test))
    if html is not None:
        mail = telling.report(told)
        words = templates(settings.board.templates).words(mail, settings.board.name, settings.smtp.sender)
        html.write_text(words.html, encoding="utf-8")
    if html is None or as_json:
        _show(settings, told, as_json=as_json)


def _show(settings: Settings, told: Told, *, as_json: bool) -> None:
    if as_json:
        screen.document(document.document(told))
        return
    words = templates(settings.board.templates).words(
        telling.report(told), settings.board.name, settings.smtp.sender
    )
    screen.block(f"{words.subject}\n\n{words.text}")


def _found(conn: Connection, test: str | None) -> LoadTest:
    newest = load_tests.read(conn, most=1)
    found = load_tests.find(conn, test) if test is not None else newest[0] if newest else None
    if found is None:
        raise UsageError(
            "no load test so far" if test is None else f"no load test {test!r}: `helpdesk loadtest list`"
        )
    return found


def _ask(
    settings: Settings, conn: Connection, wanted: tuple[str, str | None, str | None, str | None], wish: Wish
) -> LoadTest:
    """Enter the test that is meant."""
    versions = {one.name: (one.experiment, kitchen.version(one)) for one in settings.template}
    places: list[tuple[Lane, str]] = [
        (lane, name)
        for lane in kitchen.lanes(settings)
        for name, (experiment, _) in versions.items()
        if experiment == lane.experiment
    ]
    place = choose(places, *wanted)
    test = asked(place, versions[place[1]][1], wish, _who(), app.clock())
    load_tests.ask(conn, test)
    requests.ring(conn)
    return test


def _until_ended(settings: Settings, begin: Begin, *, quiet: bool) -> Told:
    """Carry a test out here, or look on while a daemon does; then what it found."""
    known: LoadTest | None = None
    while True:
        start = begin if known is None else partial(_again, known)
        try:
            with app.opened(settings, writing=True) as engine:
                test = _begun(engine, start)
                asyncio.run(run_here(settings, Watching(engine, test.id, _who(), quiet=quiet)))
                return _told(engine, test)
        except HeldError:
            pass
        with app.opened(settings, writing=False) as engine:
            test = _begun(engine, start)
            if known is None:
                screen.complain(
                    "A helpdesk runs on this board: it carries the test out, this command looks on."
                )
            known = test
            if asyncio.run(follow(Watching(engine, test.id, _who(), quiet=quiet))):
                return _told(engine, test)


def _again(test: LoadTest, conn: Connection) -> LoadTest:
    """The test that is entered already, after nobody looked at it for a while."""
    return load_tests.find(conn, test.id) or test


def _begun(engine: Engine, begin: Begin) -> LoadTest:
    with engine.begin() as conn:
        return begin(conn)


def _told(engine: Engine, test: LoadTest) -> Told:
    with engine.connect() as conn:
        return loadreport.told(conn, load_tests.find(conn, test.id) or test)


def _who() -> str:
    """Whoever may run commands here is of the team."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container whose user has no name
        return "the operator"
