"""A board over its database, what is asked of it, and the only owner of a clock: time becomes `now`."""

import faulthandler
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine

from helpdesk import config, cycle, doors, gathering, secrets, wiring
from helpdesk.board import Board, Limits, Sending, Teammate
from helpdesk.connecting import advice
from helpdesk.digest import build
from helpdesk.digest.mail import DigestMail
from helpdesk.errors import UnreachableError, UsageError
from helpdesk.hands import helping
from helpdesk.mailbox.connect import connect
from helpdesk.mailbox.lifeline import Lifeline
from helpdesk.model import Stamp
from helpdesk.ports import Mailbox, Mailer
from helpdesk.render import templates
from helpdesk.report import Hold, Objection, Report, utc
from helpdesk.settings import Settings
from helpdesk.shifts.configured import keeper
from helpdesk.shifts.duty import Duty
from helpdesk.store import db, holds, meta, migrations, wrongs
from helpdesk.store.lock import instance_lock
from helpdesk.store.scratch import scratch
from helpdesk.templating import Words
from helpdesk.vitals import Clocks, after, longest_silence

SIMULATED = "simulated"


def load(path: Path) -> Settings:
    """The settings of a configuration file; every problem at once."""
    return config.load(path)


def clock() -> datetime:
    """The wall clock, in UTC: read here and nowhere else."""
    return datetime.now(UTC)


def steady() -> float:
    """Seconds from some moment, on a clock that nobody sets and that goes on while the machine sleeps."""
    clock_id = getattr(time, "CLOCK_BOOTTIME", None)  # Linux; elsewhere the sleep is not counted
    return time.monotonic() if clock_id is None else time.clock_gettime(clock_id)


@contextmanager
def opened(settings: Settings, *, writing: bool) -> Iterator[Engine]:
    """The database, up to date; `writing` takes the instance lock and makes what is missing."""
    where = doors.database(settings)
    with instance_lock(where) if writing else nullcontext() as lock:
        if writing:
            migrations.upgrade(where)
        elif problems := migrations.check(where):
            raise UsageError(problems[0])
        engine = db.open_engine(where)
        try:
            if (
                lock is not None
            ):  # every plan is committed before it is carried out: that transaction asks first
                lock.guard(engine)
            yield engine
        finally:
            engine.dispose()


def board(
    settings: Settings, engine: Engine, *, sending: Mailer | None, create: bool, act: bool = True
) -> Board:
    """A board over a database; without `sending` no mail goes out, with `create` a missing secret is made.

    It writes to the mailbox only if the settings say so too.
    """
    rules = wiring.policy(settings)
    words = wiring.dialect(settings)
    secret = secrets.board_secret(settings, create=create).get_secret_value()
    return Board(
        name=settings.board.name,
        engine=engine,
        context=wiring.context(settings, rules, words, secret),
        dialect=words,
        policy=rules,
        limits=Limits(settings.brakes.max_bot_moves, settings.brakes.max_mails),
        caps=settings.caps,
        sending=Sending(
            sender=settings.smtp.sender,
            copy_to=settings.smtp.copy_to,
            list_address=settings.board.list_address,
            admins=tuple(p.addresses[0] for p in settings.people if "admin" in p.roles),
            secret=secret,
            templates=templates(settings.board.templates, settings.board.archive_link or ""),
            mailer=sending,
            plus_addresses=settings.smtp.plus_addresses,
        ),
        inbox=settings.imap.inbox,
        archive=settings.imap.archive,
        telling=wiring.telling(settings),
        duty=Duty(keeper(settings)),
        act=act and settings.board.act == "act",
        observes=settings.board.act != "act",
        sites=frozenset(site.name for site in settings.site),
        sites_telling=wiring.sites_telling(settings),
        loads=wiring.loads(settings),
        people={
            address: Teammate(person.name, person.addresses[0], frozenset(person.roles))
            for person in settings.people
            for address in person.addresses
        },
    )


def helped(this: Board) -> Board:
    """The board, with helpers where a first cycle lies before it: made before there are threads and connections.

    Those that read and those that decide are others: what the first have learned would only be in the way of the second.
    """
    with db.reading(this.engine) as conn:
        first = meta.last_cycle(conn) is None
    if (
        not first
        or this.engine.dialect.name != "sqlite"
        or this.engine.url.database in {None, "", ":memory:"}
    ):
        return this
    this.engine.dispose()  # a fork would take the locks of open files for its own
    read, decide = helping(this.context), helping(this)
    return replace(this, context=replace(this.context, hands=read), hands=decide)


def run_once(settings: Settings, now: datetime | None, progress: cycle.Progress = cycle.silent) -> Report:
    """Cycles until converged, at one `now`; the clock's when none is given."""
    with opened(settings, writing=True) as engine:
        moment, held = resolve_now(engine, now)
        this = helped(board(settings, engine, sending=doors.mailer(settings), create=True))
        if held is not None:
            return Report(moment, held=[held])
        this.duty.read(moment, asked_at=clock())
        with mailbox(settings, engine) as session:
            return cycle.run(this, session, moment, progress)


def plan(settings: Settings, now: datetime | None, progress: cycle.Progress = cycle.silent) -> Report:
    """What `run_once` would do: the same cycles over a throw-away copy of the database, and nothing is written."""
    with scratch(doors.database(settings)) as engine:
        this = board(settings, engine, sending=None, create=False, act=False)
        with db.reading(engine) as conn:
            moment, held = of_run(conn, now)
        if held is not None:
            return Report(moment, held=[held])
        this.duty.recall(moment, asked_at=clock())
        with mailbox(settings, engine) as session:
            report = cycle.run(this, session, moment, progress)
        return judged(engine, report)


def judged(engine: Engine, report: Report) -> Report:
    """The report, with what people said about plans that are still the same."""
    with db.reading(engine) as conn:
        said = wrongs.about(conn, [one.id for one in report.actions])
    report.actions = [
        replace(one, wrong=tuple(Objection(mark.by, mark.at, mark.words) for mark in said.get(one.id, ())))
        for one in report.actions
    ]
    return report


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest as it is now, and its words."""

    mail: DigestMail
    words: Words


def digest(settings: Settings, now: datetime | None) -> Digest:
    """What needs a shifter now, from the database and the kept copy of the calendar; nothing is changed."""
    with opened(settings, writing=False) as engine, db.reading(engine) as conn:
        moment = now or present(engine)
        this = board(settings, engine, sending=None, create=False)
        this.duty.recall(moment, asked_at=clock())
        mail = build.digest(gathering.gather(this, conn, moment, gathering.handed_over(this, conn, moment)))
        return Digest(mail, this.sending.templates.words(mail, this.name, this.sending.sender))


@contextmanager
def mailbox(settings: Settings, engine: Engine | None = None) -> Iterator[Mailbox]:
    """One IMAP connection; with a database it is made anew where a mail ends it."""
    known = doors.account(settings)
    try:
        session = connect(known) if engine is None else Lifeline(lambda: connect(known), engine)
    except UnreachableError as error:
        error.todo = advice(error, "imap", settings.imap.security)
        raise
    try:
        yield session
    finally:
        session.close()


def resolve_now(engine: Engine, now: datetime | None) -> tuple[datetime, Hold | None]:
    """The time of this run, by the rules of `--now` (design section 11).

    `--now` on an empty database marks it as simulated for good; there a missing `--now` is the last cycle's and a
    backward one is held.  `--now` on a database with real cycles is refused.  A real clock that cannot be believed holds the
    board, as in the daemon: it observes, tells the admins, and `resume` approves.
    """
    with engine.begin() as conn:
        last, simulated = meta.last_cycle(conn), meta.get(conn, SIMULATED) is not None
        if now is not None and last is not None and not simulated:
            raise UsageError(
                "--now: this database has real cycles; simulated time needs a database of its own"
            )
        moment, held = of_run(conn, now)
        if now is not None:
            meta.put(conn, SIMULATED, "yes")
        elif held is not None:
            holds.update(conn, [(held.what, held.why)], moment)
            held = None
    return moment, held


def of_run(conn: Connection, now: datetime | None) -> tuple[datetime, Hold | None]:
    """`now`, else the last cycle's time where time is simulated, else the clock's; and why it cannot be believed."""
    last = meta.last_cycle(conn)
    if now is None and meta.get(conn, SIMULATED) is None:
        return after(clock(), None if last is None else last.at)
    moment = now or (clock() if last is None else last.at)
    return moment.astimezone(UTC), backward(last, moment)


def backward(last: Stamp | None, moment: datetime) -> Hold | None:
    """Time does not run backwards on a board."""
    if last is None or moment >= last.at:
        return None
    return Hold("clock", f"{utc(moment)} is before the last cycle at {utc(last.at)}")


def present(engine: Engine) -> datetime:
    """The time by which a command that has no `--now` looks at a board: the clock's, or the last cycle's on a simulated database."""
    return last_simulated(engine) or clock()


def last_simulated(engine: Engine) -> datetime | None:
    """The last cycle's time, on a simulated database."""
    with engine.connect() as conn:
        last = meta.last_cycle(conn)
        return last.at if last is not None and meta.get(conn, SIMULATED) is not None else None


class _Robots(Protocol):
    """What works beside the daemon."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End, soon."""


@contextmanager
def beside(robots: _Robots | None) -> Iterator[None]:
    """Robots work beside the daemon, if there are any."""
    if robots is None:
        yield
        return
    robots.start()
    try:
        yield
    finally:
        robots.stop()


def serve(settings: Settings, *, silence: timedelta | None = None) -> int:
    """The daemon, until somebody stops it; the exit code.

    What is wrong from the start (the configuration, another instance) is raised before anything is done.  `silence` is
    how long no poll may succeed before that is an alarm; None: what suits `poll_seconds`.
    """
    from helpdesk import daemon, logs  # noqa: PLC0415 -- schedulers and servers that no other command needs
    from helpdesk.mailbox.watch import Watcher  # noqa: PLC0415 -- as above
    from helpdesk.metrics import Metrics  # noqa: PLC0415 -- as above
    from helpdesk.outlets import Outlets  # noqa: PLC0415 -- as above
    from helpdesk.robots import manning  # noqa: PLC0415 -- as above

    faulthandler.enable()  # the watchdog's SIGABRT leaves in the journal where we hung, without any values
    name, poll_seconds = settings.board.name, settings.daemon.poll_seconds
    with opened(settings, writing=True) as engine, logs.opened(name, sys.stderr) as log:
        with db.reading(engine) as conn:
            if meta.get(conn, SIMULATED) is not None:
                raise UsageError(
                    "this database lives in simulated time (--now): the daemon needs one of its own"
                )
        known = doors.account(settings)
        this = helped(board(settings, engine, sending=doors.mailer(settings), create=True))
        this.duty.recall(clock(), asked_at=clock())  # the first cycles need not wait for a server
        robots = manning.thread(
            settings,
            engine,
            clock,
            lambda event, facts: (log.warning if event == "trouble" else log.info)(
                "robots", what=event, **facts
            ),
            lambda error: log.error("a step of the robots failed", **logs.outline(error)),
        )
        with beside(robots):
            return daemon.serve(
                daemon.Parts(
                    board=this,
                    connect=lambda: Lifeline(lambda: connect(known), engine),
                    watcher=lambda wake: Watcher(known, settings.imap.inbox, wake),
                    clocks=Clocks(clock, steady),
                    outlets=Outlets(log, Metrics(name), os.environ),
                    poll_seconds=poll_seconds,
                    http_port=settings.daemon.http_port,
                    silence=silence or longest_silence(poll_seconds),
                )
            )
