"""`helpdesk check`: is the configuration right, and do the servers do what the board needs?  Nothing is written.

What can only be learnt by writing is `helpdesk.probe`.
"""

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import datetime

from sqlalchemy.exc import DBAPIError

from helpdesk import app, doors, secrets
from helpdesk.connecting import advice
from helpdesk.enginecheck import engine_findings
from helpdesk.errors import ConfigError, HelpdeskError, UnreachableError
from helpdesk.findings import Finding
from helpdesk.mailcheck import mailbox_findings
from helpdesk.outboxcheck import outbox_finding
from helpdesk.probe import probe_findings
from helpdesk.remedies import remedies
from helpdesk.report import Report
from helpdesk.robotscheck import robot_findings
from helpdesk.settings import Login, Settings
from helpdesk.shiftcheck import shift_findings
from helpdesk.store import advisory, census, meta, migrations
from helpdesk.store.db import on_server, reading, sqlite_file

Progress = Callable[[str], None]

_SEE_STORE = "see [store] in the configuration"


def findings(
    settings: Settings, now: datetime | None, progress: Progress, *, probe: bool = False
) -> Sequence[Finding]:
    """Everything, in the order in which it makes sense to repair it."""
    return [*_findings(settings, now, progress, probe=probe)]


def _findings(
    settings: Settings, now: datetime | None, progress: Progress, *, probe: bool
) -> Iterator[Finding]:
    yield _config(settings)
    imap, smtp = _secret("imap", settings.imap), _secret("smtp", settings.smtp)
    yield imap
    yield smtp
    yield _answers(settings)
    yield _board_secret(settings)
    database = _database(settings)
    yield database
    if smtp.ok:
        progress("asking the SMTP server ...")
        yield _smtp(settings)
    if database.ok:
        yield from _outbox(settings, now)
    yield from shift_findings(settings, now or app.clock())
    yield from robot_findings(settings, now or app.clock())
    yield from engine_findings(settings, progress)
    reached = False
    if imap.ok:
        progress("asking the IMAP server ...")
        reached = yield from _imap(settings, _counted(settings) if database.ok else None, probe=probe)
    if reached and database.ok:
        progress("planning the next cycle ...")
        yield _plan(settings, now)


def _config(settings: Settings) -> Finding:
    if settings.board.act == "observe":
        return Finding(
            "config",
            ok=True,
            what="right; the board observes: it writes nothing and mails nobody outside",
            todo='when `helpdesk plan` shows what your team would do: [board] act = "act"',
        )
    return Finding("config", ok=True, what="right; the board acts")


def _secret(section: str, login: Login) -> Finding:
    """A server whose secret cannot be read is not asked."""
    name = f"secret of [{section}]"
    try:
        kind = _read(login)
    except ConfigError as error:
        return Finding(name, ok=False, what=str(error), todo="a secret is one line in a file of mode 0600")
    return Finding(name, ok=True, what=kind)


def _read(login: Login) -> str:
    if login.oauth2 is None:
        return "no login" if secrets.password(login) is None else "can be read, and by us alone"
    files = (login.oauth2.token_file, login.oauth2.client_secret_file, login.oauth2.refresh_token_file)
    for path in files:
        if path is not None:
            secrets.secret_from(path)
    return "OAuth 2.0"


def _board_secret(settings: Settings) -> Finding:
    name, path = "secret of [board]", settings.secret_path
    try:
        secrets.board_secret(settings, create=False)
    except ConfigError as error:
        return Finding(name, ok=False, what=str(error), todo="repair the file, or move it away")
    if path is None or not path.exists():
        return Finding(name, ok=True, what=f"{path}: the first run makes it")
    return Finding(name, ok=True, what=f"{path}: can be read by its owner alone")


def _database(settings: Settings) -> Finding:
    file = sqlite_file(doors.database(settings))
    if file is not None and not file.parent.is_dir():
        return Finding(
            "database",
            ok=False,
            what=f"{file.parent}: there is no such folder",
            todo=f"mkdir {file.parent}, or mount its disk",
        )
    if file is not None and not file.exists():
        return Finding("database", ok=True, what=f"{file}: the first run makes it, and adopts the mailbox")
    try:
        return _tables(settings, may_be_empty=file is None)
    except DBAPIError as error:
        return Finding("database", ok=False, what=str(error.orig), todo=_SEE_STORE)
    except HelpdeskError as error:
        unreachable = isinstance(error, UnreachableError)
        return Finding("database", ok=False, what=str(error), todo=_SEE_STORE, unreachable=unreachable)


def _tables(settings: Settings, *, may_be_empty: bool) -> Finding:
    problems = migrations.check(doors.database(settings))
    if on_server(doors.database(settings)):
        advisory.try_out(doors.database(settings))
    if may_be_empty and problems == [migrations.EMPTY]:
        return Finding(
            "database", ok=True, what="empty: the first run makes its tables, and adopts the mailbox"
        )
    if problems:
        return Finding("database", ok=False, what=problems[0], todo="`helpdesk db upgrade`")
    return Finding("database", ok=True, what="its tables are up to date")


def _counted(settings: Settings) -> tuple[int, int] | None:
    """How many messages machines wrote, of how many, once the mailbox was adopted."""
    if migrations.check(doors.database(settings)):
        return None
    with app.opened(settings, writing=False) as engine, reading(engine) as conn:
        return None if meta.last_cycle(conn) is None else census.automatic(conn)


def _smtp(settings: Settings) -> Finding:
    smtp = settings.smtp
    where = f"{smtp.host}:{smtp.port}"
    try:
        said = doors.mailer(settings).probe()
    except UnreachableError as error:
        return Finding(
            "smtp", ok=False, what=str(error), todo=advice(error, "smtp", smtp.security), unreachable=True
        )
    except HelpdeskError as error:
        return Finding("smtp", ok=False, what=str(error), todo=advice(error, "smtp", smtp.security))
    who = f" as {smtp.username}" if smtp.username else ", nobody logs in"
    return Finding("smtp", ok=True, what=f"{where} answers{who}: {said}")


def _answers(settings: Settings) -> Finding:
    """Whether an answer comes home is for the server to say: it is not asked here, only named."""
    sender = settings.smtp.sender
    if not settings.smtp.plus_addresses:
        return Finding(
            "answers", ok=True, what=f"they come to {sender}, and are known by their references alone"
        )
    token = sender.replace("@", "+TOKEN@")
    return Finding(
        "answers",
        ok=True,
        what=f"they come to {token}, which must arrive like {sender}; if your server refuses it:"
        " [smtp] plus_addresses = false",
    )


def _outbox(settings: Settings, now: datetime | None) -> Iterator[Finding]:
    """Once a cycle has run."""
    if migrations.check(doors.database(settings)):
        return
    with app.opened(settings, writing=False) as engine, reading(engine) as conn:
        last = meta.last_cycle(conn)
        if last is not None:
            yield outbox_finding(conn, settings.smtp.copy_to, now or max(last.at, app.clock()))


def _imap(
    settings: Settings, counted: tuple[int, int] | None, *, probe: bool
) -> Generator[Finding, None, bool]:
    """Look at the mailbox; tells whether it could be reached."""
    try:
        with app.mailbox(settings) as session:
            yield from mailbox_findings(settings, session, counted)
            if probe:
                yield from probe_findings(settings, session)
    except UnreachableError as error:
        yield Finding(
            "imap",
            ok=False,
            what=str(error),
            todo=advice(error, "imap", settings.imap.security),
            unreachable=True,
        )
        return False
    except HelpdeskError as error:
        yield Finding("imap", ok=False, what=str(error), todo=advice(error, "imap", settings.imap.security))
        return False
    return True


def _plan(settings: Settings, now: datetime | None) -> Finding:
    try:
        report = app.plan(settings, now)
    except UnreachableError as error:
        return Finding("plan", ok=False, what=str(error), todo="try again", unreachable=True)
    except HelpdeskError as error:
        return Finding("plan", ok=False, what=str(error))
    if report.held:
        held = "; ".join(f"{one.what}: {one.why}" for one in report.held)
        return Finding("plan", ok=False, what=f"held: {held}", todo=" ".join(remedies(report.held)))
    return Finding("plan", ok=True, what=f"the next cycle would {_summary(report)}")


def _summary(report: Report) -> str:
    kinds = Counter(action.kind for action in report.actions)
    does = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())) or "change nothing"
    return f"{does} ({len(report.pending)} pending, {report.observed['new']} new messages)"
