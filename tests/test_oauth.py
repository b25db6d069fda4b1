"""Tokens: from a command, a file, or a grant at a real (tiny) token endpoint; kept safe, renewed in time."""

import json
import os
import stat
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from helpdesk.errors import ConfigError, LoginRefusedError, MailboxUnreachableError
from helpdesk.mailbox.oauth import (
    Grant,
    Token,
    TokenSource,
    from_command,
    from_file,
    from_grant,
    replace_secret,
)

CLIENT_SECRET = "the-client-secret"
REFRESH = "the-refresh-token"


@dataclass
class Endpoint:
    """A token endpoint that answers what it is told to, and remembers what it was asked."""

    url: str = ""
    status: int = 200
    answer: dict[str, object] | str = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    authorizations: list[str | None] = field(default_factory=list)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    told = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            told.asked.append(dict(parse_qsl(body)))
            told.authorizations.append(self.headers.get("Authorization"))
            octets = (told.answer if isinstance(told.answer, str) else json.dumps(told.answer)).encode()
            self.send_response(told.status)
            for name, value in {"Content-Type": "application/json", **told.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(octets)))
            self.end_headers()
            self.wfile.write(octets)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}/token"
    yield told
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture
def refreshing(endpoint: Endpoint, tmp_path: Path) -> Grant:
    """Describe a refresh-token grant of a client that has no secret."""
    path = tmp_path / "refresh-token"
    replace_secret(path, REFRESH)
    return Grant(endpoint.url, "helpdesk", "refresh_token", refresh_token_file=path, scope="imap offline")


def test_a_refresh_token_buys_an_access_token(endpoint: Endpoint, refreshing: Grant) -> None:
    """The refresh token, the client's name and the scope are sent, and the token ends when the endpoint says."""
    endpoint.answer = {"access_token": "a1", "token_type": "Bearer", "expires_in": 3600}
    token = from_grant(refreshing)
    assert endpoint.asked == [
        {
            "grant_type": "refresh_token",
            "refresh_token": REFRESH,
            "client_id": "helpdesk",
            "scope": "imap offline",
        }
    ]
    assert token.secret == "a1"
    assert 3500 < token.expires_at - time.time() < 3700


def test_a_client_with_a_secret_proves_itself(endpoint: Endpoint, tmp_path: Path) -> None:
    """With client credentials the secret goes in the Authorization header and nowhere else."""
    path = tmp_path / "client-secret"
    replace_secret(path, CLIENT_SECRET)
    endpoint.answer = {"access_token": "a1", "token_type": "Bearer"}
    token = from_grant(
        Grant(endpoint.url, "helpdesk", "client_credentials", client_secret_file=path, scope=".default")
    )
    assert endpoint.asked == [{"grant_type": "client_credentials", "scope": ".default"}]
    assert (endpoint.authorizations[0] or "").startswith("Basic ")
    assert token == Token("a1", float("inf"))


def test_a_new_refresh_token_replaces_the_old(endpoint: Endpoint, refreshing: Grant) -> None:
    """A rotated refresh token is in the file, with mode 0600, before the access token is used; no draft is left."""
    assert refreshing.refresh_token_file is not None
    endpoint.answer = {"access_token": "a1", "token_type": "Bearer", "refresh_token": "r2"}
    from_grant(refreshing)
    assert refreshing.refresh_token_file.read_text() == "r2\n"
    assert stat.S_IMODE(refreshing.refresh_token_file.stat().st_mode) == 0o600
    assert [path.name for path in refreshing.refresh_token_file.parent.iterdir()] == ["refresh-token"]
    from_grant(refreshing)
    assert endpoint.asked[-1]["refresh_token"] == "r2"


def test_a_token_that_others_can_read_is_refused(
    endpoint: Endpoint, refreshing: Grant, tmp_path: Path
) -> None:
    """A token file that is not for us alone is not read, and nothing is asked."""
    assert refreshing.refresh_token_file is not None
    refreshing.refresh_token_file.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        from_grant(refreshing)
    assert endpoint.asked == []
    (tmp_path / "access").write_text("a1")
    (tmp_path / "access").chmod(0o644)
    with pytest.raises(ConfigError):
        from_file(tmp_path / "access")


@pytest.mark.parametrize(
    ("status", "answer", "error"),
    [
        (
            400,
            {"error": "invalid_grant", "error_description": 'AADSTS70008: "expired"\r\nTrace ID: 1'},
            LoginRefusedError,
        ),
        (401, {"error": "invalid_client"}, LoginRefusedError),
        (200, {"token_type": "Bearer"}, LoginRefusedError),
        (200, {"access_token": "two words"}, LoginRefusedError),
        (400, {"error": "temporarily_unavailable"}, MailboxUnreachableError),
        (503, "<html>try later</html>", MailboxUnreachableError),
        (200, "<html>log in here</html>", MailboxUnreachableError),
        (302, "", MailboxUnreachableError),
    ],
)
def test_refused_is_not_unreachable(
    endpoint: Endpoint,
    refreshing: Grant,
    status: int,
    answer: dict[str, object] | str,
    error: type[Exception],
) -> None:
    """An endpoint that refuses us is told from one that has no time; a redirect is not followed."""
    endpoint.status, endpoint.answer = status, answer
    endpoint.headers = {"Retry-After": "120", "Location": endpoint.url} if status in {302, 503} else {}
    with pytest.raises(error) as caught:
        from_grant(refreshing)
    assert type(caught.value) is error
    assert len(endpoint.asked) == 1
    if status == 503:
        assert isinstance(caught.value, MailboxUnreachableError)
        assert caught.value.retry_after == 120


def test_nobody_there_is_unreachable(refreshing: Grant, endpoint: Endpoint) -> None:
    """Where nobody answers, the mailbox is unreachable, and no secret is in the error or its traceback."""
    endpoint.status, endpoint.answer = 400, {"error": "invalid_grant", "error_description": REFRESH}
    with pytest.raises(LoginRefusedError) as refused:
        from_grant(refreshing)
    gone = Grant(
        "http://127.0.0.1:1/token",
        "helpdesk",
        "refresh_token",
        refresh_token_file=refreshing.refresh_token_file,
    )
    with pytest.raises(MailboxUnreachableError) as unreachable:
        from_grant(gone)
    for caught in (refused, unreachable):
        assert REFRESH not in "".join(traceback.format_exception(caught.value))
        assert caught.value.__context__ is None


def test_a_crash_while_writing_leaves_the_old_token(tmp_path: Path) -> None:
    """A token that cannot be written leaves the old one whole."""
    path = tmp_path / "token"
    replace_secret(path, "old")
    with pytest.raises(UnicodeEncodeError):
        replace_secret(path, "\ud800")
    assert path.read_text() == "old\n"
    assert [found.name for found in tmp_path.iterdir()] == ["token"]


def test_a_command_prints_a_token() -> None:
    """The output of a program is a token that is asked for each time; its arguments see no shell."""
    token = from_command((sys.executable, "-c", "import sys; print(sys.argv[1])", "$HOME;x"))
    assert token == Token("$HOME;x", 0)


@pytest.mark.parametrize(
    ("argv", "error", "words"),
    [
        (("/nowhere/at-all",), LoginRefusedError, "at-all cannot be started"),
        ((sys.executable, "-c", "raise SystemExit(3)"), MailboxUnreachableError, "exit code 3"),
        ((sys.executable, "-c", ""), LoginRefusedError, "no access token"),
        ((sys.executable, "-c", "print('a'); print('b')"), LoginRefusedError, "no access token"),
    ],
)
def test_a_command_that_fails_says_so(argv: tuple[str, ...], error: type[Exception], words: str) -> None:
    """A program that is missing, fails, or prints no token is named in one sentence."""
    with pytest.raises(error, match=words):
        from_command(argv)


def test_a_command_that_hangs_is_ended() -> None:
    """A program that does not end is killed with all that it started."""
    child = f"import time; time.sleep(60); {os.getpid()}"
    parent = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}]); {child}"
    started = time.monotonic()
    with pytest.raises(MailboxUnreachableError, match="does not end"):
        from_command((sys.executable, "-c", parent), timeout_seconds=0.5)
    assert time.monotonic() - started < 5
    left = subprocess.run(["pgrep", "-f", child], capture_output=True, text=True, check=False)
    assert left.stdout == ""


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_token_is_kept_until_it_nears_its_end() -> None:
    """A token is fetched once, kept while it is good for two more minutes, and then fetched again."""
    fetched: list[Token] = []
    clock = Clock()

    def fetch() -> Token:
        fetched.append(Token(f"t{len(fetched)}", clock.now + 600))
        return fetched[-1]

    source = TokenSource(fetch, "XOAUTH2", clock)
    assert [source().secret, source().secret] == ["t0", "t0"]
    clock.now += 481
    assert source().secret == "t1"


def test_a_refused_token_is_fetched_anew_once() -> None:
    """Of two connections that were refused with one token, the second takes what the first has fetched."""
    fetched: list[Token] = []

    def fetch() -> Token:
        fetched.append(Token(f"t{len(fetched)}", float("inf")))
        return fetched[-1]

    source = TokenSource(fetch, "OAUTHBEARER")
    refused = source()
    assert source.renew(refused).secret == "t1"
    assert source.renew(refused).secret == "t1"
    assert len(fetched) == 2
    assert "t1" not in repr(source())
