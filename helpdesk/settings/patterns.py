"""The one door to google-re2: search expressions that run in linear time, whatever the mail or the expression."""

from typing import Protocol

import re2


class Match(Protocol):
    """What was found."""

    def group(self, group: int = 0, /) -> str:
        """Return the text of the whole match."""

    def start(self, group: int = 0, /) -> int:
        """Return where the match begins."""


class Pattern(Protocol):
    """A compiled expression."""

    def search(self, text: str, /) -> Match | None:
        """Find the first match anywhere in the text."""


def compile_pattern(expression: str) -> Pattern:
    """Compile for case-insensitive search; `ValueError` says what is wrong in words for the person who wrote it.

    RE2 has no look-around and no back-references: that is the price of linear time.
    """
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False  # it would write to stderr
    try:
        compiled: Pattern = re2.compile(expression, options)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        words = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise ValueError(f"is not a search expression (RE2 syntax): {words}") from error
    return compiled
