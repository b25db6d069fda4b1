"""A load test beside the site's last and its peers, from the database."""

from datetime import timedelta

from sqlalchemy import Connection

from helpdesk.robots.load.compare import Earlier, with_last, with_peers
from helpdesk.robots.load.figures import figures
from helpdesk.robots.load.telling import Told, headline
from helpdesk.robots.load.values import LoadTest
from helpdesk.store import load_tests

MEMORY = timedelta(days=90)
"""How far back another test says something about now."""


def told(conn: Connection, test: LoadTest) -> Told:
    """Its figures, and what it is beside others."""
    found = figures(load_tests.ended(conn, test), test.course)
    before = load_tests.like(conn, test, test.asked - MEMORY)
    own = [one for one in before if one.lane.site == test.lane.site]
    newest = {one.lane.site: one for one in before if one.lane.site != test.lane.site}
    rate, _ = headline(test, found)
    last = _earlier(conn, own[-1], knees=True) if own else None
    peers = [_earlier(conn, one) for one in newest.values()]
    return Told(test, found, with_last(rate, last), with_peers(rate, peers))


def _earlier(conn: Connection, test: LoadTest, *, knees: bool = False) -> Earlier:
    found = figures(load_tests.ended(conn, test), test.course, knees=knees)
    knee = None if found.knee is None else found.knee.jobs
    return Earlier(test.id, test.lane.site, test.began or test.asked, headline(test, found)[0], knee)
