"""Commands by mail, as shifters use them."""

from collections.abc import Sequence
from typing import Any

import pytest

from helpdesk import views
from helpdesk.digest.build import digest
from helpdesk.gathering import gather
from helpdesk.mailids import board_message_id
from helpdesk.store import names
from tests.world import World

ANN = "ann@users.example.com"
AIDEN = "aiden@example.org"
SERGEY = "sergey@example.org"
BOARD = "dast-board@example.org"
AUTH = '[auth]\nauthserv_ids = ["mx.example.org"]\n'
PASS = {"Authentication-Results": "mx.example.org; dmarc=pass header.from=example.org"}


@pytest.fixture
def desk(world: World) -> World:
    """The mail server vouches for the team."""
    world.reconfigure(AUTH)
    return world


def short(world: World, message_id: str) -> str:
    """A thread's id as the digest shows it."""
    return str(world.thread(message_id)["id"]).removeprefix("dast-")[:5]


def write(world: World, body: str, sender: str = AIDEN, *, proven: bool = True, **more: Any) -> str:
    """Somebody writes to the board itself."""
    more.setdefault("to", BOARD)
    return world.incoming(
        sender,
        more.pop("subject", "commands"),
        body=body,
        listed=False,
        headers=PASS if proven else {},
        **more,
    )


def question(world: World, subject: str = "All jobs fail", **more: Any) -> str:
    """A user asks, and the board sees it."""
    message_id = world.incoming(ANN, subject, **more)
    world.tick()
    return message_id


def test_two_threads_are_closed_by_a_phone(desk: World) -> None:
    """A reply from a phone closes two threads; the answer quotes each command, and the mail is filed."""
    first, second = question(desk, "All jobs fail"), question(desk, "No output")
    said = write(
        desk,
        f"Helpdesk: close {short(desk, first)}\nHelpdesk: close {short(desk, second)}\n\nSent from my iPhone\n",
    )
    desk.tick()
    assert [desk.where(m) for m in (first, second)] == ["Archive", "Archive"]
    assert desk.where(said) == "Helpdesk"
    letter = desk.expect_mail(
        AIDEN,
        f"> helpdesk: close {short(desk, first)}",
        f"{short(desk, first)}: closed",
        "Subject: [dast] Done",
    )
    assert f"In-Reply-To: {said}" in letter.content.decode()
    assert not any(m["message_id"] == said for t in desk.threads() for m in t["messages"])
    desk.advance(days=1)


def test_a_shifter_answers_the_user_and_says_waiting(desk: World) -> None:
    """An answer to the user that also says `helpdesk: waiting` is a mail of its thread, and labels it."""
    asked = question(desk)
    reply = write(
        desk,
        "helpdesk: waiting\n\nDear Ann, which release?",
        SERGEY,
        to=ANN,
        answers=[asked],
        subject="Re: All jobs fail",
    )
    desk.tick()
    assert desk.thread(asked)["state"] == "waiting"
    assert [m["message_id"] for m in desk.thread(asked)["messages"]] == [asked, reply]
    assert desk.flags(asked) == {"waiting"}
    assert desk.where(reply) == "INBOX"
    desk.expect_mail(SERGEY, "> helpdesk: waiting", "WAITING is set")


def test_who_answers_a_mail_has_read_it(desk: World) -> None:
    """A question and its answer that are seen together, in one second: the user has not written since."""
    asked = desk.incoming(ANN, "All jobs fail")
    write(desk, "helpdesk: waiting\n\nWhich release?", SERGEY, to=ANN, answers=[asked])
    desk.tick()
    assert desk.thread(asked)["state"] == "waiting"
    desk.expect_mail(SERGEY, "WAITING is set")


def test_a_command_from_the_shared_sent_folder(world: World) -> None:
    """What lies in Sent needs no server to vouch for it."""
    asked = question(world)
    write(
        world,
        "helpdesk: urgent",
        SERGEY,
        proven=False,
        to=ANN,
        answers=[asked],
        folder="Sent",
        flags=["\\Seen"],
    )
    world.tick()
    assert world.thread(asked)["state"] == "urgent"
    world.expect_mail(SERGEY, "URGENT is set")
    world.on(asked, "remove_flags", ["urgent"])
    world.settle()


def test_who_is_not_proven_is_asked(world: World) -> None:
    """Without proof nothing happens until the person, at the configured address, sends the token back."""
    asked = question(world)
    code = short(world, asked)
    said = write(world, f"helpdesk: close {code}", SERGEY, proven=False)
    world.tick()
    assert world.where(asked) == "INBOX"
    assert world.where(said) == "Helpdesk"
    letter = world.expect_mail(SERGEY, "Did you write this?", f"> helpdesk: close {code}")
    world.advance(hours=3)
    confirmed = confirm(world, letter.content.decode(), SERGEY)
    world.tick()
    assert world.where(asked) == "Archive"
    assert world.where(confirmed) == "Helpdesk"
    world.expect_mail(SERGEY, f"{code}: closed")


def confirm(world: World, letter: str, sender: str, **more: Any) -> str:
    """Answer the question with its token."""
    token = letter.partition("helpdesk: confirm ")[2].split()[0]
    return write(world, f"helpdesk: confirm {token}\n\n> Did you write this?", sender, proven=False, **more)


def test_a_question_is_good_for_a_day_and_for_once(world: World) -> None:
    """A confirmation that comes late does nothing; one that comes again is told once that it was done."""
    asked = question(world)
    code = short(world, asked)
    write(world, f"helpdesk: waiting {code}", SERGEY, proven=False)
    world.tick()
    letter = world.expect_mail(SERGEY).content.decode()
    for _ in range(3):
        confirm(world, letter, SERGEY)
        world.advance(minutes=5)
    world.expect_mail(SERGEY, "WAITING is set")
    world.expect_mail(SERGEY, "carried out already")
    write(world, f"helpdesk: close {code}", SERGEY, proven=False)
    world.tick()
    letter = world.expect_mail(SERGEY).content.decode()
    world.advance(hours=24)
    for _ in range(3):
        confirm(world, letter, SERGEY)
        world.advance(minutes=5)
    assert world.where(asked) == "INBOX"
    world.expect_mail(SERGEY, "the time to confirm it is over")


def test_several_commands_and_their_mistakes(desk: World) -> None:
    """What is wrong is refused with the nearest name; the other commands of the mail run."""
    asked = question(desk)
    code = short(desk, asked)
    wrong = code[:-1] + ("0" if code[-1] != "0" else "1")
    write(
        desk,
        f"helpdesk: label {code} mc08\nhelpdesk: label {code} wating\nhelpdesk: close {wrong}\nhelpdesk: clsoe {code}\n"
        "helpdesk: waiting\nhelpdesk: release Ganga 5.2\n",
    )
    desk.tick()
    assert desk.thread(asked)["labels"] == ["mc08 dataset problem"]
    desk.expect_mail(
        AIDEN,
        "5 of 6 not done",
        f"{code}: mc08 dataset problem is set",
        "There is no label 'wating': 'WAITING'?",
        f"There is no thread '{wrong}': '{code}'?",
        "'clsoe' is no command: 'close'?",
        "Which thread?",
        "'release' is no command",
    )


@pytest.mark.parametrize(
    "body",
    [
        "Please do not.\n\n> helpdesk: close {code}\n",
        "OK.\n\nFrom: Aiden\nSent: Tuesday\nTo: dast\nSubject: x\n\nhelpdesk: close {code}\n",
        "---------- Forwarded message ---------\nFrom: Aiden <aiden@example.org>\n\nhelpdesk: close {code}\n",
        "Hello\nhelpdesk: close {code}\n",
        "-- \nhelpdesk: close {code}\n",
    ],
)
def test_what_is_quoted_is_not_said(desk: World, body: str) -> None:
    """A command that is quoted, forwarded, signed with or not first does nothing, and its mail is an ordinary mail."""
    asked = question(desk)
    other = write(desk, body.format(code=short(desk, asked)))
    desk.settle()
    assert desk.where(asked) == "INBOX"
    assert desk.where(other) == "INBOX"


def test_an_html_mail_without_plain_text(desk: World) -> None:
    """Outlook's HTML alone is read as well; below a quote the author is asked."""
    asked = question(desk)
    code = short(desk, asked)
    html = f"<div>helpdesk: waiting {code}</div><div id=divRplyFwdMsg>From: dast</div><div>helpdesk: close {code}</div>"
    write_html(desk, html)
    desk.tick()
    desk.expect_mail(AIDEN, "WAITING is set")
    write_html(desk, f"<blockquote>which?</blockquote><p>helpdesk: close {code}</p>")
    desk.tick()
    assert desk.thread(asked)["state"] == "waiting"
    desk.expect_mail(AIDEN, "Did you write this?")


def write_html(world: World, html: str) -> None:
    message_id = f"<html{next(world.ids)}@example.org>"
    raw = (
        f"From: {AIDEN}\r\nTo: {BOARD}\r\nSubject: x\r\nMessage-ID: {message_id}\r\nMIME-Version: 1.0\r\n"
        f"Date: {world.now:%a, %d %b %Y %H:%M:%S} +0000\r\n"
        f"Authentication-Results: {PASS['Authentication-Results']}\r\nContent-Type: text/html\r\n\r\n{html}\r\n"
    )
    world.human.deliver("INBOX", raw.encode(), world.now)


def test_the_user_is_told(desk: World) -> None:
    """Words of several lines go to the user as they are, without the shifter's signature or what he quotes."""
    asked = question(desk)
    code = short(desk, asked)
    write(
        desk, f"helpdesk: tell user {code}: It works again.\n\nPlease retry.\n-- \nAiden\n\n> secret digest\n"
    )
    desk.tick()
    letter = desk.expect_mail(ANN, "It works again.", "Please retry.")
    assert "secret" not in letter.content.decode()
    assert f"References: {asked}" in letter.content.decode()
    desk.expect_mail(AIDEN, f"{code}: this goes to {ANN}", "> It works again.")


def test_an_answer_of_the_destination_is_passed_on(desk: World) -> None:
    """`tell user` alone passes on what the destination said last."""
    asked = question(desk)
    code = short(desk, asked)
    write(desk, f"helpdesk: escalate {code} GGUS")
    desk.tick()
    desk.expect_mail(AIDEN, f"{code}: it goes to GGUS at ")
    desk.advance(minutes=10)
    desk.expect_mail("ggus@tracker.example.net", "All jobs fail")
    desk.incoming(
        "ggus@tracker.example.net",
        "Re: All jobs fail",
        answers=[asked],
        body="The disk server is back.",
        to=BOARD,
        listed=False,
        headers={"Authentication-Results": "mx.example.org; dmarc=pass header.from=tracker.example.net"},
    )
    desk.tick()
    write(desk, f"helpdesk: tell user {code}")
    desk.tick()
    desk.expect_mail(ANN, "The disk server is back.")
    desk.expect_mail(AIDEN, "the answer of ggus@tracker.example.net")


def test_a_note_stands_in_the_story(desk: World) -> None:
    """The team's words are kept with the thread, and nobody outside sees them."""
    asked = question(desk)
    code = short(desk, asked)
    write(desk, f"helpdesk: note {code}: called Ann\nshe is on holiday\nhelpdesk: end\n", SERGEY)
    desk.tick()
    desk.expect_mail(SERGEY, f"{code}: noted")
    notes = [(e["what"], e["reason"]) for e in story(desk, asked) if e["kind"] == "note"]
    assert notes == [("Sergey Stone", "called Ann\nshe is on holiday")]
    with desk.engine.connect() as conn:
        now = gather(desk.board, conn, desk.now, ())
    assert [case.said for case in now.cases] == ["Sergey Stone: called Ann\nshe is on holiday"]
    assert any(
        "called Ann she is on holiday" in row.below[-1] for part in digest(now).parts for row in part.rows
    )


def story(world: World, message_id: str) -> Sequence[Any]:
    """The story of a thread, as `show --json` tells it."""
    board = world.board
    with world.engine.connect() as conn:
        key = names.find(conn, str(world.thread(message_id)["id"]), "dast")
        return list(views.one_thread(conn, board.dialect, board.policy, "dast", key)["story"])


def test_undo_takes_back_what_the_bot_did(desk: World) -> None:
    """`undo` by mail is `helpdesk undo`: what a command did is taken back, too; who said so stands in the story."""
    asked = question(desk)
    code = short(desk, asked)
    write(desk, f"helpdesk: close {code}")
    desk.tick()
    desk.expect_mail(AIDEN, "closed")
    write(desk, f"helpdesk: undo {code}", SERGEY)
    desk.advance(minutes=1)
    desk.expect_mail(SERGEY, f"{code}: taken back: move archive")
    assert desk.where(asked) == "INBOX"
    said = [e["reason"] for e in story(desk, asked) if e["kind"] == "command"]
    assert said == ["Aiden Archer: closed"]


def test_an_answer_can_be_answered(desk: World) -> None:
    """Who answers the board's answer means the thread that it was about."""
    asked = question(desk)
    write(desk, f"helpdesk: waiting {short(desk, asked)}")
    desk.tick()
    answer = desk.expect_mail(AIDEN, "WAITING is set").message_id
    write(desk, "helpdesk: undo\nhelpdesk: status", answers=[answer])
    desk.advance(minutes=1)
    desk.expect_mail(AIDEN, "taken back: add_label WAITING", "labels: none")
    assert desk.thread(asked)["labels"] == []


def test_a_user_who_wrote_since_is_not_overlooked(world: World) -> None:
    """A close that is confirmed after the user has written again is refused, and says when he wrote."""
    asked = question(world)
    code = short(world, asked)
    write(world, f"helpdesk: close {code}", SERGEY, proven=False)
    world.tick()
    letter = world.expect_mail(SERGEY).content.decode()
    world.now = world.now.replace(minute=10)
    world.incoming(ANN, "Re: All jobs fail", answers=[asked], body="Now others fail, too.")
    confirm(world, letter, SERGEY)
    world.tick()
    assert world.where(asked) == "INBOX"
    world.expect_mail(SERGEY, "Not done", "the user wrote at 06:10 UTC")


def test_status_and_help_need_no_proof(world: World) -> None:
    """What changes nothing is answered without proof, to the configured address alone."""
    asked = question(world)
    code = short(world, asked)
    write(world, f"helpdesk: status\nhelpdesk: status {code}\nhelpdesk: help", SERGEY, proven=False)
    world.tick()
    letter = world.expect_mail(
        SERGEY, "1 thread is open", "1 wants attention", f"{code}  All jobs fail", "tell user T: words"
    )
    assert letter.recipients == (SERGEY, BOARD)


def test_in_observe_mode_nothing_is_done(desk: World) -> None:
    """The answer says what would be; nothing is changed, now or when the board begins to act."""
    asked = question(desk)
    code = short(desk, asked)
    desk.reconfigure(AUTH, without='act = "act"')
    desk.settings = desk.settings.model_copy(
        update={"board": desk.settings.board.model_copy(update={"act": "observe"})}
    )
    said = write(desk, f"helpdesk: close {code}\nhelpdesk: tell user {code}: Hello.")
    desk.tick()
    desk.expect_mail(
        AIDEN,
        "Not done",
        f"{code}: the board only observes; it would be: closed",
        "it would be: this goes to",
    )
    assert desk.where(asked) == desk.where(said) == "INBOX"
    assert desk.thread(asked)["state"] == "open"
    desk.reconfigure(AUTH)
    desk.advance(hours=1)
    assert desk.where(asked) == "INBOX"
    assert desk.where(said) == "Helpdesk"


def test_a_lost_database_runs_nothing_again(desk: World) -> None:
    """Command mail that lies there when the board adopts is history."""
    asked = question(desk)
    code = short(desk, asked)
    write(desk, f"helpdesk: close {code}")
    desk.tick()
    desk.expect_mail(AIDEN, "closed")
    desk.on(asked, "move", "INBOX")
    desk.settle()
    desk.lose_database()
    desk.advance(minutes=1)
    desk.advance(hours=1)
    assert desk.where(asked) == "INBOX"


@pytest.mark.parametrize("proven", [True, False])
def test_a_command_that_nobody_did_is_no_issue_after_a_lost_database(desk: World, *, proven: bool) -> None:
    """What was said to the board before the database was lost is filed: nothing is done or answered, and no thread is made of it."""
    asked = question(desk)
    answer = desk.incoming(
        AIDEN, "Re: All jobs fail", answers=[asked], body="helpdesk: urgent\n\nWhich site?", to=ANN
    )
    notes = write(desk, "Could somebody look at the disks?")
    said = [
        write(desk, f"helpdesk: close {short(desk, asked)}", proven=proven),
        write(desk, "helpdesk: nonsense", SERGEY, proven=proven),
        write(desk, "confirm 0123456789abcdef", proven=proven),
        write(desk, "DESY is theirs.", answers=[digest_id(desk)], subject="Re: [dast] Tue 9 Jun"),
    ]
    desk.lose_database()
    desk.tick()
    desk.expect_no_mail()
    assert {desk.where(one) for one in said} == {"Helpdesk"}
    assert {desk.where(one) for one in (asked, answer, notes)} == {"INBOX"}
    assert desk.thread(asked)["state"] == "open"
    threaded = {m["message_id"] for t in desk.threads() for m in t["messages"]}
    assert threaded == {asked, answer, notes}
    desk.advance(hours=1)


def digest_id(desk: World) -> str:
    """The Message-ID of a digest that the board sent once."""
    sending = desk.board.sending
    return board_message_id("dast", "digest", sending.sender, sending.secret)


def test_what_the_users_see_of_all_this(desk: World) -> None:
    """A user who writes `helpdesk: close` gets no answer, and his mail is an ordinary mail."""
    asked = question(desk)
    other = desk.incoming(
        ANN,
        "commands",
        body=f"helpdesk: close {short(desk, asked)}",
        to=BOARD,
        listed=False,
        headers={"Authentication-Results": "mx.example.org; dmarc=pass header.from=users.example.com"},
    )
    desk.settle()
    assert desk.where(asked) == desk.where(other) == "INBOX"
