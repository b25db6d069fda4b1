"""An example of each kind of mail, for the tests that look at words: what a golden rendering shows."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from helpdesk.central import AtSite, Common, IncidentMail, Share
from helpdesk.digest.build import digest
from helpdesk.mailids import Reason, bounce_token, message_id, sender_with_token
from helpdesk.mails import (
    AlarmMail,
    AnswerMail,
    ConfirmationMail,
    EscalationMail,
    Fact,
    Mail,
    NoteMail,
    NoticeMail,
    Outcome,
    ReleaseMail,
    ReminderLine,
    ReminderMail,
    StoryLine,
    UrgentMail,
    WarningMail,
)
from helpdesk.render import Envelope
from helpdesk.reports.mail import Picture
from helpdesk.reports.week import site_week
from helpdesk.reports.wording import mail as report_of
from helpdesk.robots.load.telling import LoadPart, LoadReportMail
from helpdesk.sites import Example, Failures, Out, SiteOutMail
from tests.digest_cases import empty, full, gap
from tests.test_observing import full as observed
from tests.test_observing import labels
from tests.weeks import bad_week, facts, green_week

SECRET = b"a secret of the board, 32 octets"
NOW = datetime(2009, 6, 9, 8, 30, tzinfo=UTC)
ID = message_id(Reason("dast", "dast-7kq2m0p0d4", "escalate", "Ganga Expert 1"), "example.org", SECRET)

ENVELOPE = Envelope(
    board="dast",
    sender="dast-board@example.org",
    return_path=sender_with_token("dast-board@example.org", bounce_token(ID, SECRET)),
    to=("ganga-experts@example.org",),
    message_id=ID,
    now=NOW,
    copy_to="dast-board@example.org",
)
TO_USER = replace(
    ENVELOPE,
    to=("ann@example.org",),
    reply_to="dast@lists.example.org",
    in_reply_to="<last@example.org>",
    references=("<first@example.org>", "<last@example.org>"),
)
QUESTION = (
    "Hello,",
    "",
    "since this morning all my jobs fail at DESY-HH, whatever dataset I take. I changed nothing since yesterday.",
    "",
    "    ERROR 1099: could not stage in mc08.105802.JF17_pythia_jet_filter.recon.AOD.e347_s462_r541/AOD.022868._00042.pool.root.1",
    "    athena exited with 65",
    "",
    "What can I do? Ann",
)
ESCALATION = EscalationMail(
    thread="7kq2m",
    destination="Ganga Expert",
    subject="All jobs fail since 04:00",
    user="Ann Müller",
    question=QUESTION,
    story=(
        StoryLine(
            "Aiden (shifter)",
            NOW - timedelta(hours=2),
            ("Dear Ann,", "which version of Ganga is this, and does it work at another site?"),
        ),
        StoryLine("Ann Müller", NOW - timedelta(hours=1), ("5.2.1, and yes, at LYON it works.",)),
    ),
    labels=("mc08 dataset problem",),
    since=NOW - timedelta(minutes=10),
    asked="What can I do?",
    facts=(
        Fact(
            "error",
            "ERROR 1099: could not stage in mc08.105802.JF17_pythia_jet_filter.recon.AOD.e347_s462_r541",
        ),
        Fact("job", "117.3"),
        Fact("site", "DESY-HH"),
    ),
    ticket="[Ticket#48112]",
    link="<last@example.org>",
)
URGENT = UrgentMail(
    thread="7kq2m",
    subject="All jobs fail since 04:00",
    user="Ann Müller",
    question=QUESTION[:3],
    labels=("URGENT",),
    since=NOW - timedelta(minutes=2),
    facts=(Fact("site", "DESY-HH"),),
    link="<last@example.org>",
)
ALARM = AlarmMail(
    alarm="mail is held",
    what="A brake holds the board: 24 of 80 mails vanished from the mailbox since the last look, at 08:25.",
    to_do="Look whether somebody moved or deleted them on purpose.\n\nIf so, helpdesk resume goes on with what is there"
    " now. If not, restore the mailbox first: nothing is changed in it until you say so.",
    since=NOW,
)
RELEASE = ReleaseMail(
    thread="7kq2m",
    name="Ganga",
    version="5.2.2",
    subject="All jobs fail since 04:00",
    user="Ann Müller",
)
REMINDER = ReminderMail(
    destination="GGUS",
    threads=(
        ReminderLine(
            "k2v7c",
            "Dataset mc08.1058 missing at LYON",
            NOW - timedelta(days=4),
            "[Ticket#48112]",
            2,
            "<one@example.org>",
        ),
        ReminderLine("m3x9a", 'Job stuck in "submitting"', NOW - timedelta(days=1), link="<two@example.org>"),
    ),
)
NOTE = NoteMail(
    thread="7kq2m",
    subject="All jobs fail since 04:00",
    user="Ann Müller",
    where="GGUS",
    ticket="[Ticket#48112]",
)
WAITED = NOW - timedelta(days=7)
WARNING = WarningMail("7kq2m", "All jobs fail since 04:00", "Ann Müller", WAITED, NOW + timedelta(days=2))
ANSWER = AnswerMail(
    name="Aiden",
    received=NOW - timedelta(minutes=1),
    outcomes=(
        Outcome(("helpdesk: close 7kq2m",), True, ("Closed: All jobs fail since 04:00",)),
        Outcome(
            ("helpdesk: label m3x9a mc09 dataset problem",),
            False,
            ('No label is called so; near is "mc08 dataset problem".',),
        ),
        Outcome(
            ("helpdesk: tell user k2v7c", "It is solved since this morning.", "", "Please try again."),
            True,
            ("The user gets your words.",),
        ),
        Outcome(
            ("helpdesk: status",),
            True,
            (
                "7kq2m  URGENT   1h10  Ann  All jobs fail since 04:00",
                "m3x9a            19h  Bob  Dataset mc08.1058 missing",
            ),
        ),
    ),
)
CONFIRMATION = ConfirmationMail(
    name="Aiden",
    claimed="aiden@example.org",
    received=NOW - timedelta(minutes=1),
    commands=("helpdesk: close 7kq2m", "helpdesk: escalate m3x9a GGUS"),
    token="k7q2mzr5t3wxy6ab",
    until=NOW + timedelta(hours=24),
)
TO_SHIFTER = replace(
    ENVELOPE, to=("aiden@example.org",), reply_to="dast-board+k7q2mzr5t3wxy6abcd@example.org"
)
SITE_OUT = SiteOutMail(
    site="DESY-HH",
    outs=(
        Out(
            "atlas",
            NOW - timedelta(hours=5),
            "6 of 7 jobs failed between 02:20 and 03:10, two templates, four nodes",
        ),
        Out("lhcb", NOW - timedelta(hours=2), "4 of 4 jobs failed, one template"),
    ),
    ended=254,
    failed=44,
    failures=(
        Failures(
            41,
            "stage-in",
            "pilot 1099",
            "an input file could not be copied",
            ("wn-117", "wn-118", "wn-119"),
            False,
        ),
        Failures(3, "payload", "exit 60", "ended at its wall time", ("wn-012",), True),
    ),
    example=Example(
        "x7k2",
        "hd1f:88121_4",
        "dimuon",
        "wn-117",
        NOW - timedelta(minutes=50),
        (
            "staging in root://se.desy.example.org//atlas/zmumu.root",
            "dimuon: [ERROR] Server responded with an error: [3011] No such file",
        ),
    ),
)

INCIDENT = IncidentMail(
    what=(
        Common("template dimuon", "atlas", NOW - timedelta(hours=1)),
        Common("class auth", "lhcb", NOW - timedelta(minutes=50)),
    ),
    failing=34,
    tested=41,
    sites=("DESY-HH", "RAL", "LYON-T1", "CERN-PROD"),
    more=30,
    templates=(Share("dimuon", 71, 74), Share("b-to-hh", 12, 30), Share("read", 0, 70)),
    failures=(
        Failures(71, "stage-in", "pilot 1099", "an input file could not be copied", ("wn-117",), True),
        Failures(12, "auth", "pilot 1201", "the proxy has expired", (), False),
    ),
    examples=tuple(
        AtSite(site, replace(SITE_OUT.example, engine_job_id=job, node=node))
        for site, job, node in (("DESY-HH", "hd1f:88121_4", "wn-117"), ("RAL", "hd20:5", ""))
        if SITE_OUT.example is not None
    ),
)

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b5500"
    "00000a49444154789c63f80f0001010100b138f6140000000049454e44ae426082"
)
REPORT = replace(
    report_of(site_week(bad_week())),
    pictures=(
        Picture("days", "Jobs by day, last week and this", "This week by day: Mon 48 good, 0 failed.", PIXEL),
    ),
)
LOAD_REPORT = LoadReportMail(
    "DESY-HH",
    "479,000 events/s at 4 jobs at once, 3 of 72 failed",
    (
        "ltk2v7cx3a: a ramp of 1, 2, 4, 8 jobs at once, template dimuon, atlas queue grid (slurm).",
        "It ended Tue 09 Jun 2026 08:00 UTC after 2 h 10 min: all jobs were sent and have ended.",
    ),
    (
        LoadPart("Events/s", ("403,000 events/s over the whole test", "Knee: 3.7 jobs at once (3.5 to 3.9); more bring little or nothing")),
        LoadPart("Events/s against jobs at once", ("at once   events/s", "      1    228,000", "         #######", "      4    479,000", "         ###############"), columns=True),
        LoadPart("Failures", ("3 x stage-in timeout payload:14, on wn-117 3; for example job hd1f:88121_4: \x1b[31mno answer",)),
    ),
)  # fmt: skip

EXAMPLES: Mapping[str, tuple[Mail, Envelope]] = {
    "escalation": (ESCALATION, ENVELOPE),
    "escalation-first-mail-only": (
        replace(ESCALATION, story=(), labels=(), asked="", facts=(), ticket="", link=""),
        ENVELOPE,
    ),
    "escalation-long-thread": (replace(ESCALATION, left_out=9), ENVELOPE),
    "urgent": (URGENT, replace(ENVELOPE, to=("aiden@example.org",))),
    "urgent-oncall": (
        replace(URGENT, unanswered_minutes=60),
        replace(ENVELOPE, to=("karl@example.org", "kim@example.org")),
    ),
    "digest": (digest(full()), replace(ENVELOPE, to=("aiden@example.org",))),
    "digest-empty": (digest(empty()), replace(ENVELOPE, to=("aiden@example.org",))),
    "incident": (INCIDENT, replace(ENVELOPE, to=("admin@example.org",))),
    "incident-over": (
        replace(INCIDENT, what=INCIDENT.what[:1], more=0, failures=(), examples=(), templates=(), ended=NOW),
        replace(ENVELOPE, to=("admin@example.org",)),
    ),
    "digest-sites": (digest(gap()), replace(ENVELOPE, to=("aiden@example.org",))),
    "observed": (observed(), replace(ENVELOPE, to=("aiden@example.org",))),
    "review": (labels(), replace(ENVELOPE, to=("aiden@example.org",))),
    "alarm": (ALARM, replace(ENVELOPE, to=("admin@example.org",))),
    "release": (RELEASE, TO_USER),
    "reminder": (REMINDER, ENVELOPE),
    "reminder-one-thread": (replace(REMINDER, threads=REMINDER.threads[:1]), ENVELOPE),
    "note": (NOTE, TO_USER),
    "note-answer": (
        replace(NOTE, answer=StoryLine("GGUS", NOW, ("The disk server is back.", "Please try again."))),
        TO_USER,
    ),
    "note-words": (replace(NOTE, by="Aiden", words=("It works again since this morning.",)), TO_USER),
    "warning": (WARNING, TO_USER),
    "site-out": (SITE_OUT, replace(ENVELOPE, to=("dieter@desy.example.org",))),
    "site-report": (REPORT, replace(ENVELOPE, to=("dieter@desy.example.org",))),
    "site-report-green": (
        report_of(site_week(green_week())),
        replace(ENVELOPE, to=("dieter@desy.example.org",)),
    ),
    "site-report-unseen": (
        report_of(site_week(facts(()))),
        replace(ENVELOPE, to=("dieter@desy.example.org",)),
    ),
    "site-out-silent": (
        replace(SITE_OUT, outs=SITE_OUT.outs[:1], failures=(), example=None),
        replace(ENVELOPE, to=("dieter@desy.example.org",)),
    ),
    "load-report": (LOAD_REPORT, replace(ENVELOPE, to=("dieter@desy.example.org",))),
    "notice": (NoticeMail("7kq2m", "All jobs fail since 04:00", "Ann Müller", WAITED), TO_USER),
    "answer": (ANSWER, TO_SHIFTER),
    "answer-one-refused": (
        replace(ANSWER, outcomes=ANSWER.outcomes[1:2], thread="m3x9a", link="<two@example.org>"),
        TO_SHIFTER,
    ),
    "confirmation": (CONFIRMATION, TO_SHIFTER),
}
