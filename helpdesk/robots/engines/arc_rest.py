"""The door to an ARC computing element: the REST interface 1.0 of A-REX, over HTTPS with a certificate, a proxy or a token (ARC's documentation, "REST").

Bounded: in time, in octets, in requests at once.  Nothing that proves who we are stands in an address, an argument or an error.  What A-REX 6.17 was
seen to do and no document says: a list of one job is an object without its list, an empty list is an empty body, and every POST is answered with 201.
"""

import asyncio
import json
import re
import ssl
import stat
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from helpdesk.robots.engine import EngineError
from helpdesk.text import safe_text

if TYPE_CHECKING:
    import httpx

VERSION = "1.0"
CHUNK = 500  # jobs in one question: A-REX reads 1 MiB of ids, and an answer is some 3 KB a job
MAX_ANSWER = 50_000_000  # octets
AT_ONCE = 8  # requests to one computing element
CONNECT, QUIET, TOTAL = 10.0, 60.0, 300.0  # seconds to connect, without an octet, and for one request
_TOKEN = re.compile(r"[!-~]+")
_ID = re.compile(r"[A-Za-z0-9._-]{1,200}")

Row = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Login:
    """Who we are: files that are read anew for each turn, because proxies and tokens do not live long."""

    certificate: Path | None = None  # PEM; a proxy has its key in it
    key: Path | None = None
    token: Callable[[], str] | None = None
    authorities: Path | None = (
        None  # a PEM file, or a folder of them with hashed names; None: those of the system
    )

    def trust(self) -> ssl.SSLContext:
        """TLS with our certificate; `EngineError` names a file that cannot be used."""
        self._kept_private()
        folder = self.authorities is not None and self.authorities.is_dir()
        try:
            context = ssl.create_default_context(
                cafile=None if folder or self.authorities is None else str(self.authorities),
                capath=str(self.authorities) if folder else None,
            )
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key, password=_no_password)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            files = ", ".join(str(one) for one in (self.certificate, self.key, self.authorities) if one)
            words = (
                error.strerror if isinstance(error, OSError) and error.strerror else "no certificate in it"
            )
            raise EngineError(f"{files}: {words}", passing=False) from error
        return context

    def _kept_private(self) -> None:
        secret = self.key or self.certificate
        try:
            shared = secret is not None and bool(secret.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
        except OSError as error:
            raise EngineError(f"{secret}: {error.strerror}", passing=False) from error
        if shared:
            raise EngineError(
                f"{secret}: others than its owner may use this key; chmod 600 {secret}", passing=False
            )


class AnsweredError(EngineError):
    """It answered, with a status that is an error: the computing element is there, and this may concern one file alone."""


class Rest:
    """One open connection to a computing element; every method raises `EngineError`."""

    def __init__(self, http: "httpx.AsyncClient", url: str) -> None:
        self._http = http
        self._url = f"{url.rstrip('/')}/rest/{VERSION}"
        self._room = asyncio.Semaphore(AT_ONCE)

    async def info(self) -> Row:
        """What the computing element says of itself, in GLUE 2."""
        found = _parsed(await self._ask("GET", "/info?schema=glue2"))
        return found if isinstance(found, dict) else {}

    async def ids(self) -> list[str]:
        """Every job of ours that it has."""
        return [str(row["id"]) for row in _rows(await self._ask("GET", "/jobs")) if _named(row)]

    async def new(self, description: bytes) -> list[Row]:
        """Create jobs; a row for each in the order of the description, with "id" where it was created, else with "reason"."""
        told = await self._ask("POST", "/jobs?action=new", description, "application/xml")
        return _rows(told)

    async def act(self, action: str, ids: Collection[str]) -> dict[str, Row]:
        """Ask for status or info, or tell to kill or clean; the rows by id."""
        found: dict[str, Row] = {}
        listed = [one for one in ids if _ID.fullmatch(one)]
        for start in range(0, len(listed), CHUNK):
            body = json.dumps({"job": [{"id": one} for one in listed[start : start + CHUNK]]}).encode()
            rows = _rows(await self._ask("POST", f"/jobs?action={action}", body, "application/json"))
            found |= {str(row["id"]): row for row in rows if _named(row)}
        return found

    async def put(self, job: str, name: str, content: bytes) -> None:
        """Upload a file into a job's session folder."""
        await self._ask("PUT", f"/jobs/{job}/session/{name}", content, "application/octet-stream")

    async def get(self, job: str, name: str, most: int) -> bytes | None:
        """A file of a job (`session/...`, `diagnose/...`); None if there is none, and no more octets than `most` and one."""
        return await self._ask("GET", f"/jobs/{job}/{name}", most=most, missing=True)

    async def _ask(
        self, method: str, path: str, content: bytes = b"", kind: str = "", most: int = MAX_ANSWER, *, missing: bool = False
    ) -> bytes | None:  # fmt: skip
        async with self._room:
            return await _uncut(self._exchange(method, path, content, kind, most, missing=missing))

    async def _exchange(
        self, method: str, path: str, content: bytes, kind: str, most: int, *, missing: bool
    ) -> bytes | None:
        import httpx  # noqa: PLC0415 -- only who uses the engine waits for it

        headers = {"Content-Type": kind} if kind else {}
        what = f"{method} {path.partition('?')[0]}"
        try:
            async with (
                asyncio.timeout(TOTAL),
                self._http.stream(
                    method, self._url + path, content=content or None, headers=headers
                ) as answer,
            ):
                body = await _read(answer, most)
                if missing and answer.status_code in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
                    return None
                status, reason = answer.status_code, answer.reason_phrase
        except TimeoutError:
            failure = EngineError(f"ARC did not answer {what} in {TOTAL:g} s", passing=True)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            words = _reason(error)
            failure = EngineError(f"ARC, {what}: {words}", passing="CERTIFICATE_VERIFY_FAILED" not in words)
        else:
            if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
                return body
            said = safe_text(reason or body[:200].decode("utf-8", "replace"), limit=200)
            failure = AnsweredError(
                f"ARC, {what}: {status} {said}", passing=status >= HTTPStatus.INTERNAL_SERVER_ERROR
            )
        raise failure  # outside of the handlers: the library's error has the whole request


@asynccontextmanager
async def opened(url: str, login: Login) -> AsyncIterator[Rest]:
    """Connect with what the files of the login hold now."""
    import httpx  # noqa: PLC0415 -- see Rest

    headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "helpdesk"}
    if login.token is not None:
        headers["Authorization"] = f"Bearer {_whole(login.token())}"
    limits = httpx.Limits(max_connections=AT_ONCE)
    async with httpx.AsyncClient(
        verify=login.trust(),
        headers=headers,
        timeout=httpx.Timeout(QUIET, connect=CONNECT),
        limits=limits,
        trust_env=False,
    ) as http:
        yield Rest(http, url)


def _whole(token: str) -> str:
    """A token that a header can hold; of any other the library's error would quote it."""
    if not _TOKEN.fullmatch(token):
        raise EngineError("the token for ARC is no token: one word of ASCII, in one line", passing=False)
    return token


async def _uncut(exchange: Coroutine[Any, Any, T]) -> T:
    """Who is cancelled lets what he began come to an end, if that is soon: a TLS handshake that is cut off leaves its socket open."""
    task = asyncio.ensure_future(exchange)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=CONNECT)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise


async def _read(answer: "httpx.Response", most: int) -> bytes:
    """The body, or a little more of it than is bearable."""
    found = bytearray()
    async for block in answer.aiter_raw():
        found += block
        if len(found) > most:
            break
    return bytes(found[: most + 1])


def _parsed(body: bytes | None) -> Any:
    try:
        return json.loads(body) if body and body.strip() else None
    except (ValueError, RecursionError) as error:
        raise EngineError("ARC answered what is no JSON", passing=True) from error


def _rows(body: bytes | None) -> list[Row]:
    """The jobs of an answer: a list, one alone, or none at all."""
    found = _parsed(body)
    jobs = found.get("job") if isinstance(found, dict) else None
    rows: Sequence[Any] = jobs if isinstance(jobs, list) else [jobs]
    return [row for row in rows if isinstance(row, dict)]


def _named(row: Row) -> bool:
    return isinstance(row.get("id"), str) and _ID.fullmatch(row["id"]) is not None


def _reason(error: Exception) -> str:
    """The library's word, without the address that it may quote."""
    words = str(error)
    return type(error).__name__ if not words or "://" in words else safe_text(words, limit=200)


def _no_password() -> bytes:
    """A key that wants a password is an error: nobody is there to type it."""
    raise ValueError
