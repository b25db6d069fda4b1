"""Real storage elements: XRootD (root:// and http://) and nginx, read-only, over a folder of data sets.

XRootD cannot be bound to one address, so it lives in a network namespace that has nothing but loopback; only root may make one, and a client
enters it with the words of `Storage.enter`.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.servers.process import free_port, kill_group, leash, short_directory

_PATH: Final = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
XROOTD: Final = shutil.which("xrootd", path=_PATH) if os.geteuid() == 0 and shutil.which("nsenter") else None
NGINX: Final = shutil.which("nginx", path=_PATH)
_XROOTD: Final = """\
all.export / r/o
oss.localroot {data}
all.adminpath {directory}/admin
all.pidpath {directory}/pid
xrd.port {root}
xrd.protocol http:{http} libXrdHttp.so
http.desthttps no
xrd.network nodnr
"""
_NGINX: Final = """\
daemon off;
master_process off;
pid {directory}/pid;
error_log {directory}/log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  server {{
    listen 127.0.0.1:{port};
    root {data};
    location /private {{ return 403; }}
  }}
}}
"""


@dataclass(frozen=True)
class Storage:
    """A storage element: what its URLs begin with, by protocol, and how a client gets to where it is."""

    urls: dict[str, str]
    enter: tuple[str, ...] = ()


@contextmanager
def xrootd(data: Path) -> Iterator[Storage]:
    """XRootD as `nobody`, in a network of its own."""
    assert XROOTD
    directory = short_directory()
    root, http = free_port(), free_port()
    file = directory / "xrootd.cfg"
    file.write_text(_XROOTD.format(data=data, directory=directory, root=root, http=http))
    for name in ("admin", "pid"):
        (directory / name).mkdir()
        shutil.chown(directory / name, "nobody")
    shutil.chown(directory, "nobody")
    serve = f"ip link set lo up && exec {XROOTD} -R nobody -I v4 -n se -c {file} -l {directory}/log"
    process = subprocess.Popen(
        [*leash(), "unshare", "--net", "sh", "-c", serve],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    enter = ("nsenter", "--net", f"--target={process.pid}")
    try:
        for port in (root, http):
            _wait(process, directory, enter, port)
        yield Storage({"root": f"root://127.0.0.1:{root}/", "http": f"http://127.0.0.1:{http}"}, enter)
    finally:
        kill_group(process, directory)


@contextmanager
def nginx(data: Path) -> Iterator[Storage]:
    """Nginx in the foreground, one process."""
    assert NGINX
    directory, port = short_directory(), free_port()
    file = directory / "nginx.conf"
    file.write_text(_NGINX.format(data=data, directory=directory, port=port))
    process = subprocess.Popen(
        [*leash(), NGINX, "-c", str(file), "-e", str(directory / "log")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait(process, directory, (), port)
        yield Storage({"http": f"http://127.0.0.1:{port}"})
    finally:
        kill_group(process, directory)


def _wait(process: subprocess.Popen[bytes], directory: Path, enter: tuple[str, ...], port: int) -> None:
    """Wait until somebody listens, or tell what the logs say."""
    look = [
        *enter,
        sys.executable,
        "-c",
        f"import socket; socket.create_connection(('127.0.0.1', {port}), 1)",
    ]
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        if subprocess.run(look, capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.05)
    said = [log.read_text(errors="replace")[-2000:] for log in directory.rglob("*log") if log.is_file()]
    raise RuntimeError(f"{process.args!r} does not listen on port {port}: {said}")
