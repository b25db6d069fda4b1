"""The command `digest`: the board as its shifter sees it, now."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from helpdesk import app
from helpdesk.cli import reports, screen, shell
from helpdesk.cli.carry import carry_out
from helpdesk.digest.mail import DigestMail
from helpdesk.errors import UsageError
from helpdesk.occasions.shift_digests import REQUEST
from helpdesk.settings import Settings
from helpdesk.store import requests


def digest(
    text: Annotated[bool, typer.Option("--text", help="Print it (which is what happens anyway).")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write the mail's page to a file.")
    ] = None,
    send: Annotated[
        bool, typer.Option("--send", help="Mail it to who is on duty, else to all shifters.")
    ] = False,
    as_json: shell.Json = False,
    now: shell.Now = None,
    config: shell.Config = None,
) -> None:
    """Show what needs a shifter now, in the order in which it matters; the board mails it as each shift starts.

    It reads the database alone, so what only the mails themselves say (error lines, thanks) is missing.  With --send the
    board mails one more, with its next cycle.
    """
    if send and (text or html):
        raise UsageError("--send mails the digest: give it without --text and --html")
    settings = shell.load(config)
    if send:
        _send(settings, now, as_json=as_json)
        return
    told = app.digest(settings, now)
    if html is not None:
        html.write_text(told.words.html, encoding="utf-8")
    if as_json:
        screen.document(_document(told.mail))
    elif html is None:
        screen.block(f"{told.words.subject}\n\n{told.words.text}")


def _send(settings: Settings, now: datetime | None, *, as_json: bool) -> None:
    carried = carry_out(settings, now, _ask)
    if as_json:
        screen.document({"asked": True, **reports.carried(carried.report)})
    else:
        reports.show_carried(carried.report, settings)
    reports.finish(carried.report, settings)


def _ask(conn: Connection, at: datetime) -> None:
    if not requests.open_requests(conn, REQUEST):
        requests.ask(conn, REQUEST, {}, at)


def _document(mail: DigestMail) -> Mapping[str, Any]:
    """The document of docs/json.md."""
    return {
        "title": mail.title,
        "counts": mail.counts,
        "duty": mail.duty,
        "awake": mail.awake or None,
        "handovers": [
            {"author": one.author, "when": one.when, "verified": one.verified, "words": list(one.words)}
            for one in mail.handovers
        ],
        "parts": [
            {
                "number": part.number,
                "title": part.title,
                "more": part.more,
                "rows": [
                    {
                        "thread": row.thread or None,
                        "mark": row.mark,
                        "who": row.who,
                        "says": row.says,
                        "note": row.note,
                    }
                    for row in part.rows
                ],
            }
            for part in mail.parts
        ],
        "nothing_to_do": list(mail.resting),
        "since": {"when": mail.since, "news": mail.news},
        "sites": mail.sites or None,
        "site_lines": list(mail.site_lines),
        "text": list(mail.lines),
    }
