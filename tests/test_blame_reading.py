"""What a mail names: by its author, in his own words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.blame.errors import MAX_KEY, error_line, key_of
from helpdesk.blame.facts import About
from helpdesk.blame.names import Names
from helpdesk.blame.reading import MAX_ANSWER, Mail, first_sentence, mentions, own_lines
from helpdesk.robots.record import Blame, Phase

SITES = Names({"DESY-HH": ["DESY-HH"], "CERN": ["CERN"]})
DATA = Names({"mc08-zmumu": ["mc08-zmumu"]})
ERROR = "pilot error code 1099: Get error, staging input file failed"


def _named(text: str, about: About = About.SITE, **more: object) -> list[str]:
    mail = Mail(text, **more)  # type: ignore[arg-type]  # keywords of one call each
    return [one.name for one in mentions(mail, SITES, DATA) if one.about is about]


def test_a_mail_names_sites_data_and_errors() -> None:
    """Sites and data sets by their configured names, error lines by what stays the same of them."""
    text = f"Hello,\n\nmy jobs on mc08-zmumu and mc08.105200.T1_McAtNlo.recon.AOD.e357 at desy-hh fail:\n\n{ERROR}\n"
    assert _named(text) == ["DESY-HH"]
    assert _named(text, About.DATASET) == ["mc08-zmumu", "mc08.105200.T1_McAtNlo.recon.AOD.e357"]
    assert _named(text, About.ERROR) == ["pilot error code 1099: get error, staging input file failed"]


@pytest.mark.parametrize(
    "text",
    [
        "It works for me.\n\nOn Mon, 8 Jun 2026, Bob wrote:\n> all jobs at DESY-HH fail\n",
        "It works.\n\n-----Original Message-----\nFrom: Bob\nSent: Monday\nTo: list\nSubject: x\n\nall jobs at DESY-HH fail\n",
        "Please look.\n\n---------- Forwarded message ----------\nFrom: Bob <bob@x.org>\nSubject: jobs\n\nAll at DESY-HH fail\n",
        "My jobs fail.\n\n-- \nAnn Ash\nDESY-HH\n",
        "My jobs fail.\n\nCheers,\nAnn\nDESY-HH computing\n",
        "My jobs fail.\n\nMany thanks for your help,\n  Ann Ash (DESY-HH)\n",
        "My jobs fail.\n\nAnn Ash\nDESY-HH, Hamburg\n",
        "My jobs fail.\n\nThanks and regards,\nAnn\n\n________\nAnn Ash, DESY-HH\n",
        "My jobs fail.\n\n----------\nDESY-HH, Hamburg\n",
        "My jobs fail.\n\nAnn Ash (DESY-HH, Hamburg)\n",
        "It works.\n\nBob Birch wrote:\n| all jobs at DESY-HH fail\n| payload:12\n",
        "My jobs fail.\n\nSent from my phone\nDESY-HH\n",
        "My jobs fail, all of them.\n\nDr. B. Birch\nDESY-HH Computing Group\n",
        "My jobs fail, all of them.\n\nDESY-HH\nNotkestr. 85\n",
        "> DESY-HH\n",
        "My jobs fail, see https://x.example/DESY-HH\n",
    ],
)
def test_quotes_and_signatures_name_nothing(text: str) -> None:
    """A site that stands in a quote, a forwarded mail, a signature with or without a mark, or an address is not named."""
    assert _named(text, author="Ann Ash") == []


def test_thanks_are_no_signature_in_front() -> None:
    """A mail that begins with thanks is read to its end, and so is one that is longer than a signature."""
    assert _named("Thanks\n\nNow DESY-HH fails.\n", author="Ann") == ["DESY-HH"]
    assert _named("Thanks,\n" + "more\n" * 20 + "DESY-HH fails\n", author="Ann") == ["DESY-HH"]


@pytest.mark.parametrize(
    "text",
    [
        "Which site?\n\nDESY-HH",
        "My jobs fail, all of them.\n\nIt is DESY-HH.",
        "My jobs fail, all of them.\n\n(site: DESY-HH)",
        "My jobs fail, all of them.\n\n| site | DESY-HH |\n| jobs | 77 |\n",
        "My jobs fail, all of them.\n\nJobs at DESY-HH still fail",
        "My jobs fail, all of them.\n\nSite\nDESY-HH\nQueue\nlong\nJobs\n77",
        "DESY-HH\n",
    ],
)
def test_a_last_paragraph_is_read(text: str) -> None:
    """A last paragraph that is a sentence, longer than a card, or all that there is, names what it names."""
    assert _named(text, author="Ann Ash") == ["DESY-HH"]


def test_the_subject_is_the_authors_in_a_new_mail_only() -> None:
    """The subject names a site, unless somebody else wrote it."""
    assert _named("All fail.", subject="DESY-HH is broken") == ["DESY-HH"]
    assert _named("All fail.", subject="Re: DESY-HH is broken", begins=False) == []


def test_a_code_with_its_table_is_an_error() -> None:
    """What says payload:12 quotes an error, whatever the line looks like; prose does not."""
    text = "The jobs at DESY-HH ended with payload:12 today\nand I get an error\n"
    assert _named(text, About.ERROR) == ["the jobs at desy-hh ended with payload:12 today"]


@pytest.mark.parametrize(
    ("line", "code", "error_class", "phase"),
    [
        ("ended with payload:12", "payload:12", "stage_in_checksum", Phase.STAGE_IN),
        ("pilot 1099", "pilot:1099", "stage_in", Phase.STAGE_IN),
        ("exit code 1099", "pilot:1099", "stage_in", Phase.STAGE_IN),
        ("Error: exit code: 8021", "wmcore:8021", "stage_in", Phase.STAGE_IN),
        ("slurm:NODE_FAIL", "slurm:NODE_FAIL", "node", Phase.PAYLOAD),
        ("OSError: [Errno 28] No space left on device", "", "no_space", None),
    ],
)
def test_tables_say_what_a_line_means(line: str, code: str, error_class: str, phase: Phase | None) -> None:
    """A code with its table, a long code that one table has, the words of systems: a class and a phase."""
    found = error_line(line)
    assert found.code == code
    assert [(one.error_class, one.phase) for one in found.meanings] == [(error_class, phase)]


@pytest.mark.parametrize(
    "line", ["exit code 12", "error 1", "payload:999", "no such file or directory", "port 1099"]
)
def test_nothing_is_guessed(line: str) -> None:
    """A short number without its table, an unknown one, what anybody's program says: they mean nothing."""
    assert error_line(line).meanings == ()


def test_an_expired_proxy_is_the_users() -> None:
    """What may be the user's own is marked: it proves nothing about others."""
    assert error_line("Error: your proxy has expired").may_be_the_users
    assert error_line("Error: your proxy has expired").meanings[0].blame is Blame.USER


def test_lines_are_the_same_without_what_changes() -> None:
    """Times, paths, URLs, ids and long numbers go; codes stay; a line of few words is like no other."""
    first = "2026-06-08 04:12:33,123 ERROR [77] job 12345678 at /afs/x/y.root: cannot stage in srm://a/b code 1099"
    second = "2026-06-09 23:01:00,001 ERROR [8] job 87654321 at /eos/z/a/b.root: cannot stage in srm://c/d/e code 1099"
    assert key_of(first) == key_of(second) != ""
    assert key_of(first) != key_of(first.replace("1099", "1100"))
    assert key_of("Error 12: abort") == ""


@pytest.mark.parametrize(
    "line",
    [
        "make[2]: *** [CMakeFiles/x.dir/y.cc.o] Error 1",
        "collect2: error: ld returned 1 exit status",
        "Segmentation fault (core dumped)",
        "[1]    193622 abort (core dumped)",
    ],
)
def test_last_words_are_like_no_other(line: str) -> None:
    """How a build or a program ends says nothing of what broke it."""
    assert key_of(line) == ""


@given(st.text(max_size=2000), st.text(max_size=30))
def test_any_text_can_be_read(text: str, author: str) -> None:
    """Whatever a mail says, its mentions are few, bounded and storable, and what is no line of it is not its author's."""
    found = mentions(Mail(text, author, text[:50]), SITES, DATA)
    assert len(found) <= 45
    assert all(len(one.name) <= MAX_KEY and len(one.text) <= 500 for one in found)
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").split("\n")]
    assert all(line in lines for line in own_lines(text, author) if line)


@pytest.mark.parametrize(
    "piece", ["DESY-HH ", "Error: x y z ", "a/b" * 9, "\n> On Mon, Bob wrote:\n", "Cheers,\n", "0x", "1:"]
)
def test_a_megabyte_is_read_to_its_limit(piece: str) -> None:
    """A megabyte that repeats itself costs no more than its first part, and says few things."""
    found = mentions(Mail((piece * (1_000_000 // len(piece)))[:1_000_000], "Ann"), SITES, DATA)
    assert len(found) <= 45


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "Hi Ann,\n\nplease renew your proxy. Then try again.\n\nCheers,\nAiden\n",
            "please renew your proxy.",
        ),
        ("helpdesk: waiting\n\nrenew your proxy\n\n> it fails\n", "renew your proxy"),
        ("Hello,\n", ""),
        ("> all is quoted\n", ""),
        ("x" * 500, "x" * MAX_ANSWER),
    ],
)
def test_an_answer_is_known_by_its_first_sentence(text: str, said: str) -> None:
    """Without the greeting, commands to the board and quotes; bounded."""
    assert first_sentence(text, "Aiden Archer") == said
