"""What a person may name as an archive, and what is said of everything else."""

import bz2
import gzip
import lzma
import os
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from helpdesk.errors import UsageError
from helpdesk.mailbox.folders import FolderSettings
from helpdesk.replay.archive import MAX_OCTETS, Archive, RawMail, open_archive
from tests.archives import ANN, mail, maildir, mbox

TWO = [mail("<a@x>"), mail("<b@x>")]


def read(path: Path, folders: FolderSettings | None = None) -> tuple[list[RawMail], Archive]:
    with ExitStack() as closing:
        archive = open_archive(path, folders, closing)
        return list(archive.mails()), archive


def refused(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        read(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "pack"), [("gzip", gzip.compress), ("bzip2", bz2.compress), ("xz", lzma.compress)]
)
def test_packed_archives_are_unpacked_on_the_way(
    tmp_path: Path, name: str, pack: Callable[[bytes], bytes]
) -> None:
    """An mbox that gzip, bzip2 or xz packed is read like one that they did not, whatever its name."""
    path = tmp_path / "list.mbox"
    path.write_bytes(pack(mbox(TWO)))
    with ExitStack() as closing:
        archive = open_archive(path, None, closing)
        assert [one.octets for one in archive.mails()] == TWO
        assert archive.facts.packed == name
        assert archive.done == archive.facts.total == path.stat().st_size


@pytest.mark.parametrize("pack", [gzip.compress, partial(lzma.compress, preset=0), bz2.compress])
def test_a_packed_archive_that_breaks_off(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    """What can be unpacked of a truncated file is read, and that it is cut is said."""
    path = tmp_path / "list.mbox.gz"
    many = [mail(f"<{n}@x>", body=os.urandom(30_000).hex()) for n in range(60)]
    packed = pack(mbox(many))
    path.write_bytes(packed[: len(packed) * 2 // 3])
    found, archive = read(path)
    assert [one.octets for one in found[:1]] == many[:1]
    assert len(found) < 60
    assert archive.facts.cut
    assert "breaks off" in archive.facts.notes[0]


@pytest.mark.parametrize("pack", [gzip.compress, partial(lzma.compress, preset=0)])
def test_a_small_packed_archive_that_breaks_off(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    """Of a file that is shorter than what is read at once, all that can be unpacked is read as well."""
    path = tmp_path / "list.mbox.gz"
    many = [mail(f"<{n}@x>", body=os.urandom(30_000).hex()) for n in range(9)]
    packed = pack(mbox(many))
    path.write_bytes(packed[: len(packed) * 2 // 3])
    found, archive = read(path)
    assert [one.octets for one in found[:5]] == many[:5]
    assert archive.facts.cut


@pytest.mark.parametrize(
    ("octets", "word"),
    [
        (b"PK\x03\x04rest", "zip"),
        (b"\x28\xb5\x2f\xfdrest", "zstd"),
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"!BDN", "Outlook"),
        (mail("<a@x>"), "explain-rules"),
        (b"\x7fELF" + b"\0" * 1000, "no mbox"),
        (b"Dear all,\n\nFrom now on\n", "no mbox"),
        (gzip.compress(b"no mail either\n", mtime=0), "no mbox"),
    ],
)
def test_what_is_no_archive(tmp_path: Path, octets: bytes, word: str) -> None:
    """A file that is something else is refused in a sentence that says what it is."""
    path = tmp_path / "list.mbox"
    path.write_bytes(octets)
    assert word in refused(path)
    assert str(path) in refused(path)


def test_what_is_not_there(tmp_path: Path) -> None:
    """A missing file, and a directory that is no Maildir, are refused in a sentence."""
    assert "no such file" in refused(tmp_path / "none.mbox")
    assert "no Maildir" in refused(tmp_path)


@pytest.mark.parametrize("octets", [b"", b"\n" * 1_000_000, b"\r\n\r\n"])
def test_an_empty_file_is_an_archive_without_mail(tmp_path: Path, octets: bytes) -> None:
    """Nothing, or nothing but empty lines, is an mbox in which there is no mail."""
    path = tmp_path / "list.mbox"
    path.write_bytes(octets)
    assert read(path)[0] == []


def test_a_beginning_that_is_lost(tmp_path: Path) -> None:
    """What stands before the first From line is told as a mail that cannot be read; the rest is read."""
    path = tmp_path / "list.mbox"
    path.write_bytes(b"the end of a mail\n\n" + mbox(TWO))
    found, _ = read(path)
    assert [bool(one.why) for one in found] == [True, False, False]


def test_places_in_an_mbox(tmp_path: Path) -> None:
    """A mail of an mbox is found by the octet at which its From line begins, and has its postmark's time."""
    path = tmp_path / "list.mbox"
    path.write_bytes(mbox(TWO))
    found, _ = read(path)
    assert [one.place for one in found] == ["octet 0", f"octet {len(mbox(TWO[:1]))}"]
    assert found[0].arrived == datetime(2026, 6, 9, 8, tzinfo=UTC)


def test_a_maildir_is_read_by_the_time_of_delivery(tmp_path: Path) -> None:
    """Mails of cur and new come in the order of the seconds in their names, which are their times of arrival."""
    root = maildir(
        tmp_path,
        [
            ("cur/1700000300.M1P1.host:2,S", mail("<c@x>")),
            ("new/1700000200.M1P1.host", mail("<b@x>")),
            ("cur/1700000100.M1P1.host:2,", mail("<a@x>")),
            ("new/no-time-in-it", mail("<z@x>")),
        ],
    )
    found, archive = read(root)
    assert [one.octets for one in found] == [mail(f"<{name}@x>") for name in "zabc"]
    assert [one.arrived for one in found[:2]] == [None, datetime(2023, 11, 14, 22, 15, tzinfo=UTC)]
    assert archive.done == archive.facts.total == sum(one.size for one in found)


def test_drafts_and_deleted_mail_are_no_mail(tmp_path: Path) -> None:
    """Files marked D or T, and files of the system, are left out; the marked ones are counted."""
    root = maildir(
        tmp_path,
        [
            ("cur/1700000100.a:2,DS", mail("<a@x>")),
            ("cur/1700000200.b:2,ST", mail("<b@x>")),
            ("cur/.hidden", b"x"),
            ("cur/1700000300.c:2,RS", mail("<c@x>")),
        ],
    )
    (root / "cur" / "folder").mkdir()
    found, archive = read(root)
    assert [one.octets for one in found] == [mail("<c@x>")]
    assert archive.facts.skipped == 2


def with_folders(root: Path) -> Path:
    maildir(root, [("cur/1700000100.a:2,S", mail("<a@x>"))])
    for number, name in enumerate(
        (".Archive", ".Archive.2026", ".Sent", ".Drafts", ".Trash", ".Junk.old", ".Helpdesk")
    ):
        maildir(root / name, [(f"cur/17000002{number:02}.x:2,S", mail(f"<{number}@x>"))])
    (root / ".not-a-folder").mkdir()
    return root


def test_folders_of_a_maildir(tmp_path: Path) -> None:
    """Without a configuration every folder counts but drafts, trash, junk and the board's own; sent mail is known as such."""
    found, archive = read(with_folders(tmp_path))
    assert archive.facts.folders == ["INBOX", "Archive", "Archive.2026", "Sent"]
    assert [one.sent for one in found] == [False, False, False, True]


def test_folders_of_a_configuration(tmp_path: Path) -> None:
    """With a configuration the folders that the board watches count, in this layout's spelling."""
    root = with_folders(tmp_path)
    settings = FolderSettings(archive="INBOX/Archive", sent="Drafts")
    found, archive = read(root, settings)
    assert archive.facts.folders == ["INBOX", "Archive", "Archive.2026", "Drafts"]
    assert [one.sent for one in found] == [False, False, False, True]


@pytest.mark.parametrize("prefix", [".", ".INBOX."])
def test_folders_of_labels(tmp_path: Path, prefix: str) -> None:
    """Where labels are folders their mail is replayed too, whether the server writes INBOX into their names or not."""
    root = maildir(tmp_path, [("cur/1700000100.x:2,S", mail("<inbox@x>"))])
    for number, name in enumerate(("WAITING", "ESCALATED.GGUS", "Papers.2025", "Trash", "Board")):
        maildir(root / f"{prefix}{name}", [(f"cur/17000002{number:02}.x:2,S", mail(f"<{number}@x>"))])
    maildir(root / ".Archive", [("cur/1700000300.x:2,S", mail("<archived@x>"))])
    _, archive = read(root, FolderSettings(labels=True, not_labels=("INBOX/Papers",)))
    assert sorted(archive.facts.folders) == ["Archive", "ESCALATED.GGUS", "INBOX", "WAITING"]


def test_mails_that_cannot_be_read_or_vanish(tmp_path: Path) -> None:
    """A mail that another program takes away meanwhile is left out; one that is no file any more says why it cannot be read."""
    root = maildir(tmp_path, [(f"cur/170000010{n}.x:2,S", mail(f"<{n}@x>", ANN)) for n in range(4)])
    with ExitStack() as closing:
        archive = open_archive(root, None, closing)
        mails = archive.mails()
        first = next(mails)
        (root / "cur/1700000101.x:2,S").unlink()
        (root / "cur/1700000102.x:2,S").unlink()
        (root / "cur/1700000102.x:2,S").mkdir()
        rest = list(mails)
    assert first.why == ""
    assert [bool(one.why) for one in rest] == [True, False]
    assert archive.facts.skipped == 1


def test_half_a_maildir(tmp_path: Path) -> None:
    """A directory that has only one of cur and new is a Maildir too."""
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "1700000100.x").write_bytes(mail("<a@x>"))
    assert [one.octets for one in read(tmp_path)[0]] == [mail("<a@x>")]


def test_of_a_large_mail_only_the_beginning_is_read(tmp_path: Path) -> None:
    """A mail of megabytes is kept as far as the board would fetch it, in both kinds of archives, and its size is known."""
    large = mail("<a@x>", body="x" * 3_000_000)
    path = tmp_path / "list.mbox"
    path.write_bytes(mbox([large]))
    root = maildir(tmp_path / "dir", [("cur/1700000100.x:2,S", large)])
    for archive in (path, root):
        (only,) = read(archive)[0]
        assert (len(only.octets), only.size) == (MAX_OCTETS, len(large))
