"""A real systemd as the first process of namespaces of its own: units start there as they do on a server.

It has its own mounts, processes and control groups; /etc is an overlay, /run, /opt and /var/lib are empty, and all of it
is gone with the process.  The network is that of the tests.  User, folders and units are made as docs/operations.md says.
Only root may do this, on Linux.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from tests.servers.installed import LIBRARIES, PROJECT, install
from tests.servers.process import leash, short_directory

SYSTEMD: Final = "/lib/systemd/systemd"
MANUAL: Final = PROJECT / "docs" / "operations.md"
MISSING: Final = [
    name
    for name in ("unshare", "nsenter", "systemctl", "systemd-sysusers", "systemd-tmpfiles")
    if not shutil.which(name)
]

_INIT: Final = """\
set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs {room}
mkdir {room}/etc {room}/work {room}/lib {room}/backups
mount -t overlay overlay -o lowerdir=/etc,upperdir={room}/etc,workdir={room}/work /etc
mount --bind {room}/lib /var/lib
mount --bind {room}/backups /var/backups
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /opt
mkdir /opt/helpdesk /opt/libraries /run/units
mount --bind {site} /opt/helpdesk
mount --bind {libraries} /opt/libraries
umount -R /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t proc proc /proc
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
mount -t tmpfs tmpfs /usr/local/sbin
cp /lib/systemd/system/dbus.service /lib/systemd/system/dbus.socket /run/units/
mkdir /run/dbus
for name in up sysinit basic shutdown multi-user timers sockets network-online; do
  printf '[Unit]\\nDescription=%s\\n' $name > /run/units/$name.target
done
for unit in helpdesk@ helpdesk-backup@; do
  mkdir /run/units/$unit.service.d
  printf '[Service]\\nStandardError=append:/run/said\\n' > /run/units/$unit.service.d/said.conf
done
mount --make-rshared /
exec env -i PATH="$PATH" container=helpdesk-test SYSTEMD_UNIT_PATH=/run/units:/etc/systemd/system \\
  {systemd} --system --unit=up.target --log-target=console --show-status=no --default-standard-output=null
"""


def why_not() -> str:
    """Why systemd cannot be booted here, or ""."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "only root can make the namespaces"
    if MISSING or not Path(SYSTEMD).exists() or not shutil.which("dbus-daemon"):
        return "systemd or dbus is not installed"
    if _control_groups() is None:
        return "there are no control groups (version 2)"
    if _python() is None:
        return "no Python of this version lies where a service may read it"
    space = ["unshare", "--pid", "--mount", "--fork", "--cgroup", "mount", "-t", "tmpfs", "tmpfs", "/run"]
    allowed = subprocess.run(space, capture_output=True, check=False).returncode == 0
    return "" if allowed else "namespaces may not be made here"


def _control_groups() -> Path | None:
    for folder in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
        if Path(folder, "cgroup.procs").exists():
            return Path(folder)
    return None


def _python() -> str | None:
    """An interpreter outside of all home directories, which a service does not see (ProtectHome=)."""
    name = f"python{sysconfig.get_python_version()}"
    for folder in (Path(sys.base_prefix, "bin"), Path("/usr/bin"), Path("/usr/local/bin")):
        if (folder / name).exists() and folder.parts[1] not in {"root", "home", "tmp"}:
            return str(folder / name)
    return None


class Booted:
    """The machine; use it as a context manager.  Its boards are in /etc/helpdesk, as on a server."""

    def __init__(self, wheel: Path) -> None:
        self._folder = short_directory()
        site = self._folder / "site"
        programs = install(wheel, site, str(_python()), "/opt/libraries")
        script = programs / "helpdesk"
        script.write_text(script.read_text().replace(str(programs), "/opt/helpdesk/bin"))
        (self._folder / "room").mkdir()
        words = {
            "room": self._folder / "room",
            "site": site,
            "libraries": LIBRARIES,
            "systemd": SYSTEMD,
        }
        (self._folder / "init").write_text(_INIT.format(**words))
        self._group = (_control_groups() or Path("/")) / f"helpdesk-test-{os.getpid()}"

    def __enter__(self) -> Self:
        self._group.mkdir()
        join = f"echo $$ > {self._group}/cgroup.procs && exec"
        space = "unshare --pid --mount --fork --cgroup --ipc --uts --kill-child sh"
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [*leash(), "sh", "-c", f"{join} {space} {self._folder}/init"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        end = time.monotonic() + 20
        while not self._is_up():
            if time.monotonic() > end or self._process.poll() is not None:
                self.__exit__()
                raise RuntimeError((self._folder / "log").read_text())
            time.sleep(0.05)
        self.do("systemctl", "start", "dbus.socket")
        [block] = re.findall(r"## 2\..*?```sh\n(.*?)```", MANUAL.read_text(), flags=re.DOTALL)
        self.do("sh", "-ec", f"cd {PROJECT}\n{block}")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGKILL)  # with it goes everything that lives there
        self._process.wait(10)
        for _again in range(50):
            with suppress(OSError):
                for path in sorted(self._group.rglob("*/"), reverse=True):
                    path.rmdir()
                self._group.rmdir()
                break
            time.sleep(0.05)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _is_up(self) -> bool:
        first = self._first()
        return first != 0 and self.do("systemctl", "is-system-running", check=False) == "running"

    def _first(self) -> int:
        """The first process there, by its number here."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return int(children[0]) if children else 0

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Do something there, however it ends."""
        inside = ["nsenter", "-t", str(self._first()), "-m", "-p", "-C", "-i", "-u", "env", "-i"]
        return subprocess.run(
            [*inside, f"PATH={os.environ['PATH']}", *command], capture_output=True, text=True, check=False
        )

    def do(self, *command: str, check: bool = True) -> str:
        """Do something there; what it printed."""
        done = self.run(*command)
        assert not check or done.returncode == 0, f"{command}: {done.stderr}\n{self.said}"
        return done.stdout.strip()

    def put(self, path: str, text: str, *, mode: str = "644") -> None:
        """Write a file there."""
        self.do("sh", "-c", 'printf %s "$2" > "$1" && chmod "$3" "$1"', "sh", path, text, mode)

    def show(self, unit: str, name: str) -> str:
        """A property of a unit."""
        return self.do("systemctl", "show", "--value", "--property", name, unit)

    @property
    def said(self) -> str:
        """What the services wrote."""
        return self.do("sh", "-c", "cat /run/said 2>/dev/null || true")
