"""Message-IDs of strangers: which may stand in a header or a link, and how many (RFC 5322 section 3.6.4)."""

import re
from collections.abc import Iterable, Sequence

MAX_ID = 250
MAX_REFERENCES = 20

_ID = re.compile(r"<[!-;=?-~]+>")


def usable_ids(ids: Iterable[str]) -> tuple[str, ...]:
    """Those ids that may stand in a header: ASCII, in brackets, not long, and no encoded word in disguise."""
    return tuple(one for one in ids if _ID.fullmatch(one) and len(one) <= MAX_ID and "=?" not in one)


def bounded(ids: Sequence[str]) -> tuple[str, ...]:
    """Keep the root and the newest ids, which are what clients thread by."""
    return tuple(ids) if len(ids) <= MAX_REFERENCES else (ids[0], *ids[1 - MAX_REFERENCES :])
