"""What `helpdesk clients` prints, read again as each client reads it."""

import configparser
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from helpdesk import clients
from helpdesk.config import settings_of
from helpdesk.labels import BUILTIN
from helpdesk.settings import Settings, vocabulary
from tests.desk import CONFIG, Desk, memory_desk

ODD = 'a "quoted" $HOME `id` \\n'
MORE = f"""
[[label]]
name = '{ODD}'
[[label]]
name = "größer"
colour = "#00ff00"
"""
PREF = re.compile(r"^user_pref\((.*)\);$", re.MULTILINE)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("HELPDESK_TEST_PASSWORD", "secret")
    text = CONFIG.format(act="act", smtp=25, imap=143, grace=0, user="da st@x")
    return settings_of(tmp_path / "helpdesk.toml", text + MORE)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return memory_desk(tmp_path, monkeypatch)


def prefs(settings: Settings) -> dict[str, object]:
    return dict(json.loads(f"[{pair}]") for pair in PREF.findall(clients.thunderbird(settings)))


def test_every_label_is_a_tag_of_thunderbird(settings: Settings) -> None:
    """Each label has a name, a colour and a place of its own under its keyword, whatever its name is made of."""
    found = prefs(settings)
    assert len(found) == 3 * len(vocabulary(settings).labels)
    for label in vocabulary(settings):
        assert found[f"mailnews.tags.{label.keyword}.tag"] == label.name
        assert re.fullmatch("#[0-9A-F]{6}", str(found[f"mailnews.tags.{label.keyword}.color"]))
    ordinals = [value for key, value in found.items() if key.endswith(".ordinal")]
    assert ordinals == sorted(set(map(str, ordinals)))
    assert found["mailnews.tags.gr__er.color"] == "#00FF00"


PROFILE = """\
// Mozilla User Preferences
user_pref("mail.server.server1.hostname", "127.0.0.1");
user_pref("mail.server.server1.userName", "somebody else");
user_pref("mail.server.server2.hostname", "127.0.0.1");
user_pref("mail.server.server2.userName", "dast");
user_pref("mail.account.account1.identities", "id1");
user_pref("mail.account.account1.server", "server1");
user_pref("mail.account.account7.identities", "id4,id5");
user_pref("mail.account.account7.server", "server2");
user_pref("mail.server.server2.check_new_mail", true);
user_pref('odd', "single quotes");
"""


def test_folders_are_those_of_the_right_identity(desk: Desk) -> None:
    """With a profile the account's own identity gets the folders, and without one nobody does: its number is not known."""
    (desk.folder / "prefs.js").write_text(PROFILE)
    told = desk.say("clients", "thunderbird", "--profile", str(desk.folder))
    assert (
        'user_pref("mail.identity.id4.archive_folder", "imap://dast@127.0.0.1/Archive");'
        in told.out.splitlines()
    )
    assert "id1" not in told.out
    alone = desk.say("clients", "thunderbird").out
    assert not [line for line in alone.splitlines() if line.startswith('user_pref("mail.identity')]


@pytest.mark.parametrize(
    ("client", "prefs", "why"),
    [
        ("thunderbird", "", "no account of dast"),
        ("thunderbird", 'user_pref("mail.server.server2.hostname", "127.0.0.1");', "no account of dast"),
        ("thunderbird", None, "No such file"),
        ("neomutt", PROFILE, "only Thunderbird"),
    ],
)
def test_a_profile_that_does_not_fit_is_refused(desk: Desk, client: str, prefs: str | None, why: str) -> None:
    """A profile without the account, none at all, or one for another client is a usage error that says so."""
    if prefs is not None:
        (desk.folder / "prefs.js").write_text(prefs)
    told = desk.say("clients", client, "--profile", str(desk.folder))
    assert (told.code, told.out) == (2, "")
    assert why in " ".join(told.err.split())


def test_states_come_first(settings: Settings) -> None:
    """The built-in states are the first tags, and `taken` is not one of them."""
    names = [label.name for label in clients.ordered(settings)]
    states = [label.name for label in BUILTIN if label.kind == "state"]
    assert names[: len(states)] == states


def test_neomutt_has_a_key_for_every_label(settings: Settings) -> None:
    """Each label has a macro with a letter of its own, and a colour."""
    text = clients.neomutt(settings)
    keys = re.findall(r"^macro index,pager ,([a-z0-9]) .*<eol> ([^<]*)<enter>", text, re.MULTILINE)
    assert [keyword for _, keyword in keys] == [label.keyword for label in clients.ordered(settings)]
    assert len({letter for letter, _ in keys}) == len(keys)
    assert text.count("color index ") == len(keys)


def test_more_labels_than_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels for which there is no letter and no digit left have no macro, and all the others have one."""
    monkeypatch.setenv("HELPDESK_TEST_PASSWORD", "secret")
    many = "".join(f'\n[[label]]\nname = "many {n}"\n' for n in range(40))
    text = CONFIG.format(act="act", smtp=25, imap=143, grace=0, user="dast") + many
    told = clients.neomutt(settings_of(tmp_path / "helpdesk.toml", text))
    assert told.count("macro index,pager ,") == 36 + 1
    assert told.count("color index ") == len(BUILTIN) + 2 + 40


@pytest.mark.skipif(shutil.which("neomutt") is None, reason="neomutt is not installed")
def test_neomutt_reads_it(settings: Settings, tmp_path: Path) -> None:
    """The program itself finds nothing wrong, and means what was meant."""
    rc = tmp_path / "muttrc"
    rc.write_text(clients.neomutt(settings))
    command = ["neomutt", "-n", "-F", str(rc), "-D"]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (told.returncode, told.stderr) == (0, "")
    assert 'set imap_user = "da st@x"' in told.stdout
    assert 'set record = "+Sent"' in told.stdout or 'set record = "imap://127.0.0.1:143/Sent"' in told.stdout


def test_aerc_gets_a_section(settings: Settings) -> None:
    """The section names the folders, and its address is one even if the login has spaces and an @ in it."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(clients.aerc(settings))
    section = parser["dast"]
    assert section["source"] == "imap+insecure://da%20st%40x@127.0.0.1:143"
    assert (section["archive"], section["copy-to"], section["default"]) == ("Archive", "Sent", "INBOX")


@pytest.mark.parametrize(
    ("security", "username", "lines"),
    [
        ("none", None, {"outgoing": "smtp+none://127.0.0.1:25"}),
        ("tls", None, {"outgoing": "smtps+none://127.0.0.1:25"}),
        (
            "tls",
            "a@b",
            {"outgoing": "smtps+plain://a%40b@127.0.0.1:25", "outgoing-cred-cmd": "pass show board"},
        ),
        ("starttls", "a", {"outgoing": "smtp+plain://a@127.0.0.1:25", "smtp-starttls": "true"}),
    ],
)
def test_aerc_logs_in_where_the_board_does(
    settings: Settings, security: str, username: str | None, lines: dict[str, str]
) -> None:
    """Where nobody logs in aerc is told so, as it would wait for ever; elsewhere it has a login and a way to its password."""
    smtp = settings.smtp.model_copy(update={"security": security, "username": username})
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(clients.aerc(settings.model_copy(update={"smtp": smtp})))
    section = parser["dast"]
    assert {key: section[key] for key in lines} == lines
    assert ("outgoing-cred-cmd" in section) == (username is not None)
    assert ("smtp-starttls" in section) == (security == "starttls")


def test_roundcube_gets_strings_of_php(settings: Settings) -> None:
    """Every value is a PHP string on a line of its own."""
    odd = settings.model_copy(update={"imap": settings.imap.model_copy(update={"archive": "It's\\so"})})
    assert "$config['archive_mbox'] = 'It\\'s\\\\so';" in clients.roundcube(odd).splitlines()


@pytest.mark.parametrize("client", clients.CLIENTS)
def test_the_command_prints_it_and_nothing_else(desk: Desk, client: str) -> None:
    """It needs no database and no server, prints no password, and every line is one of the client's own."""
    said = desk.say("clients", client)
    assert (said.code, said.err) == (0, "")
    assert "secret" not in said.out
    assert "newbie" in said.out or client == "aerc"
    assert not desk.database.exists()


def test_an_unknown_client_is_refused(desk: Desk) -> None:
    """Another name is a usage error that lists the known ones."""
    said = desk.say("clients", "pine")
    assert said.code == 2
    assert "thunderbird" in said.err
