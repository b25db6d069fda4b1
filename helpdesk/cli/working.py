"""Commands that change something: run, and what people ask for."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from helpdesk import app, asking, wiring
from helpdesk.cli import reports, screen, shell
from helpdesk.cli.carry import carry_out
from helpdesk.errors import UsageError


def run(
    once: Annotated[
        bool, typer.Option("--once", help="Run cycles until nothing is left to do, then end.")
    ] = False,
    as_json: shell.Json = False,
    now: shell.Now = None,
    config: shell.Config = None,
) -> None:
    """Keep the board: the daemon, or with --once the cycles that are due now.

    A run with --once never waits: what has to wait is listed as pending.  Exit code 1: something is held.  3: a server
    could not be reached; if that was the mail server, all else is done, and its mails wait in the outbox.
    """
    if not once:
        if now is not None or as_json:
            raise UsageError("--now and --json need --once: the daemon lives by the clock and tells its log")
        settings = shell.load(config)
        shell.finish(app.serve(settings))
        return
    settings = shell.load(config)
    report = app.run_once(settings, now, screen.progress)
    if as_json:
        screen.document(report.as_json())
    else:
        reports.show_report(report, settings, planned=settings.board.act == "observe")
    reports.finish(report, settings, fails=True)


def plan(as_json: shell.Json = False, now: shell.Now = None, config: shell.Config = None) -> None:
    """Show what `run --once` would do; nothing is changed anywhere, the board's own database included.

    With --now: what it would do at that time if nothing happened until then.  Exit code 1: something is held.
    """
    settings = shell.load(config)
    report = app.plan(settings, now, screen.progress)
    if as_json:
        screen.document(report.as_json())
    else:
        reports.show_report(report, settings, planned=True)
    shell.finish(shell.FAILED if report.held else shell.OK)


def undo(
    action: Annotated[
        str | None, typer.Argument(metavar="ACTION", help="An action's id, as in `helpdesk show THREAD`.")
    ] = None,
    thread: Annotated[
        str | None,
        typer.Option("--thread", metavar="THREAD", help="All that the bot did last to this thread."),
    ] = None,
    as_json: shell.Json = False,
    now: shell.Now = None,
    config: shell.Config = None,
) -> None:
    """Take back what the bot did; it counts as a human's touch, so the bot does not do it again.

    One action, or with --thread everything of the latest run that did anything to the thread; said again, the run
    before that.  A mail that has left cannot be taken back.
    """
    if (action is None) == (thread is None):
        raise UsageError("give either an ACTION or --thread THREAD")
    settings = shell.load(config)
    if thread is not None:
        carried = carry_out(
            settings, now, lambda conn, at: asking.undo_thread(conn, settings.board.name, thread, at)
        )
    else:
        carried = carry_out(settings, now, lambda conn, at: [asking.undo_action(conn, action or "", at)])
    undone = [
        {
            "id": one.action,
            "kind": one.kind,
            "thread": f"{settings.board.name}-{one.thread}",
            "what": one.what,
            "mail": one.mail,
        }
        for one in carried.asked
    ]
    if as_json:
        screen.document({"undone": undone, **reports.carried(carried.report)})
    else:
        screen.heading("Taken back")
        rows = [(u.thread, u.kind, u.what, u.action) for u in carried.asked]
        screen.table(("thread", "action", "what", "id"), rows)
        screen.say()
        reports.show_carried(carried.report, settings)
    reports.finish(carried.report, settings)


def resume(
    as_json: shell.Json = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask at a terminal.")] = False,
    now: shell.Now = None,
    config: shell.Config = None,
) -> None:
    """Approve what a brake holds: it is shown first, then done.

    `helpdesk plan` shows the actions behind it.  Mails that wait for a person are the matter of `helpdesk outbox`.
    """
    settings = shell.load(config)
    with shell.reading(settings) as conn:
        held = asking.held(conn)
    if not as_json:
        reports.show_held(held)
        if held and not yes and screen.interactive() and not typer.confirm("Approve?"):
            return
    if not held:
        if as_json:
            screen.document({"approved": [], "when": "now", "run": None})
        else:
            screen.say("Nothing is held.")
        return
    carried = carry_out(settings, now, asking.resume)
    if as_json:
        approved = [{"what": h.what, "why": h.why} for h in carried.asked]
        screen.document({"approved": approved, **reports.carried(carried.report)})
    else:
        screen.say()
        reports.show_carried(carried.report, settings)
    reports.finish(carried.report, settings)


def release(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="What was released: a destination or component.")
    ],
    version: Annotated[str, typer.Argument(metavar="VERSION", help="Its version.")],
    as_json: shell.Json = False,
    now: shell.Now = None,
    config: shell.Config = None,
) -> None:
    """Say that a release is out: users of its FIXED threads are asked once to verify, and FIXED becomes WAITING.

    It counts for what was FIXED before it was said; threads that stay FIXED are listed.
    """
    settings = shell.load(config)
    carried = carry_out(settings, now, lambda conn, at: asking.release(conn, settings, name, version, at))
    with shell.reading(settings) as conn:
        asked = (wiring.dialect(settings), wiring.policy(settings), settings.board.name, carried.asked)
        others = asking.not_asked(conn, *asked) if carried.report else []
    if as_json:
        said = {"name": carried.asked.name, "version": carried.asked.version, "known": carried.asked.known}
        screen.document({**said, **reports.carried(carried.report), **_not_asked(others)})
        reports.finish(carried.report, settings)
        return
    if not carried.asked.known:
        screen.complain(f"No destination, component or label is called {name}: no thread belongs to it.")
    reports.show_carried(carried.report, settings)
    if others:
        short = shell.short_names(settings, [one.thread for one in others])
        screen.heading("Still FIXED: not asked")
        screen.table(("thread", "why"), [(short(one.thread), one.why) for one in others])
    reports.finish(carried.report, settings)


def _not_asked(others: Sequence[asking.NotAsked]) -> Mapping[str, Any]:
    return {
        "others": [one.thread for one in others],
        "not_asked": [{"thread": one.thread, "why": one.why} for one in others],
    }
