"""Archives of a few mails, written as other programs write them, and what `replay` makes of them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from helpdesk.replay import terms
from helpdesk.replay.archive import RawMail, open_archive
from helpdesk.replay.document import document
from helpdesk.replay.reading import Reader
from helpdesk.replay.run import Replayed, Watch, replay
from helpdesk.replay.terms import Terms

START = datetime(2026, 6, 9, 8, tzinfo=UTC)
NOW = START + timedelta(days=700)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ANN, BOB, AIDEN = "ann@users.example", "bob@users.example", "aiden@team.example"
LIST = "dast@lists.example"


def mail(
    message_id: str,
    sender: str = ANN,
    subject: str = "All jobs fail",
    *,
    at: timedelta | None = timedelta(),
    answers: Sequence[str] = (),
    headers: Mapping[str, str] = MappingProxyType({}),
    body: str = "All my jobs fail since this morning.",
) -> bytes:
    """A mail that was written `at` after `START`; None: it has no Date."""
    lines = {
        "From": sender,
        "To": LIST,
        "Subject": subject,
        "Date": "" if at is None else f"{START + at:%a, %d %b %Y %H:%M:%S} +0000",
        "Message-ID": message_id,
        "In-Reply-To": answers[-1] if answers else "",
        "References": " ".join(answers),
        **headers,
    }
    head = "".join(f"{name}: {value}\n" for name, value in lines.items() if value)
    return f"{head}\n{body}\n".encode()


def postmark(at: datetime = START) -> bytes:
    """A From line."""
    return f"From dast@example.org {at:%a %b %e %H:%M:%S %Y}\n".encode()


def quoted(mail: bytes) -> bytes:
    """As mboxrd writes a mail: every `From ` at the beginning of a line gets one `>` more."""
    return re.sub(rb"^(>*From )", rb">\1", mail, flags=re.MULTILINE)


def mbox(mails: Iterable[bytes]) -> bytes:
    """An mboxrd file."""
    return b"".join(postmark() + quoted(one) + b"\n" for one in mails)


def reader(mails: Iterable[bytes | RawMail], board: Terms | None = None) -> Reader:
    """What is kept of these mails."""
    found = Reader(board or terms.assumed(waiting=True))
    for one in mails:
        found.take(one if isinstance(one, RawMail) else RawMail("here", one, len(one)))
    return found


class Recorder:
    """Waits for a replay, and remembers what it was told of the progress."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, int]] = []
        self.steps: list[list[int]] = []

    def stage(self, name: str, total: int) -> None:
        self.stages.append((name, total))
        self.steps.append([])

    def at(self, done: int) -> None:
        self.steps[-1].append(done)


def played(path: Path, board: Terms | None = None, watch: Watch | None = None) -> Replayed:
    """A replay of what lies there."""
    board = board or terms.assumed(waiting=True)
    with ExitStack() as closing:
        return replay(open_archive(path, None, closing), board, NOW, watch or Recorder())


def told(folder: Path, mails: Iterable[bytes]) -> Any:
    """The JSON document of a replay of these mails."""
    path = folder / "list.mbox"
    path.write_bytes(mbox(mails))
    board = terms.assumed(waiting=True)
    return document(played(path, board), board, "list.mbox", {"read": 1.0})


def maildir(root: Path, mails: Iterable[tuple[str, bytes]]) -> Path:
    """A Maildir with these files (`cur/1.x:2,S`) in it."""
    for below in ("cur", "new", "tmp"):
        (root / below).mkdir(parents=True, exist_ok=True)
    for name, octets in mails:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(octets)
    return root
