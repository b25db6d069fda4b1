"""What every mailbox promises, whatever the server: `helpdesk.ports.Mailbox`."""

from datetime import UTC, datetime

import pytest

from helpdesk.errors import MailboxRefusedError, UidValidityChangedError
from helpdesk.ports import FolderStatus, MailRow, Tier
from helpdesk.uidset import UidSet
from tests.contract.conftest import World

FIELDS = ("Message-ID", "Subject", "From", "References")
WHEN = datetime(2026, 2, 28, 23, 59, 58, tzinfo=UTC)


def mail(name: str, *, subject: str = "Jobs fail", body: str = "All of them.\r\n") -> bytes:
    head = (
        f"From: ann@example.test\r\nSubject: {subject}\r\n"
        f"Message-ID: <{name}@example.test>\r\nX-Other: not asked for\r\n"
    )
    return f"{head}\r\n{body}".encode()


def fetched(world: World, folder: str, uids: UidSet) -> list[MailRow]:
    return list(world.mailbox.mails(world.mailbox.select(folder, readonly=True), uids, FIELDS))


def status(world: World, folder: str) -> FolderStatus:
    (found,) = world.mailbox.statuses([folder])
    return found


def since(world: World, folder: str) -> int:
    modseq = status(world, folder).modseq
    if modseq is None:
        pytest.skip("this server has no MODSEQ")
    return modseq


def flags_of(world: World, folder: str, uid: int) -> frozenset[str]:
    (row,) = world.mailbox.flags(world.mailbox.select(folder), UidSet.of([uid]))
    return row.flags


# -- folders -----------------------------------------------------------------------------------------------------


def test_folders_are_listed_with_their_special_use(world: World) -> None:
    """Every selectable folder is listed, and where the server knows what a folder is for, so do we."""
    found = {folder.name: folder.special for folder in world.mailbox.folders()}
    assert found["INBOX"] == ""
    assert found["Archive"] == ("archive" if world.special_use else "")


def test_statuses_count_what_is_there(world: World) -> None:
    """STATUS tells how many messages a folder has, and which UID comes next."""
    world.human.deliver("INBOX", mail("a"))
    last = world.human.deliver("INBOX", mail("b"))
    found = status(world, "INBOX")
    assert (found.messages, found.uidnext) == (2, last + 1)
    assert (found.modseq is None) == (world.mailbox.tier is Tier.PLAIN)


def test_statuses_of_all_folders_leave_none_out(world: World) -> None:
    """Without names, every folder that a person sees gets its STATUS."""
    assert {found.name for found in world.mailbox.statuses()} == set(world.human.folders())


def test_a_folder_that_does_not_exist_has_no_status(world: World) -> None:
    """Asking for the STATUS of a folder that is not there is no error; it is left out."""
    assert [found.name for found in world.mailbox.statuses(["Nowhere", "Archive"])] == ["Archive"]


def test_inbox_has_one_spelling(world: World) -> None:
    """INBOX is one folder in whatever case somebody writes it."""
    assert [found.name for found in world.mailbox.statuses(["inbox"])] == ["INBOX"]
    assert world.mailbox.select("Inbox").name == "INBOX"


def test_a_quiet_look_is_one_command(world: World) -> None:
    """Where the server has LIST-STATUS, asking how all folders are costs one command."""
    if not world.one_command:
        pytest.skip("this server has no LIST-STATUS")
    world.mailbox.statuses()
    before = world.mailbox.commands
    world.mailbox.statuses()
    assert world.mailbox.commands - before == 1


def test_status_of_the_selected_folder_is_not_stale(world: World) -> None:
    """What others deliver while we have a folder selected shows in its STATUS, for two commands at most."""
    world.mailbox.select("INBOX")
    world.human.deliver("INBOX", mail("a"))
    before = world.mailbox.commands
    assert status(world, "INBOX").messages == 1
    assert world.mailbox.commands - before <= 2


def test_a_selected_folder_costs_no_command(world: World) -> None:
    """Selecting the folder that is selected already sends nothing."""
    folder = world.mailbox.select("INBOX")
    before = world.mailbox.commands
    assert world.mailbox.select("INBOX", readonly=True) == world.mailbox.select("INBOX") == folder
    assert world.mailbox.commands == before


def test_a_folder_tells_which_keywords_it_has(world: World) -> None:
    """The keywords that a folder has in use are told, and whether there is room for a new one."""
    world.human.deliver("INBOX", mail("a"), flags=["waiting"])
    told = world.mailbox.folder_flags("INBOX")
    assert "waiting" in {flag.lower() for flag in told.used}
    assert told.new
    assert world.mailbox.select("inbox").name == "INBOX"


def test_selecting_nothing_is_refused(world: World) -> None:
    """A folder that does not exist cannot be selected, and the connection lives on."""
    with pytest.raises(MailboxRefusedError):
        world.mailbox.select("Nowhere")
    assert world.mailbox.select("INBOX").name == "INBOX"


def test_a_folder_made_anew_is_noticed(world: World) -> None:
    """Nothing is done in a folder that has another UIDVALIDITY than the one we knew."""
    world.mailbox.create("Ganga")
    world.human.deliver("Ganga", mail("a"))
    folder = world.mailbox.select("Ganga")
    world.mailbox.select("INBOX")
    world.human.change_uidvalidity("Ganga")
    with pytest.raises(UidValidityChangedError):
        world.mailbox.store(folder, UidSet.of([1]), "+", ["waiting"], None)
    assert [seen.flags for seen in world.human.look("Ganga")] == [frozenset()]


@pytest.mark.parametrize("name", ["with space", 'a "quoted" one', "Ärger & Fälle", "back\\slash", "日本"])
def test_folders_may_have_any_name(world: World, name: str) -> None:
    """A folder with blanks, quotes or any script can be made, listed, filled and read."""
    if not world.takes_folder(name):
        pytest.skip("this server has no such folders")
    world.mailbox.create(name)
    world.mailbox.create(name)
    assert name in {folder.name for folder in world.mailbox.folders()}
    world.mailbox.append(name, mail("a"), ["waiting"])
    assert status(world, name).messages == 1
    assert len(fetched(world, name, UidSet.of(world.mailbox.uids(world.mailbox.select(name))))) == 1


# -- reading -----------------------------------------------------------------------------------------------------


def test_mails_tell_what_was_asked_for(world: World) -> None:
    """A message comes with its UID, flags, date, size and the named header fields, and with no other field."""
    uid = world.human.deliver("INBOX", mail("a"), WHEN, ["\\Flagged", "waiting"])
    (row,) = fetched(world, "INBOX", UidSet.of([uid]))
    assert row.uid == uid
    assert row.flags == {"\\Flagged", "waiting"}
    assert (row.internaldate, row.size) == (WHEN, len(mail("a")))
    lines = set(row.header.split(b"\r\n"))
    assert lines == {b"From: ann@example.test", b"Subject: Jobs fail", b"Message-ID: <a@example.test>", b""}
    assert (row.modseq is None) == (world.mailbox.tier is Tier.PLAIN)


def test_a_message_without_the_fields_has_an_empty_line(world: World) -> None:
    """A message that has none of the named fields is told from one that cannot be read."""
    uid = world.human.deliver("INBOX", b"X-Nothing: here\r\n\r\nbody\r\n")
    (row,) = fetched(world, "INBOX", UidSet.of([uid]))
    assert row.header == b"\r\n"


def test_mails_that_are_not_there_are_left_out(world: World) -> None:
    """Asking for UIDs that do not exist yields those that do."""
    uid = world.human.deliver("INBOX", mail("a"))
    assert [row.uid for row in fetched(world, "INBOX", UidSet.span(1, uid + 50))] == [uid]
    assert fetched(world, "INBOX", UidSet()) == []


def test_mails_come_in_slices_and_all_of_them(world: World) -> None:
    """More messages than fit one command come all, each once."""
    if world.slow:
        pytest.skip("filling it takes too long")
    for number in range(1100):
        world.human.deliver("INBOX", mail(str(number)))
    rows = fetched(world, "INBOX", UidSet.span(1, 1100))
    assert [row.uid for row in rows] == list(range(1, 1101))
    assert all(f"<{row.uid - 1}@".encode() in row.header for row in rows)


def test_other_commands_fit_between_two_mails(world: World) -> None:
    """While messages are coming in slices, the same mailbox can be used for something else."""
    uids = [world.human.deliver("INBOX", mail(str(number))) for number in range(3)]
    folder = world.mailbox.select("INBOX")
    seen = []
    for row in world.mailbox.mails(folder, UidSet.of(uids), FIELDS):
        world.mailbox.select("Archive")
        seen.append(row.uid)
    assert seen == uids


def test_nothing_is_marked_read(world: World) -> None:
    """Reading headers, flags and bodies leaves an unread mail unread."""
    uid = world.human.deliver("INBOX", mail("a"))
    folder = world.mailbox.select("INBOX")
    fetched(world, "INBOX", UidSet.of([uid]))
    world.mailbox.body(folder, uid, 1000)
    world.mailbox.flags(folder, UidSet.of([uid]))
    assert [seen.flags for seen in world.human.look("INBOX")] == [frozenset()]


def test_body_is_cut_at_the_limit(world: World) -> None:
    """A body is fetched up to the limit and no further; a message that has gone has none."""
    uid = world.human.deliver("INBOX", mail("a", body="x" * 5000 + "\r\n"))
    folder = world.mailbox.select("INBOX")
    assert world.mailbox.body(folder, uid, 100) == mail("a", body="x" * 5000)[:100]
    assert world.mailbox.body(folder, uid, 10**6) == mail("a", body="x" * 5000 + "\r\n")
    world.human.delete("INBOX", [uid])
    assert world.mailbox.body(folder, uid, 100) == b""


def test_identities_tell_one_mail_from_another(world: World) -> None:
    """Each UID has what names its mail: the server's id, as `mails` tells it, or size and fields; a missing one is left out."""
    uids = [world.human.deliver("INBOX", mail(name, body="x" * 100 + name)) for name in ("a", "b")]
    folder = world.mailbox.select("INBOX", readonly=True)
    before = world.mailbox.commands
    found = {one.uid: one for one in world.mailbox.identities(folder, UidSet.of([*uids, 77]), FIELDS)}
    assert world.mailbox.commands - before == 1
    assert found.keys() == set(uids)
    for row in fetched(world, "INBOX", UidSet.of(uids)):
        one = found[row.uid]
        assert (one.guid, one.size, one.header) == (row.guid, row.size, b"" if row.guid else row.header)
    assert found[uids[0]][1:] != found[uids[1]][1:]
    assert not world.mailbox.identities(folder, UidSet(), FIELDS)
    assert [seen.flags for seen in world.human.look("INBOX")] == [frozenset(), frozenset()]


def test_uids_are_all_that_is_there(world: World) -> None:
    """The set of UIDs is exact, also after others delivered and deleted while we had the folder selected."""
    folder = world.mailbox.select("INBOX")
    assert world.mailbox.uids(folder) == UidSet()
    uids = [world.human.deliver("INBOX", mail(str(number))) for number in range(5)]
    world.human.delete("INBOX", uids[1:3])
    assert list(world.mailbox.uids(folder)) == [uids[0], *uids[3:]]


def test_flags_are_those_of_now(world: World) -> None:
    """Flags are what others made of them until now, and messages that have gone are left out."""
    uids = [world.human.deliver("INBOX", mail(str(number))) for number in range(3)]
    folder = world.mailbox.select("INBOX")
    world.human.add_flags("INBOX", uids[:1], ["urgent"])
    world.human.delete("INBOX", uids[1:2])
    found = {row.uid: row.flags for row in world.mailbox.flags(folder, UidSet.of(uids))}
    assert found == {uids[0]: {"urgent"}, uids[2]: frozenset()}
    world.human.remove_flags("INBOX", uids[:1], ["urgent"])
    assert flags_of(world, "INBOX", uids[0]) == frozenset()


@pytest.mark.parametrize("keyword", ["42", "nil", "NIL", "$Label1", "a/b", "=20", "0123"])
def test_keywords_survive_as_they_are_spelled(world: World, keyword: str) -> None:
    """A keyword that looks like something else in IMAP is still a string, in every answer that has flags."""
    uid = world.human.deliver("INBOX", mail("a"), flags=[keyword])
    assert flags_of(world, "INBOX", uid) == {keyword}
    (row,) = fetched(world, "INBOX", UidSet.of([uid]))
    assert row.flags == {keyword}


def test_copies_share_the_servers_id(world: World) -> None:
    """Where the server names messages, the name survives a move, and both copies of a copy have it."""
    uid = world.human.deliver("INBOX", mail("a"))
    other = world.human.deliver("INBOX", mail("a"))
    mine, twin = (row.guid for row in fetched(world, "INBOX", UidSet.of([uid, other])))
    world.human.copy("INBOX", [uid], "Archive")
    world.human.move("INBOX", [uid], "Archive")
    folder = world.mailbox.select("Archive")
    assert {row.guid for row in fetched(world, "Archive", world.mailbox.uids(folder))} == {mine}
    assert (mine == twin) == world.names_by_content
    assert mine


# -- changes -----------------------------------------------------------------------------------------------------


def test_changes_are_what_is_new_since(world: World) -> None:
    """Of many messages, only those whose flags changed since a MODSEQ are told, and new ones."""
    uids = [world.human.deliver("INBOX", mail(str(number))) for number in range(5)]
    before = since(world, "INBOX")
    folder = world.mailbox.select("INBOX")
    assert world.mailbox.changes(folder, before).rows == []
    world.human.add_flags("INBOX", [uids[2]], ["waiting"])
    new = world.human.deliver("INBOX", mail("new"))
    rows = {row.uid: row.flags for row in world.mailbox.changes(folder, before).rows}
    assert rows == {uids[2]: {"waiting"}, new: frozenset()}


def test_changes_since_the_beginning_are_all(world: World) -> None:
    """Since 0, every message has changed."""
    uids = [world.human.deliver("INBOX", mail(str(number))) for number in range(3)]
    since(world, "INBOX")
    folder = world.mailbox.select("INBOX")
    assert [row.uid for row in world.mailbox.changes(folder, 0).rows] == uids
    assert [row.uid for row in world.mailbox.changes(folder, 1).rows] == uids


def test_the_status_covers_all_changes(world: World) -> None:
    """After everything up to the HIGHESTMODSEQ of STATUS was read, nothing is told again."""
    uid = world.human.deliver("INBOX", mail("a"))
    world.human.add_flags("INBOX", [uid], ["waiting"])
    now = since(world, "INBOX")
    changes = world.mailbox.changes(world.mailbox.select("INBOX"), now)
    assert not changes.rows


def test_removals_are_told_where_the_server_can(world: World) -> None:
    """With QRESYNC a deleted message vanishes by name; below that, nobody pretends to know."""
    uids = [world.human.deliver("INBOX", mail(str(number))) for number in range(3)]
    before = since(world, "INBOX")
    folder = world.mailbox.select("INBOX")
    world.human.delete("INBOX", uids[:1])
    world.human.move("INBOX", uids[1:2], "Archive")
    vanished = world.mailbox.changes(folder, before).vanished
    if world.mailbox.tier is Tier.QRESYNC:
        assert vanished is not None
        assert {uids[0], uids[1]} <= set(vanished)
        assert uids[2] not in vanished
    else:
        assert vanished is None


def test_a_removal_told_in_passing_is_not_lost(world: World) -> None:
    """A removal that the server tells during another command is in the next changes all the same."""
    uids = [world.human.deliver("INBOX", mail(str(number))) for number in range(3)]
    before = since(world, "INBOX")
    if world.mailbox.tier is not Tier.QRESYNC:
        pytest.skip("only QRESYNC tells removals")
    folder = world.mailbox.select("INBOX")
    world.human.delete("INBOX", uids[:1])
    world.mailbox.uids(folder)
    world.human.delete("INBOX", uids[1:2])
    world.mailbox.select("Archive")
    vanished = world.mailbox.changes(world.mailbox.select("INBOX"), before).vanished
    assert vanished is not None
    assert set(uids[:2]) <= set(vanished)


def test_without_condstore_changes_are_refused(world: World) -> None:
    """A server that has no MODSEQ is not asked for changes."""
    if world.mailbox.tier is not Tier.PLAIN:
        pytest.skip("this server has CONDSTORE")
    with pytest.raises(MailboxRefusedError):
        world.mailbox.changes(world.mailbox.select("INBOX"), 1)


# -- writing -----------------------------------------------------------------------------------------------------


def test_store_adds_and_removes(world: World) -> None:
    """Flags are added and removed one by one; what others set stays."""
    uid = world.human.deliver("INBOX", mail("a"), flags=["\\Seen", "junk"])
    folder = world.mailbox.select("INBOX")
    world.mailbox.store(folder, UidSet.of([uid]), "+", ["waiting", "\\Flagged"], None)
    assert flags_of(world, "INBOX", uid) == {"\\Seen", "junk", "waiting", "\\Flagged"}
    world.mailbox.store(folder, UidSet.of([uid]), "-", ["waiting", "\\Flagged"], None)
    assert [seen.flags for seen in world.human.look("INBOX")] == [{"\\Seen", "junk"}]


def test_keywords_fold_case(world: World) -> None:
    """A keyword is one keyword in any case, and the folder keeps the spelling that it saw first."""
    if not world.folds_case:
        pytest.skip("this server does not fold case")
    uid = world.human.deliver("INBOX", mail("a"), flags=["Waiting"])
    folder = world.mailbox.select("INBOX")
    world.mailbox.store(folder, UidSet.of([uid]), "+", ["waiting"], None)
    assert flags_of(world, "INBOX", uid) == {"Waiting"}
    world.mailbox.store(folder, UidSet.of([uid]), "-", ["WAITING"], None)
    assert flags_of(world, "INBOX", uid) == frozenset()


def test_the_human_wins_the_race(world: World) -> None:
    """A conditional store leaves alone what a human changed since, and says so; below CONDSTORE it cannot."""
    uids = [world.human.deliver("INBOX", mail(str(number))) for number in range(2)]
    before = status(world, "INBOX").modseq
    folder = world.mailbox.select("INBOX")
    world.human.add_flags("INBOX", uids[:1], ["urgent"])
    stored = world.mailbox.store(folder, UidSet.of(uids), "+", ["waiting"], before)
    assert flags_of(world, "INBOX", uids[1]) == {"waiting"}
    if world.mailbox.tier is Tier.PLAIN:
        assert stored.modified == UidSet()
        assert flags_of(world, "INBOX", uids[0]) == {"urgent", "waiting"}
    else:
        assert list(stored.modified) == uids[:1]
        assert flags_of(world, "INBOX", uids[0]) == {"urgent"}


def test_a_store_tells_its_modseq(world: World) -> None:
    """The MODSEQ of our own change is known, and later changes are told from it."""
    uid = world.human.deliver("INBOX", mail("a"))
    before = since(world, "INBOX")
    folder = world.mailbox.select("INBOX")
    stored = world.mailbox.store(folder, UidSet.of([uid]), "+", ["waiting"], before)
    (row,) = world.mailbox.flags(folder, UidSet.of([uid]))
    assert stored.modseq == row.modseq
    assert stored.modseq is not None
    assert stored.modseq > before
    assert world.mailbox.changes(folder, stored.modseq).rows == []


def test_storing_on_what_has_gone_is_no_error(world: World) -> None:
    """A store on a message that somebody deleted changes nothing and raises nothing."""
    uids = [world.human.deliver("INBOX", mail(str(number))) for number in range(2)]
    folder = world.mailbox.select("INBOX")
    world.human.delete("INBOX", uids[:1])
    stored = world.mailbox.store(folder, UidSet.of(uids), "+", ["waiting"], None)
    assert stored.modified == UidSet()
    assert [seen.flags for seen in world.human.look("INBOX")] == [{"waiting"}]


def test_storing_on_nothing_costs_nothing(world: World) -> None:
    """An empty set of UIDs sends no command that changes anything."""
    folder = world.mailbox.select("INBOX")
    before = world.mailbox.commands
    assert world.mailbox.store(folder, UidSet(), "+", ["waiting"], None).modseq is None
    assert world.mailbox.move(folder, UidSet(), "Archive").uids == {}
    assert world.mailbox.commands == before


@pytest.mark.parametrize("keyword", ["two words", "a(b", "", "a\r\nb", "ü", 'a"b', "a\\b", "*", "%", "a]"])
def test_what_is_no_keyword_is_refused(world: World, keyword: str) -> None:
    """What IMAP would read as two keywords, or as something else, is refused before it is sent."""
    uid = world.human.deliver("INBOX", mail("a"))
    folder = world.mailbox.select("INBOX")
    with pytest.raises(MailboxRefusedError):
        world.mailbox.store(folder, UidSet.of([uid]), "+", [keyword], None)
    assert flags_of(world, "INBOX", uid) == frozenset()


def test_move_tells_where_messages_went(world: World) -> None:
    """A move says the new UID of each message, keeps its flags, and takes it out of the source."""
    uids = [world.human.deliver("INBOX", mail(str(number)), flags=["waiting"]) for number in range(3)]
    world.human.deliver("Archive", mail("old"))
    folder = world.mailbox.select("INBOX")
    moved = world.mailbox.move(folder, UidSet.of(uids[:2]), "Archive")
    assert moved.uidvalidity == status(world, "Archive").uidvalidity
    rows = {row.uid: row for row in fetched(world, "Archive", UidSet.of(moved.uids.values()))}
    for number, uid in enumerate(uids[:2]):
        row = rows[moved.uids[uid]]
        assert row.flags == {"waiting"}
        assert f"<{number}@".encode() in row.header
    assert [seen.uid for seen in world.human.look("INBOX")] == uids[2:]


def test_moving_what_has_gone_is_no_error(world: World) -> None:
    """Of messages that somebody moved a moment ago, the rest is moved, and nobody complains."""
    uids = [world.human.deliver("INBOX", mail(str(number))) for number in range(2)]
    folder = world.mailbox.select("INBOX")
    world.human.move("INBOX", uids[:1], "Archive")
    assert list(world.mailbox.move(folder, UidSet.of(uids[:1]), "Archive").uids) == []
    assert list(world.mailbox.move(folder, UidSet.of(uids), "Archive").uids) == uids[1:]
    assert len(world.human.look("Archive")) == 2


def test_moving_to_nowhere_is_refused(world: World) -> None:
    """A move into a folder that does not exist is refused and leaves everything where it was."""
    uid = world.human.deliver("INBOX", mail("a"))
    folder = world.mailbox.select("INBOX")
    with pytest.raises(MailboxRefusedError):
        world.mailbox.move(folder, UidSet.of([uid]), "Nowhere")
    assert [seen.uid for seen in world.human.look("INBOX")] == [uid]


def test_append_tells_the_uid(world: World) -> None:
    """An appended mail has the flags and the date that were given, and we learn its UID."""
    uid = world.mailbox.append("Archive", mail("a"), ["\\Seen", "waiting"], WHEN)
    assert uid is not None
    (row,) = fetched(world, "Archive", UidSet.of([uid]))
    assert row.flags == {"\\Seen", "waiting"}
    assert (row.internaldate, row.size) == (WHEN, len(mail("a")))


def test_appending_to_nowhere_is_refused(world: World) -> None:
    """A mail for a folder that does not exist is refused, and the connection lives on."""
    with pytest.raises(MailboxRefusedError):
        world.mailbox.append("Nowhere", mail("a"), [])
    assert world.mailbox.append("INBOX", mail("a"), []) is not None


def test_expunge_removes_ours_only(world: World) -> None:
    """Expunging our message leaves what a human only marked as deleted."""
    ours, theirs = (world.human.deliver("INBOX", mail(name)) for name in ("ours", "theirs"))
    world.human.mark_deleted("INBOX", [theirs])
    folder = world.mailbox.select("INBOX")
    world.mailbox.expunge(folder, UidSet.of([ours]))
    assert {seen.uid: seen.flags for seen in world.human.look("INBOX")} == {theirs: {"\\Deleted"}}


def test_two_connections_see_the_same(world: World) -> None:
    """What one connection writes, another one reads, each with its own view of what is selected."""
    other = world.connect()
    uid = world.human.deliver("INBOX", mail("a"))
    world.mailbox.store(world.mailbox.select("INBOX"), UidSet.of([uid]), "+", ["taken"], None)
    (row,) = other.flags(other.select("INBOX"), UidSet.of([uid]))
    assert row.flags == {"taken"}
    moved = world.mailbox.move(world.mailbox.select("INBOX"), UidSet.of([uid]), "Archive")
    assert other.flags(other.select("INBOX"), UidSet.of([uid])) == []
    assert list(moved.uids) == [uid]


def test_what_was_spent_is_counted(world: World) -> None:
    """Commands and received octets only grow, and start near nothing."""
    assert world.mailbox.commands == 0
    octets = world.mailbox.bytes
    world.mailbox.folders()
    assert world.mailbox.commands == 1
    assert world.mailbox.bytes > octets
