"""The reason of a label, and the two lines for shifters.  Texts of strangers in them are cleaned by who shows them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from helpdesk.blame.errors import ErrorLine
from helpdesk.blame.facts import About, Echo, Failure, Incident, SiteFacts
from helpdesk.blame.judging import Strong, of_incident, of_site
from helpdesk.shifts.wording import at, clock, counted

MAX_LINES: Final = 2
MAX_QUOTED: Final = 60  # characters of an error line or an answer
MANY: Final = 10  # threads from which on a line is nobody's own
ENOUGH: Final = 2  # other threads that name a site of which the robots know nothing bad
EVIDENCE: Final = "evidence"  # why a site is out: by what its jobs did
_DAY: Final = 86_400
_UNPROVEN: Final = 1

Say = Callable[[datetime, tzinfo], str]
_WHAT: Final = {About.ERROR: "the same error", About.DATASET: "the same data set"}


@dataclass(frozen=True, slots=True)
class Seen:
    """A site that a thread names: what is known now, what was known when its mail came, and who else names it."""

    now: SiteFacts
    then: SiteFacts
    others: int = 0  # other open threads, of about the same day


@dataclass(frozen=True, slots=True)
class Picture:
    """All that the lines of a thread are made from."""

    sites: tuple[Seen, ...] = ()
    errors: tuple[ErrorLine, ...] = ()
    datasets: tuple[str, ...] = ()
    incidents: tuple[Incident, ...] = ()  # of the time of its mails and now
    echoes: tuple[Echo, ...] = ()


def why(strong: Strong, zone: tzinfo) -> str:
    """The reason that the journal keeps."""
    quoted = _quoted(strong.error.text)
    if strong.incident is not None:
        since = at(strong.incident.since, zone)
        return f"many sites fail since {since} ({strong.incident.words}), and the mail quotes {quoted}"
    assert strong.site is not None
    return f"{_trouble(strong.site, strong, zone, at)}, and the mail quotes {quoted}"


def lines(picture: Picture, now: datetime, zone: tzinfo) -> tuple[str, ...]:
    """At most two: first the site or the central failure, then what other threads have in common with this one."""

    def said(moment: datetime, zone: tzinfo) -> str:
        return clock(moment, zone) if abs((now - moment).total_seconds()) < _DAY else at(moment, zone)

    found = sorted(_about_sites(picture, zone, said), key=lambda one: one[0])
    mine = [line for _, line in found]
    central = list(_about_incidents(picture, zone, said))
    told = [*central, *mine] if found and found[0][0] >= _UNPROVEN else [*mine, *central]
    echo = _echo(picture.echoes)
    return (*told[: MAX_LINES - len(echo)], *echo)


def _about_sites(picture: Picture, zone: tzinfo, said: Say) -> Iterator[tuple[int, str]]:
    """A rank, the best first, and the line."""
    for seen in picture.sites:
        facts = seen.now if seen.now.in_trouble else seen.then
        strong = of_site(facts, picture.errors)
        names = "names" if seen.others == 1 else "name"
        more = f"; {counted(seen.others, 'other thread')} {names} it" if seen.others else ""
        if facts.in_trouble:
            rank = 2 * (not seen.now.in_trouble) + _UNPROVEN * (strong is None)
            yield rank, _trouble(facts, strong, zone, said) + more
        elif seen.others >= ENOUGH:
            yield 9, f"{facts.site}: {seen.others} other threads name it; the robots see no trouble there"


def _about_incidents(picture: Picture, zone: tzinfo, said: Say) -> Iterator[str]:
    """Failures of many sites that the mail tells of."""
    names = [seen.now.site for seen in picture.sites]
    for one in picture.incidents:
        if of_incident(one, picture.errors, names, picture.datasets) is not None:
            yield f"many sites {_since('fail', one.since, one.until, zone, said)}: {one.words}"


def _trouble(facts: SiteFacts, strong: Strong | None, zone: tzinfo, said: Say) -> str:
    """What is wrong with a site: the failure that the mail tells of, else the commonest."""
    failure = strong.failure if strong is not None else None
    failure = failure or next(iter(facts.failures), None)
    what = "" if failure is None else _failure(failure)
    out = facts.out
    if out is not None:
        reason = out.reason if out.cause != EVIDENCE or not what else what
        return f"{facts.site} {_since('is out', out.since, out.until, zone, said)}: {reason}"
    since = "" if facts.since is None else f" since {said(facts.since, zone)}"
    return f"{facts.site}: {what}, {facts.failed} of {facts.ended} test jobs{since}"


def _failure(failure: Failure) -> str:
    """Stage-in fails (payload:12)."""
    code = failure.code or failure.error_class
    return f"{failure.phase or 'jobs'} fail{'s' if failure.phase else ''}{f' ({code})' if code else ''}"


def _since(is_so: str, since: datetime, until: datetime | None, zone: tzinfo, said: Say) -> str:
    if until is None:
        return f"{is_so} since {said(since, zone)}"
    was = {"is out": "was out", "fail": "failed"}[is_so]
    return f"{was} from {said(since, zone)} to {said(until, zone)}"


def _echo(echoes: Sequence[Echo]) -> tuple[str, ...]:
    """The best that other threads know: an answer to the same error, the same error, an answer about the same data."""
    useful = [one for one in echoes if one.others < MANY]
    ranked = sorted(useful, key=lambda one: (not one.answer, one.about is not About.ERROR))
    for one in ranked:
        what = _WHAT[one.about] + (f" ({_cut(one.name)})" if one.about is About.DATASET else "")
        if one.answer:
            return (f"{what} was answered in {one.thread}: {_quoted(one.answer)}",)
        more = f" and {counted(one.others, 'more thread')}" if one.others else ""
        return (f"{what} is in {one.thread}{more}",)
    return ()


def _quoted(text: str) -> str:
    return f'"{_cut(text)}"'


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MAX_QUOTED else f"{text[: MAX_QUOTED - 3].rstrip()}..."
