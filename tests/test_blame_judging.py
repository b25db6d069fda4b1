"""When the evidence is strong, and what shifters read of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from helpdesk.blame.errors import error_line
from helpdesk.blame.facts import About, Echo, Failure, Incident, Out, SiteFacts
from helpdesk.blame.judging import of_incident, of_site
from helpdesk.blame.wording import MANY, Picture, Seen, lines, why

NOW = datetime(2026, 6, 8, 12, 0, tzinfo=UTC)
SINCE = NOW - timedelta(hours=2, minutes=20)
STAGE_IN = Failure("stage-in", "stage_in_checksum", "payload:12", "adler32 of zmumu.root differs again", 5)
VERDICT = Out(SINCE, "5 of 6 failed")
OUT = SiteFacts("DESY-HH", VERDICT, (STAGE_IN,), 5, 6, SINCE)
FINE = SiteFacts("DESY-HH", None, (), 0, 6)
FAILING = replace(OUT, out=None)
DOWN = SiteFacts("DESY-HH", Out(SINCE, "declared downtime until 2026-06-08 18:00", "downtime"))
PINNED = SiteFacts("DESY-HH", Out(SINCE, "Aiden: power cut", "pin"))
CLASS = Incident("class", "network", SINCE, "class network")
TEMPLATE = Incident("template", "dimuon", SINCE, "template dimuon", ("zmumu-2",))


@pytest.mark.parametrize(
    ("line", "facts", "strong"),
    [
        ("ended with payload:12", OUT, True),  # the very code
        ("ended with payload:12", FAILING, True),  # no verdict yet
        ("pilot error code 1099", OUT, True),  # the phase
        ("pilot error code 1145", OUT, True),  # the class
        ("ERROR: adler32 of zmumu.root differs again", OUT, True),  # word for word, but for the level
        ("adler32 of zmumu.root differs again", OUT, True),  # word for word
        ("ended with payload:12", FINE, False),
        ("ended with payload:12", replace(FAILING, failed=2), False),  # too few
        ("ended with payload:12", replace(FAILING, ended=20), False),  # too seldom
        ("pilot error code 1137", OUT, False),  # stage-out
        ("exit code 12", OUT, False),  # whose code?
        ("KeyError: 'pt'", OUT, False),  # his own program
        ("payload:30", OUT, False),
        ("Error: your proxy has expired", OUT, False),  # his own
        ("Connection refused", DOWN, True),
        ("pilot error code 1212", DOWN, False),  # of the payload
        ("KeyError: 'pt'", DOWN, False),
        ("ended with payload:12", PINNED, False),  # nothing is known of what fails
    ],
)
def test_strong_is_the_same_failure(line: str, facts: SiteFacts, *, strong: bool) -> None:
    """The site is out or fails, and the line is of that failure's code, class, phase or words; a downtime explains what is no payload's."""
    if line.startswith("ERROR: "):
        facts = replace(facts, failures=(replace(STAGE_IN, text=line),))
    assert (of_site(facts, [error_line("nothing to see"), error_line(line)]) is not None) is strong


def test_a_site_without_trouble_in_the_same_mail() -> None:
    """A mail that names a healthy site, too, may tell of that one: the error line itself must name the site in trouble."""
    assert of_site(OUT, [error_line("ended with payload:12")], alone=False) is None
    assert of_site(OUT, [error_line("job at desy-hh ended with payload:12")], alone=False) is not None


def test_classes_that_say_little_prove_nothing() -> None:
    """That the user's program crashed, and the robots' too, is no common cause."""
    crash = replace(OUT, failures=(Failure("payload", "payload_crash", "payload:30"),))
    assert of_site(crash, [error_line("payload:30"), error_line("pilot error code 1305")]) is None


@pytest.mark.parametrize(
    ("line", "incident", "sites", "data", "strong"),
    [
        ("Connection refused", CLASS, ["DESY-HH"], [], True),
        ("Connection refused", CLASS, [], [], False),  # anybody's connection
        ("pilot error code 1327", CLASS, [], [], True),  # a job's
        ("pilot error code 1137", CLASS, ["DESY-HH"], [], False),
        ("Error: your proxy has expired", replace(CLASS, what="auth"), ["DESY-HH"], [], False),
        ("payload:30", replace(CLASS, what="payload_crash"), ["DESY-HH"], [], False),
        ("payload:12", TEMPLATE, [], ["zmumu-2"], True),
        ("payload:12", TEMPLATE, [], ["other"], False),
        ("KeyError: 'pt'", TEMPLATE, [], ["zmumu-2"], False),
        ("payload:12", replace(TEMPLATE, kind="region"), ["DESY-HH"], [], False),
    ],
)
def test_a_failure_of_many_sites_explains_its_own_class_and_data(
    line: str, incident: Incident, sites: list[str], data: list[str], *, strong: bool
) -> None:
    """Of a class: where the mail names a site or says a code; of a template: where it names the data that the template reads."""
    assert (of_incident(incident, [error_line(line)], sites, data) is not None) is strong


def test_the_reason_says_what_is_known_and_what_was_quoted() -> None:
    """The journal's reason names the site, since when, what fails, and the line of the mail."""
    strong = of_site(OUT, [error_line("ended with payload:12")])
    assert strong is not None
    assert why(strong, UTC) == (
        'DESY-HH is out since Mon 8 Jun 09:40: stage-in fails (payload:12), and the mail quotes "ended with payload:12"'
    )
    central = of_incident(CLASS, [error_line("pilot error code 1327")], [], [])
    assert central is not None
    assert why(central, UTC) == (
        'many sites fail since Mon 8 Jun 09:40 (class network), and the mail quotes "pilot error code 1327"'
    )


def _seen(now: SiteFacts, then: SiteFacts | None = None, others: int = 0) -> Seen:
    return Seen(now, then or now, others)


ANSWERED = Echo(About.ERROR, "x y z", "k7qf2", "renew your proxy")


@pytest.mark.parametrize(
    ("picture", "told"),
    [
        (Picture(), ()),
        (Picture((_seen(FINE),)), ()),
        (Picture((_seen(FINE, others=1),)), ()),
        (
            Picture((_seen(FINE, others=2),)),
            ("DESY-HH: 2 other threads name it; the robots see no trouble there",),
        ),
        (
            Picture((_seen(OUT, others=3),), echoes=(ANSWERED,)),
            (
                "DESY-HH is out since 09:40: stage-in fails (payload:12); 3 other threads name it",
                'the same error was answered in k7qf2: "renew your proxy"',
            ),
        ),
        (
            Picture((_seen(OUT, others=1),)),
            ("DESY-HH is out since 09:40: stage-in fails (payload:12); 1 other thread names it",),
        ),
        (
            Picture((_seen(FINE, replace(OUT, out=replace(VERDICT, until=NOW))),)),
            ("DESY-HH was out from 09:40 to 12:00: stage-in fails (payload:12)",),
        ),
        (
            Picture((_seen(FAILING),)),
            ("DESY-HH: stage-in fails (payload:12), 5 of 6 test jobs since 09:40",),
        ),
        (Picture((_seen(DOWN),)), ("DESY-HH is out since 09:40: declared downtime until 2026-06-08 18:00",)),
        (Picture((_seen(PINNED),)), ("DESY-HH is out since 09:40: Aiden: power cut",)),
        (
            Picture((_seen(replace(OUT, failures=())),)),
            ("DESY-HH is out since 09:40: 5 of 6 failed",),
        ),
        (
            Picture((_seen(OUT),), (error_line("Connection refused"),), incidents=(CLASS,)),
            (
                "many sites fail since 09:40: class network",
                "DESY-HH is out since 09:40: stage-in fails (payload:12)",
            ),
        ),
        (
            Picture(
                (_seen(OUT),),
                (error_line("payload:12"), error_line("pilot error code 1327")),
                incidents=(CLASS,),
            ),
            (
                "DESY-HH is out since 09:40: stage-in fails (payload:12)",
                "many sites fail since 09:40: class network",
            ),
        ),
        (
            Picture((_seen(OUT), _seen(replace(OUT, site="CERN")), _seen(FAILING)), echoes=(ANSWERED,)),
            (
                "DESY-HH is out since 09:40: stage-in fails (payload:12)",
                'the same error was answered in k7qf2: "renew your proxy"',
            ),
        ),
        (
            Picture(
                echoes=(
                    Echo(About.DATASET, "mc08.1", "abcde", "it was moved"),
                    Echo(About.ERROR, "x", "fghij"),
                )
            ),
            ('the same data set (mc08.1) was answered in abcde: "it was moved"',),
        ),
        (
            Picture(
                echoes=(Echo(About.ERROR, "x", "fghij", others=1), Echo(About.DATASET, "mc08.1", "abcde"))
            ),
            ("the same error is in fghij and 1 more thread",),
        ),
        (Picture(echoes=(replace(ANSWERED, others=MANY),)), ()),
    ],
)
def test_two_lines_say_the_best_that_is_known(picture: Picture, told: tuple[str, ...]) -> None:
    """First the site or the central failure, what the mail's own error proves before what it does not; then what other threads know."""
    assert lines(picture, NOW, UTC) == told


def test_a_failure_of_another_phase_and_an_old_one() -> None:
    """A failure without a phase or code is told as far as it is known; what is older than a day has its day."""
    old = replace(
        OUT, out=replace(VERDICT, since=NOW - timedelta(days=3)), failures=(Failure("", "timeout"),)
    )
    assert lines(Picture((_seen(old),)), NOW, UTC) == (
        "DESY-HH is out since Fri 5 Jun 12:00: jobs fail (timeout)",
    )
