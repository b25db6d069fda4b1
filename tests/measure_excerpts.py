"""Measure excerpts beside other libraries on mails with known answers.

Run it alone:  python -m tests.measure_excerpts FOLDER [--misses]

FOLDER holds `email-reply-trimmer/` (emails__NAME.txt and trimmed__NAME.txt: the tests of discourse/email_reply_trimmer) and
`talon/` (standard_replies__*.eml, signature__emails__stripped__*: those of mailgun/talon).  A peer that is not installed is
left out: quotequail, email-reply-parser, unquotemail, email-reply-extractor, talon; mail-parser-reply is there anyway.

Compared are lines that say something, without the blanks around them.  A line that the author wrote and that is gone costs its
reader more than one of somebody else that stays, so both are counted apart.
"""

import argparse
import importlib
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpdesk.excerpts import excerpt
from helpdesk.mailbox.body import text_of

Excerpter = Callable[[str], str]

_LANGUAGES = ["en", "de", "fr", "it", "es", "nl", "da", "sv", "no", "cs", "pl", "ja", "ko", "zh"]
_LONGEST = 1 << 20
_HEAD = (
    "| | right | mails that lost a line | lines lost | lines left | ms a mail |\n|---|---|---|---|---|---|"
)


@dataclass(frozen=True, slots=True)
class Case:
    """A mail and what its author says in it."""

    name: str
    text: str
    expected: str


@dataclass(frozen=True, slots=True)
class Score:
    """What became of the lines of a set of mails."""

    right: int  # mails
    lossy: int  # mails that lost a line of their author
    lost: int  # lines
    left: int  # lines of somebody else that stayed
    seconds: float  # for all


def trimmer(folder: Path) -> Iterator[Case]:
    """The mails of email_reply_trimmer."""
    for file in sorted(folder.glob("emails__*.txt")):
        name = file.name.removeprefix("emails__")
        yield Case(name, _read(file), _read(folder / f"trimmed__{name}"))


def replies(folder: Path) -> Iterator[Case]:
    """The replies of talon: one client each, all of them say "Hello" where no other text is beside them."""
    for file in sorted(folder.glob("standard_replies__*.eml")):
        beside = file.with_name(f"{file.stem}_reply_text")
        yield Case(
            file.name, text_of(file.read_bytes(), _LONGEST), _read(beside) if beside.exists() else "Hello"
        )


def signatures(folder: Path) -> Iterator[Case]:
    """The signatures of talon: what stands above them is what the author says."""
    for file in sorted(folder.glob("signature__emails__stripped__*_body")):
        body, signature = _read(file), _read(file.with_name(file.name.replace("_body", "_signature")))
        words = body.rpartition(signature.strip())[0] if signature.strip() else body
        yield Case(file.name, body, words)


def tools() -> Iterator[tuple[str, Excerpter]]:
    """Ours, and each peer that is installed."""
    yield "helpdesk.excerpts", lambda text: excerpt(text).words
    for name, module, made in _PEERS:
        try:
            yield name, made(importlib.import_module(module))
        except ImportError:
            sys.stderr.write(f"not installed: {name}\n")


def _mail_parser_reply(found: Any) -> Excerpter:
    parser = found.EmailReplyParser(languages=_LANGUAGES)
    return lambda text: parser.parse_reply(text) or ""


_PEERS: tuple[tuple[str, str, Callable[[Any], Excerpter]], ...] = (
    ("mail-parser-reply", "mailparser_reply", _mail_parser_reply),
    (
        "quotequail",
        "quotequail",
        lambda found: lambda text: "".join(own for mine, own in found.quote(text) if mine),
    ),
    ("email-reply-parser", "email_reply_parser", lambda found: found.EmailReplyParser.parse_reply),
    ("talon (text)", "talon.quotations", lambda found: found.extract_from_plain),
    ("unquotemail", "unquotemail", lambda found: lambda text: str(found.Unquote(None, text).get_text())),
    (
        "email-reply-extractor",
        "email_reply_extractor",
        lambda found: lambda text: found.extract_new_text(text).text,
    ),
)


def score(tool: Excerpter, cases: list[Case]) -> tuple[Score, list[str]]:
    """Count the lines of all mails, and name the mails that are not right."""
    right = lossy = lost = left = 0
    misses: list[str] = []
    begun = time.perf_counter()
    said = [tool(case.text) for case in cases]
    seconds = time.perf_counter() - begun
    for case, words in zip(cases, said, strict=True):
        wanted, found = _lines(case.expected), _lines(words)
        gone, more = wanted - found, found - wanted
        right += not gone and not more
        lossy += bool(gone)
        lost += gone.total()
        left += more.total()
        if gone or more:
            misses.append(f"{case.name}: lost {gone.total()}, left {more.total()}")
    return Score(right, lossy, lost, left, seconds), misses


def _lines(text: str) -> Counter[str]:
    return Counter(" ".join(line.split()) for line in text.splitlines() if re.search(r"\w", line))


def _read(file: Path) -> str:
    return file.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n")


def main() -> None:
    """Print a table for each set of mails."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("folder", type=Path)
    options.add_argument("--misses", action="store_true", help="name the mails that are not right")
    chosen = options.parse_args()
    sets = {
        "email_reply_trimmer": list(trimmer(chosen.folder / "email-reply-trimmer")),
        "talon, replies": list(replies(chosen.folder / "talon")),
        "talon, signatures": list(signatures(chosen.folder / "talon")),
    }
    for title, cases in sets.items():
        _say("", f"{title}: {len(cases)} mails", "", _HEAD)
        for name, tool in tools():
            found, misses = score(tool, cases)
            milliseconds = 1000 * found.seconds / max(len(cases), 1)
            row = (name, found.right, found.lossy, found.lost, found.left, f"{milliseconds:.1f}")
            _say("| " + " | ".join(map(str, row)) + " |", *(misses if chosen.misses else ()))


def _say(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    main()
