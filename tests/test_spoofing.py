"""Who is not the person that he names obeys nothing, hides nothing, and causes few mails.

Each attack is a mail, or several, that somebody outside can send.  After it the thread stands where it stood, calls for the same
attention, and whatever the board mailed went to the team, bounded.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypedDict

import pytest

from helpdesk.mailids import confirm_token
from helpdesk.store.commands import State, in_states
from tests.memory_mailbox import MemoryMailbox
from tests.memory_server import MemoryServer
from tests.stories.test_commands import AUTH, BOARD, confirm, question, short, write
from tests.world import World

ANN = "ann@users.example.com"
EVE = "eve@evil.example"
AIDEN = "aiden@example.org"
SERGEY = "sergey@example.org"
LIST = "dast@lists.example.org"
FORGED = "mx.example.org; dmarc=pass header.from=example.org"
REAL = "mx.example.org; spf=softfail smtp.mailfrom=eve@evil.example; dkim=none"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A board whose mail server vouches for the team."""
    server = MemoryServer()
    told = World(server, lambda: MemoryMailbox(server), tmp_path)
    told.reconfigure(AUTH)
    told.tick()
    yield told
    told.mailbox.close()
    told.engine.dispose()


def raw(world: World, fields: str, body: str) -> None:
    """Any octets may arrive."""
    number = next(world.ids)
    date = world.now.strftime("%a, %d %b %Y %H:%M:%S +0000")
    head = fields if "Message-ID:" in fields else f"{fields}\nMessage-ID: <evil{number}@evil.example>"
    text = f"{head}\nDate: {date}\nSubject: x\n\n{body}\n".replace("\n", "\r\n")
    world.human.deliver("INBOX", text.encode(), world.now)


def stands(world: World, asked: str) -> Mapping[str, object]:
    """What must not change."""
    thread = world.thread(asked)
    return {"state": thread["state"], "labels": thread["labels"], "where": world.where(asked)}


FORGERIES = {
    "From alone": f"From: {AIDEN}\nTo: {BOARD}",
    "no results of our server at all": f"From: {AIDEN}\nTo: {BOARD}\nAuthentication-Results: mx.evil.example; dmarc=pass header.from=example.org",
    "a failure": f"From: {AIDEN}\nTo: {BOARD}\nAuthentication-Results: mx.example.org; dmarc=fail header.from=example.org",
    "made up below the real one": f"Authentication-Results: {REAL}\nAuthentication-Results: {FORGED}\nFrom: {AIDEN}\nTo: {BOARD}",
    "made up above somebody else's": f"Authentication-Results: mx.evil.example; dmarc=pass header.from=example.org\nAuthentication-Results: {REAL}\nFrom: {AIDEN}\nTo: {BOARD}",
    "made up in a comment": f"Authentication-Results: mx.evil.example (mx.example.org; dmarc=pass header.from=example.org)\nFrom: {AIDEN}\nTo: {BOARD}",
    "made up in a folded field": f"Authentication-Results: mx.evil.example;\n dkim=none (\n mx.example.org; dmarc=pass header.from=example.org)\nFrom: {AIDEN}\nTo: {BOARD}",
    "a pass for another domain": f"Authentication-Results: mx.example.org; dmarc=pass header.from=evil.example; dkim=pass header.d=evil.example\nFrom: {AIDEN}\nTo: {BOARD}",
    "a pass for a domain below": f"Authentication-Results: mx.example.org; dkim=pass header.d=evil.example.org\nFrom: {AIDEN}\nTo: {BOARD}",
    "an SPF pass of a stranger": f"Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=eve@evil.example\nFrom: {AIDEN}\nTo: {BOARD}",
    "two addresses in From": f"Authentication-Results: {FORGED}\nFrom: {AIDEN}, {EVE}\nTo: {BOARD}",
    "two fields From": f"Authentication-Results: {FORGED}\nFrom: {AIDEN}\nFrom: {EVE}\nTo: {BOARD}",
    "Reply-To": f"Authentication-Results: mx.example.org; dmarc=pass header.from=evil.example\nFrom: {EVE}\nReply-To: {AIDEN}\nTo: {BOARD}",
    "Sender": f"Authentication-Results: mx.example.org; dmarc=pass header.from=evil.example\nFrom: {EVE}\nSender: {AIDEN}\nTo: {BOARD}",
    "X-Original-From": f"Authentication-Results: mx.example.org; dmarc=pass header.from=evil.example\nFrom: {EVE}\nX-Original-From: {AIDEN}\nTo: {BOARD}",
    "a display name": f'Authentication-Results: mx.example.org; dmarc=pass header.from=evil.example\nFrom: "{AIDEN}" <{EVE}>\nTo: {BOARD}',
    "From like a list's": f"From: {LIST}\nX-Original-From: {AIDEN}\nTo: {BOARD}",
    "an answering machine": f"Authentication-Results: {FORGED}\nFrom: {AIDEN}\nAuto-Submitted: auto-replied\nTo: {BOARD}",
    "a bounce": f"Authentication-Results: {FORGED}\nFrom: {AIDEN}\nX-Failed-Recipients: {ANN}\nTo: {BOARD}",
    "an old loop token": f"From: {BOARD}\nX-Helpdesk-Id: helpdesk.aaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbb\nTo: {BOARD}",
    "an old Date": f"Authentication-Results: {FORGED}\nFrom: {AIDEN}\nDate: Mon, 1 Jun 2026 06:00:00 +0000\nTo: {BOARD}",
}  # fmt: skip


LISTED = {
    "through the list": f"Authentication-Results: {FORGED}\nFrom: {AIDEN}\nList-Id: <dast.lists.example.org>\nTo: {LIST}",
    "From rewritten by the list": f"Authentication-Results: mx.example.org; dmarc=pass header.from=lists.example.org\nFrom: Aiden via DAST <{LIST}>\nReply-To: {AIDEN}\nList-Id: <dast.lists.example.org>\nTo: {LIST}",
}  # fmt: skip
"""The list's word for an author is believed for the board's rules: such a mail is an answer of the team, and no more."""


@pytest.mark.parametrize("fields", FORGERIES.values(), ids=FORGERIES.keys())
def test_no_forgery_is_obeyed(world: World, fields: str) -> None:
    """Commands, alone and in the thread, in somebody's name: nothing is done, nothing calls for less attention."""
    asked = question(world)
    code = short(world, asked)
    before, why = stands(world, asked), set(world.thread(asked)["reasons"])
    body = f"helpdesk: close {code}\nhelpdesk: label {code} WAITING\nhelpdesk: tell user {code}: visit evil.example\n"
    raw(world, fields, body)
    raw(world, f"{fields}\nIn-Reply-To: {asked}\nReferences: {asked}", "helpdesk: waiting\n\nDone.")
    world.settle()
    world.advance(hours=30)
    assert stands(world, asked) == before
    assert why <= set(world.thread(asked)["reasons"])
    assert bounded(world) <= 2


@pytest.mark.parametrize("fields", LISTED.values(), ids=LISTED.keys())
def test_no_list_vouches_for_a_command(world: World, fields: str) -> None:
    """What comes through a list, in whatever way it names the author, is asked about once and not obeyed."""
    asked = question(world)
    before = stands(world, asked)
    raw(world, f"{fields}\nIn-Reply-To: {asked}\nReferences: {asked}", "helpdesk: waiting\n\nDone.")
    world.settle()
    world.advance(hours=30)
    assert stands(world, asked) == before
    assert bounded(world) == 1


def bounded(world: World) -> int:
    """How many mails the board sent, all of them to the team, all questions or answers without proof."""
    for letter in world.mailer.arrived:
        assert set(letter.recipients) <= {AIDEN, SERGEY, BOARD}
    return len(world.mailer.arrived)


def test_a_flood_causes_three_mails_a_day(world: World) -> None:
    """However many commands arrive in somebody's name, he gets three mails a day."""
    asked = question(world)
    for hour in range(24):
        for number in range(10):
            raw(
                world,
                f"From: {AIDEN}\nTo: {BOARD}",
                f"helpdesk: close {short(world, asked)}\n# {hour} {number}",
            )
            raw(world, f"From: {AIDEN}\nTo: {BOARD}", f"helpdesk: help {hour} {number}")
        world.advance(minutes=59)
    assert bounded(world) == 3
    write(world, f"helpdesk: waiting {short(world, asked)}")
    world.tick()
    assert world.thread(asked)["state"] == "waiting"  # the real one is heard all the same
    with world.engine.connect() as conn:
        assert len(in_states(conn, (State.ASKED,))) <= 3


def test_a_forgery_silences_nobody(world: World) -> None:
    """While a question about a forged command is open, the real person is asked about his own, and is obeyed when he confirms."""
    asked = question(world)
    raw(world, f"From: {SERGEY}\nTo: {BOARD}", f"helpdesk: close {short(world, asked)}")
    world.advance(minutes=5)
    world.expect_mail(SERGEY, "Did you write this?", "close")
    write(world, f"helpdesk: waiting {short(world, asked)}", SERGEY, proven=False)
    world.advance(minutes=5)
    letter = world.expect_mail(SERGEY, "Did you write this?", "waiting").content.decode()
    confirm(world, letter, SERGEY)
    world.advance(minutes=5)
    assert world.thread(asked)["state"] == "waiting"
    assert bounded(world) == 3


def test_tokens_cannot_be_made_up(world: World) -> None:
    """A token that the board did not make, or made for somebody else or another mail, confirms nothing, and no answer says so."""
    asked = question(world)
    write(world, f"helpdesk: close {short(world, asked)}", SERGEY, proven=False)
    world.tick()
    letter = world.expect_mail(SERGEY).content.decode()
    with world.engine.connect() as conn:
        key = in_states(conn, (State.ASKED,))[0].key
    for token in (
        "a" * 32,
        key,
        f"{key[:16]}{'b' * 16}",
        confirm_token(key, AIDEN, world.board.sending.secret),
    ):
        write(world, f"confirm {token}", SERGEY, proven=False)
        write(world, f"confirm {token}", AIDEN, proven=False)
    confirm(world, letter, AIDEN)  # the token of somebody else's mail
    world.settle()
    assert world.where(asked) == "INBOX"
    assert bounded(world) == 1


def test_a_machine_confirms_nothing(world: World) -> None:
    """An out-of-office, a bounce and our own copy carry the token, and confirm nothing."""
    asked = question(world)
    write(world, f"helpdesk: close {short(world, asked)}", SERGEY, proven=False)
    world.tick()
    letter = world.expect_mail(SERGEY).content
    token = letter.decode().partition("helpdesk: confirm ")[2].split()[0]
    confirmation = f"helpdesk: confirm {token}\n\nI am away."
    raw(world, f"From: {SERGEY}\nTo: {BOARD}\nAuto-Submitted: auto-replied", confirmation)
    raw(world, f"From: {SERGEY}\nTo: {BOARD}\nSubject: Automatic reply: Did you write this?", confirmation)
    raw(world, f"From: MAILER-DAEMON@example.org\nTo: {BOARD}", confirmation)
    raw(world, f"From: {SERGEY}\nTo: {BOARD}", f"I am away until Monday.\n\n> {confirmation}")
    world.human.deliver("INBOX", letter, world.now)
    world.settle()
    assert world.where(asked) == "INBOX"
    assert bounded(world) == 1


def test_a_replayed_confirmation_is_answered_once(world: World) -> None:
    """A token is good once; used again, from anywhere, it causes one mail and no more."""
    asked = question(world)
    write(world, f"helpdesk: close {short(world, asked)}", SERGEY, proven=False)
    world.tick()
    letter = world.expect_mail(SERGEY).content.decode()
    confirm(world, letter, SERGEY)
    world.tick()
    world.expect_mail(SERGEY, "closed")
    world.on(asked, "move", "INBOX")
    world.settle()
    for _ in range(20):
        confirm(world, letter, SERGEY)
        world.advance(minutes=10)
    assert world.where(asked) == "INBOX"
    world.expect_mail(SERGEY, "carried out already")
    assert bounded(world) == 3


def test_a_signed_mail_that_is_sent_again_is_not_obeyed_again(world: World) -> None:
    """The same mail is the same command; under another Message-ID, days later, its Date gives it away."""
    asked = question(world)
    code = short(world, asked)
    day = "Mon, 08 Jun 2026 06:00:00 +0000"
    fields = f"Authentication-Results: {FORGED}\nFrom: {AIDEN}\nTo: {BOARD}\nDate: {day}\nMessage-ID: <%s@example.org>"
    raw(world, fields % "one", f"helpdesk: close {code}")
    world.tick()
    assert world.where(asked) == "Archive"
    world.on(asked, "move", "INBOX")
    world.advance(days=2)
    for name in ("one", "two"):
        raw(world, fields % name, f"helpdesk: close {code}")
    world.settle()
    assert world.where(asked) == "INBOX"
    world.expect_mail(AIDEN, "closed")
    world.expect_mail(AIDEN, "Did you write this?")
    assert bounded(world) == 2


class Addressed(TypedDict):
    """Where a mail goes."""

    to: str
    answers: list[str]


def test_a_list_copy_of_a_real_command_runs_once(world: World) -> None:
    """A shifter's mail that comes directly and over the list is one command, proven by the direct copy."""
    asked = question(world)
    body, more = "helpdesk: waiting\n\nWhich release?", Addressed(to=f"{ANN}, {LIST}", answers=[asked])
    listed = world.incoming(AIDEN, "commands", body=body, message_id="<both@example.org>", **more)
    world.tick()
    world.expect_mail(AIDEN, "Did you write this?")
    write(world, body, message_id=listed, **more)
    world.tick()
    assert world.thread(asked)["state"] == "waiting"
    world.expect_mail(AIDEN, "WAITING is set")
    world.advance(days=1)
    assert bounded(world) == 2


@pytest.mark.parametrize("lost", [World.lose_database, World.restore], ids=["lost", "backup"])
def test_a_database_that_forgot_obeys_nothing_twice(world: World, lost: Callable[[World], None]) -> None:
    """After a lost database or a restored backup no command runs again: its answer lies in the mailbox."""
    asked = question(world)
    world.backup()
    write(world, f"helpdesk: close {short(world, asked)}")
    world.advance(minutes=1)
    letter = world.expect_mail(AIDEN, "closed")
    world.human.deliver("INBOX", letter.content, world.now)
    world.advance(minutes=1)
    world.on(asked, "move", "INBOX")
    world.settle()
    lost(world)
    world.tick()
    if world.tick().held:
        world.ask("resume")
    world.settle()
    assert world.where(asked) == "INBOX"
    assert [one for one in world.mailer.arrived if AIDEN in one.recipients and b"closed" in one.content] == [
        letter
    ]
