"""The configuration: what is right loads, what is wrong is said all at once, with lines and remedies."""

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.config import load, settings_of
from helpdesk.errors import ConfigError
from helpdesk.init import example
from helpdesk.labels import Label
from helpdesk.model import FIXED, TAKEN, URGENT, WAITING, LabelKind
from helpdesk.settings import Destination, WeekMoment, vocabulary
from helpdesk.settings.keys import Key, every_key, toml
from tests.minimal import HERE, MINIMAL, minimal, problems


def test_the_defaults_are_those_of_the_documentation() -> None:
    """A minimal configuration has the promised defaults, and relative paths are beside the file."""
    settings = minimal()
    assert settings.board.list_ids == ("dast.lists.example.org",)
    assert (settings.imap.port, settings.smtp.port) == (993, 465)
    assert settings.smtp.copy_to == "board@example.org"
    assert settings.imap.password_file == Path("/etc/helpdesk/imap-password")
    assert settings.store.file == Path("/etc/helpdesk/helpdesk.db")
    assert settings.secret_path == Path("/etc/helpdesk/helpdesk.secret")
    assert (settings.policy.settle_seconds, settings.policy.waiting_close_days) == (60, 7)
    assert (settings.brakes.max_bot_moves, settings.brakes.max_mails, settings.brakes.max_gone) == (
        50,
        20,
        0.2,
    )
    assert settings.shifts.week_ends == WeekMoment(weekday=6, minutes=1440)


@pytest.mark.parametrize(
    ("security", "imap", "smtp"), [("tls", 993, 465), ("starttls", 143, 587), ("none", 143, 25)]
)
def test_the_default_port_follows_the_security(security: str, imap: int, smtp: int) -> None:
    """Without a port the usual one of the chosen security is taken."""
    text = MINIMAL.replace("host", f'security = "{security}"\nhost')
    settings = settings_of(HERE, text)
    assert (settings.imap.port, settings.smtp.port) == (imap, smtp)


def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    """Unknown keys, wrong values, missing keys and contradictions of one file are listed together, with lines."""
    text = """\
[board]
name = "no name"  # a space
[imap]
host = "imap.example.org"
passwrod_file = "imap-password"

[[people]]
name = "A"
addresses = [
    "a@example.org",
    "dast",
]
roles = ["shifter"]

[[rule]]
name = "r"
when = { subject = "[" }
add = ["mc08"]
"""
    lines = [re.match(r"helpdesk\.toml(?::(\d+))?: (\S+(?: \w\S*)?):", words) for words in problems(text)]
    assert [(found[1], found[2]) for found in lines if found] == [
        (None, "[smtp]"),
        ("1", "[board] list_address"),
        ("2", "[board] name"),
        ("3", "[imap] username"),
        ("5", "[imap] passwrod_file"),
        ("11", "[[people]] addresses"),
        ("17", "[[rule]] when.subject"),
        ("18", "[[rule]] add"),
    ]


@pytest.mark.parametrize("key", ["password", "passwd", "secret", "client_secret", "access_token"])
def test_a_secret_in_the_file_is_refused_and_not_repeated(key: str) -> None:
    """A password in the configuration is refused with the keys to use instead, and is not shown."""
    text = MINIMAL.replace('username = "dast"', f'username = "dast"\n{key} = "hunter2"')
    (problem,) = problems(text)
    assert problem.endswith("write password_file, password_env or password_credential")
    assert "hunter2" not in problem


def test_a_password_in_the_database_address_needs_a_private_file(tmp_path: Path) -> None:
    """An address with a password is accepted only in a file that others cannot read, and is never printed."""
    path = tmp_path / "helpdesk.toml"
    text = MINIMAL.replace("[board]", '[board]\nsecret_file = "s"')
    path.write_text(f'{text}[store]\nurl = "postgresql+psycopg://dast:hunter2@db/dast"')
    path.chmod(0o640)
    with pytest.raises(ConfigError, match=f"chmod 600 {path}") as caught:
        load(path)
    assert "hunter2" not in str(caught.value)
    path.chmod(0o600)
    assert "hunter2" not in repr(load(path))


SYNTAX = [
    ("[board\n", "helpdesk.toml:1: is not TOML: Expected ']' at the end of a table declaration"),
    ("[board]\n\nname = dast\n", "helpdesk.toml:3: is not TOML: Invalid value"),
    ('[board]\nname = "a', "helpdesk.toml:2: is not TOML: Unterminated string"),
    ('[board]\nname = "a"\nname = "b"\n', "helpdesk.toml:3: is not TOML: Cannot overwrite a value"),
    ("x = " + "[" * 5000, "helpdesk.toml: is not TOML: nested too deeply"),
]


@pytest.mark.parametrize(("text", "problem"), SYNTAX, ids=[problem for _, problem in SYNTAX])
def test_a_file_that_is_not_toml_says_where(text: str, problem: str) -> None:
    """A mistake of syntax is told with its line."""
    assert problems(text) == [problem]


FILES = [
    ("missing", "there is no configuration file"),
    ("folder", "is a directory"),
    ("latin1", r"helpdesk-latin1:2: is not UTF-8 text"),
    ("below/a/file", "cannot be read"),
]


@pytest.mark.parametrize(("kind", "says"), FILES)
def test_a_file_that_cannot_be_read_says_so_in_one_sentence(tmp_path: Path, kind: str, says: str) -> None:
    """Whatever stands in the way of the file, one sentence names it and `helpdesk init`."""
    path = tmp_path / f"helpdesk-{kind}"
    if kind == "folder":
        path.mkdir()
    elif kind == "latin1":
        path.write_bytes(b"[board]\nname = 'caf\xe9'\n")
    elif kind == "below/a/file":
        (tmp_path / "helpdesk-below").write_bytes(b"")
    with pytest.raises(ConfigError, match=says) as caught:
        load(path)
    assert len(caught.value.problems) == 1
    assert str(path) in str(caught.value)
    assert "`helpdesk init`" in str(caught.value)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    """A file that an editor saved with a byte order mark loads."""
    path = tmp_path / "helpdesk.toml"
    path.write_text(MINIMAL, encoding="utf-8-sig")
    assert load(path).board.name == "dast"


def test_a_label_may_describe_a_built_in_one_or_a_destination() -> None:
    """A [[label]] with the name of a known label gives it a meaning and a colour, and a new name is a new label."""
    words = vocabulary(
        minimal("""
[[destination]]
label = "GGUS"
mode = "track"
domain = "ggus.example.org"
[[label]]
name = "URGENT"
colour = "#ff0000"
[[label]]
name = "GGUS"
meaning = "the grid's tickets"
[[label]]
name = "desy-srm"
kind = "temporary"
meaning = "DESY's storage"
""")
    )
    assert [label.name for label in words][:5] == [URGENT, "ESCALATED", WAITING, FIXED, TAKEN]
    urgent = words.named(URGENT)
    assert urgent is not None
    assert (urgent.colour, urgent.kind, urgent.builtin) == ("#ff0000", LabelKind.STATE, True)
    assert words.named("GGUS") == Label("GGUS", LabelKind.WHERE, "ggus", "the grid's tickets")
    assert words.named("desy-srm") == Label("desy-srm", LabelKind.TEMPORARY, "desy-srm", "DESY's storage")


def test_settings_are_frozen() -> None:
    """Nobody can change a setting once it is loaded."""
    settings = minimal()
    with pytest.raises(ValueError, match="frozen"):
        settings.policy.settle_seconds = 0


def test_a_destination_knows_where_its_mail_comes_from() -> None:
    """Its domain is that of its address, unless another is given."""
    assert Destination(label="x", address="ggus@grid.example").mail_domain == "grid.example"
    assert (
        Destination(label="x", address="ggus@grid.example", domain="kit.example").mail_domain == "kit.example"
    )


JUNK = st.recursive(
    st.sampled_from(["", "x", "NIL", 0, -1, 10**30, 1.5, float("nan"), True]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(st.sampled_from(["name", "label", "a b"]), inner, max_size=2),
    ),
    max_leaves=4,
)


@given(st.sampled_from(list(every_key())), JUNK)
def test_no_value_of_any_key_is_more_than_a_problem(key: Key, junk: object) -> None:
    """Whatever is written for a key of the example, the answer is settings or sentences, and never a traceback."""
    document = tomllib.loads(example())
    table = document
    for name in key.path[:-1]:
        inner = table.setdefault(name, {})
        table = inner[-1] if isinstance(inner, list) else inner
    table[key.path[-1]] = junk
    text = "".join(f"{name} = {toml(value)}\n" for name, value in document.items())
    found: tuple[str, ...] = ()
    try:
        settings_of(HERE, text)
    except ConfigError as error:
        found = error.problems
    assert all(re.match(rf"{re.escape(str(HERE))}(:\d+)?: \S", words) for words in found)
