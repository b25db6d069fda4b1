"""`helpdesk outbox`: the board's own mails that wait, or wait for a person."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from helpdesk import asking
from helpdesk.cli import reports, screen, shell
from helpdesk.cli.carry import carry_out
from helpdesk.outbox import OutboxRow, State
from helpdesk.report import utc
from helpdesk.store import outbox as rows

Mail = Annotated[int, typer.Argument(metavar="MAIL", help="A mail's number, as in `helpdesk outbox list`.")]
WAITING = (State.PLANNED, State.SENDING, State.UNKNOWN, State.HELD, State.FAILED)

outbox = typer.Typer(cls=shell.Shell, no_args_is_help=True, help="The board's own mails: list, retry, drop.")


@outbox.callback()
def _before(config: shell.BoardConfig = None) -> None:
    """The board's own mails: those that wait, and those that wait for a person."""


def mail_document(row: OutboxRow) -> Mapping[str, Any]:
    """A row of the outbox, as docs/json.md says."""
    return {
        "id": row.id,
        "message_id": row.message_id,
        "thread": row.thread or None,
        "rule": row.rule,
        "occasion": row.occasion,
        "kind": row.kind,
        "recipients": list(row.recipients),
        "planned_at": utc(row.planned_at),
        "state": row.state.value,
        "attempts": row.attempts,
        "next_try_at": row.next_try_at and utc(row.next_try_at),
        "answer": row.last_answer,
    }


@outbox.command("list", epilog="Example: helpdesk outbox list --all --json")
def list_mails(
    everything: Annotated[bool, typer.Option("--all", help="Also what was sent, proven or dropped.")] = False,
    as_json: shell.Json = False,
    config: shell.Config = None,
) -> None:
    """List the mails that have not left, with the server's last answer; `held` and `failed` wait for a person."""
    settings = shell.load(config)
    with shell.reading(settings) as conn:
        found = rows.rows(conn, State if everything else WAITING)
    if as_json:
        screen.document([mail_document(row) for row in found])
    elif not found:
        screen.say("No mail waits.")
    else:
        short = shell.short_names(settings, [row.thread for row in found])
        screen.table(
            ("mail", "state", "thread", "rule", "to", "planned (UTC)", "answer"),
            [
                (
                    str(row.id),
                    row.state.value,
                    short(row.thread),
                    row.rule,
                    ", ".join(row.recipients),
                    reports.when(row.planned_at),
                    row.last_answer,
                )
                for row in found
            ],
            fixed=2,
        )


@outbox.command("retry", epilog="Example: helpdesk outbox retry 12")
def retry_mail(
    mail: Mail, as_json: shell.Json = False, now: shell.Now = None, config: shell.Config = None
) -> None:
    """Send a mail again that is held or failed: the same mail under the same Message-ID."""
    settings = shell.load(config)
    carried = carry_out(settings, now, lambda conn, at: asking.retry(conn, mail, at))
    if as_json:
        screen.document({"mail": mail_document(carried.asked), **reports.carried(carried.report)})
    else:
        screen.say(f"Mail {mail} is planned again.")
        reports.show_carried(carried.report, settings)


@outbox.command("drop", epilog="Example: helpdesk outbox drop 12")
def drop_mail(
    mail: Mail, as_json: shell.Json = False, now: shell.Now = None, config: shell.Config = None
) -> None:
    """Decide against a mail: it is not sent, and nothing plans it again."""
    settings = shell.load(config)
    carried = carry_out(settings, now, lambda conn, _at: asking.drop(conn, mail))
    if as_json:
        screen.document({"mail": mail_document(carried.asked), **reports.carried(carried.report)})
    else:
        screen.say(f"Mail {mail} is dropped.")
        reports.show_carried(carried.report, settings)
