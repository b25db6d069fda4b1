"""A real ARC computing element (A-REX 6, the batch system is fork), for who is root: `deploy/install-arc`.

arched listens on every address, so it lives in a network of its own, in which there is nothing but the loopback; and in a process namespace of its own,
so that everything ends with it.  `Arc.inside` takes the calling thread into that network.
"""

import ctypes
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.servers.certificates import Authority, proxy
from tests.servers.process import leash, short_directory

_PATH: Final = (
    "/usr/sbin:/usr/bin:/sbin:/bin"  # jobs run as nobody: they find the system's python there, and no other
)
_SHARE: Final = Path("/usr/share/arc")
START: Final = (_SHARE / "arc-arex-start", _SHARE / "arc-arex-ws-start")
_PORT: Final = 8443  # its network has all ports
_NEWNET: Final = 0x40000000  # unshare(2)
AVAILABLE: Final = (
    os.geteuid() == 0 and all(one.exists() for one in START) and bool(shutil.which("unshare", path=_PATH))
)


@dataclass(frozen=True)
class Arc:
    """A computing element; `proxy` is of a client that may send jobs, `stranger` of one that may not."""

    directory: Path
    network: int  # a descriptor of its namespace
    authority: Path
    proxy: Path
    stranger: Path

    @property
    def url(self) -> str:
        return f"https://localhost:{_PORT}/arex"

    @contextmanager
    def inside(self) -> Iterator[None]:
        """In its network, as far as this thread and those that it starts are concerned."""
        with Path("/proc/thread-self/ns/net").open("rb") as home:
            _enter(self.network)
            try:
                yield
            finally:
                _enter(home.fileno())


def _enter(descriptor: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, _NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _configuration(directory: Path) -> str:
    return "\n".join(
        [
            "[common]",
            "hostname = localhost",
            f"x509_host_key = {directory}/host.key",
            f"x509_host_cert = {directory}/host.pem",
            f"x509_cert_dir = {directory}/authorities",
            "[authgroup:testers]",
            "subject = /CN=ann",
            "[mapping]",
            "map_to_user = testers nobody:nogroup",
            "[lrms]",
            "lrms = fork",
            "[arex]",
            f"controldir = {directory}/control",
            f"sessiondir = {directory}/session",
            f"logfile = {directory}/arex.log",
            f"joblog = {directory}/jobs.log",
            f"pidfile = {directory}/arex.pid",
            "wakeupperiod = 2",
            "loglevel = INFO",
            "[arex/ws]",
            f"wsurl = https://localhost:{_PORT}/arex",
            f"logfile = {directory}/ws.log",
            f"pidfile = {directory}/ws.pid",
            "[arex/ws/jobs]",
            "allowaccess = testers",
            "[infosys]",
            f"logfile = {directory}/info.log",
            "[infosys/glue2]",
            "admindomain_name = tests",
            "[infosys/cluster]",
            "[queue:fork]",
            "",
        ]
    )


def _split(pem: bytes, directory: Path) -> None:
    """A key and a certificate, in files of their own."""
    key, _, certificate = pem.partition(b"-----BEGIN CERTIFICATE-----")
    (directory / "host.key").write_bytes(key)
    (directory / "host.key").chmod(0o400)
    (directory / "host.pem").write_bytes(b"-----BEGIN CERTIFICATE-----" + certificate)


def _authorities(authority: Authority, directory: Path) -> Path:
    """A folder as grid middleware wants it: hashed names, and what each authority may sign."""
    folder = directory / "authorities"
    folder.mkdir()
    file = folder / "tests.pem"
    file.write_text(authority.pem)
    hashed = subprocess.run(
        ["openssl", "x509", "-noout", "-subject_hash", "-in", str(file)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    (folder / f"{hashed}.0").symlink_to("tests.pem")
    (folder / f"{hashed}.signing_policy").write_text(
        "access_id_CA X509 '/CN=helpdesk test authority'\npos_rights globus CA:sign\ncond_subjects globus '\"/*\"'\n"
    )
    return folder


def _client(name: str, credential: bytes, directory: Path) -> Path:
    file = directory / f"{name}.pem"
    file.write_bytes(credential)
    file.chmod(0o600)
    return file


@contextmanager
def computing_element() -> Iterator[Arc]:
    """One that answers."""
    directory, authority = short_directory(), Authority()
    for name in ("control", "session"):
        (directory / name).mkdir()
    folder = _authorities(authority, directory)
    _split(authority.signed("localhost"), directory)
    (directory / "arc.conf").write_text(_configuration(directory))
    starts = "; ".join(str(one) for one in START)
    script = (
        f"ip link set lo up; {starts}; while :; do sleep 0.2; done"  # bash takes in what jobs leave behind
    )
    with (directory / "start.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *leash(),
                "unshare",
                "--net",
                "--pid",
                "--fork",
                "--kill-child",
                "--mount-proc",
                "bash",
                "-c",
                script,
            ],
            env={"PATH": _PATH, "ARC_CONFIG": str(directory / "arc.conf"), "HOME": str(directory)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        with _network(process.pid) as network:
            arc = Arc(
                directory,
                network,
                folder,
                _client("ann", proxy(authority.signed("ann")), directory),
                _client("bob", authority.signed("bob"), directory),
            )
            _until_it_answers(arc)
            yield arc
    finally:
        process.kill()
        process.wait(10)
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def _network(pid: int) -> Iterator[int]:
    """The network of a process, once it has one of its own."""
    here = Path("/proc/self/ns/net").readlink()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}/ns/net").readlink() == here:
        if time.monotonic() > deadline:
            raise RuntimeError("no network namespace")
        time.sleep(0.05)
    with Path(f"/proc/{pid}/ns/net").open("rb") as file:
        yield file.fileno()


def _until_it_answers(arc: Arc, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            with arc.inside(), socket.create_connection(("127.0.0.1", _PORT), 1):
                return
        except OSError as error:
            if time.monotonic() > deadline:
                logs = "\n".join(
                    f"{one.name}: {one.read_text(errors='replace')[-1500:]}"
                    for one in arc.directory.glob("*.log")
                )
                raise RuntimeError(f"ARC does not come up: {logs}") from error
            time.sleep(0.2)
