"""What a destination's tracker says: "we have it", "solved", or anything else, which is a comment.

GitLab, Jira, RT and Zammad (GGUS) say it in a header, the subject, or the first line of the text.  A tracker that speaks in
another way costs an unnecessary look at a comment, nothing more.  A receipt is ignored by the board, so only a machine can
write one: an expert who begins with "we received your report" wrote a comment.
"""

import re
from typing import NamedTuple

from helpdesk.mailbox.phrases import TICKET
from helpdesk.model import Header, Nature


class _Row(NamedTuple):
    nature: Nature
    pattern: re.Pattern[str]
    why: str


def _row(nature: Nature, why: str, *patterns: str) -> _Row:
    return _Row(nature, re.compile("|".join(patterns), re.IGNORECASE), why)


_ENDED = r"(?:solved|resolved|closed|fixed|verified|completed|done)"
_TICKET = r"(?:issue|ticket|request|incident|case)"
_IS = r"(?:is|was|are|(?:has|have) been|got)"

_TABLE = (
    _row(
        Nature.UNSOLVED,
        "open again",
        r"\bre-?open(?:ed|s)?\b",
        r"\bnot (?:yet )?(?:been )?(?:solved|resolved|closed|fixed)\b",
    ),
    _row(
        Nature.SOLVED,
        "it was closed",
        rf"^\[JIRA\] \[?{_ENDED}\b",
        rf"^{_TICKET}\b[^.\n]{{0,80}} {_IS} (?:now |automatically )?{_ENDED}\b",
        rf"\b(?:your|the|this) {_TICKET}\b[^.\n]{{0,80}} {_IS} (?:now )?(?:marked as )?{_ENDED}\b",
        r"\b(?:resolved|closed|solved) (?:this|an issue|the issue|the ticket|[A-Z][A-Z0-9]+-\d+)(?: as\b| with\b|[.:]|$)",
    ),
    _row(
        Nature.SOLVED,
        "its status",
        rf"\b(?:status|state)\b[^.\n]{{0,40}}(?:[:=>→-]|\bto\b|\bis\b) *[\"'“]?{_ENDED}\b",
        rf"[\[(](?:status: *)?{_ENDED}[\])]",
    ),
    _row(
        Nature.RECEIPT,
        "they have it",
        r"\bwe(?: have|'ve| just|'re| are)? ?(?:received|got|registered|tracking) your\b",
        rf"\b(?:{_TICKET}|message|inquiry)\b[^.\n]{{0,80}} {_IS} (?:successfully )?(?:received|created|registered|opened|recorded)\b",
        r"^\[JIRA\] \[?created\b",
        r"^(?:\[[^\]]{1,60}\] *)*auto-?(?:matic )?(?:reply|response)\b",
        r"\bnew ticket\b",
    ),
)
"""The first row that fits decides.  Patterns see the subject, then the first line of the text; each runs in linear time."""


_TRACKERS = (
    "x-gitlab-project",
    "x-gitlab-issue-id",
    "x-jira-fingerprint",
    "x-github-reason",
    "x-servicenow-generated",
    "x-rt-loop-prevention",
)
_LONGEST_SUBJECT = 500
_MOST_NUMBERS = 5
_SERVICENOW = r"\b(?:INC|RITM|REQ|TASK|PRB|CHG|CS)\d{7,10}\b"
_MAYBE = re.compile(rf"# ?\d|[A-Z0-9_]-\d|{_SERVICENOW}")
_IN_WORDS = (
    r"\[[^\[\]#]{0,60}# ?\d{1,20}\]",  # [Ticket#123], [example.org #77], [GGUS-Ticket-ID: #48112]
    r"GGUS-Ticket-ID: ?# ?\d{1,20}",
    r"\b[Tt]icket ?# ?\d{1,20}",
    r"[(\[][A-Z][A-Z0-9_]{1,20}-\d{1,10}[)\]]",  # (DDM-123), [DDM-123]
)
_BARE = (r"\(#\d{1,20}\)", r"\b[A-Z][A-Z0-9_]{1,20}-\d{1,10}\b", _SERVICENOW)
_NUMBER = re.compile("|".join(_IN_WORDS))
_TRACKER_NUMBER = re.compile("|".join((*_IN_WORDS, *_BARE)))


def tracker_nature(header: Header, text: str) -> tuple[Nature, str]:
    """Sort the mail of a destination that is neither a bounce nor an out-of-office."""
    if _value(header, "x-gitlab-issue-state") == "closed":
        return Nature.SOLVED, "X-GitLab-Issue-State: closed"
    for where, line in (("subject", header.subject), ("text", _first_line(text))):
        for row in _TABLE:
            if row.pattern.search(line[:500]) and (row.nature is not Nature.RECEIPT or _machine(header)):
                return row.nature, f"{where}: {row.why}"
    if _value(header, "auto-submitted").startswith("auto-replied"):
        return (
            Nature.RECEIPT,
            "an automatic response to our mail",
        )  # RFC 3834: else each reminder would answer itself
    if _machine(header):
        return Nature.COMMENT, "a destination's tracker wrote"
    return Nature.HUMAN, "a person at a destination wrote"


def ticket_numbers(header: Header) -> tuple[str, ...]:
    """The ticket numbers that a subject names, as they are spelled; whose they are is for the caller to judge.

    `(#123)` and `DDM-123` are numbers of a tracker only in a tracker's own mail, or in brackets of its kind.
    """
    subject = header.subject[:_LONGEST_SUBJECT]
    if _MAYBE.search(subject) is None:
        return ()
    tracker = not header.fields.keys().isdisjoint(_TRACKERS)
    found = (_TRACKER_NUMBER if tracker else _NUMBER).findall(subject)
    return tuple(dict.fromkeys(found))[:_MOST_NUMBERS]


def _machine(header: Header) -> bool:
    submitted = _value(header, "auto-submitted") not in {"", "no"}
    bulk = _value(header, "precedence") in {"bulk", "junk", "auto_reply"}
    tracker = bulk or not header.fields.keys().isdisjoint(_TRACKERS)
    return submitted or tracker or TICKET.match(header.subject) is not None


def _first_line(text: str) -> str:
    """Find the first line that says something: no rule, no "reply above this line"."""
    for line in text[:4096].splitlines():
        if any(map(str.isalnum, line)) and "above this line" not in line.lower():
            return line.strip()
    return ""


def _value(header: Header, name: str) -> str:
    values = header.fields.get(name)
    return values[0].strip().lower() if values else ""
