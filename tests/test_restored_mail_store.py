"""A mail store that goes back to a snapshot on a real Dovecot, under the same UIDVALIDITY, and grows past what it was."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Login
from tests.desk import process, real_config
from tests.human import ImapHuman
from tests.servers.dovecot import Dovecot
from tests.world import mail


def run(folder: Path, command: str, *more: str) -> Any:
    said = process(folder, command, *more, "--json")
    assert said.code == 0, said
    return json.loads(said.out)


@pytest.mark.parametrize("store", ["dovecot-mdbox", "dovecot-maildir", "dovecot-poor"])
def test_a_mail_store_goes_back_to_a_snapshot(
    store: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    login: Callable[[str], Login],
) -> None:
    """What came after the snapshot is lost, what came after the restore has its UIDs: each mail stands under its own name."""
    one = login(store)
    server: Dovecot = request.getfixturevalue(store.replace("-", "_"))
    real_config(tmp_path, one)
    home, saved = server.directory / "home" / one.user, tmp_path / "snapshot"

    def deliver(*names: str) -> list[int]:
        human = ImapHuman(one.host, one.port, one.user, one.password)
        uids = [
            human.deliver("INBOX", mail("bob@uni.example", f"Question {n}", f"<{n}@uni.example>"))
            for n in names
        ]
        human.close()
        return uids

    deliver("a", "b")
    run(tmp_path, "run", "--once")
    subprocess.run(["cp", "-a", home, saved], check=True)
    lost = deliver("lost1", "lost2")
    human = ImapHuman(one.host, one.port, one.user, one.password)
    human.add_flags("INBOX", [1], ["waiting"])
    human.close()
    run(tmp_path, "run", "--once")
    shutil.rmtree(home)
    subprocess.run(["cp", "-a", saved, home], check=True)
    assert deliver("c", "d", "e")[:2] == lost

    report = run(tmp_path, "run", "--once")
    assert (report["observed"]["new"], report["held"]) == (3, [])
    threads = run(tmp_path, "threads")
    shown = {m["message_id"]: t["subject"] for t in threads for m in t["messages"] if m["folder"] == "INBOX"}
    assert shown == {f"<{n}@uni.example>": f"Question {n}" for n in "abcde"}
    assert {t["state"] for t in threads if t["subject"].startswith("Question lost")} == {"closed"}
    assert [t["subject"] for t in threads if t["state"] == "waiting"] == ["Question a"]  # nobody took it off
    assert [
        "waiting" in m["flags"] for t in threads for m in t["messages"] if t["subject"] == "Question a"
    ] == [True]
    assert run(tmp_path, "ledger")["residue"] == []
