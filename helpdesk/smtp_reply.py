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

    @property
    def recipient_refusal(self) -> Outcome:
        """What this means as the answer to RCPT: 552 is how old servers say "too many at once" (section 4.5.3.1.10)."""
        return Outcome.TEMPORARY if self.code == 552 else self.refusal


def delivery(outcome: Outcome | None, said: str, refused: Mapping[str, Reply]) -> Delivery:
    """Make the result of a transaction; `refused` are the answers to RCPT that were not good.

    Without an outcome there was nobody to send the letter to: for good only if that was said of everybody.
    """
    answer = one_line("; ".join([*([said] if said else []), *(f"{to}: {no}" for to, no in refused.items())]))
    lasting = {to: no.recipient_refusal is Outcome.PERMANENT for to, no in refused.items()}
    if outcome is None:
        outcome = Outcome.PERMANENT if all(lasting.values()) else Outcome.TEMPORARY
    return Delivery(
        outcome,
        answer or "the letter is for nobody",
        tuple(to for to, ever in lasting.items() if ever),
        tuple(to for to, ever in lasting.items() if not ever),
    )


def one_line(text: str) -> str:
    """Make what a server said fit for a log and a terminal."""
    return safe_text(text, limit=MAX_ANSWER)
