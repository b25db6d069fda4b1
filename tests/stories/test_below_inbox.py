"""A server that keeps everything below the inbox (Courier, Cyrus without altnamespace, many a Dovecot), with dots between."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpdesk.mailbox.account import Account, Password
from helpdesk.mailbox.connect import connect
from helpdesk.mailbox.namespace import Namespace, namespace
from helpdesk.store import meta
from helpdesk.uidset import UidSet
from tests.conftest import Login
from tests.human import ImapHuman
from tests.servers.scripted import ScriptedPeer, Turn, logged_in, selected
from tests.stories.test_commands import AUTH, short, write
from tests.world import World, mail

ANN, AIDEN = "ann@users.example", "aiden@example.org"


@pytest.fixture
def world(
    tmp_path: Path, login: Callable[[str], Login], human_on: Callable[[Login], ImapHuman]
) -> Iterator[World]:
    """A board as anywhere: the configuration says Archive and Sent."""
    who = login("dovecot-below")
    account = Account(who.host, who.port, "none", who.user, lambda: Password(who.password))
    told = World(human_on(who), lambda: connect(account), tmp_path)
    told.tick()
    yield told
    told.close()


def test_a_thread_is_archived_and_brought_back(world: World) -> None:
    """Seven silent days close a thread into INBOX.Archive, and a reply brings it back; nothing is held."""
    first = world.incoming(ANN, "Jobs fail")
    world.tick()
    world.on(first, "add_flags", ["waiting"])
    world.settle()
    assert world.advance(days=8).held == []
    assert world.where(first) == "INBOX.Archive"
    world.incoming(ANN, "Re: Jobs fail", answers=[first])
    world.tick()
    assert world.where(first) == "INBOX"


def test_the_boards_own_folders_lie_there_too(world: World) -> None:
    """A command is filed in INBOX.Helpdesk, and the digest lies in INBOX.Board."""
    first = world.incoming(ANN, "Jobs fail")
    world.tick()
    world.reconfigure(AUTH)
    said = write(world, f"helpdesk: waiting {short(world, first)}\n")
    assert world.tick().held == []
    world.expect_mail(AIDEN, "Done")
    assert world.where(said) == "INBOX.Helpdesk"
    assert len(world.look("INBOX.Board")) == 1
    assert world.tick().actions == []


def test_a_database_that_kept_no_separators(world: World) -> None:
    """A board that listed its folders with an older version lists them anew, and its archive stays the archive."""
    first = world.incoming(ANN, "Jobs fail", folder="INBOX.Archive")
    world.tick()
    with world.engine.begin() as conn:
        meta.put(conn, meta.FOLDERS, json.dumps(dict.fromkeys(world.human.folders(), "")))
    assert world.tick().held == []
    world.incoming(ANN, "Re: Jobs fail", answers=[first])
    world.tick()
    assert world.where(first) == "INBOX"


def test_names_with_and_without_the_prefix_mean_the_same_folder(world: World) -> None:
    """A folder that is made, written to, moved to and asked for by its short name is the one that the server lists."""
    box = world.mailbox
    box.create("Helpdesk")
    uid = box.append("Helpdesk", mail(ANN, "A", "<a@x>"), [])
    assert [status.name for status in box.statuses(["Helpdesk"])] == ["INBOX.Helpdesk"]
    folder = box.select("Helpdesk")
    assert folder == box.select("INBOX.Helpdesk")
    box.create("probe")
    box.move(folder, UidSet.of([uid or 0]), "probe")
    assert [seen.message_id for seen in world.look("INBOX.probe")] == ["<a@x>"]


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        (b'NAMESPACE (("" "/")) NIL NIL', Namespace()),
        (b'NAMESPACE (("INBOX." ".")) NIL NIL', Namespace("INBOX.")),
        (
            b'NAMESPACE (("INBOX." ".")("#mh/" "/")) (("user." ".")) (("" "."))',
            Namespace("INBOX.", ("#mh/", "user.")),
        ),
        (b'NAMESPACE (("" "/" "TRANSLATION" ("x"))) (("~" "/")) NIL', Namespace("", ("~",))),
        (b'NAMESPACE NIL (("user." ".")) NIL', Namespace()),
        (b"NAMESPACE garbage", Namespace()),
    ],
)
def test_what_servers_answer(told: bytes, wanted: Namespace) -> None:
    """The first personal prefix counts (RFC 2342 section 5); without one, names are taken as they are."""
    assert namespace([told]) == wanted


def test_a_shared_mailbox_beside_the_prefix() -> None:
    """On a Cyrus the board's mailbox may be a shared one, whose name has neither the personal prefix nor any other."""
    offers = "IMAP4rev1 UIDPLUS MOVE NAMESPACE"
    turns = [
        Turn("NAMESPACE", b'* NAMESPACE (("INBOX." ".")) (("user." ".")) (("" "."))\r\n<tag> OK done\r\n'),
        Turn('LIST "" "*"', b'* LIST () "." INBOX\r\n* LIST () "." dast\r\n<tag> OK done\r\n'),
        selected("dast", command="EXAMINE"),
        Turn('CREATE "INBOX.Helpdesk"'),
        Turn('SUBSCRIBE "INBOX.Helpdesk"'),
    ]
    with ScriptedPeer([*logged_in(offers), *turns]) as peer:
        box = connect(Account("127.0.0.1", peer.port, "none", "ann", lambda: Password("secret")))
        assert [info.name for info in box.folders()] == ["INBOX", "dast"]
        assert box.select("dast", readonly=True).name == "dast"
        box.create("Helpdesk")
        box.close()


def test_whole_names_stay() -> None:
    """INBOX, a name with the prefix and a folder of somebody else's are whole already."""
    here = Namespace("INBOX.", ("user.", "shared."))
    names = ["inbox", "INBOX.Archive", "user.bob", "shared.board", "Archive"]
    assert [here.there(name) for name in names] == ["INBOX", *names[1:4], "INBOX.Archive"]
