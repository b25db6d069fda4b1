"""The frozen words of this package: what a mail names, and what is known of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class About(StrEnum):
    """What a mention is."""

    SITE = "site"
    ASIDE = "aside"  # a site that is named, but not as what fails: it works, or worked, or was left out
    DATASET = "dataset"
    ERROR = "error"
    ANSWER = "answer"  # the first sentence of a mail of the team


@dataclass(frozen=True, slots=True)
class Mention:
    """One thing that a mail says: `name` is what it is found by again, `text` as it stands there."""

    about: About
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Failure:
    """One kind of failure of a site's test jobs."""

    phase: str  # of `robots.record.Phase`, or ""
    error_class: str
    code: str = ""  # table:code
    text: str = ""  # as the engine or the payload said it
    count: int = 1


@dataclass(frozen=True, slots=True)
class Out:
    """Some experiment sent a site no more jobs."""

    since: datetime
    reason: str
    cause: str = "evidence"  # evidence, downtime, pin
    until: datetime | None = None  # None: it is out


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """What the robots knew of a site at a moment: whether it was out, and what failed there lately, the commonest first."""

    site: str
    out: Out | None = None
    failures: tuple[Failure, ...] = ()
    failed: int = 0  # jobs of which the site may be to blame
    ended: int = 0
    since: datetime | None = None  # the first of these failures

    @property
    def fails(self) -> bool:
        """Whether enough failed to say so, without a verdict: three, and two fifths of all."""
        return self.failed >= LEAST_FAILED and self.failed >= LEAST_SHARE * self.ended

    @property
    def in_trouble(self) -> bool:
        """Whether it is out, or fails."""
        return self.out is not None or self.fails


LEAST_FAILED, LEAST_SHARE = 3, 0.4


@dataclass(frozen=True, slots=True)
class Incident:
    """A failure of many sites, as a policy found it."""

    kind: str  # all, template, class, version, region
    what: str  # the class, the template's name ...
    since: datetime
    words: str
    datasets: tuple[str, ...] = ()  # that its template reads
    until: datetime | None = None

    def goes_on(self, at: datetime) -> bool:
        """Whether it had begun by then, and was not over."""
        return self.since <= at and (self.until is None or at <= self.until)


@dataclass(frozen=True, slots=True)
class Echo:
    """The same error or data set in another thread."""

    about: About
    name: str
    thread: str  # its short id
    answer: str = ""  # the team's first sentence, "" while there is none
    others: int = 0  # more threads that have it
