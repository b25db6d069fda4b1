"""Whether the daemon is well, and who is told: over HTTP on this machine alone, and systemd."""

import asyncio
import json
import os
import socket
from collections.abc import Awaitable, Callable
from datetime import timedelta
from http import HTTPStatus
from typing import TypeVar

import pytest

from helpdesk import health
from helpdesk.errors import UsageError
from helpdesk.health import Answer, Page
from helpdesk.systemd import notify, watchdog_seconds
from helpdesk.vitals import Pulse, longest_silence
from tests.servers.process import short_directory

T = TypeVar("T")


def well() -> Answer:
    return health.healthz("dast", None, [])


def broken() -> Answer:
    raise ZeroDivisionError


PAGES: dict[str, Page] = {"/healthz": well, "/broken": broken}


def served(ask: Callable[[int], Awaitable[T]]) -> T:
    """Run `ask` with the port of a server of these pages."""

    async def run() -> T:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)  # /broken
        server = await health.listen(0, PAGES)
        try:
            return await ask(server.sockets[0].getsockname()[1])
        finally:
            server.close()

    return asyncio.run(run())


async def exchange(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def asked(request: bytes) -> bytes:
    return served(lambda port: exchange(port, request))


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET /healthz HTTP/1.1", HTTPStatus.OK),
        (b"GET /healthz?x=1 HTTP/1.0", HTTPStatus.OK),
        (b"HEAD /healthz HTTP/1.1", HTTPStatus.OK),
        (b"GET /secret HTTP/1.1", HTTPStatus.NOT_FOUND),
        (b"GET / HTTP/1.1", HTTPStatus.NOT_FOUND),
        (b"POST /healthz HTTP/1.1", HTTPStatus.METHOD_NOT_ALLOWED),
        (b"GET /healthz", HTTPStatus.BAD_REQUEST),
        (b"\x16\x03\x01\x02", HTTPStatus.BAD_REQUEST),
    ],
)
def test_every_request_gets_its_status(request_line: bytes, status: HTTPStatus) -> None:
    """Known pages can be read, and everything else gets the status that says what is wrong with it."""
    answer = asked(request_line + b"\r\nHost: x\r\n\r\n")
    assert answer.startswith(f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"Connection: close" in head
    assert (body == b"") == request_line.startswith(b"HEAD")


@pytest.mark.parametrize(
    "request_text", [b"", b"GET /healthz HTTP/1.1\r\n", b"GET /" + b"x" * 9000 + b"\r\n\r\n"]
)
def test_half_or_endless_requests_are_dropped(request_text: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who does not finish a request in time, or never stops sending, gets no answer and keeps no connection."""
    monkeypatch.setattr(health, "MAX_SECONDS", 0.2)
    assert asked(request_text) == b""


def test_a_page_that_fails_harms_no_other() -> None:
    """If a page cannot be made, only that request goes unanswered."""

    async def ask(port: int) -> tuple[bytes, bytes]:
        return await exchange(port, b"GET /broken HTTP/1.1\r\n\r\n"), await exchange(
            port, b"GET /healthz HTTP/1.1\r\n\r\n"
        )

    broken, healthy = served(ask)
    assert broken == b""
    assert healthy.startswith(b"HTTP/1.1 200")


def test_only_so_many_are_served_at_once() -> None:
    """While as many connections as allowed stand idle, the next one is closed, and afterwards served again."""

    async def ask(port: int) -> tuple[bytes, bytes]:
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(health.MAX_CONNECTIONS)]
        await asyncio.sleep(0.05)
        refused = await exchange(port, b"GET /healthz HTTP/1.1\r\n\r\n")
        for _, writer in idle:
            writer.close()
        await asyncio.sleep(0.05)
        return refused, await exchange(port, b"GET /healthz HTTP/1.1\r\n\r\n")

    refused, served_again = served(ask)
    assert refused == b""
    assert served_again.startswith(b"HTTP/1.1 200")


def test_nobody_else_can_ask() -> None:
    """The server listens on 127.0.0.1 and on no other address."""

    async def ask(port: int) -> None:
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.2", port)

    served(ask)


def test_a_port_that_is_taken_is_a_usage_error() -> None:
    """Two daemons with one http_port: the second is told so in a sentence with the key and the port."""

    async def ask(port: int) -> None:
        with pytest.raises(UsageError, match=rf"\[daemon\] http_port: nobody can listen on 127.0.0.1:{port}"):
            await health.listen(port, PAGES)

    served(ask)


def test_health_is_one_line() -> None:
    """/healthz is one line of JSON: 200 when nothing is wrong, else 503 and why."""
    status, kind, body = health.healthz("dast", "2026-06-08T06:00:00Z", [])
    assert (status, kind, body.count(b"\n")) == (200, "application/json", 1)
    assert json.loads(body) == {
        "status": "ok",
        "board": "dast",
        "last_poll": "2026-06-08T06:00:00Z",
        "why": [],
    }
    status, _, body = health.healthz("dast", None, ["held: clock"])
    assert (status, json.loads(body)["why"]) == (503, ["held: clock"])


def test_systemd_is_told_where_it_listens() -> None:
    """The words go to $NOTIFY_SOCKET, a path or an abstract name, as one datagram."""
    folder = short_directory()
    for address, name in (
        (str(folder / "n"), str(folder / "n")),
        (f"\0hd{os.getpid()}", f"@hd{os.getpid()}"),
    ):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            systemd.bind(address)
            notify({"NOTIFY_SOCKET": name}, "READY=1", "STATUS=well")
            assert systemd.recv(100) == b"READY=1\nSTATUS=well"
    (folder / "n").unlink()
    folder.rmdir()


@pytest.mark.parametrize("name", ["", "/no/such/socket", "relative", "vsock:1:2"])
def test_without_systemd_nothing_is_said(name: str) -> None:
    """Where nobody listens, telling systemd does nothing and fails nothing."""
    notify({"NOTIFY_SOCKET": name} if name else {}, "READY=1")


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdog_is_fed_only_if_it_watches_us(
    environment: dict[str, str], seconds: float | None
) -> None:
    """The interval of the watchdog counts if it is a number and means this process."""
    assert watchdog_seconds(environment) == seconds


def test_the_daemon_is_ill_after_ten_minutes_or_ten_polls() -> None:
    """Whichever is longer, so that a board that is polled once an hour is not ill all day."""
    assert longest_silence(60) == timedelta(minutes=10)
    assert longest_silence(3600) == timedelta(hours=10)


def test_the_pulse_fails_once_and_recovers() -> None:
    """Silence beyond the limit is told once, and the next success is a recovery."""
    pulse = Pulse(600, last=1000)
    assert not pulse.check(1600)
    assert pulse.check(1601)
    assert not pulse.check(9999)
    assert pulse.failing
    assert pulse.beat(10_000)
    assert not pulse.beat(10_001)
    assert not pulse.failing


def test_a_long_first_look_is_no_illness_while_mail_comes_in() -> None:
    """A poll that lasts longer than the limit is well as long as the server keeps sending, and ill when it stops."""
    pulse = Pulse(600, last=0)
    pulse.begin(0)
    pulse.news = 900
    assert not pulse.check(1500)
    assert pulse.check(1501)


def test_a_server_that_talks_and_fails_is_an_illness() -> None:
    """Bytes of polls that ended in an error are no excuse for the silence."""
    pulse = Pulse(600, last=0)
    pulse.begin(0)
    pulse.news = 590
    pulse.end()
    assert pulse.check(601)
    pulse = Pulse(600, last=0)
    pulse.news = 590
    pulse.begin(0)
    assert pulse.check(601)


def test_a_refused_login_asks_for_no_restart() -> None:
    """A daemon whose login is refused is ill and says so, but a new process would only try more often; one that then hangs is restarted."""
    pulse = Pulse(limit=600, last=0)
    for tick in (0, 60, 180, 420, 900):
        pulse.begin(tick)
        pulse.end(refused=True)
    assert pulse.check(901)
    assert not pulse.wants_restart(901)
    assert not pulse.wants_restart(9000)
    pulse.begin(9000)
    assert not pulse.wants_restart(9500)
    assert pulse.wants_restart(9601)
    pulse.end()  # it failed for another reason
    assert pulse.wants_restart(9700)
