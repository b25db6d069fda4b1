"""Whose fault (docs/whose-fault.md): strong evidence is frozen before a decision sees it; the lines for shifters are of now."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo

from sqlalchemy import Connection

from helpdesk.blame.errors import ErrorLine, error_line
from helpdesk.blame.facts import About, Echo, Incident, Mention, SiteFacts
from helpdesk.blame.judging import Strong, of_incident, of_site
from helpdesk.blame.wording import MANY, Picture, Seen, lines, why
from helpdesk.model import SITE_TROUBLE, Stamp
from helpdesk.rules.answers import is_internal, users
from helpdesk.rules.facts import Policy
from helpdesk.store import mentions, meta, names, threads, troubles, verdicts
from helpdesk.store.mentions import Named
from helpdesk.text import safe_text

BEFORE = timedelta(hours=6)
"""How old a mail may be that is looked at again when a site that it names goes out: users are quicker than verdicts."""
EARLIER = timedelta(hours=1)
"""How long before the first failure of the robots a mail may have come that tells of it."""
SAME_DAY = timedelta(hours=24)
MAX_WHY = 300
MAX_SITES, MAX_ECHOES = 5, 5
JUDGED = "mentions.verdict"
"""In `meta`: the last verdict that mails were looked at again for."""
MANY_SITES = "many sites"


@dataclass(slots=True)
class Evidence:
    """What the robots know, asked once for each site and moment."""

    conn: Connection
    _sites: dict[tuple[str, datetime], SiteFacts] = field(default_factory=dict)
    _incidents: Sequence[Incident] | None = None

    def site(self, site: str, at: datetime, now: datetime) -> SiteFacts:
        """A site as it was known at a moment; until when it was out is known by now."""
        key = (site, at)
        if key not in self._sites:
            self._sites[key] = troubles.of_site(self.conn, site, at, now)
        return self._sites[key]

    def incidents(self, now: datetime, *moments: datetime) -> tuple[Incident, ...]:
        """The failures of many sites that go on, or went on at one of these moments."""
        moments = (now, *moments)
        if self._incidents is None:
            self._incidents = troubles.of_many(self.conn, now)
        return tuple(one for one in self._incidents if any(one.goes_on(at) for at in moments))


def look(conn: Connection, policy: Policy, stamp: Stamp) -> None:
    """Freeze the strong evidence in mails that were not looked at yet, or that name a site which has just gone out."""
    last, newest = int(meta.get(conn, mentions.SEEN) or 0), mentions.newest(conn)
    judged, latest = int(meta.get(conn, JUDGED) or 0), verdicts.newest(conn)
    if (last, judged) == (newest, latest):
        return
    fresh = {one.message: one for one in mentions.after(conn, last)} if newest > last else {}
    for change in verdicts.excluded_after(conn, judged):
        fresh |= {one.message: one for one in mentions.naming(conn, change.site, change.at - BEFORE)}
    meta.put(conn, mentions.SEEN, str(newest))
    meta.put(conn, JUDGED, str(latest))
    if SITE_TROUBLE not in policy.kinds:
        return
    evidence = Evidence(conn)
    said = mentions.of_threads(conn, sorted({one.thread for one in fresh.values()}))
    found: dict[int, tuple[str, str]] = {}
    for key, one in fresh.items():
        strong = strongest(evidence, completed(one, said[one.thread]), stamp.at)
        if strong is not None:
            found[key] = _what(strong), safe_text(why(strong, UTC), limit=MAX_WHY)
    mentions.add_faults(conn, found, stamp)
    threads.mark_dirty(conn, {fresh[key].thread for key in found})


def completed(mail: Named, thread: Sequence[Named]) -> Named:
    """A mail that names sites and no error, or the other way round, goes on with what its thread said within a day before."""
    told = {one.about for one in mail.mentions} & {About.SITE, About.ERROR}
    if len(told) != 1:
        return mail
    before = (one for one in thread if timedelta(0) <= mail.time - one.time <= SAME_DAY)
    more = (
        said
        for one in before
        if one.message != mail.message
        for said in one.mentions
        if said.about not in told
    )
    return replace(mail, mentions=(*mail.mentions, *more))


def strongest(evidence: Evidence, mail: Named, now: datetime) -> Strong | None:
    """The first strong evidence about a mail, as things are now or were when it came."""
    errors = errors_of([mail])
    if not errors:
        return None
    sites, moments = mail.names(About.SITE)[:MAX_SITES], (now, min(mail.time, now))
    known = [[evidence.site(site, at, now) for at in moments] for site in sites]
    alone = all(any(facts.in_trouble for facts in one) for one in known)
    for facts in (facts for one in known for facts in one):
        found = of_site(facts, errors, alone=alone)
        if found is not None and _fits(facts, mail.time):
            return found
    central = [one for one in evidence.incidents(*moments) if one.since - EARLIER <= mail.time]
    told = (of_incident(one, errors, sites, mail.names(About.DATASET)) for one in central)
    return next((one for one in told if one is not None), None)


def _fits(facts: SiteFacts, came: datetime) -> bool:
    """Whether the trouble had begun when the mail came, or soon after: users may be a little quicker than test jobs."""
    begins = [one for one in (facts.since, None if facts.out is None else facts.out.since) if one is not None]
    return bool(begins) and min(begins) - EARLIER <= came


def errors_of(mails: Iterable[Named]) -> tuple[ErrorLine, ...]:
    """The error lines of mails, each once."""
    found = (one.text for mail in mails for one in mail.mentions if one.about is About.ERROR)
    return tuple(error_line(text) for text in dict.fromkeys(found))


def _what(strong: Strong) -> str:
    return MANY_SITES if strong.site is None else strong.site.site


def explained(conn: Connection, said: Sequence[Mention]) -> str:
    """Why a mail that came now would get the label; "" if it would not."""
    last = meta.last_cycle(conn)
    if last is None:
        return ""
    strong = strongest(Evidence(conn), Named(0, 0, last.at, tuple(said)), last.at)
    return "" if strong is None else safe_text(why(strong, UTC), limit=MAX_WHY)


# -- the lines --------------------------------------------------------------------------------------------------------


def told(conn: Connection, keys: Iterable[int], now: datetime, zone: tzinfo) -> Mapping[int, tuple[str, ...]]:
    """At most two lines about each of these threads; those of which nothing is to be said are left out."""
    evidence = Evidence(conn)
    found = {}
    for thread, mails in mentions.of_threads(conn, keys).items():
        if said := lines(_picture(evidence, thread, mails, now), now, zone):
            found[thread] = said
    return found


def _picture(evidence: Evidence, thread: int, mails: Sequence[Named], now: datetime) -> Picture:
    named = {site: mail.time for mail in mails for site in mail.names(About.SITE, About.ASIDE)}
    sites = [_seen(evidence, thread, site, min(at, now), now) for site, at in list(named.items())[:MAX_SITES]]
    data = tuple(dict.fromkeys(name for mail in mails for name in mail.names(About.DATASET)))
    moments = {min(mail.time, now) for mail in mails}
    return Picture(
        tuple(sites),
        errors_of(mails),
        data,
        evidence.incidents(now, *moments),
        tuple(_echoes(evidence.conn, thread, mails)),
    )


def _seen(evidence: Evidence, thread: int, site: str, at: datetime, now: datetime) -> Seen:
    others = mentions.open_threads_naming(evidence.conn, site, at - SAME_DAY, at + SAME_DAY)
    return Seen(evidence.site(site, now, now), evidence.site(site, at, now), len(others - {thread}))


def _echoes(conn: Connection, thread: int, mails: Sequence[Named]) -> Iterator[Echo]:
    """The same errors, then the same data sets, in other threads."""
    said = {(one.about, one.name) for mail in mails for one in mail.mentions if one.name}
    asked = sorted((about, name) for about, name in said if about in {About.ERROR, About.DATASET})
    for about, name in sorted(asked, key=lambda one: one[0] is not About.ERROR)[: 2 * MAX_ECHOES]:
        others = mentions.elsewhere(conn, about, name, thread, MANY + 1)
        if not others:
            continue
        answered = ((one, _answer(conn, one.thread, one.time)) for one in others)
        best, answer = next((pair for pair in answered if pair[1]), (others[0], ""))
        yield Echo(about, name, names.short(conn, best.code), answer, len(others) - 1)


def _answer(conn: Connection, thread: int, since: datetime) -> str:
    """How the team's last answer to the user begins; "" if there is none."""
    found = mentions.answers(conn, thread, since)
    if not found:
        return ""
    facts = {one.key: one for one in threads.messages_of(conn, thread)}
    asking = users(facts.values())
    return next((text for key, text in found if not is_internal(facts[key], asking)), "")
