"""A private Prometheus that watches one daemon, with the rules that we ship."""

import json
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, Final, Self

from tests.servers.installed import PROJECT
from tests.servers.process import free_port, kill_group, leash, short_directory

BINARY: Final = shutil.which("prometheus")
PROMTOOL: Final = shutil.which("promtool")
MONITORING: Final = PROJECT / "deploy" / "monitoring"


class Prometheus:
    """The server; use it as a context manager.  It asks the daemon every second.

    With an Alertmanager to tell, rules wait for seconds where they wait for minutes.
    """

    def __init__(self, target: int, alertmanager: int | None = None) -> None:
        self._folder = short_directory()
        self._port = free_port()
        text = (MONITORING / "prometheus.yml").read_text()
        text = text.replace("127.0.0.1:9155", f"127.0.0.1:{target}").replace(
            "scrape_interval: 30s", "scrape_interval: 1s"
        )
        rules = MONITORING / "helpdesk.rules.yml"
        if alertmanager is not None:
            text = text.replace("127.0.0.1:9093", f"127.0.0.1:{alertmanager}")
            hurried = re.sub(r"for: \d+[mh]", "for: 1s", rules.read_text()).replace("> 600", "> 2")
            rules = self._folder / "rules.yml"
            rules.write_text(hurried)
        text = text.replace("- helpdesk.rules.yml", f"- {rules}")
        self._config = self._folder / "prometheus.yml"
        self._config.write_text(f"global: {{evaluation_interval: 1s}}\n{text}")

    def __enter__(self) -> Self:
        options = {
            "config.file": self._config,
            "storage.tsdb.path": self._folder / "data",
            "web.listen-address": f"127.0.0.1:{self._port}",
            "log.level": "error",
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
        raise RuntimeError(f"Prometheus does not answer: {said}")

    def __exit__(self, *_: object) -> None:
        kill_group(self._process, self._folder)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/-/ready", timeout=5):
                return True
        except OSError:
            return False

    def ask(self, path: str, **parameters: str) -> Any:
        """What its API answers."""
        url = f"http://127.0.0.1:{self._port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=5) as page:
                return json.load(page)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from error

    def query(self, expression: str) -> list[Any]:
        """The series that an expression gives now."""
        return list(self.ask("query", query=expression)["result"])
