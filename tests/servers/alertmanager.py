"""A private Alertmanager that mails as our sample says, only sooner, to a mail server of the tests."""

import re
import shutil
import subprocess
import time
import urllib.request
from typing import Final, Self

from tests.servers.process import free_port, kill_group, leash, short_directory
from tests.servers.prometheus import MONITORING

SAMPLE: Final = MONITORING / "alertmanager.yml"
BINARY: Final = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
AMTOOL: Final = shutil.which("amtool")


class Alertmanager:
    """The server; use it as a context manager."""

    def __init__(self, smtp_port: int) -> None:
        self._folder = short_directory()
        self.port = free_port()
        text = re.sub(r"(group_wait|group_interval): \w+", r"\1: 1s", SAMPLE.read_text())
        text = text.replace("127.0.0.1:25", f"127.0.0.1:{smtp_port}")
        (self._folder / "alertmanager.yml").write_text(text)

    def __enter__(self) -> Self:
        options = {
            "config.file": self._folder / "alertmanager.yml",
            "storage.path": self._folder / "data",
            "web.listen-address": f"127.0.0.1:{self.port}",
            "cluster.listen-address": "",
        }
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [*leash(), str(BINARY), *(f"--{name}={value}" for name, value in options.items())],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        end = time.monotonic() + 20
        while self._process.poll() is None and time.monotonic() < end:
            if self._is_ready():
                return self
            time.sleep(0.05)
        said = (self._folder / "log").read_text()
        self.__exit__()
        raise RuntimeError(f"Alertmanager does not answer: {said}")

    def __exit__(self, *_: object) -> None:
        kill_group(self._process, self._folder)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=5):
                return True
        except OSError:
            return False
