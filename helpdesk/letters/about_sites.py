"""Mails about sites: to their contacts, and to the admins about what fails everywhere; from the records."""

from collections import defaultdict
from dataclasses import replace

from helpdesk import central, reporting
from helpdesk.central import Common, IncidentMail
from helpdesk.errors import UsageError
from helpdesk.letters.writing import Writing
from helpdesk.reports import pictures, weeks, wording
from helpdesk.reports.mail import SiteReportMail
from helpdesk.robots import loadreport
from helpdesk.robots.load import telling
from helpdesk.robots.load.telling import LoadReportMail
from helpdesk.sites import LOOK_BACK, Out, SiteOutMail, tell
from helpdesk.standings import phrase
from helpdesk.store import incidents, load_tests, records, verdicts


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


def site_report(writing: Writing) -> SiteReportMail:
    """The week of a site, as it is known when the mail leaves."""
    board, site = writing.board, str(writing.context["site"])
    if site not in board.sites_telling.contacts:
        raise UsageError(f"{site} is no site of the configuration any more")
    zone = reporting.zone_of(board.sites_telling, site)
    with board.engine.connect() as conn:
        week = weeks.asked(str(writing.context["week"]), writing.now, zone)
        found = reporting.Reader(board.sites_telling, conn, writing.now).report(site, week)
    return replace(wording.mail(found), pictures=pictures.pictures(found))


def load_report(writing: Writing) -> LoadReportMail:
    """A load test, from its records."""
    with writing.board.engine.connect() as conn:
        found = load_tests.find(conn, writing.row.occasion)
        if found is None:
            raise UsageError(f"the load test {writing.row.occasion} is not in the database any more")
        return telling.report(loadreport.told(conn, found))


def incident(writing: Writing) -> IncidentMail:
    """What fails at many sites, as it is known when the mail leaves."""
    with writing.board.engine.connect() as conn:
        found = incidents.by_id(conn, int(writing.row.occasion.partition(":")[0]))
        what = tuple(Common(one.what, one.experiment, one.started) for one in found.parts)
        read = records.read(conn, since=found.started, until=writing.now)
        return central.tell(found, what, found.ended, list(read))
