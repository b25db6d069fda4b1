"""An SMTP server in a bad mood: it drops connections at any point, answers 4xx, 5xx or nothing, as its dice say."""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from email.parser import BytesHeaderParser
from typing import Final

from tests.servers.smtp_sink import DROP, Fault, Received, SmtpSink, Stage

NEVER: Final = 60.0  # seconds: longer than anybody waits

MOODS: Final[Mapping[Stage, Sequence[tuple[float, str, bool, float]]]] = {
    Stage.GREETING: ((0.02, DROP, False, 0), (0.02, "421 4.3.2 too busy", False, 0)),
    Stage.EHLO: ((0.01, DROP, False, 0),),
    Stage.MAIL: (
        (0.01, DROP, False, 0),
        (0.02, "451 4.3.0 later", False, 0),
        (0.01, "550 5.7.1 no", False, 0),
    ),
    Stage.RCPT: (
        (0.005, DROP, False, 0),
        (0.04, "450 4.2.0 greylisted", False, 0),
        (0.02, "550 5.1.1 no such user", False, 0),
    ),
    Stage.DATA: ((0.01, DROP, False, 0), (0.01, "451 4.3.0 later", False, 0)),
    Stage.TEXT: (
        (0.03, DROP, False, 0),  # lost, and not taken
        (0.03, DROP, True, 0),  # taken, and the answer is lost
        (0.02, "451 4.3.0 later", False, 0),
        (0.01, "554 5.6.0 no", False, 0),
        (0.01, "250 ok", True, NEVER),  # taken, and never said so
        (0.01, "250 ok", False, NEVER),
    ),
}
"""With what chance, which answer, whether the mail is taken all the same, after how long."""


class MoodySink(SmtpSink):
    """Faults by chance while `moody`; the `spared` address is never refused."""

    def __init__(self, seed: int, spared: str = "") -> None:
        super().__init__()
        self.moody = True
        self._spared = spared
        self._dice = random.Random(seed)  # noqa: S311 -- no secret

    def take(self, stage: Stage, *to: str) -> Fault | None:
        """What goes wrong now, if anything does."""
        if not self.moody or (stage is Stage.RCPT and self._spared in to):
            return None
        chance = self._dice.random()
        for share, answer, accepted, seconds in MOODS.get(stage, ()):
            chance -= share
            if chance < 0:
                return Fault(stage, answer, accepted=accepted, after=seconds)
        return None

    def arrived(self) -> Mapping[str, Counter[str]]:
        """By Message-ID, how often each address got it."""
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for mail in list(self.received):
            found[own_id(mail)].update(to.lower() for to in mail.recipients)
        return found


def own_id(mail: Received) -> str:
    """The Message-ID of a mail."""
    return str(BytesHeaderParser().parsebytes(mail.content)["Message-ID"]).strip()
