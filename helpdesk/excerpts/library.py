"""The one door to mail-parser-reply, which is asked whether somebody else's mail begins in a few lines.

The library knows what clients write above a mail that they quote, in a dozen languages.  It never sees a whole mail: some
of its expressions take cubic time, and it takes a list of bullets, or what follows "Thanks,", for a signature.  It is asked about
windows of at most 300 characters, at most 32 of them a mail.  A question too many is answered with no, which keeps the words.
"""

from collections.abc import Sequence

from mailparser_reply import EmailReplyParser  # type: ignore[import-untyped]  # annotated, but without py.typed

MAX_QUESTIONS = 32
MAX_WINDOW = 300
LANGUAGES = ("en", "de", "fr", "it", "es", "nl", "da", "sv", "cs", "ja", "ko", "zh")
"""Polish is left out: a single line "Data: ..." is a header to it."""

_BEFORE = "."
_AFTER = "\n\n.\n"


class Library:
    """The library, asked about one mail."""

    def __init__(self) -> None:
        self.asked = 0
        self._parser = EmailReplyParser(languages=list(LANGUAGES))

    def header(self, window: Sequence[str]) -> tuple[int, int] | None:
        """Say from which to which line of the window a header above a quoted mail goes; None if there is none."""
        text = "\n".join(" ".join(line.split()) for line in window)
        if self.asked >= MAX_QUESTIONS or len(text) > MAX_WINDOW:
            return None
        self.asked += 1
        replies = self._parser.read(f"{_BEFORE}\n\n{text}{_AFTER}").replies
        if len(replies) < 2:
            return None
        before = str(replies[0].content).removeprefix(_BEFORE).strip()
        header = str(replies[1].headers or "").strip()
        first = len(before.splitlines())
        return first, first + len(header.splitlines())
