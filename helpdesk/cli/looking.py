"""Commands that read the database: threads, one thread's story, labels."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from helpdesk import doors, views, wiring
from helpdesk.cli import screen, shell
from helpdesk.cli.reports import when
from helpdesk.clients import CLIENTS, identity_of, thunderbird
from helpdesk.errors import UsageError
from helpdesk.mailbox.dialects.folders import shown_in
from helpdesk.settings import Settings, vocabulary
from helpdesk.store import census, migrations, names
from helpdesk.store.journal import SAID


class ClientName(StrEnum):
    """The mail clients whose configuration can be printed."""

    THUNDERBIRD = "thunderbird"
    NEOMUTT = "neomutt"
    AERC = "aerc"
    ROUNDCUBE = "roundcube"


class StateName(StrEnum):
    """The states of a thread, as `threads --json` names them."""

    OPEN = "open"
    URGENT = "urgent"
    ESCALATED = "escalated"
    WAITING = "waiting"
    FIXED = "fixed_in_next_release"
    CLOSED = "closed"


Thread = Annotated[
    str,
    typer.Argument(metavar="THREAD", help="A thread's id, or any unique beginning of it: dast-7kq2m, 7kq2m."),
]


def threads(
    state: Annotated[StateName | None, typer.Option("--state", help="Only threads in this state.")] = None,
    attention: Annotated[bool, typer.Option("--attention", help="Only threads that want a shifter.")] = False,
    as_json: shell.Json = False,
    config: shell.Config = None,
) -> None:
    """List the threads, the latest activity first: what they are about, where they stand, and who is needed."""
    settings = shell.load(config)
    with shell.reading(settings) as conn:
        asked = (wiring.dialect(settings), wiring.policy(settings), settings.board.name)
        found = [
            one
            for one in views.list_threads(conn, *asked, state and state.value)
            if one["attention"] or not attention
        ]
    if as_json:
        screen.document(found)
        return
    short = shell.short_names(settings, [one["id"] for one in found])
    rows = [
        (
            short(one["id"]),
            ", ".join([one["state"], *_other_labels(one)]),
            ", ".join([*one["reasons"], *one["notes"]]),
            when(one["last_activity_at"]),
            one["subject"],
        )
        for one in found
    ]
    screen.table(("thread", "state", "needed for", "last (UTC)", "subject"), rows)
    screen.say(f"{len(rows)} threads" if len(rows) != 1 else "1 thread", "dim")


def _other_labels(thread: Mapping[str, Any]) -> Sequence[str]:
    return [name for name in thread["labels"] if name.lower().replace(" ", "_") != thread["state"]]


def show(thread: Thread, as_json: shell.Json = False, config: shell.Config = None) -> None:
    """Tell one thread's story: its mails, its labels and since when, and every action with its reason."""
    settings = shell.load(config)
    with shell.reading(settings) as conn:
        key = names.find(conn, thread, settings.board.name)
        told = views.one_thread(
            conn, wiring.dialect(settings), wiring.policy(settings), settings.board.name, key
        )
    if as_json:
        screen.document(told)
        return
    screen.say(told["subject"] or "(no subject)", "bold")
    screen.fields(
        [
            ("thread", told["id"]),
            ("state", told["state"]),
            ("labels", ", ".join(told["labels"]) or "none"),
            ("needed for", ", ".join(told["reasons"]) or "nothing"),
            *(("yours to settle", note) for note in told["notes"]),
            *(("whose fault", line) for line in told["fault"]),
            *((f"with {talk['where']}", _talk(talk)) for talk in told["talks"]),
            ("opened", when(told["opened_at"])),
            ("waiting since", when(told["waiting_since"]) or "not waiting"),
            ("decided", f"{told['decided']['rule']}: {told['decided']['reason']}"),
        ]
    )
    screen.heading("Mails")
    screen.table(
        ("date (UTC)", "from", "role", "lies in", "flags"),
        [
            (
                when(m["date"]),
                m["author"],
                f"{m['role']}, automatic" if m["automatic"] else m["role"],
                f"{m['folder']}/{m['uid']}" if m["folder"] else "nowhere",
                " ".join(m["flags"]),
            )
            for m in told["messages"]
        ],
    )
    if told["registers"]:
        screen.heading("Labels")
        screen.table(
            ("label", "is", "since (UTC)", "by", "why"),
            [
                (r["label"], "on" if r["present"] else "off", when(r["since"]), r["by"], r["reason"])
                for r in told["registers"]
            ],
        )
    screen.heading("Story")
    screen.table(
        ("at (UTC)", "action", "why", "status", "id"),
        [
            (
                when(entry["at"]),
                f"{entry['kind']} {entry['what']}",
                _why(entry),
                ", ".join([entry["status"], *(f"wrong: {one['by']}" for one in entry["wrong"])]),
                entry["id"],
            )
            for entry in told["story"]
        ],
    )


def _talk(talk: Mapping[str, Any]) -> str:
    """What was said with a destination, in a line."""
    parts = [
        " ".join(talk["tickets"]) or "no ticket number",
        f"last heard {when(talk['heard_at'])}" if talk["heard_at"] else "nothing heard",
        "solved" if talk["solved"] else "",
        "the user does not know it" if talk["to_tell"] else "",
        f"reminded {talk['reminders']} times, last {when(talk['reminded_at'])}" if talk["reminders"] else "",
    ]
    return ", ".join(part for part in parts if part)


def labels(as_json: shell.Json = False, config: shell.Config = None) -> None:
    """List the labels: their keywords or folders, what they mean, how many open threads carry each; and what nobody explained.

    An unknown keyword (or folder) is shown and never written: configure it as a [[label]] with its meaning, or remove it from
    the mails in any mail client.
    """
    settings = shell.load(config)
    told = _labels(settings)
    if as_json:
        screen.document(told)
        return
    shown = "folder" if settings.imap.dialect == "folders" else "keyword"
    screen.table(
        ("label", shown, "kind", "open", "meaning"),
        [
            (
                one["name"],
                one[shown] or "-",
                one["kind"],
                "-" if one["threads"] is None else str(one["threads"]),
                one["meaning"],
            )
            for one in told["labels"]
        ],
    )
    if told["unknown"]:
        screen.heading(f"{shown.capitalize()}s that nobody explained")
        rows = [(one["keyword"], str(one["messages"]), one["todo"]) for one in told["unknown"]]
        screen.table((shown, "mails", "what to do"), rows)


def _labels(settings: Settings) -> Mapping[str, Any]:
    words, dialect = vocabulary(settings), wiring.dialect(settings)
    carried: Mapping[str, int] | None = None
    unknown: Mapping[str, int] = {}
    if not migrations.check(doors.database(settings)):
        with shell.reading(settings) as conn:
            carried = census.open_by_label(conn)
            unknown = census.unknown_keywords(
                conn, lambda flags, folder, place: dialect.read(flags, folder, place).unknown
            )
    return {
        "labels": [
            {
                "name": label.name,
                "keyword": label.keyword,
                "folder": (shown_in(label, settings.imap.inbox) or None) if dialect.in_folders else None,
                "kind": label.kind.value,
                "meaning": label.meaning,
                "colour": label.colour or None,
                "builtin": label.builtin,
                "threads": None if carried is None else carried.get(label.name, 0),
            }
            for label in words
        ],
        "unknown": [
            {"keyword": keyword, "messages": count, "todo": _todo(keyword, in_folders=dialect.in_folders)}
            for keyword, count in sorted(unknown.items(), key=lambda one: (-one[1], one[0]))
        ],
    }


def _todo(keyword: str, *, in_folders: bool) -> str:
    if in_folders:
        return f'explain it ([[label]] name = "{keyword}", meaning = "..."), name it in [imap] not_labels, or empty that folder'
    return f'explain it ([[label]] name = "{keyword}", meaning = "..."), or remove it from the mails'


def clients(
    name: Annotated[
        ClientName, typer.Argument(metavar="CLIENT", help="thunderbird, neomutt, aerc, roundcube.")
    ],
    profile: Annotated[
        Path | None,
        typer.Option(
            "--profile", metavar="FOLDER", help="A Thunderbird's profile: its identity is looked up."
        ),
    ] = None,
    config: shell.Config = None,
) -> None:
    """Print what a mail client needs for this board: its labels with names and colours, where to archive, keys.

    No server is asked and no password is printed.
    """
    settings = shell.load(config)
    if name is ClientName.THUNDERBIRD:
        told = thunderbird(settings, _identity(settings, profile) if profile else "")
    elif profile is not None:
        raise UsageError("--profile: only Thunderbird has one")
    else:
        told = CLIENTS[name.value](settings)
    typer.echo(told, nl=False)


def _identity(settings: Settings, profile: Path) -> str:
    imap, prefs = settings.imap, profile / "prefs.js"
    found = identity_of(prefs.read_text("utf-8", "replace"), imap.host, imap.username)
    if not found:
        raise UsageError(
            f"{prefs}: no account of {imap.username} on {imap.host}; add it in Thunderbird first"
        )
    return found


def _why(entry: Mapping[str, Any]) -> str:
    """The rule, the guideline that it follows, and the reason; of what people said, their words."""
    guideline = f" [{entry['guideline']}]" if entry["guideline"] else ""
    return (
        str(entry["reason"]) if entry["status"] == SAID else f"{entry['rule']}{guideline}: {entry['reason']}"
    )
