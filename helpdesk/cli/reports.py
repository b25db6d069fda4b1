"""A run, a plan or a request, for people."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from helpdesk.cli import screen, shell
from helpdesk.cli.carry import NEXT_CYCLE
from helpdesk.connecting import advice
from helpdesk.remedies import remedies
from helpdesk.report import Done, Hold, Report, utc
from helpdesk.settings import Settings

Short = Callable[[str], str]


def when(moment: datetime | str | None) -> str:
    """A time to the minute, in UTC."""
    if moment is None:
        return ""
    text = moment if isinstance(moment, str) else utc(moment)
    return text[:16].replace("T", " ")


def show_report(report: Report, settings: Settings, *, planned: bool) -> None:
    """What was seen, done (or would be), what waits, what is held."""
    seen = report.observed
    if any(seen.values()) or not report.held:
        screen.say(
            f"{when(report.now)} UTC: {seen['messages']} messages; {seen['new']} new,"
            f" {seen['changed']} changed, {seen['gone']} gone"
        )
        short = shell.short_names(settings, _named(report))
        _show_actions(report.actions, short, "Would be done" if planned else "Done")
        if report.pending:
            screen.heading("Pending, if nothing happens before")
            rows = [(short(p.thread), p.rule, when(p.due)) for p in report.pending]
            screen.table(("thread", "rule", "due (UTC)"), rows)
        if report.notes:
            screen.heading("Yours to settle or to know")
            screen.table(("thread", "what"), [(short(n.thread), n.note) for n in report.notes])
    show_held(report.held)


def _named(report: Report) -> Iterable[str]:
    yield from (action.thread for action in report.actions)
    yield from (later.thread for later in report.pending)
    yield from (note.thread for note in report.notes)


def _show_actions(actions: Sequence[Done], short: Short, title: str) -> None:
    screen.heading(title)
    if not actions:
        screen.say("nothing")
        return
    rows = [(short(a.thread), a.kind, a.what, f"{a.rule}: {a.reason}", a.id) for a in actions]
    screen.table(("thread", "action", "what", "why", "id"), rows)


def show_held(held: Sequence[Hold]) -> None:
    """What is kept back, and what to do about it."""
    if not held:
        return
    screen.heading("Held")
    screen.table(("what", "why"), [(h.what, h.why) for h in held])
    for remedy in remedies(held):
        screen.say(remedy)


def finish(report: Report | None, settings: Settings, *, fails: bool = False) -> None:
    """End with the exit code of a run: 1 if something is held (where that `fails`), 3 if a mail reached no server."""
    if report is None:
        return
    if report.unreached:
        count, error = len(report.unreached), report.unreached[-1]
        waits = "1 mail waits" if count == 1 else f"{count} mails wait"
        screen.complain(f"{error}\n{waits} in the outbox, and a later run sends what is due then")
        screen.complain(f"-> {advice(error, 'smtp', settings.smtp.security)}")
    held = fails and bool(report.held)
    shell.finish(shell.FAILED if held else shell.UNREACHABLE if report.unreached else shell.OK)


def carried(report: Report | None) -> Mapping[str, Any]:
    """The part of a request's JSON that says when it is done."""
    return {"when": "next_cycle" if report is None else "now", "run": report and report.as_json()}


def show_carried(report: Report | None, settings: Settings) -> None:
    """When it is done, and what the run did."""
    if report is None:
        screen.say(NEXT_CYCLE)
    else:
        show_report(report, settings, planned=settings.board.act == "observe")
