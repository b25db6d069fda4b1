"""Commands by mail, as text: which lines are commands, and what they ask for."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.commands import Command, Item, Mistake, Verb
from helpdesk.commands.grammar import Known, understand
from helpdesk.commands.splitting import MAX_COMMANDS, MAX_TEXT, split
from helpdesk.model import ESCALATED, FIXED, TAKEN, URGENT, WAITING, LabelKind

KNOWN = Known(
    "dast",
    {
        WAITING: LabelKind.STATE,
        URGENT: LabelKind.STATE,
        ESCALATED: LabelKind.STATE,
        FIXED: LabelKind.STATE,
        TAKEN: LabelKind.INFO,
        "GGUS": LabelKind.WHERE,
        "Ganga Expert": LabelKind.WHERE,
        "DQ2 Savannah": LabelKind.WHERE,
        "mc08 dataset problem": LabelKind.TEMPORARY,
        "mc09 dataset problem": LabelKind.TEMPORARY,
        "docs": LabelKind.INFO,
    },
    ("DESY-HH", "RAL"),
)


def lines(text: str) -> list[str]:
    return [item.line for item in split(text).items]


def asked(line: str, *words: str) -> Command | Mistake:
    return understand(Item(line, words), KNOWN)


def problem(line: str, *words: str) -> str:
    found = asked(line, *words)
    assert isinstance(found, Mistake), found
    return found.problem


# --- which lines are commands ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "helpdesk: close x7m2q",
        "\r\n\r\nHelpdesk: close x7m2q\r\n",
        "  HELPDESK :close x7m2q  \n\nThanks, all is well.",
        "helpdesk\uff1a close x7m2q",
        "helpdesk:\u00a0close\u200b x7m2q",
    ],
)
def test_a_first_line_is_a_command(text: str) -> None:
    """The first line that is not blank is a command if it begins with `helpdesk:`, however a phone spells that."""
    assert lines(text) == ["close x7m2q"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n \n",
        "Hello,\nhelpdesk: close x7m2q",
        "> helpdesk: close x7m2q",
        "| helpdesk: close x7m2q",
        "-- \nhelpdesk: close x7m2q",
        "The helpdesk: close x7m2q",
        "helpdesk close x7m2q",
        "On Tue, Ann wrote:\nhelpdesk: close x7m2q",
        "---------- Forwarded message ---------\nFrom: a@x\n\nhelpdesk: close x7m2q",
        "From: dast\nSent: Tuesday\nSubject: x\n\nhelpdesk: close x7m2q",
        "I confirm abcdefgh2345",
        "confirm the meeting",
    ],
)
def test_anything_else_first_means_no_command_at_all(text: str) -> None:
    """What is quoted, forwarded, signed or merely mentioned is an ordinary mail, and stays whole."""
    assert split(text).items == ()
    assert split(text).rest == text


def test_several_commands_and_what_follows_them() -> None:
    """The run of commands ends with the first line that is none; the rest is free words."""
    said = split(
        "helpdesk: close x7m2q\nhelpdesk: waiting k2v7c\n\nhelpdesk: help\nDESY is theirs.\nhelpdesk: undo\n"
    )
    assert [item.line for item in said.items] == ["close x7m2q", "waiting k2v7c", "help"]
    assert said.rest == "DESY is theirs.\nhelpdesk: undo"


def test_a_confirmation_is_a_command() -> None:
    """`confirm TOKEN` alone, or behind `helpdesk:`, as the mail that asks for it writes it."""
    token = "a2" * 16
    assert lines(f"Confirm  {token}\n\n> quoted") == [f"Confirm {token}"]
    assert asked(f"Confirm {token}") == asked(f"confirm {token.upper()}") == Command(Verb.CONFIRM, what=token)


def test_words_run_to_the_next_command_or_to_end() -> None:
    """A command with a colon takes the lines below it."""
    text = (
        "helpdesk: tell user k2v7c: It works again.\n\nPlease retry.\n"
        "helpdesk: note: asked GGUS\nby phone\nhelpdesk: end\nA quiet shift.\n"
    )
    said = split(text)
    assert said.items == (
        Item("tell user k2v7c:", ("It works again.", "", "Please retry.")),
        Item("note:", ("asked GGUS", "by phone")),
    )
    assert said.rest == "A quiet shift."


OUTLOOK = """\

From: dast helpdesk <dast-board@example.org>
Sent: Tuesday, 9 June 2026 08:00
To: Aiden Archer <aiden@example.org>
Subject: [dast] Tue 9 Jun 06-14 UTC: 4 to answer

helpdesk: close m3x9a
secret words about users
"""


@pytest.mark.parametrize(
    "after",
    [
        "\n> quoted\nhelpdesk: close m3x9a",
        "\nOn Tue, 9 Jun 2026 at 08:00, dast helpdesk <dast-board@example.org> wrote:\n> 1 FIRST\n",
        "\nOn Tue, 9 Jun 2026 at 08:00, dast helpdesk <dast-board@example.org> wrote:\n\nhelpdesk: close m3x9a\n",
        "-- \nAiden\nhelpdesk: close m3x9a",
        "________________________________\nFrom: x\nhelpdesk: close m3x9a",
        OUTLOOK,
        f"see below\n{OUTLOOK}",
        "\n-----Original Message-----\nFrom: dast\nSent: Tuesday, 9 June 2026 08:00\nTo: x\nSubject: y\n\nhelpdesk: close m3x9a",
        "\nSent from my iPhone",
    ],
)
def test_words_end_where_the_author_ends(after: str) -> None:
    """Nothing quoted, in whatever client's way, and no signature goes along with words for a user or is obeyed."""
    said = split(f"helpdesk: tell user k2v7c: It works again.\n{after}")
    assert [item.line for item in said.items] == ["tell user k2v7c:"]
    assert said.items[0].words in {("It works again.",), ("It works again.", "see below")}


def test_a_command_without_words_ignores_what_follows() -> None:
    """`tell user k2v7c` alone has no words, whatever stands below it."""
    assert split("helpdesk: tell user k2v7c\nThanks to all.").items == (Item("tell user k2v7c"),)


def test_too_many_commands_are_cut_after_one_too_many() -> None:
    """The number of commands of a mail is bounded, and who asks for more can be told."""
    assert len(split("helpdesk: help\n" * 1000).items) == MAX_COMMANDS + 1


PIECES = st.sampled_from(
    [
        "helpdesk:", "helpdesk: note: x", "helpdesk: tell user:", "confirm", "\n", "\r", ":", ">", "-- ", " ", "close",
        "label", "escalate GGUS", "x7m2q", "dast-", "undo", "wrong 3", "On Tue Ann wrote:", "From: x", "\u202e", "\x00",
        "\ud800", "\u200b", "helpdesk: end", "status", "helpdesk: out ", "helpdesk: pause", " until ", "RAL", " 3 days", "retest",
    ]
)  # fmt: skip


@settings(deadline=None)
@given(st.one_of(st.text(max_size=300), st.lists(PIECES, max_size=60).map("".join)))
def test_no_text_raises(text: str) -> None:
    """Whatever stands in a mail is split and understood, as commands or as mistakes, on clean short lines."""
    said = split(text)
    for item in said.items:
        assert isinstance(understand(item, KNOWN), Command | Mistake)
        assert item.line.isprintable()
        assert len(item.line) <= 500


@settings(deadline=None)
@given(st.lists(PIECES, max_size=30).map("".join))
def test_quoting_a_mail_takes_its_commands_away(text: str) -> None:
    """No mail that is quoted with `>` as a whole has a command."""
    quoted = "\n".join(f"> {line}" for line in text.replace("\r", "\n").split("\n"))
    assert split(quoted).items == ()


@pytest.mark.parametrize(
    "text",
    [
        "helpdesk:" + " " * 10**6,
        " " * 10**6 + "helpdesk:",
        "helpdesk: note:" + ":" * 10**6,
        "helpdesk: tell " + "user " * 10**5,
        "helpdesk: note: x\n" + "On x wrote:\n" * 10**5,
        "confirm " * 10**5,
        "\n" * 10**6,
    ],
)
def test_a_huge_text_is_cut_first(text: str) -> None:
    """What is looked at is bounded, so the time is."""
    said = split(text)
    assert sum(len(item.line) + sum(map(len, item.words)) for item in said.items) <= MAX_TEXT


# --- what they ask for -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("close", Command(Verb.CLOSE)),
        ("Close X7M2Q.", Command(Verb.CLOSE, ("X7M2Q",))),
        ("close x7m2q, k2v7c x7m2q", Command(Verb.CLOSE, ("x7m2q", "k2v7c"))),
        ("reopen dast-x7m2q", Command(Verb.REOPEN, ("dast-x7m2q",))),
        ("waiting", Command(Verb.LABEL, (), WAITING)),
        ("urgent x7m2q", Command(Verb.LABEL, ("x7m2q",), URGENT)),
        ("fixed x7m2q", Command(Verb.LABEL, ("x7m2q",), FIXED)),
        ("taken", Command(Verb.LABEL, (), TAKEN)),
        ("label docs", Command(Verb.LABEL, (), "docs")),
        ("label x7m2q FIXED_in_next_release", Command(Verb.LABEL, ("x7m2q",), FIXED)),
        ("label x7m2q mc08", Command(Verb.LABEL, ("x7m2q",), "mc08 dataset problem")),
        ('unlabel "Docs"', Command(Verb.UNLABEL, (), "docs")),
        ("unlabel dast-x7m2q docs", Command(Verb.UNLABEL, ("dast-x7m2q",), "docs")),
        ("label ganga expert", Command(Verb.LABEL, (), "Ganga Expert")),
        ("escalate GGUS", Command(Verb.ESCALATE, (), "GGUS")),
        ("escalate x7m2q ggus 48112", Command(Verb.ESCALATE, ("x7m2q",), "GGUS", "48112")),
        ("escalate DQ2 savannah", Command(Verb.ESCALATE, (), "DQ2 Savannah")),
        ("escalate ganga #12", Command(Verb.ESCALATE, (), "Ganga Expert", "#12")),
        ("escalate x7m2q dq2 savannah PROJ-12", Command(Verb.ESCALATE, ("x7m2q",), "DQ2 Savannah", "PROJ-12")),
        ("tell user", Command(Verb.TELL)),
        ("Tell User k2v7c", Command(Verb.TELL, ("k2v7c",))),
        ("undo", Command(Verb.UNDO)),
        ("undo 0a1b2c3d4e5f", Command(Verb.UNDO, what="0a1b2c3d4e5f")),
        ("wrong 3", Command(Verb.WRONG, what="3")),
        ("wrong #03 she was told by phone", Command(Verb.WRONG, what="3", words=("she was told by phone",))),
        ("status", Command(Verb.STATUS)),
        ("status x7m2q", Command(Verb.STATUS, ("x7m2q",))),
        ("help me please", Command(Verb.HELP)),
    ],
)  # fmt: skip
def test_what_a_line_asks_for(line: str, command: Command) -> None:
    """Verbs in any case, threads with or without the board's name, labels by any spelling that means one."""
    assert asked(line) == command


def test_words_come_along() -> None:
    """Words behind the colon are the command's."""
    assert asked("note x7m2q:", "a", "b") == Command(Verb.NOTE, ("x7m2q",), words=("a", "b"))
    assert asked("tell user:", "a") == Command(Verb.TELL, words=("a",))
    assert asked("wrong 3:", "a") == Command(Verb.WRONG, what="3", words=("a",))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "nothing is asked for"),
        ("...", "nothing is asked for"),
        ("clsoe x7m2q", "'close'?"),
        ("tell x7m2q", "'tell user'?"),
        ("closeall", "is no command"),
        ("release DESY-HH 1.2", "'release' is no command"),
        ("close the thread about mc08!?", "is no thread"),
        ("close " + "x7m2q1 " + " ".join(f"a{n}" for n in range(30)), "more than 20"),
        ("label", "needs the name of a label"),
        ("label x7m2q wating", "'WAITING'?"),
        ("label mc08 dataste problm", "'mc08 dataset problem'?"),
        ("label mc0", "'mc0' can be mc08 dataset problem or mc09 dataset problem"),
        ("label x", "there is no label 'x'; known: "),
        ("unlabel zzzzzzzz", "known: "),
        ("escalate", "needs to know where to"),
        ("escalate WAITING", "there is no destination 'WAITING'"),
        ("escalate x7m2q GUGS", "'GGUS'?"),
        ("escalate GGUS 1 2 3", "there is no destination"),
        ("escalate x7m2q GGUS <script>", "there is no destination"),
        ("tell user x7m2q it works", "behind a colon"),
        ("note", "needs words"),
        ("note x7m2q hello", "behind a colon"),
        ("note !!!:", "needs words"),
        ("undo this now", "one action or one thread"),
        ("undo <x>", "is no thread"),
        ("wrong", "needs the number"),
        ("wrong three", "needs the number"),
        ("confirm", "needs the token"),
        ("confirm a b", "needs the token"),
    ],
)  # fmt: skip
def test_what_a_mistake_says(line: str, says: str) -> None:
    """A line that means nothing is answered with what is wrong and the nearest known name."""
    assert says in problem(line)


def test_a_board_without_labels_says_so() -> None:
    """With nowhere to escalate to, there is none to suggest."""
    found = understand(Item("escalate GGUS"), Known("dast", {}))
    assert isinstance(found, Mistake)
    assert found.problem.endswith("known: none")


# --- sites -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "verb", "site", "when"),
    [
        ("retest", Verb.RETEST, "", ""),
        ("Retest desy-hh.", Verb.RETEST, "DESY-HH", ""),
        ("out until 18 Jun", Verb.OUT, "", "18 Jun"),
        ("out DESY-HH until tomorrow 14:00", Verb.OUT, "DESY-HH", "tomorrow 14:00"),
        ("OUT\u00a0RAL  UNTIL  junk", Verb.OUT, "RAL", "junk"),
        ("out 3 days", Verb.OUT, "", "3 days"),
        ("out RAL for 3 days", Verb.OUT, "RAL", "3 days"),
        ("pause", Verb.PAUSE, "", ""),
        ("pause RAL", Verb.PAUSE, "RAL", ""),
        ("pause RAL 4 weeks", Verb.PAUSE, "RAL", "4 weeks"),
        ("pause until Fri", Verb.PAUSE, "", "Fri"),
        ("resume", Verb.RESUME, "", ""),
        ("back in RAL", Verb.RESUME, "RAL", ""),
    ],
)
def test_a_site_and_a_date(line: str, verb: Verb, site: str, when: str) -> None:
    """A command about a site names it, or leaves it to the mail that is answered; its date is read later."""
    assert asked(line) == Command(verb, what=when, site=site)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("out", "out needs a date"),
        ("out DESY-HH", "out needs a date"),
        ("out of order", "out needs a date"),
        ("retest DESY", "there is no site 'DESY': 'DESY-HH'?"),
        ("retest DESY-HH RAL", "there is no site"),
        ("pause the robots", "there is no site 'the robots'"),
        ("resume \u202eLAR", "there is no site"),
        ("retests", "'retests' is no command: 'retest'?"),
    ],
)
def test_a_site_is_never_guessed(line: str, says: str) -> None:
    """A name that is not a site's, or a missing date, is a mistake; the nearest name is only told."""
    assert says in problem(line)
