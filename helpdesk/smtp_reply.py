"""What an SMTP server's answers mean for a letter (RFC 5321 section 4.2).  Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from helpdesk.ports import Delivery, Outcome
from helpdesk.text import safe_text

MAX_ANSWER = 400

_ABOUT_US = frozenset({530, 534, 535, 538})  # RFC 4954 section 6: the login is refused, not the letter


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; the code 0 says that none came."""

    code: int
    text: str

    @property
    def good(self) -> bool:
        """Whether the server agreed."""
        return 200 <= self.code < 300

    @property
    def refusal(self) -> Outcome:
        """What this means before the letter was sent: nothing was accepted, the question is for how long."""
        lasting = 500 <= self.code < 600 and self.code not in _ABOUT_US
        return Outcome.PERMANENT if lasting else Outcome.TEMPORARY

    @property
    def verdict(self) -> Outcome:
        """What this means as the answer to the final dot."""
        if self.good:
            return Outcome.ACCEPTED
        return self.refusal if 400 <= self.code < 600 else Outcome.UNKNOWN

    def __str__(self) -> str:
        return f"{self.code} {self.text}".removeprefix("0 ")


def all_refused(refused: Mapping[str, Reply]) -> Delivery:
    """Nobody was accepted: for good only if that was said for everybody."""
    answer = one_line("; ".join(f"{to}: {reply}" for to, reply in refused.items()))
    permanent = all(reply.refusal is Outcome.PERMANENT for reply in refused.values())
    outcome = Outcome.PERMANENT if permanent else Outcome.TEMPORARY
    return Delivery(outcome, answer or "the letter is for nobody", tuple(refused))


def one_line(text: str) -> str:
    """Make what a server said fit for a log and a terminal."""
    return safe_text(text, limit=MAX_ANSWER)
