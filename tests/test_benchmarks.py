"""The benchmarks measure what they say: their mail is a support list's, their ratios are taken round by round."""

import json
from collections import Counter
from pathlib import Path

import pytest

from helpdesk.mailbox.parse import parse_header
from helpdesk.robots.world import textbook
from tests.benchmarks import __main__ as runner
from tests.benchmarks import verdicts
from tests.benchmarks.figures import Figure, Goal, against, not_run
from tests.benchmarks.letters import answer, letters
from tests.benchmarks.peers import missing
from tests.benchmarks.series import Series
from tests.benchmarks.threading_speed import threads
from tests.servers import dovecot


def test_the_mail_is_the_same_each_time() -> None:
    """Two runs measure the same mailbox, and so does whoever repeats them."""
    assert list(letters(50)) == list(letters(50))
    assert list(letters(50)) != list(letters(50, seed=2))


def test_the_mail_is_that_of_a_support_list() -> None:
    """Exactly as many as asked for; most are closed, some open, few in Sent; threads of one mail and of many."""
    mails = list(letters(5000))
    folders = Counter(mail.folder for mail in mails)
    assert len(mails) == 5000
    assert folders["Archive"] > 10 * folders["INBOX"] > 10 * folders["Sent"] / 5 > 0
    lengths = Counter(Counter(mail.thread for mail in mails if mail.folder != "Sent").values())
    assert lengths[1] > 100
    assert max(lengths) > 20


def test_threading_finds_the_threads_that_were_made() -> None:
    """The answers name what they answer, or can be found by their subject: as many threads as were planned, or hardly more."""
    mails = [mail for mail in letters(3000) if mail.folder != "Sent"]
    found = len(threads([parse_header(mail.octets) for mail in mails]))
    planned = len({mail.thread for mail in mails})
    assert planned <= found <= 1.02 * planned


def test_an_answer_belongs_to_its_thread() -> None:
    """What users send while a benchmark runs names all that went before."""
    header = parse_header(answer(["<a@x>", "<b@x>"], "1"))
    assert (header.message_id, header.references) == ("<answer.1@physics.example.edu>", ("<a@x>", "<b@x>"))
    assert header.in_reply_to == ("<b@x>",)


def test_ratios_are_those_of_the_rounds() -> None:
    """A round that was slow for both does not spoil the ratio; the goal is about the median."""
    figure = against("reading", Series([1.0, 8.0, 2.2]), Series([0.5, 4.0, 1.0]), "peer", 2.1)
    assert list(figure.value.values) == pytest.approx([2.0, 2.0, 2.2])
    assert figure.met == "met"
    assert str(figure.value) == "2 (2-2.2)"


def test_a_missed_goal_is_said() -> None:
    """At most, at least, and no goal at all."""
    assert Figure("x", "", "", Series([3]), Goal(2)).met == "MISSED"
    assert Figure("x", "", "", Series([3]), Goal(2, at_least=True)).met == "met"
    assert Figure("x", "", "", Series([3])).met == ""
    assert Figure("x", "", "", Series([3]), Goal(2)).as_json()["met"] is False


def test_a_peer_that_is_not_here_is_not_invented() -> None:
    """The table says what to install."""
    figure = not_run("x", "install isync")
    assert (figure.peer, figure.met, figure.as_json()["value"]) == ("not run: install isync", "", None)
    assert missing() == ""


@pytest.mark.dovecot
@pytest.mark.skipif(dovecot.BINARY is None, reason="Dovecot is not installed")
def test_benchmarks_run(tmp_path: Path) -> None:
    """On a mailbox of toy size: every figure has a value and something to compare it with."""
    target = tmp_path / "figures.json"
    code = runner.main(["first-sync", "closing", "--messages", "300", "--rounds", "1", "--json", str(target)])
    document = json.loads(target.read_text())
    assert code == 0
    assert [one["benchmark"] for one in document["figures"]] == ["first-sync"] * 3 + ["closing"] * 2
    assert all(one["value"] > 0 and one["peer"] for one in document["figures"])
    assert document["machine"]["cores"]


def test_verdicts_are_measured_on_whole_experiments() -> None:
    """The records of the benchmark are cut to what was asked for, in the order of delivery, tick by tick."""
    ticks = verdicts._ticks(textbook(1, 1, 10), 500)
    records = [record for _, some in ticks for record in some]
    assert len(records) == 500
    assert [now for now, _ in ticks] == sorted(now for now, _ in ticks)
    assert verdicts._seconds(verdicts.Bare, textbook(1, 1, 10), ticks) >= 0
