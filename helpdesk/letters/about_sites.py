"""Mails about sites: to their contacts, and to the admins about what fails everywhere; from the records."""

from collections import defaultdict

from helpdesk import central
from helpdesk.central import Common, IncidentMail
from helpdesk.letters.writing import Writing
from helpdesk.sites import LOOK_BACK, Out, SiteOutMail, tell
from helpdesk.standings import phrase
from helpdesk.store import incidents, records, verdicts


def site_out(writing: Writing) -> SiteOutMail:
    """What is out now, and what failed in the hours before it went out."""
    site = writing.row.occasion.partition(":")[0]
    outs: dict[str, list[Out]] = defaultdict(list)
    with writing.board.engine.connect() as conn:
        for (experiment, name), change in verdicts.latest(conn).items():
            if change.action == "exclude":
                outs[name].append(Out(experiment, change.at, phrase(change)))
        mine = tuple(sorted(outs[site], key=lambda one: one.experiment))
        start = min((one.since for one in mine), default=writing.now) - LOOK_BACK
        return tell(site, mine, list(records.read(conn, site=site, since=start, until=writing.now)))


def incident(writing: Writing) -> IncidentMail:
    """What fails at many sites, as it is known when the mail leaves."""
    with writing.board.engine.connect() as conn:
        found = incidents.by_id(conn, int(writing.row.occasion.partition(":")[0]))
        what = tuple(Common(one.what, one.experiment, one.started) for one in found.parts)
        read = records.read(conn, since=found.started, until=writing.now)
        return central.tell(found, what, found.ended, list(read))
