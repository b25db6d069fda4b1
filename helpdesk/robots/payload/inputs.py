"""Getting at the data: staged in (copied, then read) or streamed, from a path, http(s) or root.

What cannot be had is told apart by who has to mend it: not there, no connection, refused, too slow, broken.
"""

import os
import shutil
import socket
import urllib.error
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .meter import Meter
from .outcome import Exit, PayloadError

STEP = 100_000  # events at a time: an integer, which also streams over root://
TIMEOUT = 60  # seconds without an octet
_BLOCK = 1 << 20
_ENOSPC = 28
_PATIENCE = {  # XRootD's own would keep a job for many minutes where nobody listens; a site may say otherwise
    "XRD_CONNECTIONWINDOW": "20",  # seconds for a connection, and between two tries
    "XRD_CONNECTIONRETRY": "2",
    "XRD_STREAMERRORWINDOW": "60",
    "XRD_REQUESTTIMEOUT": str(TIMEOUT),
    "XRD_STREAMTIMEOUT": str(TIMEOUT),
    "XRD_TIMEOUTRESOLUTION": "1",
}


def stage_in(url: str, folder: Path, meter: Meter) -> Path:
    """Copy the data into a folder of ours; the copy's length is what its source announced."""
    target = folder / (Path(urlsplit(url).path).name or "input.root")
    with told_apart(url):
        size = _COPIERS[_scheme(url)](url, target)
    meter.bytes_read = target.stat().st_size
    if size is not None and size != meter.bytes_read:
        raise PayloadError(Exit.CORRUPT, f"{url}: {meter.bytes_read} octets came, {size} were announced")
    return target


def chunks(source: str, tree: str, branches: list[str] | None, meter: Meter) -> Iterator[Any]:
    """The events of a tree, `STEP` at a time, as awkward arrays; None reads every branch."""
    import uproot  # noqa: PLC0415 -- what is missing here is an answer (exit 50), not a traceback at the start

    with told_apart(source), uproot.open(source, **_options(source)) as file:
        if tree not in file:
            raise PayloadError(Exit.WRONG_DATA, f"{named(source)} has no tree {tree!r}")
        events = file[tree]
        missing = sorted(set(branches or ()) - set(events.keys()))
        if missing:
            raise PayloadError(
                Exit.WRONG_DATA, f"{named(source)}: {tree} has no branch {', '.join(missing[:5])}"
            )
        for start in range(0, events.num_entries, STEP):
            chunk = events.arrays(branches, entry_start=start, entry_stop=start + STEP)
            meter.events += len(chunk)
            yield chunk
        if urlsplit(source).scheme:
            meter.bytes_read = file.file.source.num_requested_bytes


def named(source: str) -> str:
    """A file as people know it: of a copy the name alone, which is the same in each job."""
    return source if urlsplit(source).scheme else Path(source).name


def _options(source: str) -> dict[str, Any]:
    """The reader for a scheme: uproot's own, which want no other package for http, and read root:// in steps."""
    scheme = urlsplit(source).scheme
    if scheme in {"http", "https"}:
        from uproot.source.http import HTTPSource  # noqa: PLC0415 -- as above

        return {"handler": HTTPSource, "timeout": TIMEOUT}
    if scheme in {"root", "roots"}:
        from uproot.source.xrootd import XRootDSource  # noqa: PLC0415 -- as above

        _be_patient()
        return {"handler": XRootDSource, "timeout": TIMEOUT}
    return {}


def _scheme(url: str) -> str:
    scheme = urlsplit(url).scheme or "file"
    if scheme not in _COPIERS:
        raise PayloadError(Exit.USAGE, f"{url}: cannot read {scheme}://")
    return scheme


def _copy_file(url: str, target: Path) -> int | None:
    source = Path(urlsplit(url).path)
    shutil.copyfile(source, target)
    return source.stat().st_size


def _copy_http(url: str, target: Path) -> int | None:
    import urllib.request  # noqa: PLC0415 -- 10 ms of every job, also of those that read files

    with urllib.request.urlopen(url, timeout=TIMEOUT) as answer, target.open("wb") as file:  # noqa: S310 -- http and https only: _scheme
        shutil.copyfileobj(answer, file, _BLOCK)
        announced = answer.headers.get("Content-Length")
    return int(announced) if announced else None


def _copy_root(url: str, target: Path) -> int | None:
    import fsspec  # noqa: PLC0415 -- as above

    _be_patient()
    with fsspec.open(url, "rb", timeout=TIMEOUT) as source, target.open("wb") as file:
        shutil.copyfileobj(source, file, _BLOCK)
        return int(source.size)


def _be_patient() -> None:
    """XRootD reads its patience from the environment when it is first used."""
    for name, value in _PATIENCE.items():
        os.environ.setdefault(name, value)


_COPIERS: dict[str, Callable[[str, Path], int | None]] = {
    "file": _copy_file,
    "http": _copy_http,
    "https": _copy_http,
    "root": _copy_root,
    "roots": _copy_root,
}


class told_apart:  # noqa: N801 -- reads as a statement
    """Turns what went wrong while reading into the exit code of who has to mend it."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> None:
        """Nothing."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, PayloadError) or not isinstance(error, Exception):
            return
        raise PayloadError(code_of(error), f"{self._url}: {_words(error)}") from error


def code_of(error: Exception) -> Exit:
    """The exit code of an error of a file, a socket, a server or a ROOT file; the first row that fits."""
    if isinstance(error, ImportError):
        return Exit.ENVIRONMENT
    if isinstance(error, urllib.error.HTTPError):
        return Exit.NOT_FOUND if error.code in {404, 410} else Exit.REFUSED if error.code < 500 else Exit.CANNOT_CONNECT  # fmt: skip
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, Exception):
        return code_of(error.reason)
    if isinstance(error, OSError) and error.errno == _ENOSPC:
        return Exit.DISK_FULL
    text = str(error).lower()
    kinds = (
        () if "[fatal]" in text or "[error]" in text else _CODES
    )  # uproot calls all of XRootD's "not found"
    told = next((code for these, code in kinds if isinstance(error, these)), None)
    return told or next((code for word, code in _SAID if word in text), Exit.CORRUPT)


_CODES: tuple[tuple[tuple[type[Exception], ...], Exit], ...] = (
    ((FileNotFoundError,), Exit.NOT_FOUND),
    ((PermissionError,), Exit.REFUSED),
    ((TimeoutError,), Exit.TOO_SLOW),
    ((ConnectionError, socket.gaierror), Exit.CANNOT_CONNECT),
)
_SAID = (  # XRootD (its numbers: XProtocol.hh, XErrorCode) and aiohttp put it into words
    ("[fatal] auth", Exit.REFUSED),
    ("[fatal]", Exit.CANNOT_CONNECT),
    ("[3010]", Exit.REFUSED),  # kXR_NotAuthorized
    ("[3011]", Exit.NOT_FOUND),  # kXR_NotFound
    ("[3014]", Exit.CANNOT_CONNECT),  # kXR_noserver
    ("[3024]", Exit.CANNOT_CONNECT),  # kXR_Overloaded
    ("[3030]", Exit.REFUSED),  # kXR_AuthFailed
    ("server responded with an error", Exit.CORRUPT),
    ("no such file", Exit.NOT_FOUND),
    ("not found", Exit.NOT_FOUND),
    ("permission denied", Exit.REFUSED),
    ("not authorized", Exit.REFUSED),
    ("expired", Exit.TOO_SLOW),
    ("timeout", Exit.TOO_SLOW),
    ("connection", Exit.CANNOT_CONNECT),
    ("cannot connect", Exit.CANNOT_CONNECT),
    ("connect call failed", Exit.CANNOT_CONNECT),
    ("resolve", Exit.CANNOT_CONNECT),
)


def _words(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split())[:300] or type(error).__name__
