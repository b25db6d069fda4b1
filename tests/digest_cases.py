"""Boards as digests see them: threads in a few words, shifts, and the shift of docs/mail.md as it was drawn."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from helpdesk.digest.facts import Case, Now, Told
from helpdesk.digest.sites import Central, Held, SitesNow, Standing
from helpdesk.model import ESCALATED, FIXED, TAKEN, URGENT, WAITING, Nature
from helpdesk.rules.facts import Destination
from helpdesk.rules.hours import Hours
from helpdesk.rules.state import Register, Talk, ThreadState
from helpdesk.shifts.names import Team
from helpdesk.shifts.rota import Rota, rota
from helpdesk.shifts.values import Expanded, Occurrence, Origin, Window
from tests.calendars import team
from tests.threads import DAY, GGUS, HOUR, MC08, MINUTE, POLICY, Mail, closed, msg, opened, stamp, thread

NOW = datetime(2026, 6, 9, 6, 0, 30, tzinfo=UTC)  # a Tuesday; `tests.threads.START` is two hours later
ZERO = NOW - datetime(2026, 6, 9, 8, tzinfo=UTC)
"""Now, as `tests.threads` counts time."""

WEEKDAYS = (0, 1, 2, 3, 4)
WITH_HOURS = replace(
    POLICY,
    destinations={
        GGUS: POLICY.destinations[GGUS],
        "Ganga": Destination("Ganga", "", False, hours=Hours(WEEKDAYS, 6 * 60, 16 * 60)),
        "DDM": Destination("DDM", "", False, hours=Hours(WEEKDAYS, 8 * 60, 17 * 60, "Europe/Zurich")),
        "SAM": Destination("SAM", "", False, hours=Hours(WEEKDAYS, 10 * 60, 16 * 60)),
    },
)
PEOPLE = team("Aiden", "Sergey", "Alden", "Jacob")
Turn = tuple[str, str, str]
DRAWN: Sequence[Turn] = (
    ("2026-06-08T22:00", "2026-06-09T06:00", "Sergey"),
    ("2026-06-09T06:00", "2026-06-09T14:00", "Aiden"),
    ("2026-06-09T14:00", "2026-06-09T22:00", "Alden"),
)


def turns(*shifts: Turn, zone: str = "UTC", people: Team = PEOPLE) -> Rota:
    """A rota of (start, end, names), in UTC."""
    found = tuple(Occurrence(_moment(start), _moment(end), names) for start, end, names in shifts)
    window = Window(NOW - timedelta(days=40), NOW + timedelta(days=40))
    return rota(Expanded(found), window, people, zone, Origin(NOW))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def wrote(ago: timedelta, *, read: bool = False, labels: Sequence[str] = ()) -> Mail:
    """A user's mail that came so long ago."""
    return msg().after(ZERO - ago).in_inbox(*labels, read=read)


def answered(ago: timedelta, *labels: str) -> Mail:
    return msg().by_shifter().after(ZERO - ago).in_inbox(*labels)


def case(code: str, user: str, subject: str, *mails: Mail, **more: object) -> Case:
    """A thread with an id, a user and a subject; `state` is open without labels unless it is given."""
    state = more.pop("state", opened())
    facts = replace(thread(*mails, state=state), code=code)  # type: ignore[arg-type]  # a state
    return replace(Case(facts, subject, user, link=f"<{code}@mail.example>"), **more)  # type: ignore[arg-type]


def waiting(code: str, *, closes: datetime | None = None) -> Case:
    mails = (wrote(3 * DAY, read=True, labels=[WAITING]), answered(2 * DAY, WAITING))
    return case(code, "Flo", "Something", *mails, state=opened(WAITING), closes=closes)


def resting(code: str, *labels: str) -> Case:
    return case(
        code,
        "Gil",
        "Something",
        wrote(3 * DAY, read=True, labels=labels),
        answered(2 * DAY, *labels),
        state=opened(*labels),
    )


def escalated(code: str, talk: Talk) -> Case:
    one = resting(code, ESCALATED, GGUS)
    return replace(one, facts=replace(one.facts, state=with_talk(one.facts.state, talk)))


def with_talk(state: ThreadState, talk: Talk) -> ThreadState:
    return replace(state, talks={GGUS: talk})


def taken(by: str) -> Register:
    return Register(True, stamp(), True, "labels_cover_the_thread", by)


def full() -> Now:
    """The shift that docs/mail.md draws."""
    urgent = case(
        "7kq2m", "Ann", "All jobs fail since 04:00", wrote(2 * HOUR, labels=[URGENT]),
        state=opened(URGENT, since=stamp(1, ZERO - HOUR - 10 * MINUTE)),
        clue="stage-in 1099: lost connection to se01.desy.example",
    )  # fmt: skip
    claimed = opened(TAKEN)
    claimed = replace(claimed, registers={TAKEN: taken("taken by Jacob")})
    cases = (
        urgent,
        case("m3x9a", "Bob", "Dataset mc08.1058 missing", wrote(19 * HOUR), wrote(9 * HOUR)),
        case("p0d4t", "Cy", 'Job stuck in "submitting"', wrote(6 * HOUR, labels=[TAKEN]), state=claimed),
        case("z81hh", "Dee", "Output not registered", wrote(9 * HOUR, read=True)),
        case(
            "k2v7c", "Eve", "No space at CERN", wrote(2 * DAY, read=True, labels=[ESCALATED, GGUS]),
            state=with_talk(opened(ESCALATED, GGUS), Talk(solved=True, untold=stamp(1, ZERO - 3 * HOUR), tickets=("[Ticket#48112]",))),
        ),
        case(
            "w5n1e", "Fay", "Athena 15.3", wrote(2 * DAY, read=True, labels=[WAITING, FIXED]), answered(DAY),
            state=opened(WAITING, FIXED), notes=("WAITING and FIXED both set",),
        ),
        *(waiting(f"wait{n:02d}", closes=NOW + (1 + n * 10) * HOUR) for n in range(23)),
        *(escalated(f"esca{n}", Talk(nags=1 if n == 0 else 0)) for n in range(6)),
        *(resting(f"fixd{n}", FIXED) for n in range(3)),
        *(resting(f"mc08{n:02d}", MC08) for n in range(11)),
        case(
            "x7m2q", "Guy", "Re: quota", wrote(3 * DAY, read=True), answered(2 * DAY), wrote(5 * HOUR),
            state=opened(rule="reopen", reopened=stamp(1, ZERO - 5 * HOUR), since=stamp(1, ZERO - 5 * HOUR)),
            thanks=True,
        ),
    )  # fmt: skip
    return named(
        Now(
            now=NOW,
            since=_moment("2026-06-08T22:00"),
            zone="UTC",
            policy=WITH_HOURS,
            rota=turns(*DRAWN),
            cases=cases,
            new=9,
            closed=12,
            handovers=(
                Told(
                    "Sergey", _moment("2026-06-09T05:52"), True, ('DESY is theirs, not ours. Park new ones under "desy-srm".',)
                ),
            ),
            tag="dast",
        )
    )  # fmt: skip


def named(now: Now) -> Now:
    """Every thread by the first five characters of its code."""
    return replace(now, names={one.facts.code: one.facts.code[:5] for one in now.cases})


def empty() -> Now:
    """A shift in which nobody need do anything."""
    cases = (waiting("wait0"), waiting("wait1", closes=NOW + HOUR), resting("mc080", MC08))
    return named(replace(full(), cases=cases, new=0, closed=2, handovers=()))


def shared() -> Now:
    """Two people share the shift, one of them is known to nobody, and the hand-over was not authentic."""
    shifts = (DRAWN[0], ("2026-06-09T06:00", "2026-06-09T14:00", "Aiden / Jacob / Zoe"))
    told = Told(
        "Sergey",
        _moment("2026-06-07T21:10"),
        False,
        ("Look at p0d4t first.", "", "He waits for an answer " * 6),
    )
    problems = ('"Zoe" is nobody in [[people]] (Tue 9 Jun 06:00-14:00)',)
    return replace(full(), rota=turns(*shifts), handovers=(told,), problems=problems)


SITES = SitesNow(
    out=(
        Standing("atlas", "DESY-HH", True, _moment("2026-06-09T04:12"), "6 of 7 failed, mostly stage-in"),
        *(
            Standing(
                one, "RAL", True, _moment("2026-06-07T03:10"), "declared downtime until 2026-06-10 12:00"
            )
            for one in ("lhcb", "cms")
        ),
    ),
    back=(
        Standing("atlas", "LYON", False, _moment("2026-06-09T02:35"), "it works again: the last 3 succeeded"),
    ),
    central=(Central(("cms",), ("template dimuon",), _moment("2026-06-09T03:05"), None, 12),),
    held=(Held("NIKHEF", True, "paused until Thu 11 Jun 2026 12:00 UTC by Eva Ekman"),),
)


def gap() -> Now:
    """Nobody is on duty, a thread was closed while ESCALATED, a mail bounced, another waits, and something is held."""
    bounced = case(
        "b0u1c", "Hal", "Proxy expired", wrote(2 * DAY, read=True), answered(DAY),
        msg().by(Nature.BOUNCE, of_ours=True).after(ZERO - 4 * HOUR).in_inbox(),
        state=opened(bounce=stamp(1, ZERO - 4 * HOUR)),
    )  # fmt: skip
    gone = case(
        "c10se",
        "Ida",
        "Slow transfers",
        wrote(2 * DAY, read=True),
        state=closed(since=stamp(1, ZERO - HOUR), closed_escalated=True),
    )
    held = case(
        "he1d0",
        "Jo",
        "Which release?",
        wrote(DAY, read=True),
        state=closed(),
        mails=("mail 7 (release) is held: 550 no such user",),
    )
    starred = case(
        "5tar0",
        "Kim",
        "[dast] Follow up",
        wrote(2 * DAY, read=True),
        answered(DAY, "\\star"),
        state=opened(MC08),
    )
    bare = case("bare0", "Lee", "Question", wrote(2 * DAY, read=True), answered(DAY))
    machine = case("auto0", "", "Nightly report", msg().by(Nature.AUTOMATIC).after(ZERO - DAY).in_inbox())
    board = (
        "auto_close is held: 60 threads would be moved at once",
        'label "desy-srm" on 3 threads: nobody explained it',
    )
    cases = (bounced, gone, held, starred, bare, machine)
    return named(
        replace(
            full(),
            rota=turns(DRAWN[0], DRAWN[2]),
            cases=cases,
            board=board,
            handovers=(),
            policy=POLICY,
            sites=SITES,
        )
    )


def dst() -> Now:
    """The night in which the clocks go back: a shift of nine hours, told in the board's own time."""
    now = datetime(2026, 10, 24, 22, 0, 5, tzinfo=UTC)
    shifts = (
        ("2026-10-24T14:00", "2026-10-24T22:00", "Sergey"),
        ("2026-10-24T22:00", "2026-10-25T07:00", "Aiden"),
        ("2026-10-25T07:00", "2026-10-25T15:00", "Alden"),
    )
    window = Window(now - timedelta(days=40), now + timedelta(days=40))
    one = replace(turns(*shifts, zone="Europe/Zurich"), window=window)
    ganga = {"Ganga": Destination("Ganga", "", False, hours=Hours(days=(6,), zone="Europe/Zurich"))}
    late = case(
        "n1ght", "Mia", "Transfers stopped", msg().after(now - NOW + ZERO - HOUR).in_inbox(read=False)
    )
    return named(
        Now(
            now=now,
            since=now - 8 * HOUR,
            zone="Europe/Zurich",
            policy=replace(POLICY, destinations=ganga),
            rota=one,
            cases=(late,),
            new=1,
        )
    )


def calm() -> Now:
    """Nothing to do, and every site is in."""
    return replace(empty(), sites=SitesNow())


def sites() -> Now:
    """Nothing to do on the board, and news of sites: one is out, one is back, and something is over that was no site's fault."""
    over = Central(
        ("atlas", "lhcb"),
        ("template dimuon", "template read"),
        _moment("2026-06-08T23:00"),
        _moment("2026-06-09T01:20"),
        31,
    )
    return replace(empty(), sites=replace(SITES, central=(over,)))


EXAMPLES = {
    "full": full,
    "empty": empty,
    "shared": shared,
    "gap": gap,
    "dst": dst,
    "calm": calm,
    "sites": sites,
}
