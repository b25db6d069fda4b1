"""The digest as its readers see it: golden texts, and what holds whatever strangers write.

`UPDATE_GOLDEN=1 pytest tests/test_digest.py` writes the texts of tests/golden/digest/ anew, to be read before they are committed.
"""

import os
import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from helpdesk.digest.build import digest
from helpdesk.digest.facts import Case, Now, Told
from helpdesk.digest.saying import age
from helpdesk.digest.sites import Central, Held, SitesNow, Standing
from helpdesk.model import Nature, Role
from helpdesk.rules.attention import reasons
from helpdesk.rules.hours import Hours
from helpdesk.text import safe_block
from helpdesk.thanks import only_thanks
from tests.digest_cases import EXAMPLES, NOW, ZERO, case, dst, empty, full, gap, named, resting, turns, wrote
from tests.threads import KINDS, MC08, POLICY, VIP, Mail, msg, opened, stamp, thread

GOLDEN = Path(__file__).parent / "golden" / "digest"


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_digest_reads_as_it_was_read(name: str) -> None:
    """Nobody changes a digest without looking at it."""
    mail = digest(EXAMPLES[name]())
    text = "\n".join([f"Subject: [dast] {mail.title}: {mail.counts}", "", *mail.lines, ""])
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    assert file.read_text() == text


# -- what holds whatever strangers write -----------------------------------------------------------------------------

TEXTS = st.text(max_size=120) | st.sampled_from(
    [
        "",
        "日本語の件名" * 20,
        "\x1b[31mred\x07",
        "a\u202eb",
        "x" * 300,
        "👨‍👩‍👧 family",
        "e\u0301" * 90,
        "\ud800",
        "Re:\r\nBcc: all@example.org",
    ]
)
AGES = st.integers(0, 200_000).map(lambda minutes: timedelta(minutes=minutes))
LABELS = st.lists(st.sampled_from(sorted(KINDS)), unique=True, max_size=4)
STAMPS = st.none() | AGES.map(lambda ago: stamp(1, ZERO - ago))


@st.composite
def mails(draw: st.DrawFn) -> Mail:
    """A mail of anybody, read or not, with any labels on it."""
    one = (
        msg()
        .after(ZERO - draw(AGES))
        .in_inbox(
            *draw(LABELS),
            read=draw(st.booleans()),
            unknown=frozenset(draw(st.lists(TEXTS.filter(bool), max_size=2))),
        )
    )
    return replace(
        one,
        role=draw(st.sampled_from(list(Role))),
        nature=draw(st.sampled_from(list(Nature))),
        trusted=draw(st.booleans()),
    )


@st.composite
def cases(draw: st.DrawFn, number: int) -> Case:
    """A thread in any state, with hostile words."""
    state = replace(
        opened(*draw(LABELS)),
        open=draw(st.sampled_from([True, True, True, False, None])),
        reopened=draw(STAMPS),
        expert_comment=draw(STAMPS),
        bounce=draw(STAMPS),
        since=draw(STAMPS),
        closed_escalated=draw(st.booleans()),
        rule=draw(st.sampled_from(["new", "reopen", "adoption"])),
    )
    facts = replace(thread(*draw(st.lists(mails(), max_size=4)), state=state), code=f"{number:010d}")
    return Case(
        facts,
        draw(TEXTS),
        draw(TEXTS),
        notes=tuple(draw(st.lists(TEXTS, max_size=2))),
        mails=tuple(draw(st.lists(TEXTS, max_size=1))),
        clue=draw(TEXTS),
        thanks=draw(st.booleans()),
        closes=draw(st.none() | st.just(NOW)),
    )


@st.composite
def places(draw: st.DrawFn) -> SitesNow | None:
    """Any number of sites out and back, with hostile names and reasons."""
    found = st.builds(Standing, TEXTS, TEXTS, st.booleans(), AGES.map(lambda ago: NOW - ago), TEXTS)
    failures = st.builds(
        Central,
        st.tuples(TEXTS),
        st.lists(TEXTS, max_size=9).map(tuple),
        st.just(NOW),
        st.sampled_from([None, NOW]),
        st.integers(0, 1000),
    )
    some = st.lists(found, max_size=3).map(tuple) | st.lists(found, min_size=30, max_size=30).map(tuple)
    held = st.lists(st.builds(Held, TEXTS, st.booleans(), TEXTS), max_size=2).map(tuple)
    known = st.builds(SitesNow, some, some, st.lists(failures, max_size=2).map(tuple), held)
    return draw(st.none() | known)


@st.composite
def boards(draw: st.DrawFn) -> Now:
    """Any threads, any shifts, any words."""
    found = tuple(draw(cases(number)) for number in range(draw(st.integers(0, 6))))
    told = tuple(
        draw(
            st.lists(st.builds(Told, TEXTS, st.just(NOW), st.booleans(), st.tuples(TEXTS, TEXTS)), max_size=2)
        )
    )
    base = draw(st.sampled_from([full(), gap(), dst(), replace(full(), rota=None)]))
    policy = replace(POLICY, ignore_unread=draw(st.booleans()))
    words = st.lists(TEXTS, max_size=2).map(tuple)
    return replace(
        base, cases=found, handovers=told, policy=policy, board=draw(words), problems=draw(words), sites=draw(places()), tag=draw(TEXTS),
        names={one.facts.code: one.facts.code[-draw(st.integers(5, 10)) :] for one in found},
    )  # fmt: skip


@given(boards())
@settings(max_examples=50, deadline=None)
def test_no_line_is_wider_than_72_columns(now: Now) -> None:
    """Whatever strangers write, every line fits, stays one line, and obeys nobody: as a terminal counts columns."""
    mail = digest(now)
    for line in (*mail.lines, mail.title, mail.counts):
        assert cell_len(line) <= 72, line
        assert line == line.rstrip()
        assert safe_block(line) == line or not line


@given(boards())
@settings(max_examples=50, deadline=None)
def test_every_open_thread_stands_in_one_place(now: Now) -> None:
    """A thread is named once, or counted once under NOTHING TO DO: none is missed and none is asked for twice."""
    mail = digest(now)
    listed = [row.thread for part in mail.parts for row in part.rows if row.thread]
    thanks = mail.news.partition("(thanks? ")[2].rstrip(")")
    listed += thanks.split(", ") if thanks else []
    counted = sum(int(re.sub(r" \(.*\)$", "", one).rpartition(" ")[2]) for one in mail.resting)
    open_ones = [now.names[one.facts.code] for one in now.cases if one.facts.state.open]
    assert len(listed) == len(set(listed))
    assert set(listed) <= set(now.names.values())
    closed_ones = {now.names[one.facts.code] for one in now.cases if not one.facts.state.open}
    assert counted + len(set(listed) - closed_ones) == len(open_ones)


@given(boards())
@settings(max_examples=50, deadline=None)
def test_who_wants_attention_is_named(now: Now) -> None:
    """Every thread that wants a shifter is named, never only counted."""
    mail = digest(now)
    listed = {row.thread for part in mail.parts for row in part.rows} | set(
        re.findall(r"\d{5,10}", mail.news)
    )
    for one in now.cases:
        if reasons(one.facts, now.policy):
            assert now.names[one.facts.code] in listed


def test_a_long_part_is_cut() -> None:
    """Of hundreds of threads the oldest are listed, and how many more there are is said."""
    many = tuple(case(f"many{n:03d}", "Ann", "Help", wrote(timedelta(hours=n + 1))) for n in range(200))
    [part] = digest(named(replace(full(), cases=many, handovers=()))).parts
    assert (len(part.rows), part.more) == (30, 170)
    assert part.rows[0].thread == "many1"


def test_an_empty_shift_is_three_lines() -> None:
    """Where nobody need do anything, nothing more is said, however many labels there are."""
    many = tuple(resting(f"r{n:04d}", MC08 if n % 2 else VIP) for n in range(9))
    for rota in (full().rota, None):
        assert len(digest(named(replace(empty(), cases=many, rota=rota))).lines) == 3


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (0, "0m"),
        (59, "59m"),
        (60, "1h"),
        (70, "1h10"),
        (599, "9h59"),
        (600, "10h"),
        (2879, "47h"),
        (2880, "2d"),
        (9 * 1440, "9d"),
    ],
)
def test_ages_are_short(minutes: int, said: str) -> None:
    """Ages are as long as a reader needs: minutes, hours and minutes, hours, days."""
    assert age(timedelta(minutes=minutes)) == said


@pytest.mark.parametrize(
    ("hours", "now", "until"),
    [
        (Hours((0, 1, 2, 3, 4), 540, 1020, "Europe/Zurich"), "2026-06-09T07:00Z", "2026-06-09T15:00Z"),
        (Hours((0, 1, 2, 3, 4), 540, 1020, "Europe/Zurich"), "2026-06-09T15:00Z", None),
        (Hours((0, 1, 2, 3, 4), 540, 1020, "Europe/Zurich"), "2026-06-13T10:00Z", None),
        (Hours(zone="Europe/Zurich"), "2026-10-25T10:00Z", "2026-10-25T23:00Z"),
        (Hours((0, 1, 2, 3, 4), 540, 1020, "Asia/Tokyo"), "2026-06-08T00:30Z", "2026-06-08T08:00Z"),
        (Hours((0, 1), 540, 1020, "UTC", (date(2026, 6, 9),)), "2026-06-09T10:00Z", None),
    ],
)
def test_who_is_awake(hours: Hours, now: str, until: str | None) -> None:
    """A destination is awake in its own hours and days, by the clocks of its own zone, and not on its holidays."""
    found = hours.closes_at(datetime.fromisoformat(now))
    assert found == (None if until is None else datetime.fromisoformat(until))


# -- thanks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    ["Thanks a lot!", "Thank you, it works now.\nAnn", "Merci beaucoup", "Vielen Dank, alles gut", "cheers"],
)
def test_thanks_are_recognised(words: str) -> None:
    """A short mail that thanks and asks nothing needs no answer."""
    assert only_thanks(words)


@pytest.mark.parametrize(
    "words",
    [
        "", "It works.", "Thanks, but it still fails", "Thanks! How do I get more quota?", "Danke, aber der Fehler ist noch da", "Thanks. " + "word " * 40,
        "Thanks, it doesn't work", "Thanks, please close it", "Thank you. Another job failed with error 1099",
    ],
)  # fmt: skip
def test_thanks_with_more_are_no_thanks(words: str) -> None:
    """Whatever asks, doubts or goes on needs a shifter."""
    assert not only_thanks(words)


def test_a_shift_of_several_days_names_both() -> None:
    """Where a shift lasts a week, its title says from which day to which."""
    week = turns(("2026-06-08T08:00", "2026-06-15T08:30", "Aiden"))
    mail = digest(replace(empty(), rota=week))
    assert mail.title == "Mon 8 Jun 08 - Mon 15 Jun 0830 UTC"
    assert mail.duty == "You: Aiden. Next: nobody is planned until Sun 19 Jul."


def test_a_large_board_says_what_it_did_not_look_at() -> None:
    """Threads that are too many to look at are counted, never forgotten."""
    assert digest(replace(empty(), older=95_000)).resting[-1] == "older, not looked at 95000"
