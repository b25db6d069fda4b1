"""A private Slurm: a controller, and a node for each site, which is a partition of its own.  No accounting, no cgroups, no system service."""

import getpass
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.servers.process import free_port, leash, short_directory

_PATH: Final = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
PROGRAMS: Final = {
    name: shutil.which(name, path=_PATH) for name in ("slurmctld", "slurmd", "munged", "sbatch")
}
AVAILABLE: Final = all(PROGRAMS.values())
SITES: Final = ("DESY-HH", "RAL", "LYON", "CERN")
CPUS: Final = 8


@dataclass(frozen=True)
class Slurm:
    """A cluster; `configuration` is what SLURM_CONF names."""

    directory: Path
    nodes: dict[str, subprocess.Popen[bytes]]

    @property
    def configuration(self) -> str:
        return str(self.directory / "slurm.conf")

    def ask(self, *command: str) -> str:
        """Run a client of Slurm."""
        environment = {**os.environ, "PATH": _PATH, "SLURM_CONF": self.configuration}
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    def kill_node(self, site: str) -> None:
        """The node of a site loses its power; Slurm is told at once, which else takes half a minute."""
        os.killpg(self.nodes[site].pid, signal.SIGKILL)
        self.ask("scontrol", "update", f"nodename={site}", "state=down", "reason=power")


def _configuration(directory: Path, sites: Sequence[str], remembers: int) -> str:
    user, host = getpass.getuser(), socket.gethostname().partition(".")[0]
    lines = [
        "ClusterName=grid",
        f"SlurmctldHost={host}(127.0.0.1)",
        f"SlurmUser={user}",
        f"SlurmdUser={user}",
        "AuthType=auth/munge",
        f"AuthInfo=socket={directory}/munge/sock",
        "CredType=cred/munge",
        f"SlurmctldPort={free_port()}",
        "CommunicationParameters=NoInAddrAny,NoCtldInAddrAny",
        f"SlurmctldPidFile={directory}/ctld.pid",
        f"SlurmdPidFile={directory}/%n.pid",
        f"SlurmctldLogFile={directory}/ctld.log",
        f"SlurmdLogFile={directory}/%n.log",
        f"StateSaveLocation={directory}/state",
        f"SlurmdSpoolDir={directory}/spool/%n",
        "SlurmdParameters=config_overrides",
        "SwitchType=switch/none",
        "MpiDefault=none",
        "ProctrackType=proctrack/linuxproc",
        "TaskPlugin=task/none",
        "SelectType=select/cons_tres",
        "SelectTypeParameters=CR_CPU",
        "SchedulerType=sched/backfill",
        "SchedulerParameters=defer,batch_sched_delay=0,sched_interval=1,bf_interval=1",
        "PriorityType=priority/basic",
        "ReturnToService=2",
        "SlurmdTimeout=20",
        "KillWait=2",
        f"MinJobAge={remembers}",
        "MaxArraySize=20001",
        "MaxJobCount=50000",
        "AccountingStorageType=accounting_storage/none",
        "JobCompType=jobcomp/none",
    ]
    for site in sites:
        lines.append(
            f"NodeName={site} NodeHostname={host} NodeAddr=127.0.0.1 Port={free_port()} CPUs={CPUS} RealMemory=8000 State=UNKNOWN"
        )
        lines.append(f"PartitionName={site} Nodes={site} MaxTime=60 DefaultTime=10 State=UP OverSubscribe=NO")
    return "\n".join([*lines, ""])


@contextmanager
def cluster(sites: Sequence[str] = SITES, remembers: int = 600) -> Iterator[Slurm]:
    """A cluster that is up: every node is idle; it knows of jobs for so many seconds after their end."""
    directory = short_directory()
    for name in ("munge", "state", *(f"spool/{site}" for site in sites)):
        (directory / name).mkdir(parents=True)
    (directory / "munge").chmod(0o700)
    key = directory / "munge" / "key"
    key.write_bytes(secrets.token_bytes(128))
    key.chmod(0o600)
    (directory / "slurm.conf").write_text(_configuration(directory, sites, remembers))
    running: list[subprocess.Popen[bytes]] = []

    def start(name: str, *words: str) -> subprocess.Popen[bytes]:
        log = (directory / f"{name}.out").open("ab")
        with log:
            process = subprocess.Popen(
                [*leash(), str(PROGRAMS[name]), *words],
                env={**os.environ, "PATH": _PATH, "SLURM_CONF": str(directory / "slurm.conf")},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        running.append(process)
        return process

    munge = directory / "munge"
    try:
        start("munged", "--foreground", "--force", f"--key-file={munge}/key", f"--socket={munge}/sock", f"--pid-file={munge}/pid", f"--log-file={munge}/log", f"--seed-file={munge}/seed")  # fmt: skip
        _until((munge / "sock").exists, directory)
        start("slurmctld", "-D", "-c")
        nodes = {site: start("slurmd", "-D", "-N", site) for site in sites}
        grid = Slurm(directory, nodes)
        _until(lambda: _idle(grid) == len(sites), directory)
        yield grid
    finally:
        for process in reversed(running):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        _end_steps(directory)
        shutil.rmtree(directory, ignore_errors=True)


def _end_steps(directory: Path) -> None:
    """A slurmstepd leaves its slurmd's group, and waits for a controller for ever; it is known by its log."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile, or is somebody else's
            if (process / "comm").read_text() == "slurmstepd\n":
                opened = [str(one.readlink()) for one in (process / "fd").iterdir()]
                if any(one.startswith(f"{directory}/") for one in opened):
                    os.kill(int(process.name), signal.SIGKILL)


def _idle(grid: Slurm) -> int:
    try:
        return grid.ask("sinfo", "-h", "-N", "-o", "%T").split().count("idle")
    except subprocess.CalledProcessError:
        return 0


def _until(true: Callable[[], bool], directory: Path, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            logs = "\n".join(
                f"{one.name}: {one.read_text(errors='replace')[-800:]}" for one in directory.glob("*.*")
            )
            raise RuntimeError(f"Slurm does not come up: {logs}")
        time.sleep(0.1)
