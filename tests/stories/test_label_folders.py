"""Labels as folders below the inbox, in the users' words: to drag is to label (docs/decisions.md section 13)."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpdesk.errors import UsageError
from helpdesk.mailbox.account import Account, Password
from helpdesk.mailbox.connect import connect
from helpdesk.store import threads
from tests.conftest import Login
from tests.faults import CrashingMailbox, Fuse
from tests.human import ImapHuman
from tests.memory_mailbox import MemoryMailbox
from tests.memory_server import MemoryServer
from tests.stories.test_commands import AUTH, short, write
from tests.world import CONFIG, World, mail

FOLDERS = CONFIG.replace(
    'archive_aliases = ["Archives"]', 'archive_aliases = ["Archives"]\ndialect = "folders"'
)
ANN, AIDEN, GGUS = "Ann <ann@users.example>", "aiden@example.org", "ggus@tracker.example.net"


@pytest.fixture(params=["memory", "dovecot-mdbox", "dovecot-below"])
def world(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    login: Callable[[str], Login],
    human_on: Callable[[Login], ImapHuman],
) -> Iterator[World]:
    """A board whose labels are folders; they were made in its first run."""
    if request.param == "memory":
        server = MemoryServer()
        told = World(server, lambda: MemoryMailbox(server), tmp_path, config=FOLDERS)
    else:
        who = login(request.param)
        account = Account(who.host, who.port, "none", who.user, lambda: Password(who.password))
        told = World(human_on(who), lambda: connect(account), tmp_path, config=FOLDERS)
    told.tick()
    yield told
    told.close()


def below(world: World, *path: str) -> str:
    """The folder of a label, in this server's spelling."""
    mark = next(name[5] for name in world.human.folders() if name.startswith("INBOX") and name != "INBOX")
    return mark.join(("INBOX", *path))


def archive(world: World) -> str:
    """The archive, in this server's spelling."""
    return next(name for name in world.human.folders() if name in {"Archive", "INBOX.Archive"})


def read(world: World, *ids: str) -> None:
    """Somebody reads these mails."""
    for one in ids:
        world.on(one, "add_flags", ["\\Seen"])


def say(world: World, command: str) -> None:
    """A shifter writes a command to the board, and is answered."""
    world.reconfigure(AUTH)
    write(world, f"helpdesk: {command}\n")
    world.tick()
    world.expect_mail(AIDEN, "Done")


def test_the_folders_are_there_to_drag_into(world: World) -> None:
    """Each state, each destination below ESCALATED and each common issue has its folder after the first run."""
    paths = [
        ("WAITING",), ("URGENT",), ("FIXED in next release",),
        ("ESCALATED", "GGUS"), ("ESCALATED", "DQ2 Savannah"), ("mc08 dataset problem",),
    ]  # fmt: skip
    assert {below(world, *path) for path in paths} <= set(world.human.folders())
    assert world.tick().actions == []


def test_one_dragged_mail_takes_its_thread(world: World) -> None:
    """A mail that a human drags into WAITING takes the whole thread there, once it is settled."""
    first = world.incoming(ANN, "Jobs fail")
    answer = world.incoming(AIDEN, "Re: Jobs fail", answers=[first])
    world.tick()
    read(world, first, answer)
    world.on(answer, "move", below(world, "WAITING"))
    world.settle()
    assert {world.where(one) for one in (first, answer)} == {below(world, "WAITING")}
    assert world.thread(first)["state"] == "waiting"
    assert world.tick().actions == []


def test_a_reply_lifts_waiting(world: World) -> None:
    """The user's answer brings the thread back into the inbox, and WAITING is gone."""
    first = world.incoming(ANN, "Jobs fail")
    world.tick()
    read(world, first)
    world.on(first, "move", below(world, "WAITING"))
    world.settle()
    reply = world.incoming(ANN, "Re: Jobs fail", answers=[first])
    world.tick()
    assert {world.where(one) for one in (first, reply)} == {"INBOX"}
    assert world.thread(first)["state"] == "open"


def test_unread_mail_stays_in_the_inbox_until_it_is_read(world: World) -> None:
    """A user's unread reply to an escalated thread is seen in the inbox; a minute after it was read it joins its thread."""
    first = world.incoming(ANN, "Jobs fail")
    world.tick()
    read(world, first)
    world.on(first, "move", below(world, "ESCALATED", "GGUS"))
    world.settle()
    reply = world.incoming(ANN, "Re: Jobs fail", answers=[first])
    world.tick()
    assert (world.where(first), world.where(reply)) == (below(world, "ESCALATED", "GGUS"), "INBOX")
    assert "unread_reply" in world.thread(first)["reasons"]
    read(world, reply)
    told = world.tick()
    assert (world.where(reply), [one.rule for one in told.pending]) == (
        "INBOX",
        ["labels_cover_the_thread", "escalate"],
    )
    world.advance(minutes=1)
    assert world.where(reply) == below(world, "ESCALATED", "GGUS")
    world.advance(minutes=10)
    world.expect_mail(GGUS)


def test_to_drag_into_a_destination_escalates(world: World) -> None:
    """A mail in ESCALATED/GGUS is told to GGUS after the grace; back in the inbox before it, nobody hears of it."""
    told, slipped = world.incoming(ANN, "Jobs fail"), world.incoming("bob@uni.example", "No quota")
    world.tick()
    read(world, told, slipped)
    for one in (told, slipped):
        world.on(one, "move", below(world, "ESCALATED", "GGUS"))
    world.settle()
    world.on(slipped, "move", "INBOX")
    world.settle()
    world.advance(minutes=10)
    world.expect_mail(GGUS)
    assert world.thread(slipped)["labels"] == []


def test_the_folder_of_a_destination_is_not_needed_to_be_ours(world: World) -> None:
    """A folder that a human made directly below the inbox is the same label: the bot finds its home for it."""
    first = world.incoming(ANN, "Jobs fail")
    world.tick()
    read(world, first)
    mine = below(world, "ggus")
    world.human.create(mine)
    world.on(first, "move", mine)
    world.settle()
    assert world.where(first) == below(world, "ESCALATED", "GGUS")
    assert world.thread(first)["labels"] == ["ESCALATED", "GGUS"]
    world.advance(minutes=10)
    world.expect_mail(GGUS)


def test_to_archive_one_mail_closes_its_thread(world: World) -> None:
    """Who archives a mail out of a label's folder closes the thread, and a reply brings all of it into the inbox."""
    first = world.incoming(ANN, "Jobs fail")
    answer = world.incoming(AIDEN, "Re: Jobs fail", answers=[first])
    world.tick()
    read(world, first, answer)
    world.on(first, "move", below(world, "WAITING"))
    world.settle()
    world.on(answer, "move", archive(world))
    world.settle()
    assert {world.where(one) for one in (first, answer)} == {archive(world)}
    assert world.thread(first)["labels"] == []
    assert world.tick().actions == []
    reply = world.incoming(ANN, "Re: Jobs fail", answers=[answer])
    world.tick()
    assert {world.where(one) for one in (first, answer, reply)} == {"INBOX"}
    assert "reopened" in world.thread(first)["reasons"]


def test_archived_while_escalated_is_told(world: World) -> None:
    """An escalated thread that a human archives is closed as such: the digest says that its user was not told."""
    first = world.incoming(ANN, "Jobs fail")
    world.tick()
    read(world, first)
    world.on(first, "move", below(world, "ESCALATED", "DQ2 Savannah"))
    world.settle()
    world.on(first, "move", archive(world))
    world.settle()
    assert world.thread(first)["state"] == "closed"
    with world.engine.connect() as conn:
        [facts] = threads.load(conn, [1], world.board.dialect)
    assert facts.state.closed_escalated


def test_a_closed_thread_dragged_into_a_label_is_open(world: World) -> None:
    """A closed thread of which a human drags a mail into URGENT is open and urgent, all of it."""
    first = world.incoming(ANN, "Jobs fail")
    answer = world.incoming(AIDEN, "Re: Jobs fail", answers=[first])
    world.tick()
    read(world, first, answer)
    world.on(first, "move", archive(world))
    world.settle()
    world.on(first, "move", below(world, "URGENT"))
    world.tick()
    world.advance(minutes=1)
    assert {world.where(one) for one in (first, answer)} == {below(world, "URGENT")}
    assert world.thread(first)["state"] == "urgent"


def test_waiting_closes_by_itself(world: World) -> None:
    """Seven silent days in WAITING, and the thread lies in the archive."""
    first = world.incoming(ANN, "Jobs fail")
    world.tick()
    read(world, first)
    world.on(first, "move", below(world, "WAITING"))
    world.settle()
    world.advance(days=6, hours=23)
    assert world.where(first) == below(world, "WAITING")
    world.advance(hours=2)
    assert world.where(first) == archive(world)


def test_twenty_archived_threads_are_no_lost_labels(world: World) -> None:
    """The end of a shift: thirty WAITING threads archived at once are closed, and nothing is held."""
    ids = [world.incoming(ANN, f"Question {n}", flags=["\\Seen"]) for n in range(30)]
    world.tick()
    for one in ids:
        world.on(one, "move", below(world, "WAITING"))
    world.settle()
    for one in ids:
        world.on(one, "move", archive(world))
    assert world.settle().held == []
    assert {world.thread(one)["state"] for one in ids} == {"closed"}


def test_what_is_urgent_hides_the_rest(world: World) -> None:
    """One state is shown at a time: a mail to the board that escalates an urgent thread leaves it in URGENT, with both labels."""
    first = world.incoming(ANN, "Jobs fail")
    world.tick()
    read(world, first)
    world.on(first, "move", below(world, "URGENT"))
    world.settle()
    world.expect_mail(AIDEN, "URGENT")
    say(world, f"escalate {short(world, first)} DQ2 Savannah")
    assert world.where(first) == below(world, "URGENT")
    assert set(world.thread(first)["labels"]) == {"URGENT", "ESCALATED", "DQ2 Savannah"}
    world.on(first, "move", "INBOX")
    world.settle()
    assert world.where(first) == below(world, "ESCALATED", "DQ2 Savannah")


def test_a_hidden_waiting_does_not_come_back(world: World) -> None:
    """Who drags an urgent thread into the inbox wants it there: a WAITING that URGENT had hidden goes too."""
    first = world.incoming(ANN, "Jobs fail")
    world.tick()
    read(world, first)
    world.on(first, "move", below(world, "WAITING"))
    world.settle()
    say(world, f"urgent {short(world, first)}")
    assert world.where(first) == below(world, "URGENT")
    world.on(first, "move", "INBOX")
    world.settle()
    assert (world.where(first), world.thread(first)["labels"]) == ("INBOX", [])


def test_a_folder_that_nobody_explained(world: World) -> None:
    """A folder of a human's own below the inbox is a label that is shown, and never spread or written."""
    first = world.incoming(ANN, "Jobs fail")
    answer = world.incoming(AIDEN, "Re: Jobs fail", answers=[first])
    world.tick()
    mine = below(world, "ask Paul")
    world.human.create(mine)
    world.on(first, "move", mine)
    world.settle()
    assert (world.where(first), world.where(answer)) == (mine, "INBOX")
    assert "unlabelled" not in world.thread(first)["reasons"]
    assert world.tick().actions == []


def test_a_client_that_copies(world: World) -> None:
    """A client that labels by COPY leaves one mail in two folders: the newer one counts, the other is left alone."""
    first = world.incoming(ANN, "Jobs fail")
    world.tick()
    read(world, first)
    world.on(first, "copy", below(world, "WAITING"))
    world.settle()
    assert world.thread(first)["state"] == "waiting"
    assert world.tick().actions == []


@pytest.mark.parametrize("deletes", [False, True])
def test_a_client_that_copies_back_into_the_inbox(world: World, *, deletes: bool) -> None:
    """A client without MOVE drags a mail out of WAITING by COPY; the board that looks before it deletes the source does not undo it."""
    first = world.incoming(ANN, "Jobs fail")
    answer = world.incoming(AIDEN, "Re: Jobs fail", answers=[first])
    world.tick()
    read(world, first, answer)
    waiting = below(world, "WAITING")
    world.on(first, "move", waiting)
    world.settle()
    [uid] = [seen.uid for seen in world.look(waiting) if seen.message_id == first]
    world.human.copy(waiting, [uid], "INBOX")
    world.tick()
    if deletes:
        world.human.delete(waiting, [uid])
    world.settle()
    assert world.where(answer) == "INBOX"
    assert "INBOX" in world.where(first).split(",")
    assert world.thread(first)["labels"] == []
    assert world.tick().actions == []


def test_the_database_is_lost(world: World) -> None:
    """What the folders show outlives the database: labels are adopted, and nothing is moved or mailed."""
    waits, escalated = world.incoming(ANN, "Jobs fail"), world.incoming("bob@uni.example", "No quota")
    world.tick()
    read(world, waits, escalated)
    world.on(waits, "move", below(world, "WAITING"))
    world.on(escalated, "move", below(world, "ESCALATED", "GGUS"))
    world.settle()
    world.advance(minutes=10)
    world.expect_mail(GGUS)
    world.lose_database()
    assert [action.kind for action in world.tick().actions] == []
    assert world.thread(waits)["labels"] == ["WAITING"]
    assert world.thread(escalated)["labels"] == ["ESCALATED", "GGUS"]
    assert world.advance(days=1).actions == []


def test_what_a_human_drags_a_mail_to_is_what_he_sees(world: World) -> None:
    """Who reads a reply in the inbox and drags it to WAITING gets a thread that waits, although it was escalated."""
    first = world.incoming(ANN, "Jobs fail")
    world.tick()
    read(world, first)
    world.on(first, "move", below(world, "ESCALATED", "DQ2 Savannah"))
    world.settle()
    reply = world.incoming(ANN, "Re: Jobs fail", answers=[first])
    world.tick()
    read(world, reply)
    world.on(reply, "move", below(world, "WAITING"))
    world.settle()
    assert {world.where(one) for one in (first, reply)} == {below(world, "WAITING")}
    assert world.thread(first)["labels"] == ["WAITING"]


def test_one_level_too_high_is_still_escalated(world: World) -> None:
    """A mail dragged from GGUS into ESCALATED itself stays escalated, and the board asks to where."""
    first = world.incoming(ANN, "Jobs fail")
    world.tick()
    read(world, first)
    world.human.create(below(world, "ESCALATED"))
    world.on(first, "move", below(world, "ESCALATED", "DQ2 Savannah"))
    world.settle()
    world.on(first, "move", below(world, "ESCALATED"))
    world.settle()
    assert world.where(first) == below(world, "ESCALATED")
    assert "ESCALATED, but to where?" in world.thread(first)["notes"]


def test_a_label_folder_that_goes_holds_the_board(world: World) -> None:
    """Who deletes a label's folder with open mail in it stops the board, and nothing is closed."""
    first = world.incoming(ANN, "Jobs fail")
    world.tick()
    read(world, first)
    world.on(first, "move", below(world, "WAITING"))
    world.settle()
    world.human.remove(below(world, "WAITING"))
    assert [hold.what for hold in world.settle().held] == ["gone"]
    world.expect_mail(AIDEN, "a folder of open mail has gone")
    assert world.thread(first)["state"] == "waiting"


def test_a_label_folder_that_is_renamed(world: World) -> None:
    """A label's folder under another name of a human's is a label that nobody explained, and its own is made anew."""
    first = world.incoming(ANN, "Jobs fail")
    world.tick()
    read(world, first)
    world.on(first, "move", below(world, "WAITING"))
    world.settle()
    mine = below(world, "parked")
    world.human.rename(below(world, "WAITING"), mine)
    assert world.settle().held == []
    assert (world.where(first), world.thread(first)["labels"]) == (mine, [])
    assert below(world, "WAITING") in world.human.folders()


def test_peoples_own_folders_are_left_alone(world: World) -> None:
    """A folder below the inbox that the configuration names as people's own is no label, and its mail no open thread."""
    own = below(world, "Papers", "2025")
    world.human.create(below(world, "Papers"))
    world.human.create(own)
    world.config = world.config.replace("[smtp]", f'not_labels = ["{below(world, "Papers")}"]\n[smtp]')
    world.reconfigure()
    world.human.deliver(own, mail(ANN, "A paper", "<paper@x>"), world.now)
    world.tick()
    assert all(one["subject"] != "A paper" for one in world.threads())


def test_a_folder_that_becomes_peoples_own(tmp_path: Path) -> None:
    """A folder that the configuration calls people's own when its mail was open already holds the board until somebody approves."""
    server = MemoryServer()
    world = World(server, lambda: MemoryMailbox(server), tmp_path, config=FOLDERS)
    world.human.create("INBOX/Papers")
    world.human.deliver("INBOX/Papers", mail(ANN, "A paper", "<paper@x>"), world.now)
    world.tick()
    assert world.thread("<paper@x>")["state"] == "open"
    world.config = world.config.replace("[smtp]", 'not_labels = ["INBOX/Papers"]\n[smtp]')
    world.reconfigure()
    assert [hold.what for hold in world.settle().held] == ["gone"]
    world.expect_mail(AIDEN, "a folder of open mail has gone")
    world.ask("resume")
    world.settle()
    assert world.thread("<paper@x>")["state"] == "closed"
    assert world.where("<paper@x>") == "INBOX/Papers"
    world.close()


def test_the_board_is_switched_from_keywords(tmp_path: Path) -> None:
    """A board that had keywords and is told to use folders moves what has a label into its folder, and then is silent."""
    server = MemoryServer()
    world = World(server, lambda: MemoryMailbox(server), tmp_path)
    world.tick()
    first, plain = world.incoming(ANN, "Jobs fail"), world.incoming("bob@uni.example", "No quota")
    world.tick()
    read(world, first, plain)
    world.on(first, "add_flags", ["waiting"])
    world.settle()
    world.config = FOLDERS
    world.reconfigure()
    world.tick()
    assert (world.where(first), world.where(plain)) == ("INBOX/WAITING", "INBOX")
    assert world.thread(first)["labels"] == ["WAITING"]
    assert world.tick().actions == []
    world.close()


@pytest.mark.parametrize("target", ["URGENT", "FIXED in next release", "mc08 dataset problem"])
@pytest.mark.parametrize("after", [False, True])
def test_a_move_that_a_human_overtakes(tmp_path: Path, target: str, *, after: bool) -> None:
    """A human who drags a mail elsewhere just before or after our move wins, wherever he drags it to."""
    server = MemoryServer()
    world = World(server, lambda: MemoryMailbox(server), tmp_path, config=FOLDERS)
    world.tick()
    first = world.incoming(ANN, "Jobs fail", flags=["\\Seen"])
    answer = world.incoming(AIDEN, "Re: Jobs fail", answers=[first], flags=["\\Seen"])
    world.tick()
    world.on(answer, "move", "INBOX/WAITING")
    world.tick()
    inner = world.mailbox
    world.mailbox = CrashingMailbox(
        inner, Fuse(1, after, act=lambda: world.on(first, "move", f"INBOX/{target}"))
    )
    world.advance(minutes=1)
    world.mailbox = inner
    world.settle()
    assert {world.where(one) for one in (first, answer)} == {f"INBOX/{target}"}
    assert world.thread(first)["state"] == {
        "URGENT": "urgent",
        "FIXED in next release": "fixed_in_next_release",
    }.get(target, "open")
    assert world.tick().actions == []
    world.mailer.arrived.clear()
    world.close()


def test_dragged_back_at_once(tmp_path: Path) -> None:
    """A human who drags a mail back to where it was before we saw that our move arrived has said no."""
    server = MemoryServer()
    world = World(server, lambda: MemoryMailbox(server), tmp_path, config=FOLDERS)
    world.tick()
    first = world.incoming(ANN, "Jobs fail", flags=["\\Seen"])
    world.tick()
    world.on(first, "move", "INBOX/WAITING")
    world.settle()
    inner = world.mailbox
    world.mailbox = CrashingMailbox(
        inner, Fuse(1, after=True, act=lambda: world.on(first, "move", "INBOX/WAITING"))
    )
    say(world, f"urgent {short(world, first)}")
    world.mailbox = inner
    world.settle()
    assert world.where(first) == "INBOX/WAITING"
    assert world.thread(first)["labels"] == ["WAITING"]
    world.close()


@pytest.mark.parametrize("name", ["INBOX", "Inbox", "Archive", "sent"])
def test_a_label_that_is_called_like_another_folder(tmp_path: Path, name: str) -> None:
    """A label that can have no folder is refused at the start: INBOX.INBOX is the inbox itself to some servers."""
    told = FOLDERS + f'[[label]]\nname = "{name}"\nkind = "temporary"\nmeaning = "none"\n'
    server = MemoryServer()
    world = World(server, lambda: MemoryMailbox(server), tmp_path, config=told)
    with pytest.raises(UsageError, match=f"cannot be called '{name}'"):
        world.tick()
    world.close()


def test_a_star_is_a_flag(world: World) -> None:
    """No keyword is ever written: only the star is a flag."""
    first = world.incoming(ANN, "Jobs fail")
    world.tick()
    read(world, first)
    world.on(first, "move", below(world, "WAITING"))
    world.settle()
    assert world.flags(first) == set()
