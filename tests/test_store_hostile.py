"""Whatever a mail says of itself, every database takes it: nobody stops the board with a header."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpdesk.mailbox.parse import MAX_ID, parse_header
from helpdesk.ports import Tier
from tests.bench import ANN, Bench
from tests.databases import Database

DICE = random.Random(7)  # noqa: S311 - no secret
WIDE = "".join(
    chr(DICE.randrange(0x10000, 0x2FFFF)) for _ in range(2000)
)  # four octets each, and nothing to compress
NUL = "=?utf-8?q?=00=41=00?="

HEADERS = {
    "a NUL in the subject": {"Subject": f"{NUL} jobs fail since this morning {NUL}"},
    "a NUL in a name": {"From": f"{NUL} Ann <ann@users.example.com>"},
    "a NUL in an address": {"From": "=?utf-8?q?ann=00=40x?= <a\0nn@users.example.com>"},
    "a NUL in an id": {
        "Message-ID": "=?utf-8?q?=3Cb=00c=40x=3E?=",
        "References": "=?utf-8?q?=3Ca=00=40x=3E?=",
    },
    "a NUL in a machine's mark": {"Auto-Submitted": f"auto-replied{NUL}", "Precedence": NUL},
    "a NUL octet": {"Subject": "a\0b", "References": "<a\0b@x>", "X-Failed-Recipients": "\0"},
    "half a character": {"Subject": "=?utf-16?b?2AA=?= =?utf-8?b?7aCA?= =?utf-7?q?+2AA-?= jobs fail"},
    "a wide subject": {"Subject": f"Re: {WIDE[:1000]}"},
    "a wide id": {"Message-ID": f"<{WIDE[:990]}@x>"},
    "wide references": {"References": " ".join(f"<{WIDE[n : n + 990]}@x>" for n in range(9))},
    "a wide name": {"From": f'"{WIDE}" <ann@users.example.com>'},
    "a wide address": {"From": f"<{WIDE}@users.example.com>", "To": f"<{WIDE}@x>, <{WIDE[::-1]}@x>"},
    "an early date": {"Date": "Mon, 1 Jan 0001 00:00:00 +0000"},
    "a late date": {"Date": "Fri, 31 Dec 9999 23:59:59 +0000"},
    "a backslash and what COPY means": {"Subject": "\\N \\. \\x00 \\", "From": "\\N <a@users.example.com>"},
}


@pytest.fixture
def bench(tmp_path: Path, database: Database) -> Iterator[Bench]:
    made = Bench(tmp_path, Tier.QRESYNC, database=database)
    yield made
    made.close()


def test_every_header_is_stored_when_it_is_adopted(bench: Bench) -> None:
    """A mailbox full of such mails is adopted, all at once."""
    for number, headers in enumerate(HEADERS.values()):
        bench.deliver(f"<{number}@x>", ANN, headers=headers)
    assert bench.look().new == len(HEADERS)
    assert len(bench.held()) == len(HEADERS)


def test_every_header_is_stored_when_it_arrives(bench: Bench) -> None:
    """One by one they arrive, each is one message in a thread, and the board goes on."""
    bench.look()
    for number, headers in enumerate(HEADERS.values()):
        bench.deliver(f"<{number}@x>", ANN, headers=headers)
        assert bench.look().new == 1, list(HEADERS)[number]
    assert sum(len(thread.messages) for thread in bench.threads()) == len(HEADERS)


def test_an_id_that_no_mail_system_carries_is_none() -> None:
    """An id of more octets than a line of SMTP may have is left out, however few characters they are."""
    wide, fits = f"<{WIDE[: MAX_ID // 4]}@x>", f"<{WIDE[: MAX_ID // 4 - 1]}@x>"
    header = parse_header(f"Message-ID: {wide}\r\nReferences: {wide} {fits}\r\n".encode())
    assert (header.message_id, header.references) == ("", (fits,))


def test_nothing_of_a_header_holds_a_nul() -> None:
    """NUL is left out, in octets and in encoded words, before anything is made of a header."""
    for headers in HEADERS.values():
        header = parse_header("".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode())
        words = (header.message_id, header.subject, header.sender, header.sender_name, *header.references)
        assert "\0" not in "".join((*words, *(one for values in header.fields.values() for one in values)))
