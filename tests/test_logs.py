"""The log: who may read it learns when what happened to which id, and nothing that stands in a mail."""

import io
import json
import logging
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk import logs
from helpdesk.errors import LoginRefusedError, MailboxUnreachableError
from helpdesk.logs import Log, outline, scrub
from helpdesk.metrics import Metrics
from helpdesk.outlets import Outlets


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def log(stream: io.StringIO) -> Iterator[Log]:
    with logs.opened("dast", stream) as opened:
        yield opened


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_every_line_is_json_with_the_board_and_the_cycle(log: Log, stream: io.StringIO) -> None:
    """Away from a terminal each event is one line of JSON that says when, how grave, on which board and in which cycle."""
    log.info("started", act=True)
    log.cycle = 12
    log.warning("held", what=["gone"])
    first, second = lines(stream)
    assert first.pop("at").endswith("Z")
    assert first == {"board": "dast", "cycle": 0, "event": "started", "level": "info", "act": True}
    assert (second["cycle"], second["level"], second["what"]) == (12, "warning", ["gone"])


def test_a_terminal_gets_words_and_not_json() -> None:
    """A person at a terminal reads sentences, with the same facts in them."""
    stream = Terminal()
    with logs.opened("dast", stream) as log:
        log.info("looked", new=3)
    assert not stream.getvalue().startswith("{")
    assert "looked" in stream.getvalue()
    assert "new" in stream.getvalue()


def test_lines_for_who_looks_for_a_fault_are_not_written(log: Log, stream: io.StringIO) -> None:
    """A quiet board writes nothing, cycle after cycle."""
    log.debug("looked", new=0)
    assert stream.getvalue() == ""


def test_of_a_library_only_its_own_words_are_kept(log: Log, stream: io.StringIO) -> None:
    """A library's warning comes through with its constant text, its level and its name, without its arguments."""
    log.cycle = 3
    logging.getLogger("sqlalchemy.pool").warning("lost %s of %r", "bob@user.example", "Jobs fail")
    logging.getLogger("aiosmtplib").error("refused 'Jobs fail' of \"bob\" at last\nJobs fail")
    logging.getLogger("apscheduler").info("nothing to see")
    pool, smtp = lines(stream)
    assert (pool["event"], pool["level"], pool["logger"]) == ("lost %s of %r", "warning", "sqlalchemy.pool")
    assert (pool["board"], pool["cycle"]) == ("dast", 3)
    assert smtp["event"] == "refused (...) of (...) at last"
    assert "Jobs" not in stream.getvalue()


def test_of_an_exception_only_its_type_and_place_are_kept(log: Log, stream: io.StringIO) -> None:
    """Whoever logs a traceback, the words of the exception and the values around it stay out of the log."""
    try:
        int("Jobs fail at DESY")
    except ValueError as error:
        logging.getLogger("asyncio").exception("callback failed")
        logging.getLogger("asyncio").error(error)  # noqa: TRY400 -- some libraries do
        log.error("unexpected", **outline(error))  # noqa: TRY400 -- the point of this test
    first, second, third = lines(stream)
    assert (first["event"], first["error"], second["event"]) == (
        "callback failed",
        "ValueError",
        "ValueError",
    )
    assert third["error"] == "ValueError"
    assert third["where"][-1].startswith("test_logs.py:")
    assert "DESY" not in stream.getvalue()


def test_a_thread_that_ends_in_an_error_is_a_line_without_its_words(log: Log, stream: io.StringIO) -> None:
    """An exception that nobody catches in a thread is logged by type, and not printed."""

    def fail() -> None:
        raise RuntimeError("Jobs fail at DESY")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    [line] = lines(stream)
    assert (line["event"], line["error"], line["level"], log.board) == (
        "a thread ended",
        "RuntimeError",
        "error",
        "dast",
    )
    assert "DESY" not in stream.getvalue()


@pytest.mark.filterwarnings("always")
def test_a_warning_of_python_is_a_line_without_its_words(log: Log, stream: io.StringIO) -> None:
    """What code warns about is not printed to stderr, for it may quote a mail."""
    warnings.warn("unknown charset of Jobs fail at DESY", stacklevel=1)
    [line] = lines(stream)
    assert (line["logger"], line["level"], log.board) == ("py.warnings", "warning", "dast")
    assert line["event"].startswith("test_logs.py:")
    assert line["event"].endswith(": UserWarning")
    assert "DESY" not in stream.getvalue()


def test_nothing_stays_behind(stream: io.StringIO) -> None:
    """Once the log is closed, libraries log as they did before and threads fail as they did before."""
    before = logging.getLogger().level, list(logging.getLogger().handlers), threading.excepthook
    with logs.opened("dast", stream):
        pass
    assert (logging.getLogger().level, list(logging.getLogger().handlers), threading.excepthook) == before
    logging.getLogger("helpdesk").error("after the end")
    assert stream.getvalue() == ""


def test_a_log_that_cannot_be_written_stops_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    """A full disk or a closed pipe under the log neither raises nor prints the line elsewhere."""
    stream = io.StringIO()
    with logs.opened("dast", stream) as log:
        stream.close()
        log.info("started")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("550 <bob@user.example> unknown", "550 <(address)> unknown"),
        ("to=bob+x@user.example, dear", "to=(address), dear"),
        ("postgresql+psycopg://dast:pw@db.example/x", "postgresql+psycopg://db.example/x"),
        ("AUTH XOAUTH2 dXNlcj1hbm4BYXV0aD1CZWFy", "AUTH XOAUTH2 ***"),
        ("auth=Bearer ya29.A0ARrdaM9", "auth=Bearer ***"),
        ("Authorization: Bearer eyJ0eXAiOiJKV1Qi.eyJpc3Mi", "Authorization=*** ***"),
        ("the password=hunter2 is wrong", "the password=*** is wrong"),
        ("client_secret: abc", "client_secret=***"),
        ("token Zm9vYmFyZm9vYmFyMTIzNDU2Nzg5MGZvb2JhcmZvb2Jhcg==", "token ***"),
        ("imap.example.org:993: connection refused", "imap.example.org:993: connection refused"),
        ("dast-7kq2mzzzzz escalate 0f3c5b2a9d1e", "dast-7kq2mzzzzz escalate 0f3c5b2a9d1e"),
        (
            "/srv/helpdesk/boards/of/the/analysis/team/helpdesk.db",
            "/srv/helpdesk/boards/of/the/analysis/team/helpdesk.db",
        ),
        ("two\r\nlines \x1b[31mred", "two lines red"),
    ],
)
def test_addresses_and_secrets_are_taken_out_and_ids_are_not(text: str, shown: str) -> None:
    """What looks like an address or a secret is replaced wherever it stands; hosts, ids and paths stay readable."""
    assert scrub(text) == shown


@given(st.text(), st.sampled_from(["ann@example.org", "x+y@z", "äö@exämple.org"]))
def test_no_address_survives(noise: str, address: str) -> None:
    """Whatever is around it, an address in a line does not reach the log."""
    assert address not in scrub(f"{noise} {address} {noise}")


@given(st.text(max_size=5000))
def test_a_line_stays_a_line(text: str) -> None:
    """Whatever a server says, it is one printable line of bounded length."""
    shown = scrub(text)
    assert len(shown) <= logs.MAX_TEXT
    assert shown.splitlines() in ([shown], [])


def test_values_are_cleaned_wherever_they_stand(log: Log, stream: io.StringIO) -> None:
    """Lists, mappings and objects among the facts of a line are cleaned like its text."""
    log.info(
        "x",
        one=["bob@user.example"],
        two={"bob@user.example": 1},
        three=OSError("bob@user.example"),
        four=None,
    )
    [line] = lines(stream)
    assert (line["one"], line["two"], line["three"], line["four"]) == (
        ["(address)"],
        {"(address)": 1},
        "(address)",
        None,
    )


def test_a_failed_look_is_told_by_kind_and_without_content(log: Log, stream: io.StringIO) -> None:
    """An expected failure gives the server's reason without addresses, an unexpected one only its type and place."""
    outlets = Outlets(log, Metrics("dast"), {})
    told = outlets.failed(MailboxUnreachableError("imap.example.org:993: no answer"), 4.04)
    assert told == "imap.example.org:993: no answer"
    assert outlets.failed(LoginRefusedError("refused the login of ann@example.org"), 60) == (
        "refused the login of (address)"
    )
    assert outlets.failed(KeyError("Jobs fail at DESY"), 1) == "KeyError"
    lost, refused, bug = lines(stream)
    assert (lost["kind"], lost["level"], lost["again_in"]) == ("unreachable", "warning", 4.0)
    assert (refused["kind"], refused["level"]) == ("login_refused", "error")
    assert (bug["kind"], bug["reason"]) == ("unexpected", "KeyError")
    assert "DESY" not in stream.getvalue()
    assert b'helpdesk_errors_total{kind="unexpected"} 1.0' in outlets.metrics.text()
