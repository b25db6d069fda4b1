"""The traps B1 to B16 of IMAP servers and IMAPClient, each with a peer that sets it, and servers that say "not now"."""

import logging
import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from helpdesk.errors import MailboxRefusedError, MailboxUnreachableError
from helpdesk.mailbox.connect import Account, Password, connect
from helpdesk.mailbox.wire import ImapMailbox
from helpdesk.ports import FlagRow, Folder, Tier
from helpdesk.uidset import UidSet
from tests.servers.scripted import (
    CAPABILITIES,
    PLAIN_CAPABILITIES,
    ScriptedPeer,
    Turn,
    logged_in,
    selected,
)

INBOX = Folder("INBOX", 7)
HEADER = b"Subject: hi\r\n\r\n"
FETCH_MAILS = "UID FETCH {} (UID FLAGS MODSEQ INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (Subject)])"
FETCH_FLAGS = "UID FETCH {} (UID FLAGS MODSEQ)"


@contextmanager
def talking(*turns: Turn, offers: str = CAPABILITIES, read_seconds: float = 5) -> Iterator[ImapMailbox]:
    """Log in at a peer that then plays these turns."""
    with ScriptedPeer([*logged_in(offers), *turns]) as peer:
        mailbox = connect(account(peer.port, read_seconds))
        yield mailbox
        mailbox.close()


def account(port: int, read_seconds: float = 5) -> Account:
    return Account("127.0.0.1", port, "none", "ann", lambda: Password("secret"), read_seconds=read_seconds)


def examined() -> Turn:
    return selected(command="EXAMINE")


def ok(*lines: bytes, code: bytes = b"") -> bytes:
    return b"".join(b"* " + line + b"\r\n" for line in lines) + b"<tag> OK " + code + b" done\r\n"


def row(uid: int, *, header: bytes = HEADER, flags: bytes = b"", sequence: int = 1) -> bytes:
    return (
        b'%d FETCH (UID %d FLAGS (%b) MODSEQ (5) INTERNALDATE "01-Jan-2026 10:00:00 +0000" RFC822.SIZE 99 '
        b"BODY[HEADER.FIELDS (SUBJECT)] {%d}\r\n%b)" % (sequence, uid, flags, len(header), header)
    )


def fetch_mails(uids: str, *rows: bytes) -> Turn:
    return Turn(FETCH_MAILS.format(uids), ok(*rows))


def flags(mailbox: ImapMailbox, uids: UidSet) -> dict[int, frozenset[str]]:
    return {row.uid: row.flags for row in mailbox.flags(INBOX, uids)}


# -- B1 to B4: which message, which UIDs, how long a line --------------------------------------------------------


def test_b1_a_sequence_number_is_no_uid() -> None:
    """Another client's flag change that comes without UID during our FETCH lands on no message of ours."""
    answer = ok(
        b"2 FETCH (UID 3 FLAGS (a) MODSEQ (5))", b"3 FETCH (FLAGS (urgent))", b"3 FETCH (UID 4 FLAGS (x))"
    )
    with talking(examined(), Turn(FETCH_FLAGS.format("3"), answer)) as mailbox:
        assert mailbox.flags(INBOX, UidSet.of([3])) == [FlagRow(3, frozenset({"a"}), 5)]


def test_b1_a_strangers_flags_are_no_mail() -> None:
    """A flag change told between two header rows makes no message, and harms none."""
    rows = (row(1), b"7 FETCH (FLAGS (urgent))", b"2 FETCH (UID 2 FLAGS (b) MODSEQ (9))", row(2, sequence=2))
    with talking(examined(), fetch_mails("1:2", *rows)) as mailbox:
        found = list(mailbox.mails(INBOX, UidSet.span(1, 2), ["Subject"]))
    assert [(mail.uid, mail.header) for mail in found] == [(1, HEADER), (2, HEADER)]


def test_b2_ranges_are_spoken() -> None:
    """Ranges and `1:*` reach the server as they are."""
    with talking(
        examined(),
        Turn(FETCH_FLAGS.format("1:10"), ok()),
        Turn("NOOP"),
        Turn("UID FETCH 1:* (UID FLAGS) (CHANGEDSINCE 7 VANISHED)", ok()),
    ) as mailbox:
        assert flags(mailbox, UidSet.span(1, 10)) == {}
        assert mailbox.changes(INBOX, 7).rows == []


def test_b3_long_sets_are_compressed_and_cut() -> None:
    """Fifty thousand UIDs go in lines of at most 8 kB, neighbours as ranges, none left out."""
    wanted = UidSet.of(uid for uid in range(1, 100_000) if uid % 3)
    parts = [str(part) for part in wanted.slices()]
    assert max(map(len, parts)) <= 8000
    turns = [Turn(FETCH_FLAGS.format(part), ok()) for part in parts]
    with talking(examined(), *turns) as mailbox:
        flags(mailbox, wanted)
    assert UidSet.parse(",".join(parts)) == wanted


def test_b4_a_line_of_a_megabyte_is_read() -> None:
    """Without ESEARCH, a SEARCH of 130,000 UIDs is one line of more than a megabyte, and is read."""
    found = list(range(1_000_000, 1_130_000))
    line = b"SEARCH " + b" ".join(b"%d" % uid for uid in found)
    with talking(examined(), Turn("UID SEARCH ALL", ok(line)), offers=PLAIN_CAPABILITIES) as mailbox:
        assert list(mailbox.uids(INBOX)) == found


def test_b4_esearch_is_one_range() -> None:
    """With ESEARCH the same costs a few octets, and an empty folder has no ALL at all."""
    answers = [ok(b'ESEARCH (TAG "h9") UID ALL 1:130000,140000'), ok(b'ESEARCH (TAG "h9") UID')]
    command = "UID SEARCH RETURN (ALL) ALL"
    with talking(examined(), Turn(command, answers[0]), Turn("NOOP"), Turn(command, answers[1])) as mailbox:
        assert len(mailbox.uids(INBOX)) == 130_001
        assert mailbox.uids(INBOX) == UidSet()


# -- B6 and B7: what is told in passing --------------------------------------------------------------------------


def test_b6_nothing_is_left_behind() -> None:
    """FETCHes that a NOOP brings do not turn up in the next FETCH."""
    with talking(
        examined(),
        Turn(FETCH_FLAGS.format("1"), ok(b"1 FETCH (UID 1 FLAGS (a) MODSEQ (5))")),
        Turn("NOOP", ok(b"2 FETCH (UID 2 FLAGS (stale) MODSEQ (4))", b"2 FETCH (FLAGS (stale))")),
        Turn(FETCH_FLAGS.format("2"), ok()),
    ) as mailbox:
        assert flags(mailbox, UidSet.of([1])) == {1: {"a"}}
        assert flags(mailbox, UidSet.of([2])) == {}


def test_b7_modified_is_heard() -> None:
    """MODIFIED names who was first, and the MODSEQ of our own change is not that of a stranger who came after."""
    rows = (
        b"1 FETCH (UID 1 MODSEQ (12))",
        b"3 FETCH (UID 3 MODSEQ (12))",
        b"3 FETCH (UID 3 FLAGS (x) MODSEQ (99))",
    )
    said = ok(b"1 FETCH (UID 1 FLAGS (old) MODSEQ (9))", *rows, code=b"[MODIFIED 2,7:9]")
    command = "UID STORE 1:3,7:9 (UNCHANGEDSINCE 10) +FLAGS.SILENT (waiting)"
    with talking(selected(), Turn(command, said)) as mailbox:
        stored = mailbox.store(INBOX, UidSet.parse("1:3,7:9"), "+", ["waiting"], 10)
    assert (list(stored.modified), stored.modseq) == ([2, 7, 8, 9], 12)


def test_a_store_that_is_not_silent_tells_its_modseq() -> None:
    """Cyrus sends the flags though asked for silence: only under a condition they are known to be ours."""
    said = ok(b"1 FETCH (FLAGS (\\Recent waiting) UID 1 MODSEQ (25))")
    with talking(
        selected(),
        Turn("UID STORE 1 (UNCHANGEDSINCE 24) +FLAGS.SILENT (waiting)", said),
        Turn("UID STORE 1 +FLAGS.SILENT (waiting)", said),
    ) as mailbox:
        assert mailbox.store(INBOX, UidSet.of([1]), "+", ["waiting"], 24).modseq == 25
        assert mailbox.store(INBOX, UidSet.of([1]), "+", ["waiting"], None).modseq is None


def test_b7_copyuid_comes_before_the_answer() -> None:
    """MOVE tells COPYUID in an untagged OK, in the order of the sets."""
    said = ok(b"OK [COPYUID 38 5,1:2 101:102,90] moved", b"VANISHED 1:2,5")
    with talking(selected(), Turn('UID MOVE 1:2,5 "Archive"', said)) as mailbox:
        moved = mailbox.move(INBOX, UidSet.parse("1:2,5"), "Archive")
    assert (moved.uids, moved.uidvalidity) == ({5: 101, 1: 102, 2: 90}, 38)


def test_b7_appenduid_is_heard() -> None:
    """APPEND tells the new UID, and a mail is one literal."""
    turn = Turn(
        'APPEND "INBOX" (\\Seen) "02-Mar-2026 10:00:00 +0000" {5+}\r\nhello', ok(code=b"[APPENDUID 7 55]")
    )
    with talking(turn) as mailbox:
        when = datetime(2026, 3, 2, 10, tzinfo=UTC)
        assert mailbox.append("INBOX", b"hello", ["\\Seen"], when) == 55


def test_b7_a_literal_waits_for_its_invitation() -> None:
    """Without LITERAL+ a mail is sent when the server asks for it, and not when it refuses."""
    turns = (
        Turn('APPEND "INBOX" () {5}\r\nhello', ok()),
        Turn(re.compile(r"NOOP"), ok()),
    )
    with ScriptedPeer([*logged_in(PLAIN_CAPABILITIES), *turns]) as peer:
        mailbox = connect(account(peer.port))
        assert mailbox.append("INBOX", b"hello", []) is None
        mailbox._session.run("NOOP")
        mailbox.close()


def test_b7_vanished_is_never_lost() -> None:
    """What vanishes unasked, in any answer and while leaving the folder, is in the next changes of that folder."""
    with talking(
        examined(),
        Turn(FETCH_FLAGS.format("1:9"), ok(b"VANISHED 4")),
        Turn("NOOP", ok(b"VANISHED 5")),
        Turn("UID SEARCH RETURN (ALL) ALL", ok(b'ESEARCH (TAG "x") UID ALL 1:3')),
        Turn('EXAMINE "Archive"', ok(b"VANISHED 6", b"OK [CLOSED] bye", b"OK [UIDVALIDITY 8] ok")),
        examined(),
        Turn("UID FETCH 1:* (UID FLAGS) (CHANGEDSINCE 3 VANISHED)", ok(b"VANISHED (EARLIER) 1:2")),
        Turn("NOOP"),
        Turn("UID FETCH 1:* (UID FLAGS) (CHANGEDSINCE 3 VANISHED)", ok()),
    ) as mailbox:
        flags(mailbox, UidSet.span(1, 9))
        mailbox.uids(INBOX)
        mailbox.select("Archive", readonly=True)
        assert mailbox.changes(INBOX, 3).vanished == UidSet.parse("1:2,4:6")
        assert mailbox.changes(INBOX, 3).vanished == UidSet()


# -- B8 and B9: rows that cannot be read -------------------------------------------------------------------------


def test_b8_one_malformed_row_harms_no_other() -> None:
    """Of three messages whose middle one is told in broken IMAP, two come whole and that one with no header."""
    broken = b'2 FETCH (UID 2 FLAGS (x) BODY[HEADER.FIELDS (SUBJECT)] "a"b"'
    with talking(
        examined(),
        fetch_mails("1:3", row(1), broken, row(3)),
        fetch_mails("2", broken),
        Turn("UID FETCH 2 (UID FLAGS)", ok(b"2 FETCH (UID 2 FLAGS (x))")),
    ) as mailbox:
        found = {mail.uid: mail for mail in mailbox.mails(INBOX, UidSet.span(1, 3), ["Subject"])}
    assert {uid: mail.header for uid, mail in found.items()} == {1: HEADER, 2: b"", 3: HEADER}
    assert found[2].flags == {"x"}


def test_b8_a_batch_that_fails_is_halved() -> None:
    """When one message makes the server refuse the whole FETCH, halving finds it, and the rest comes."""

    def refused(uids: str) -> Turn:
        return Turn(FETCH_MAILS.format(uids), b"<tag> NO [SERVERBUG] internal error\r\n")

    with talking(
        examined(),
        refused("1:4"),
        fetch_mails("1:2", row(1), row(2)),
        refused("3:4"),
        fetch_mails("3", row(3)),
        refused("4"),
        Turn("UID FETCH 4 (UID FLAGS)", ok(b"4 FETCH (UID 4 FLAGS (kept))")),
    ) as mailbox:
        found = {mail.uid: mail.header for mail in mailbox.mails(INBOX, UidSet.span(1, 4), ["Subject"])}
    assert found == {1: HEADER, 2: HEADER, 3: HEADER, 4: b""}


def test_b8_a_bad_message_that_has_gone_is_none() -> None:
    """A message that could not be read and then is not there any more is left out."""
    with talking(
        examined(),
        fetch_mails("1", b"1 FETCH (UID 1"),
        Turn("UID FETCH 1 (UID FLAGS)", ok()),
    ) as mailbox:
        assert list(mailbox.mails(INBOX, UidSet.of([1]), ["Subject"])) == []


def test_b8_a_folder_that_fails_is_no_bad_message() -> None:
    """When the server refuses even the flags, it is not one message: the refusal is raised."""
    no = b"<tag> NO the folder is gone\r\n"
    turns = (examined(), Turn(FETCH_MAILS.format("1"), no), Turn("UID FETCH 1 (UID FLAGS)", no))
    with talking(*turns) as mailbox, pytest.raises(MailboxRefusedError, match="the folder is gone"):
        list(mailbox.mails(INBOX, UidSet.of([1]), ["Subject"]))


def test_b8_flags_are_read_from_a_torn_row() -> None:
    """A row without its last parenthesis still tells its flags; one without any is an error, not "no flags"."""
    with talking(
        examined(),
        Turn(FETCH_FLAGS.format("1:2"), ok(b"1 FETCH (UID 1 FLAGS (a)", b"2 FETCH (UID 2 FLAGS (b))")),
        Turn("NOOP"),
        Turn(FETCH_FLAGS.format("3"), ok(b"3 FETCH (UID 3 FLAGS (a")),
    ) as mailbox:
        assert flags(mailbox, UidSet.span(1, 2)) == {1: {"a"}, 2: {"b"}}
        with pytest.raises(MailboxRefusedError, match="cannot be read"):
            flags(mailbox, UidSet.of([3]))


@pytest.mark.parametrize("tail", [b"", b' X-UNKNOWN ("something" {3}\r\nodd)'])
def test_b9_strange_keywords_are_strings(tail: bytes) -> None:
    r"""`42`, `NIL`, `[` and 8-bit keywords survive, in rows of the usual shape and of any other; `\Recent` is dropped."""
    said = ok(b"1 FETCH (UID 1 FLAGS (\\Recent 42 NIL [ \xe4 \\Seen) MODSEQ (5)%b)" % tail)
    with talking(examined(), Turn(FETCH_FLAGS.format("1"), said)) as mailbox:
        assert flags(mailbox, UidSet.of([1])) == {1: {"42", "NIL", "[", "ä", "\\Seen"}}


def test_b10_ok_is_no_proof() -> None:
    """A STORE that the server answers with OK and forgets tells no MODSEQ, and reading back shows the truth."""
    with talking(
        selected(),
        Turn("UID STORE 1 +FLAGS.SILENT (waiting)", ok()),
        Turn("NOOP"),
        Turn(FETCH_FLAGS.format("1"), ok(b"1 FETCH (UID 1 FLAGS () MODSEQ (5))")),
    ) as mailbox:
        assert mailbox.store(INBOX, UidSet.of([1]), "+", ["waiting"], None).modseq is None
        assert flags(mailbox, UidSet.of([1])) == {1: frozenset()}


# -- B11 to B16 --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (b"17-Jul-1996 02:44:25 -0730", datetime(1996, 7, 17, 10, 14, 25, tzinfo=UTC)),
        (b" 1-Jan-2026 00:30:00 +0100", datetime(2025, 12, 31, 23, 30, tzinfo=UTC)),
        (b"31-Dec-2016 23:59:60 +0000", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (b"30-Feb-2026 00:00:00 +0000", datetime(1970, 1, 1, tzinfo=UTC)),
        (b"nonsense", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_b11_dates_are_utc(written: bytes, meant: datetime) -> None:
    """INTERNALDATE becomes an aware time in UTC, whatever zone this machine or the server is in."""
    said = row(1).replace(b"01-Jan-2026 10:00:00 +0000", written)
    with talking(examined(), fetch_mails("1", said)) as mailbox:
        (mail,) = mailbox.mails(INBOX, UidSet.of([1]), ["Subject"])
    assert mail.internaldate == meant
    assert mail.internaldate.tzinfo is UTC


def test_b12_a_silent_server_is_left() -> None:
    """A server that stops talking is left after the timeout, and that connection is never used again."""
    with talking(Turn('SELECT "INBOX"', b"* 3 EXISTS\r\n", then="hang"), read_seconds=0.2) as mailbox:
        started = time.monotonic()
        with pytest.raises(MailboxUnreachableError, match="does not answer"):
            mailbox.select("INBOX")
        with pytest.raises(MailboxUnreachableError, match="given up"):
            mailbox.select("INBOX")
        assert time.monotonic() - started < 2


def test_b13_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Neither the password nor a mail's text reaches a log, at the lowest level."""
    caplog.set_level(logging.DEBUG)
    with talking(examined(), fetch_mails("1", row(1, header=b"Subject: private\r\n\r\n"))) as mailbox:
        (mail,) = mailbox.mails(INBOX, UidSet.of([1]), ["Subject"])
        assert b"private" in mail.header
    assert "private" not in caplog.text
    assert "secret" not in caplog.text


def test_b15_two_threads_do_not_share_a_connection() -> None:
    """Whoever uses a connection in the middle of another's command gets an error, not the other's answer."""
    with talking(Turn('SELECT "INBOX"', b"* 3 EXISTS\r\n", then="hang"), read_seconds=5) as mailbox:
        failures: list[Exception] = []

        def select() -> None:
            try:
                mailbox.select("INBOX")
            except MailboxUnreachableError as error:
                failures.append(error)

        first = threading.Thread(target=select)
        first.start()
        time.sleep(0.2)
        with pytest.raises(MailboxUnreachableError):
            mailbox.folders()
        first.join(10)
        assert len(failures) == 1


def test_b16_enable_comes_before_any_select() -> None:
    """QRESYNC and CONDSTORE are enabled right after the login, and no SELECT needs a parameter."""
    with ScriptedPeer([*logged_in(), selected()]) as peer:
        mailbox = connect(account(peer.port))
        mailbox.select("INBOX")
        mailbox.close()
    assert peer.heard[-2:] == ["ENABLE QRESYNC CONDSTORE", 'SELECT "INBOX"']


@pytest.mark.parametrize(
    ("offers", "tier"),
    [
        ("IMAP4rev1 ENABLE CONDSTORE QRESYNC", Tier.QRESYNC),
        ("IMAP4rev1 ENABLE CONDSTORE", Tier.CONDSTORE),
        ("IMAP4rev1 CONDSTORE", Tier.CONDSTORE),
        ("IMAP4rev1", Tier.PLAIN),
    ],
)
def test_the_tier_is_what_is_announced(offers: str, tier: Tier) -> None:
    """The tier follows from CAPABILITY; a HIGHESTMODSEQ in a SELECT proves nothing (Yahoo sends one)."""
    said = ok(b"OK [UIDVALIDITY 7] ok", b"OK [HIGHESTMODSEQ 99] ok")
    with talking(Turn('SELECT "INBOX"', said), offers=offers) as mailbox:
        mailbox.select("INBOX")
        assert mailbox.tier is tier


# -- servers that say no, not now, or goodbye --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (b"<tag> NO Request is throttled. Suggested Backoff Time: 299961 milliseconds\r\n", 299.961),
        (b"<tag> BAD User is authenticated but not connected.\r\n", None),
        (b"<tag> NO [THROTTLED] slow down\r\n", 300),
        (b"<tag> NO [UNAVAILABLE] try later\r\n", 60),
        (b"<tag> NO [INUSE] locked\r\n", 30),
        (b"* BYE [UNAVAILABLE] shutting down\r\n", 60),
        (b"* BYE Session timed out\r\n", None),
    ],
)
def test_not_now_means_stay_away(said: bytes, seconds: float | None) -> None:
    """A server that asks for patience, or ends the connection, is unreachable for as long as it says."""
    with talking(Turn('SELECT "INBOX"', said)) as mailbox:
        with pytest.raises(MailboxUnreachableError) as caught:
            mailbox.select("INBOX")
        assert caught.value.retry_after == seconds


def test_the_end_of_the_line_is_unreachable() -> None:
    """A connection that ends in the middle of a literal is unreachable, and no half message is believed."""
    torn = b"* 1 FETCH (UID 1 BODY[HEADER.FIELDS (SUBJECT)] {500}\r\nSubj"
    turns = (examined(), Turn(FETCH_MAILS.format("1"), torn, then="close"))
    with talking(*turns) as mailbox, pytest.raises(MailboxUnreachableError):
        list(mailbox.mails(INBOX, UidSet.of([1]), ["Subject"]))


def test_nonsense_is_unreachable() -> None:
    """A peer that does not speak IMAP is left at once."""
    turn = Turn('SELECT "INBOX"', b"HTTP/1.1 400 Bad Request\r\n")
    with talking(turn) as mailbox, pytest.raises(MailboxUnreachableError, match="fits no command"):
        mailbox.select("INBOX")


def test_what_has_been_expunged_is_no_error() -> None:
    """EXPUNGEISSUED on reading, storing, moving and expunging is no error: somebody was first."""
    no = b"<tag> NO [EXPUNGEISSUED] some are gone\r\n"
    uids = UidSet.span(1, 2)
    with talking(
        selected(),
        Turn("NOOP"),
        Turn(FETCH_FLAGS.format("1:2"), no),
        Turn("UID STORE 1:2 +FLAGS.SILENT (a)", no),
        Turn('UID MOVE 1:2 "Archive"', no),
        Turn(r"UID STORE 1:2 +FLAGS.SILENT (\Deleted)", no),
        Turn("UID EXPUNGE 1:2", no),
        Turn("NOOP"),
        Turn(FETCH_MAILS.format("1:2"), b"* " + row(1) + b"\r\n" + no),
        Turn("NOOP"),
        Turn(FETCH_MAILS.format("2"), no),
    ) as mailbox:
        mailbox.select("INBOX")
        assert flags(mailbox, uids) == {}
        mailbox.store(INBOX, uids, "+", ["a"], None)
        assert mailbox.move(INBOX, uids, "Archive").uids == {}
        mailbox.expunge(INBOX, uids)
        assert [mail.uid for mail in mailbox.mails(INBOX, uids, ["Subject"])] == [1]


def test_a_move_over_quota_tells_what_went() -> None:
    """A MOVE that stops at the quota says which messages went; one that moved nothing is refused."""
    half = b"* OK [COPYUID 5 1 10] x\r\n* VANISHED 1\r\n<tag> NO [OVERQUOTA] full\r\n"
    none = b"<tag> NO [OVERQUOTA] full\r\n"
    with talking(
        selected(), Turn('UID MOVE 1:2 "Archive"', half), Turn('UID MOVE 2 "Archive"', none)
    ) as mailbox:
        assert mailbox.move(INBOX, UidSet.span(1, 2), "Archive").uids == {1: 10}
        with pytest.raises(MailboxRefusedError, match="OVERQUOTA"):
            mailbox.move(INBOX, UidSet.of([2]), "Archive")


# -- servers without MOVE ----------------------------------------------------------------------------------------


def test_without_move_only_proved_copies_leave() -> None:
    """Without MOVE: COPY, look into the target, and expunge only what was seen to have arrived."""
    with talking(
        selected(),
        Turn('UID COPY 1:3 "Archive"', ok(code=b"[COPYUID 9 1:3 21:23]")),
        selected("Archive", uidvalidity=9, command="EXAMINE"),
        Turn("UID SEARCH UID 21:23", ok(b"SEARCH 21 23")),
        selected(),
        Turn(r"UID STORE 1,3 +FLAGS.SILENT (\Deleted)"),
        Turn("UID EXPUNGE 1,3"),
        offers="IMAP4rev1 UIDPLUS",
    ) as mailbox:
        moved = mailbox.move(INBOX, UidSet.span(1, 3), "Archive")
    assert (moved.uids, moved.uidvalidity) == ({1: 21, 3: 23}, 9)


def test_without_uidplus_nothing_is_moved() -> None:
    """Without MOVE and UIDPLUS a move and an expunge are refused in a sentence that says why, and nothing is sent."""
    with talking(selected(), offers=PLAIN_CAPABILITIES) as mailbox:
        mailbox.select("INBOX")
        with pytest.raises(MailboxRefusedError, match="cannot be moved: the server has no UIDPLUS"):
            mailbox.move(INBOX, UidSet.of([1]), "Archive")
        with pytest.raises(MailboxRefusedError, match="no UIDPLUS"):
            mailbox.expunge(INBOX, UidSet.of([1]))


def test_a_copy_without_proof_stays() -> None:
    """A COPY whose new UIDs the server does not tell is no move: the messages stay where they were."""
    with talking(selected(), Turn('UID COPY 1 "Archive"', ok()), offers="IMAP4rev1 UIDPLUS") as mailbox:
        assert mailbox.move(INBOX, UidSet.of([1]), "Archive").uids == {}


# -- folders -----------------------------------------------------------------------------------------------------


def test_folder_names_come_in_any_form() -> None:
    """A name may be an atom, a number, quoted, or a literal; what cannot be selected is no folder."""
    lines: Sequence[bytes] = (
        b'LIST (\\HasNoChildren) "/" 123',
        b"LIST (\\Archive) NIL NIL",
        b'LIST () "/" {5}\r\nA"b\\c',
        b'LIST (\\Noselect) "/" "shared"',
        b'LIST (\\Sent) "/" "&AMQ-x \\"y\\""',
        b'LIST (\\junk) "\\\\" "broken &T"',
        b'LIST () "/" inbox ("CHILDINFO" ("SUBSCRIBED"))',
    )
    with talking(Turn('LIST "" "*"', ok(*lines)), offers=PLAIN_CAPABILITIES) as mailbox:
        found = {folder.name: folder.special for folder in mailbox.folders()}
    assert found == {
        "123": "",
        "NIL": "archive",
        'A"b\\c': "",
        'Äx "y"': "sent",
        "broken &T": "junk",
        "INBOX": "",
    }


def test_a_folder_that_list_status_forgets_is_asked_again() -> None:
    """A folder that is listed without STATUS is asked for by itself, so that a hiccup is no disappearance."""
    listed = ok(
        b'LIST () "/" INBOX',
        b"STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 7 HIGHESTMODSEQ 0)",
        b'LIST () "/" A',
    )
    wanted = "MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ"
    with talking(
        Turn(f'LIST "" ("INBOX" "A") RETURN (STATUS ({wanted}))', listed),
        Turn(
            f'STATUS "A" ({wanted})', ok(b'STATUS "A" (MESSAGES 3 UIDNEXT 4 UIDVALIDITY 8 HIGHESTMODSEQ 12)')
        ),
    ) as mailbox:
        first, second = mailbox.statuses(["inbox", "A"])
    assert (first.name, first.modseq, second.name, second.modseq) == ("INBOX", None, "A", 12)


def test_dovecots_id_is_not_believed_for_ever() -> None:
    """Where ID says Dovecot and X-GUID is BAD all the same, messages come without it."""
    asked = "UID FETCH 1 (UID FLAGS INTERNALDATE RFC822.SIZE{} BODY.PEEK[HEADER.FIELDS (Subject)])"
    with talking(
        Turn("ID NIL", ok(b'ID ("name" "Dovecot")')),
        examined(),
        Turn(asked.format(" X-GUID"), b"<tag> BAD unknown item\r\n"),
        Turn(asked.format(""), ok(row(1))),
        offers="IMAP4rev1 ID",
    ) as mailbox:
        (mail,) = mailbox.mails(INBOX, UidSet.of([1]), ["Subject"])
    assert (mail.guid, mail.header) == ("", HEADER)
