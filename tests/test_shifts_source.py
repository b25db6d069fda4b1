"""Reading the calendar: a file, or a real server over TLS that redirects, floods, drips, lies or is dead."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpdesk.errors import UnreachableError, UsageError
from helpdesk.shifts import source as reading
from helpdesk.shifts.source import MAX_OCTETS, Source, Validators
from tests.calendars import GOOGLE
from tests.servers.calendar_server import CalendarServer, serving
from tests.servers.certificates import Authority
from tests.servers.process import free_port

NOTHING = Validators()
TEXT = GOOGLE.encode()


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def server(authority: Authority) -> Iterator[CalendarServer]:
    with serving(authority.server(), TEXT) as running:
        yield running


@pytest.fixture
def source(authority: Authority, tmp_path: Path) -> Callable[[str], Source]:
    trusted = tmp_path / "ca.pem"
    trusted.write_text(authority.pem)
    return lambda url: Source(url, trusted)


Make = Callable[[str], Source]


def test_a_calendar_over_https(server: CalendarServer, source: Make) -> None:
    """The octets come as they are, with what the server says about them; nothing but a calendar is asked for."""
    server.headers = {"ETag": '"v1"', "Last-Modified": "Mon, 01 Jun 2026 00:00:00 GMT"}
    answer = source(server.url()).read(NOTHING)
    assert answer.octets == TEXT
    assert answer.validators == Validators('"v1"', "Mon, 01 Jun 2026 00:00:00 GMT")
    ((path, headers),) = server.asked
    assert path == "/shifts.ics"
    assert headers["Accept"].startswith("text/calendar")
    assert "If-None-Match" not in headers


def test_an_unchanged_calendar_is_not_sent_again(server: CalendarServer, source: Make) -> None:
    """A server that knows that nothing changed says so; one that knows nothing sends it all."""
    server.headers = {"ETag": '"v1"'}
    assert source(server.url()).read(Validators('"v1"')).octets is None
    assert server.asked[-1][1]["If-None-Match"] == '"v1"'
    assert source(server.url()).read(Validators('"v0"', "Mon, 01 Jun 2026 00:00:00 GMT")).octets == TEXT
    assert server.asked[-1][1]["If-Modified-Since"] == "Mon, 01 Jun 2026 00:00:00 GMT"


def test_redirects_within_the_host_are_followed(server: CalendarServer, source: Make) -> None:
    """A redirect to another path of the same host leads to the calendar, relative or not."""
    server.redirects = {"/a": "/b?x=1", "/b?x=1": server.url()}
    assert source(server.url("/a")).read(NOTHING).octets == TEXT
    assert [path for path, _ in server.asked] == ["/a", "/b?x=1", "/shifts.ics"]


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("https://127.0.0.1:{port}/shifts.ics", "redirects to another host"),
        ("//calendar.example.net/shifts.ics", "redirects to another host"),
        ("http://localhost:{port}/shifts.ics", "without https"),
        ("https://user:secret@localhost:{port}/shifts.ics", "without https"),
        ("file:///etc/passwd", "redirects to another host"),
        ("https://[bad/", "no address"),
        ("/a", "redirects more than 5 times"),
    ],
)
def test_other_redirects_are_refused(server: CalendarServer, source: Make, location: str, why: str) -> None:
    """No redirect leads to another host, away from https, to a password, or round in circles."""
    server.redirects = {"/a": location.format(port=server.port)}
    with pytest.raises(UnreachableError, match=why):
        source(server.url("/a")).read(NOTHING)
    assert all(path == "/a" for path, _ in server.asked)


@pytest.mark.parametrize("sized", [True, False])
def test_too_much_is_not_read(server: CalendarServer, source: Make, *, sized: bool) -> None:
    """Five megabytes are a calendar, one octet more is none, whether the server says how much comes or not."""
    server.sized = sized
    server.octets = b"x" * MAX_OCTETS
    octets = source(server.url()).read(NOTHING).octets
    assert octets is not None
    assert len(octets) == MAX_OCTETS
    server.octets += b"x"
    with pytest.raises(UnreachableError, match="larger than 5 MB"):
        source(server.url()).read(NOTHING)


def test_a_packed_answer_is_refused(server: CalendarServer, source: Make) -> None:
    """A small answer that would unpack into a large one is not unpacked."""
    server.headers = {"Content-Encoding": "gzip"}
    with pytest.raises(UnreachableError, match="packs its answer"):
        source(server.url()).read(NOTHING)
    assert server.asked[-1][1]["Accept-Encoding"] == "identity"


def test_a_slow_drip_ends(server: CalendarServer, source: Make) -> None:
    """However slowly the octets come, and though each comes in time, it is over after the time for all of it."""
    server.pause = 0.05
    with pytest.raises(UnreachableError, match=r"no complete answer within 0\.5 s"):
        Source(server.url(), source("").ca_file, seconds=0.5).read(NOTHING)


def test_a_silent_server(server: CalendarServer, source: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that takes the question and says nothing is not waited for."""
    monkeypatch.setattr(reading, "QUIET_SECONDS", 0.2)
    server.pause = 1
    with pytest.raises(UnreachableError, match=r"localhost: no answer for 0\.2 s"):
        source(server.url()).read(NOTHING)


@pytest.mark.parametrize("status", [401, 403, 404, 410, 500, 503, 204, 304])
def test_other_answers_are_no_calendar(server: CalendarServer, source: Make, status: int) -> None:
    """Any answer but 200 is told with its number."""
    server.status, server.octets = status, b""
    with pytest.raises(UnreachableError, match=f"localhost: answers {status}"):
        source(server.url()).read(NOTHING)


def test_a_dead_server(source: Make) -> None:
    """A server that is not there is told with its host; the rest of the address, which may be secret, is not."""
    url = f"https://localhost:{free_port()}/private-7c1f/basic.ics"
    with pytest.raises(UnreachableError, match=r"^localhost: ") as caught:
        source(url).read(NOTHING)
    assert "private" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert "private" not in source(url).shown + source(url).key


def test_an_answer_that_breaks_off(server: CalendarServer, source: Make) -> None:
    """An answer that is shorter than the server said is no answer."""
    server.headers, server.sized = {"Content-Length": str(len(TEXT) + 5)}, False
    with pytest.raises(UnreachableError, match="localhost"):
        source(server.url()).read(NOTHING)


def test_a_stranger_is_not_believed(server: CalendarServer) -> None:
    """A server whose certificate nobody signed that we trust gets no request."""
    with pytest.raises(UnreachableError, match=r"(?i)certificate"):
        Source(server.url()).read(NOTHING)
    assert server.asked == []


def test_plain_http_on_this_machine() -> None:
    """What runs beside us may do without TLS."""
    with serving(None, TEXT) as running:
        assert Source(running.url()).read(NOTHING).octets == TEXT


def test_a_file(tmp_path: Path) -> None:
    """A file is read whole, up to five megabytes."""
    path = tmp_path / "shifts.ics"
    path.write_bytes(TEXT)
    assert Source(str(path)).read(NOTHING).octets == TEXT
    path.write_bytes(b"x" * (MAX_OCTETS + 1))
    with pytest.raises(UsageError, match="larger than 5 MB"):
        Source(str(path)).read(NOTHING)


def test_what_is_no_file(tmp_path: Path) -> None:
    """A folder, a pipe that nobody writes to and a file that is not there are mistakes, told at once."""
    os.mkfifo(tmp_path / "pipe")
    for name, why in ((".", "is no file"), ("pipe", "is no file"), ("none.ics", "No such file")):
        with pytest.raises(UsageError, match=why):
            Source(str(tmp_path / name)).read(NOTHING)


def test_authorities_that_cannot_be_read(tmp_path: Path) -> None:
    """A ca_file that is missing or no certificate is a mistake of the configuration."""
    (tmp_path / "ca.pem").write_text("no certificate")
    for name in ("none.pem", "ca.pem"):
        with pytest.raises(UsageError, match=r"\[shifts\] ca_file"):
            Source("https://localhost/x", tmp_path / name).read(NOTHING)
