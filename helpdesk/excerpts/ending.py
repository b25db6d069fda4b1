"""Where the author's own words end for certain.

An excerpt keeps what is in doubt, because a reader can tell.  What a mail of ours passes on, or what is obeyed, cannot be taken
back: here whatever looks like somebody else's mail, or like a signature, is the end.
"""

import re
from collections.abc import Sequence

from helpdesk.excerpts import borders, quotes, signatures
from helpdesk.excerpts.kinds import Kind
from helpdesk.excerpts.library import Library

_MARK = re.compile(r"[ \t]{0,3}>|[ \t]*(?:--|—)[ \t]*$|[ \t]*_{5,}[ \t]*$")


def own_end(lines: Sequence[str]) -> int:
    """Count the lines from the first on that the author wrote himself; footers and signatures at the end do not count."""
    kinds = [Kind.OWN] * len(lines)
    quotes.mark(lines, kinds)
    border = borders.find(lines, kinds, Library())
    end = len(lines) if border is None else border.first
    marks = (number for number in range(end) if kinds[number] is not Kind.OWN or _MARK.match(lines[number]))
    end = next(marks, end)
    signatures.mark(lines, kinds, 0, end)
    return next((number for number in range(end) if kinds[number] is not Kind.OWN), end)
