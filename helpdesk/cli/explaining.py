"""Commands that prove or explain: the ledger, and what the team's rules think of a mail."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from helpdesk import app, blaming, doors, ledger
from helpdesk.blame.errors import error_line
from helpdesk.blame.facts import About, Mention
from helpdesk.cli import screen, shell
from helpdesk.errors import UsageError
from helpdesk.ledger import Ledger, Residue, There
from helpdesk.mailbox.authors import author
from helpdesk.mailbox.body import text_of
from helpdesk.mailbox.classify import classify
from helpdesk.mailbox.folders import places
from helpdesk.mailbox.ingest import BODY_OCTETS
from helpdesk.mailbox.naming import mentioned
from helpdesk.mailbox.parse import UnparseableError, parse_header
from helpdesk.model import Author, Header, Nature, Role
from helpdesk.ports import Mailbox
from helpdesk.rules.match import Explained
from helpdesk.settings import Settings
from helpdesk.store import census, migrations
from helpdesk.teamrules import CompiledRules, mail_facts
from helpdesk.wiring import author_policy, folder_settings, known_names

MAX_MAIL = 1024 * 1024


def ledger_command(as_json: shell.Json = False, config: shell.Config = None) -> None:
    """Prove that no mail is left behind: every visible message on the server against the database.

    Each one is in exactly one thread, in quarantine (it could not be read), or board correspondence.  Exit code 1:
    some are not; they are listed with the reason.
    """
    settings = shell.load(config)
    with shell.reading(settings):
        pass  # a missing database is told before the server is asked
    with app.mailbox(settings) as session:
        found = _look(settings, session)
        if found.residue:  # a daemon may have been at work in between
            found = ledger.still(found, _look(settings, session))
    if as_json:
        screen.document(_ledger_document(found))
    else:
        screen.say(
            f"{found.messages} messages in {found.copies} copies: {found.threaded} in threads,"
            f" {found.quarantined} in quarantine, {found.correspondence} board correspondence,"
            f" {len(found.residue)} left behind"
        )
        for title, listed in (("In quarantine", found.unreadable), ("Left behind", found.residue)):
            if listed:
                screen.heading(title)
                screen.table(
                    ("folder", "uid", "why"), [(one.folder, str(one.uid), one.why) for one in listed]
                )
    shell.finish(shell.FAILED if found.residue else shell.OK)


def _look(settings: Settings, session: Mailbox) -> Ledger:
    """The server first, the database after it: what a daemon reads in between is known by then."""
    there = {}
    for name in places(session.folders(), folder_settings(settings)):
        folder = session.select(name, readonly=True)
        rows = session.flags(folder, session.uids(folder))
        visible = {row.uid for row in rows if "\\deleted" not in {flag.lower() for flag in row.flags}}
        there[name] = There(folder.uidvalidity, visible)
    with shell.reading(settings) as conn:
        return ledger.compare(there, census.known(conn), census.threads(conn))


def _ledger_document(found: Ledger) -> Mapping[str, Any]:
    return {
        "messages": found.messages,
        "copies": found.copies,
        "threaded": found.threaded,
        "quarantined": found.quarantined,
        "correspondence": found.correspondence,
        "unreadable": _listed(found.unreadable),
        "residue": _listed(found.residue),
    }


def _listed(found: Sequence[Residue]) -> Sequence[Mapping[str, Any]]:
    return [{"folder": one.folder, "uid": one.uid, "why": one.why} for one in found]


def explain_rules(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A mail as a file (.eml); - reads stdin.")],
    as_json: shell.Json = False,
    config: shell.Config = None,
) -> None:
    """Say what the team's rules think of a mail: which of them match, and on what text; nothing is changed.

    It is the matcher of the board itself.  A rule after the one that ended the search was not asked; a shadow rule
    only reports.
    """
    settings = shell.load(config)
    told = _explained(settings, _read(file))
    if as_json:
        screen.document(told)
        return
    screen.fields(
        [
            ("from", told["sender"]),
            ("role", told["role"]),
            ("written by", f"{told['nature']} ({told['why']})"),
            ("subject", told["subject"]),
        ]
    )
    if not told["rules"]:
        screen.say("No [[rule]] is configured.")
    for rule in told["rules"]:
        screen.heading(f"{rule['name']}: {_verdict(rule)}")
        rows = [
            ("yes" if one["held"] else "no", one["condition"], one["wanted"], one["on"])
            for one in rule["conditions"]
        ]
        screen.table(("held", "condition", "wanted", "on"), rows)
    if told["fault"] is not None:
        screen.heading(f"site_trouble: {_label(told['fault'])}")
        named = [("site", one, "") for one in told["fault"]["sites"]]
        named += [("data set", one, "") for one in told["fault"]["datasets"]]
        named += [("error", one["line"], one["means"]) for one in told["fault"]["errors"]]
        screen.table(("names", "what", "which means"), named)


def _label(fault: Mapping[str, Any]) -> str:
    if fault["label"] is None:
        return "there is no database to ask what the robots know"
    return f"would be set: {fault['why']}" if fault["label"] else "would not be set"


def _read(file: Path) -> bytes:
    if str(file) == "-":
        return sys.stdin.buffer.read(MAX_MAIL)
    try:
        with file.open("rb") as mail:
            return mail.read(MAX_MAIL)
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror})") from error


def _explained(settings: Settings, octets: bytes) -> Mapping[str, Any]:
    try:
        header = parse_header(octets)
    except UnparseableError as error:
        raise UsageError(f"this is no mail: {error}") from error
    policy = author_policy(settings)
    who = author(header, folder_is_sent=False, policy=policy)
    text = text_of(octets[:BODY_OCTETS], BODY_OCTETS)
    told = classify(header, own=False, destination=who.address in policy.destinations, text=text)
    facts = mail_facts(header, who, text)
    return {
        "sender": facts.sender,
        "role": who.role.value,
        "nature": told.nature.value,
        "why": told.why,
        "subject": header.subject,
        "rules": [_rule(one) for one in CompiledRules(settings.rule).matcher.explain(facts)],
        "fault": _fault(settings, text, header, who) if told.nature is Nature.HUMAN else None,
    }


def _fault(settings: Settings, text: str, header: Header, who: Author) -> Mapping[str, Any] | None:
    """What the mail names, and whether the label would be set (docs/whose-fault.md); None: it is not asked."""
    names = known_names(settings)
    if names is None or not settings.labels_sites or who.role is not Role.USER:
        return None
    said = mentioned(text, header, who, names)
    label, why = None, ""
    if not migrations.check(doors.database(settings)):
        with shell.reading(settings) as conn:
            why = blaming.explained(conn, said)
        label = bool(why)
    return {
        "sites": [one.name for one in said if one.about in {About.SITE, About.ASIDE}],
        "datasets": [one.name for one in said if one.about is About.DATASET],
        "errors": [_error(one) for one in said if one.about is About.ERROR],
        "label": label,
        "why": why,
    }


def _error(one: Mention) -> Mapping[str, Any]:
    found = error_line(one.text)
    means = [
        f"{m.error_class}{f' in {m.phase}' if m.phase else ''}, most likely {m.blame}" for m in found.meanings
    ]
    return {"line": one.text, "code": found.code, "means": " or ".join(means) or "unknown"}


def _rule(one: Explained) -> Mapping[str, Any]:
    return {
        "name": one.hit.rule,
        "matched": one.matched,
        "reached": one.reached,
        "shadow": one.hit.shadow,
        "add": list(one.hit.add),
        "remove": list(one.hit.remove),
        "star": one.hit.star,
        "conditions": [
            {"condition": t.condition, "wanted": t.wanted, "held": t.held, "on": t.on} for t in one.tested
        ],
    }


def _verdict(rule: Mapping[str, Any]) -> str:
    does = [f"adds {name}" for name in rule["add"]] + [f"removes {name}" for name in rule["remove"]]
    does += ["sets the star"] if rule["star"] else []
    if not rule["reached"]:
        return "not asked, an earlier rule matched" + (" (it would match too)" if rule["matched"] else "")
    if not rule["matched"]:
        return "does not match"
    return ("matches and only reports: " if rule["shadow"] else "matches: ") + (
        ", ".join(does) or "nothing to do"
    )
