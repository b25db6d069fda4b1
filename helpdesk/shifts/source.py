"""Read the calendar: a file, or an https address; never more than 5 MB, never from another host, never for long."""

import asyncio
import ssl
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from helpdesk.errors import UnreachableError, UsageError
from helpdesk.settings.base import is_url

if TYPE_CHECKING:
    import httpx

MAX_OCTETS: Final = 5_000_000
MAX_REDIRECTS: Final = 5
TOTAL_SECONDS: Final = 30.0
"""For all of it, however slowly the octets drip."""

QUIET_SECONDS: Final = 10.0  # without an octet

_HEADERS: Final = {
    "Accept": "text/calendar, text/plain;q=0.5, */*;q=0.1",
    "Accept-Encoding": "identity",  # a small answer that unpacks into a large one would pass the limit
    "User-Agent": "helpdesk",
}


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server said with its last answer, to ask whether that still holds (RFC 9110 section 13.1); "" is nothing."""

    etag: str = ""
    last_modified: str = ""

    @property
    def headers(self) -> Mapping[str, str]:
        """The conditions of a request."""
        pairs = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in pairs.items() if value}


@dataclass(frozen=True, slots=True)
class Answer:
    """The calendar; `octets` is None where the server says that nothing changed."""

    octets: bytes | None
    validators: Validators = Validators()


@dataclass(frozen=True, slots=True)
class Source:
    """Where the calendar is: a path or an https URL; `ca_file` holds authorities to trust instead of the system's."""

    place: str
    ca_file: Path | None = None
    seconds: float = TOTAL_SECONDS

    @property
    def remote(self) -> bool:
        """Whether it is at a server."""
        return "://" in self.place

    @property
    def key(self) -> str:
        """What tells this source from others without telling where it is: addresses of calendars are often secret."""
        return sha256(self.place.encode()).hexdigest()

    @property
    def shown(self) -> str:
        """What a person may see of it: the path of a file, of an address only the host."""
        return f"{urlsplit(self.place).hostname or '?'}" if self.remote else self.place

    def read(self, known: Validators) -> Answer:
        """Read it; with `known` validators a server may say that nothing changed.

        A server that cannot be reached, or does not give a calendar, is an `UnreachableError`; a file that cannot be
        read is a `UsageError`.  No event loop may run in the thread.
        """
        if not self.remote:
            return Answer(_from_file(Path(self.place)))
        return asyncio.run(_from_server(self, known))


def _from_file(path: Path) -> bytes:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UsageError(f"{path}: is no file")
        with path.open("rb") as file:
            octets = file.read(MAX_OCTETS + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    if len(octets) > MAX_OCTETS:
        raise UsageError(f"{path}: is larger than {MAX_OCTETS // 1_000_000} MB")
    return octets


async def _from_server(source: Source, known: Validators) -> Answer:
    import httpx  # noqa: PLC0415 -- most calendars are files, most commands ask nobody

    tls = _trust(source.ca_file)
    try:
        async with (
            asyncio.timeout(source.seconds),
            httpx.AsyncClient(verify=tls, timeout=QUIET_SECONDS) as http,
        ):
            return await _followed(source.place, known, http)
    except TimeoutError:
        failure = UnreachableError(f"{source.shown}: no complete answer within {source.seconds:g} s")
    except httpx.TimeoutException:
        failure = UnreachableError(f"{source.shown}: no answer for {QUIET_SECONDS:g} s")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        failure = UnreachableError(f"{source.shown}: {_reason(error)}")
    raise failure  # outside of the handlers: the traceback of the library's error has the whole address


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except OSError as error:
        raise UsageError(f"[shifts] ca_file: {ca_file}: {error.strerror or 'no certificates'}") from error


def _reason(error: Exception) -> str:
    """The library's word, without the address that it may quote."""
    words = str(error)
    return type(error).__name__ if not words or "://" in words else words


async def _followed(url: str, known: Validators, http: "httpx.AsyncClient") -> Answer:
    """Ask, and follow redirects within the host; every one of them is asked for with https."""
    for _ in range(MAX_REDIRECTS + 1):
        async with http.stream("GET", url, headers={**_HEADERS, **known.headers}) as response:
            if not response.has_redirect_location:
                return await _answer(response, known)
            url = _next(url, response.headers["Location"])
    raise UnreachableError(f"{urlsplit(url).hostname}: redirects more than {MAX_REDIRECTS} times")


def _next(url: str, location: str) -> str:
    here = urlsplit(url)
    try:
        target = urljoin(url, location)
        there = urlsplit(target)
    except ValueError:
        raise UnreachableError(f"{here.hostname}: redirects to what is no address") from None
    if there.hostname != here.hostname:
        raise UnreachableError(
            f"{here.hostname}: redirects to another host: set [shifts] calendar to where it leads"
        )
    if not is_url(target) or (here.scheme, there.scheme) == ("https", "http"):
        raise UnreachableError(f"{here.hostname}: redirects to an address without https, or with a password")
    return target


async def _answer(response: "httpx.Response", known: Validators) -> Answer:
    host = response.url.host
    if response.status_code == HTTPStatus.NOT_MODIFIED and known.headers:
        return Answer(None, known)
    if response.status_code != HTTPStatus.OK:
        raise UnreachableError(f"{host}: answers {response.status_code} {response.reason_phrase}".rstrip())
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnreachableError(f"{host}: packs its answer though it was asked not to")
    octets = bytearray()
    async for chunk in response.aiter_raw():
        octets += chunk
        if len(octets) > MAX_OCTETS:
            raise UnreachableError(f"{host}: its answer is larger than {MAX_OCTETS // 1_000_000} MB")
    headers = response.headers
    return Answer(bytes(octets), Validators(headers.get("ETag", ""), headers.get("Last-Modified", "")))
