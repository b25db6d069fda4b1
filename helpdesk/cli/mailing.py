"""`helpdesk outbox`: the board's own mails that wait, or wait for a person."""

from collections.abc import Mapping
from email.parser import BytesParser
from email.policy import default
from typing import Annotated, Any

import typer

from helpdesk import asking
from helpdesk.cli import reports, screen, shell
from helpdesk.cli.carry import Carried, carry_out
from helpdesk.outbox import OutboxRow, State
from helpdesk.report import utc
from helpdesk.settings import Settings
from helpdesk.store import outbox as rows

Mail = Annotated[int, typer.Argument(metavar="MAIL", help="A mail's number, as in `helpdesk outbox list`.")]
Mails = Annotated[
    list[int], typer.Argument(metavar="MAIL...", help="Their numbers, as in `helpdesk outbox list`.")
]
WAITING = (State.PLANNED, State.SENDING, State.UNKNOWN, State.HELD, State.FAILED)

outbox = typer.Typer(
    cls=shell.Shell, no_args_is_help=True, help="The board's own mails: list, show, retry, drop."
)


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
        "served": list(row.served),
        "refused": list(row.refused),
        "in_doubt": list(row.trying),
        "repeats": row.repeats,
        "proven_at": row.proven_at and utc(row.proven_at),
    }


def fate(row: OutboxRow, address: str) -> str:
    """What became of a mail for one of those it is for, in words."""
    known = {
        "has it": row.served,
        "refused it": row.refused,
        "may have it": row.trying,
    }
    found = next((word for word, those in known.items() if address.lower() in map(str.lower, those)), "")
    return found or ("does not get it" if row.state is State.DROPPED else "is still to get it")


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
        if any(row.state in {State.HELD, State.FAILED} for row in found):
            screen.say(_CHOICE, "dim")


_CHOICE = "held, failed: `helpdesk outbox show MAIL`, then retry or drop it."


@outbox.command("show", epilog="Example: helpdesk outbox show 12")
def show_mail(mail: Mail, as_json: shell.Json = False, config: shell.Config = None) -> None:
    """Show one mail: why it is sent, who has it, what the server said, and its words once they are written."""
    settings = shell.load(config)
    with shell.reading(settings) as conn:
        row = asking.mail(conn, mail)
        text = words(rows.content(conn, mail))
        home = rows.home_as(conn, [row]).get(row.id)
    if as_json:
        screen.document({**mail_document(row), "came_home_as": home, "text": text})
        return
    screen.fields(
        [
            ("mail", f"{row.id}, {row.state.value}"),
            ("why", f"{row.rule} {row.occasion}"),
            ("thread", row.thread or "the board itself"),
            *((to, fate(row, to)) for to in row.recipients),
            ("planned", reports.when(row.planned_at)),
            ("tried", _tries(row)),
            ("next try", reports.when(row.next_try_at) if row.next_try_at else "none by itself"),
            ("copy came home", reports.when(row.proven_at) if row.proven_at else "no"),
            *([("came home as", home)] if home not in {None, row.message_id} else []),
            ("server said", row.last_answer or "nothing yet"),
            ("Message-ID", row.message_id),
        ]
    )
    screen.say()
    screen.block(text or "(its words are written when it is sent)")


def _tries(row: OutboxRow) -> str:
    times = f"{row.attempts} time{'' if row.attempts == 1 else 's'}"
    twice = (
        "; it was sent again although it may have arrived: somebody may have it twice, under one Message-ID"
    )
    return times + (twice if row.repeats else "")


def words(octets: bytes | None) -> str:
    """Subject and text of a mail of ours."""
    if octets is None:
        return ""
    message = BytesParser(policy=default).parsebytes(octets)
    body = message.get_body(("plain",))
    return f"Subject: {message['Subject']}\n\n{body.get_content() if body else ''}"


@outbox.command("retry", epilog="Example: helpdesk outbox retry 12")
def retry_mail(
    mails: Mails, as_json: shell.Json = False, now: shell.Now = None, config: shell.Config = None
) -> None:
    """Send mails again that are held or failed, under the same Message-ID, to those who have it not."""
    settings = shell.load(config)
    carried = carry_out(settings, now, lambda conn, at: [asking.retry(conn, mail, at) for mail in mails])
    _tell(settings, carried, as_json, "planned again")


@outbox.command("drop", epilog="Example: helpdesk outbox drop 12")
def drop_mail(
    mails: Mails, as_json: shell.Json = False, now: shell.Now = None, config: shell.Config = None
) -> None:
    """Decide against mails: they are not sent, and nothing plans them again."""
    settings = shell.load(config)
    carried = carry_out(settings, now, lambda conn, _at: [asking.drop(conn, mail) for mail in mails])
    _tell(settings, carried, as_json, "dropped")


def _tell(settings: Settings, carried: Carried[list[OutboxRow]], as_json: bool, what: str) -> None:
    told = [mail_document(row) for row in carried.asked]
    if as_json:
        screen.document({"mail": told[0], "mails": told, **reports.carried(carried.report)})
    else:
        for row in carried.asked:
            screen.say(f"Mail {row.id} is {what}.")
        reports.show_carried(carried.report, settings)
    reports.finish(carried.report, settings)
