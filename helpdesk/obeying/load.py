"""Load tests by mail: who may start and stop them; a report comes to who asked when the test has ended."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from helpdesk.board import Board, Teammate
from helpdesk.commands import Command, Mistake
from helpdesk.errors import UsageError
from helpdesk.robots.load.asking import asked, choose
from helpdesk.robots.load.values import LoadTest
from helpdesk.robots.load.wishes import refused, wish
from helpdesk.store import load_tests, requests

STOP = "stop"
DAY = timedelta(days=1)
_ADMIN = "admin"


def checked(command: Command, person: Teammate, own: list[str]) -> Command | Mistake:
    """Whether this person may ask for it; to stop one, everybody may who may command at all, so that is not asked here."""
    if _ADMIN not in person.roles and command.site not in own:
        return Mistake(
            f"{command.site} is not one of your sites: its contacts start its load tests, and admins do"
        )
    try:
        wish(command.what)
    except UsageError as error:
        return Mistake(str(error))
    return command


def start(board: Board, conn: Connection, person: Teammate, command: Command, now: datetime) -> str:
    """Enter the test; UsageError: why not."""
    wanted, (template, experiment, queue) = wish(command.what)
    place = choose(board.loads.places, command.site, template, experiment, queue)
    test = asked(place, "", wanted, person.address, now)
    today = load_tests.count(conn, person.address, now - DAY)
    if _ADMIN not in person.roles and (why := refused(test, board.loads, today)):
        raise UsageError(why)
    load_tests.ask(conn, test)
    requests.ring(conn)
    return (
        f"{test.id}: {command.site} gets {test.shape.words}, at most {test.most} jobs in {test.hours:g} hours,"
        f" template {test.template}. A report comes to you when it has ended; `helpdesk: loadtest stop` ends it"
    )


def stop(conn: Connection, person: Teammate, site: str) -> str:
    """Stop the tests of a site, or all where none is named."""
    found = [one for one in load_tests.unfinished(conn) if site in {"", one.lane.site}]
    if not found:
        raise UsageError(f"no load test runs{f' at {site}' if site else ''}")
    for one in found:
        load_tests.stop(conn, one.id, person.name)
    requests.ring(conn)
    return f"stopped: {', '.join(_called(one) for one in found)}: nothing more is sent, and what is there is cancelled"


def _called(one: LoadTest) -> str:
    return f"{one.id} ({one.lane.site})"
