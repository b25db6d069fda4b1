"""The example that is shipped, and the first configuration that is made of it."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from helpdesk.config import load, settings_of
from helpdesk.errors import ConfigError, UsageError
from helpdesk.init import example, filled_in, write_config
from helpdesk.model import LabelKind
from helpdesk.settings import Settings, vocabulary
from helpdesk.settings.keys import Key, every_key, keys_of

HERE = Path("/etc/helpdesk/helpdesk.toml")


def test_the_example_loads_and_is_used_in_full() -> None:
    """The example is a right configuration that observes, and its labels and rules mean what their comments say."""
    settings = settings_of(HERE, example())
    assert settings.board.act == "observe"
    assert [person.name for person in settings.people] == ["Ann Archer", "Gil Gomez", "Dieter Dahl"]
    assert settings.rule[1].when.header == {"X-Mailer": "Outlook"}
    assert vocabulary(settings).of_kind(LabelKind.WHERE) == {"Ganga Expert", "GGUS"}


def written_keys(text: str) -> Iterator[tuple[tuple[str, ...], bool, str]]:
    """Each key of the example: its path, whether it is a comment, and its line up to the comment."""
    table: tuple[str, ...] = ()
    for line in text.splitlines():
        if header := re.match(r"\[+([a-z.]+)\]", line):
            table = tuple(header[1].split("."))
            yield table, False, ""
        elif pair := re.match(r"(#?)((?:[a-z0-9_]+\.)?[a-z0-9_]+) = (.*)", line):
            yield (*table, *pair[2].split(".")), bool(pair[1]), f"{pair[2]} = {pair[3]}"


def test_the_example_mentions_every_key_and_no_other() -> None:
    """Every key that the settings know is in the example, set or as a comment, and every mentioned key exists."""
    mentioned = {path[:end] for path, _, _ in written_keys(example()) for end in range(1, len(path) + 1)}
    assert mentioned == {key.path for key in every_key()}


def test_every_commented_key_of_the_example_is_toml() -> None:
    """A user who takes the # away gets a line that can be read."""
    commented = [line for _, is_comment, line in written_keys(example()) if is_comment]
    assert len(commented) > 20
    for line in commented:
        assert tomllib.loads(line)


def test_the_example_shows_the_defaults() -> None:
    """Where the example sets a key of a section that is there once, other than a board's own, it sets its default."""
    own = {"name", "list_address", "host", "username", "password_file", "sender", "act"}
    own |= {"archive_aliases", "authserv_ids", "trusted_lists"}  # their comments tell the default
    document = tomllib.loads(example())
    once = [key for key in keys_of(Settings).values() if key.table is not None and not key.repeated]
    shown = {
        (key.path, name): (value, tomllib.loads(f"x = {known[name].example}")["x"])
        for key in once
        if key.table is not None and (known := keys_of(key.table, key.path))
        for name, value in document[key.path[0]].items()
        if name not in own
    }
    assert len(shown) > 40
    assert [path for path, (value, default) in shown.items() if value != default] == []


def test_every_key_has_a_description_and_a_right_example() -> None:
    """The reference can explain each key, tells units of durations, and each example passes its own checks."""
    units = {"seconds": "second", "minutes": "minute", "hours": "hour", "days": "day", "mb": "megabyte"}
    for key in every_key():
        words = key.field.description or ""
        assert words, key.path
        assert not words.endswith("."), key.path
        unit = units.get(key.path[-1].rpartition("_")[2])
        assert unit is None or unit in words, key.path
        assert key.table is not None or key.example, key.path


@pytest.mark.parametrize(
    "key", [key for key in every_key() if key.table is None], ids=lambda key: ".".join(key.path)
)
def test_what_a_problem_suggests_is_right(key: Key) -> None:
    """The value that is shown as an example of a key passes that key's own checks."""
    tables = {known.path: known.table for known in every_key() if known.table is not None}
    document = tomllib.loads(f"{key.path[-1]} = {key.example}\nno_such_key = 1")
    with pytest.raises(ValidationError) as caught:  # of the unknown key, and of keys that are missing
        tables[key.path[:-1]].model_validate(document)
    assert [line["loc"] for line in caught.value.errors() if line["loc"][:1] == key.path[-1:]] == []


def test_init_writes_a_board_that_observes(tmp_path: Path) -> None:
    """The first configuration has the given names, acts on nothing, has no other board's people, and is private."""
    path = tmp_path / "helpdesk.toml"
    write_config(path, name="cms", list_address="cms@lists.example.net", host="mail.example.net")
    settings = load(path)
    assert (settings.board.name, settings.board.list_address) == ("cms", "cms@lists.example.net")
    assert (settings.imap.host, settings.smtp.host) == ("mail.example.net", "mail.example.net")
    assert (settings.imap.username, settings.smtp.sender) == (
        "cms-board@example.net",
        "cms-board@example.net",
    )
    assert settings.board.act == "observe"
    assert not any([settings.people, settings.destination, settings.label, settings.rule, settings.site])
    assert settings.auth.authserv_ids == ()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text().count("\n") == example().count("\n")


def test_init_leaves_an_existing_file_alone(tmp_path: Path) -> None:
    """A configuration that is there is never overwritten."""
    path = tmp_path / "helpdesk.toml"
    path.write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        write_config(path, name="cms", list_address="cms@lists.example.net", host="mail.example.net")
    assert path.read_text() == "mine"


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({"name": "a b"}, "name: must match"),
        ({"name": 'x"\n[y]'}, "name: must match"),
        ({"list_address": "nobody"}, "list_address: is not an e-mail address"),
        ({"host": "a:b c"}, "host: is not a host name"),
    ],
)
def test_init_writes_nothing_that_would_not_load(tmp_path: Path, answers: dict[str, str], says: str) -> None:
    """Wrong answers are refused with the sentences of the configuration, and no file appears."""
    given_answers = {"name": "cms", "list_address": "cms@lists.example.net", "host": "mail.example.net"}
    with pytest.raises(ConfigError, match=says):
        write_config(tmp_path / "helpdesk.toml", **{**given_answers, **answers})
    assert list(tmp_path.iterdir()) == []


def test_init_says_where_it_cannot_write(tmp_path: Path) -> None:
    """A folder that does not exist is a sentence and no traceback."""
    with pytest.raises(UsageError, match="cannot be written"):
        write_config(
            tmp_path / "no" / "x.toml", name="cms", list_address="c@example.net", host="m.example.net"
        )


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x7f"), max_size=30))
def test_an_answer_is_only_ever_a_value(answer: str) -> None:
    """Whatever is typed as an answer, the file stays TOML with just that value in that place."""
    document = tomllib.loads(filled_in({("[imap]", "host"): answer}))
    assert document["imap"]["host"] == answer
    assert document["imap"]["junk"] == "Junk"
