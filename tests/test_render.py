"""Mails in words: they read well, carry what brings the answer back, and no stranger can write in them.

The renderings in tests/golden/mail/ are compared; `UPDATE_GOLDEN=1 pytest tests/test_render.py` writes them anew, to be
read before they are committed.
"""

import email
import os
from dataclasses import fields, is_dataclass, replace
from datetime import timedelta, timezone
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.errors import ConfigError, HelpdeskError
from helpdesk.mailids import own_id, own_sender
from helpdesk.mails import KINDS, Mail
from helpdesk.ports import Letter
from helpdesk.rehearsal import rehearsals
from helpdesk.render import Envelope, Templates
from helpdesk.templating import own_folder
from tests.mail_examples import (
    ALARM,
    ENVELOPE,
    ESCALATION,
    EXAMPLES,
    ID,
    NOW,
    RELEASE,
    SECRET,
    TO_USER,
    URGENT,
)

GOLDEN = Path(__file__).parent / "golden" / "mail"
TEMPLATES = Templates()


def read(letter: Letter) -> EmailMessage:
    message = email.message_from_bytes(letter.content, policy=SMTP)
    assert isinstance(message, EmailMessage)
    return message


def part(letter: Letter, kind: str = "plain") -> str:
    """Show what stands in the text, or the page."""
    found = read(letter).get_body((kind,))
    assert found is not None
    return str(found.get_content()).replace("\r\n", "\n")


def shown(letter: Letter) -> str:
    """Show a letter as a mail client does, with all headers."""
    head = "".join(f"{name}: {value}\n" for name, value in read(letter).items())
    return f"{head}\n{part(letter)}"


def subject_of(mail: Mail, envelope: Envelope = ENVELOPE) -> str:
    return str(read(TEMPLATES.compose(mail, envelope))["Subject"])


def body_of(mail: Mail) -> str:
    return part(TEMPLATES.compose(mail, ENVELOPE))


@pytest.mark.parametrize("name", EXAMPLES)
def test_golden(name: str) -> None:
    """Each kind of mail reads as the example that a human has read."""
    letter = TEMPLATES.compose(*EXAMPLES[name])
    renderings = {f"{name}.txt": shown(letter), f"{name}.html": part(letter, "html")}
    for file, rendering in renderings.items():
        if os.environ.get("UPDATE_GOLDEN"):
            (GOLDEN / file).write_text(rendering, encoding="utf-8")
        assert rendering == (GOLDEN / file).read_text(encoding="utf-8")


def test_no_other_golden() -> None:
    """Every rendering that is kept is compared."""
    assert {file.name for file in GOLDEN.iterdir()} == {
        f"{name}.{kind}" for name in EXAMPLES for kind in ("txt", "html")
    }


def test_every_kind() -> None:
    """Every kind of mail has an example, and a text and a page of its own."""
    assert {mail.kind for mail, _ in EXAMPLES.values()} == set(KINDS)
    templates = {file.name for file in own_folder().iterdir() if not file.name.startswith("_")}
    assert templates == {f"{kind}.{form}.j2" for kind in KINDS for form in ("txt", "html")}


@pytest.mark.parametrize("name", EXAMPLES)
def test_on_the_wire(name: str) -> None:
    """A letter is 7-bit ASCII in CRLF lines that every relay takes as they are."""
    content = TEMPLATES.compose(*EXAMPLES[name]).content
    assert content.isascii()
    assert content.count(b"\n") == content.count(b"\r\n") == content.count(b"\r")
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert content == TEMPLATES.compose(*EXAMPLES[name]).content


@pytest.mark.parametrize("name", EXAMPLES)
def test_columns(name: str) -> None:
    """The text fits 72 columns, but for words that are longer."""
    for line in part(TEMPLATES.compose(*EXAMPLES[name])).splitlines():
        assert len(line) <= 72 or " " not in line.lstrip("> ")


@pytest.mark.parametrize("name", EXAMPLES)
def test_headers(name: str) -> None:
    """Each mail says that a machine wrote it and which one it is, and nothing that list servers refuse."""
    letter = TEMPLATES.compose(*EXAMPLES[name])
    message = read(letter)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] == letter.message_id == ID
    assert own_id(message["X-Helpdesk-Id"], SECRET)
    assert own_sender(letter.sender, SECRET)
    assert message["Date"].datetime == NOW
    assert str(message["Subject"]).startswith("[dast] ")
    thread = getattr(EXAMPLES[name][0], "thread", None) or ""
    assert str(thread) in str(message["Subject"])
    for absent in ("Precedence", "X-Auto-Response-Suppress", "Bcc", "Return-Path"):
        assert message[absent] is None


def test_copy_is_in_no_header() -> None:
    """The board's own copy goes in the same transaction, and nobody sees it."""
    letter = TEMPLATES.compose(ESCALATION, replace(ENVELOPE, copy_to="secret-copy@example.org"))
    assert letter.recipients == ("ganga-experts@example.org", "secret-copy@example.org")
    assert b"secret-copy" not in letter.content


def test_each_once() -> None:
    """Nobody gets a mail twice because he is named twice."""
    to = ("a@example.org", "A@example.org", "b@example.org")
    letter = TEMPLATES.compose(ESCALATION, replace(ENVELOPE, to=to, copy_to="b@example.org"))
    assert [one.lower() for one in letter.recipients] == ["a@example.org", "b@example.org"]


def test_threading() -> None:
    """The answer is brought back by In-Reply-To, References and Reply-To."""
    message = read(TEMPLATES.compose(RELEASE, TO_USER))
    assert message["In-Reply-To"] == "<last@example.org>"
    assert message["References"] == "<first@example.org> <last@example.org>"
    assert message["Reply-To"] == "dast@lists.example.org"


def test_many_references() -> None:
    """Of many references the root and the newest are named, one to a line, never encoded."""
    ids = tuple(f"<{'x' * 100}{number}@example.org>" for number in range(500))
    letter = TEMPLATES.compose(RELEASE, replace(TO_USER, references=ids, in_reply_to=ids[-1]))
    assert str(read(letter)["References"]).split() == [ids[0], *ids[-19:]]
    assert f"In-Reply-To: {ids[-1]}\r\n".encode() in letter.content
    assert b"=?" not in letter.content.partition(b"References:")[2].partition(b"Auto-Submitted")[0]


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "no brackets",
        "<a b@c>",
        "<ä@b>",
        "<a@b>\r\nBcc: x@y",
        "<=?utf-8?q?=0D=0A?=@b>",
        f"<{'x' * 300}@b>",
    ],
)
def test_bad_references(bad: str) -> None:
    """What is no proper id is left out, and the others stay."""
    envelope = replace(TO_USER, in_reply_to=bad, references=(bad, "<good@example.org>"))
    message = read(TEMPLATES.compose(RELEASE, envelope))
    assert message["In-Reply-To"] is None
    assert message["References"] == "<good@example.org>"


EVIL = (
    "x\r\nBcc: victim@example.org",
    "x\r\n\r\nbody",
    "=?utf-8?q?x=0D=0ABcc:_victim=40example.org?=",
    "=?utf-8?b?eA0KQmNjOiB2aWN0aW1AZXhhbXBsZS5vcmc=?=",
    "=?utf-8?q?=3D=3Futf-8=3Fq=3Fx=3D0D=3D0ABcc=3A_victim=3F=3D?=",
    "==??utf-8?q?x=0D=0A?=",
    "=\u200b?utf-8?q?x=0D=0A?=",
    "=\x00?utf-8?q?x=0D=0A?=",
    "\x1b]0;title\x07\x1b[31mred",
    "\u202egnp.exe",
    "\ud83d lone surrogate \udcff",
    "{{ 7 * 7 }} {% raw %}",
    "a" * 5000,
    "ä" * 5000,
    "\u2028Bcc: x\x85y",
    "",
    "   ",
)


def headers_of(letter: Letter) -> list[str]:
    return [name for name, _ in email.message_from_bytes(letter.content).items()]


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize("name", EXAMPLES)
def test_nobody_writes_headers(name: str, evil: str) -> None:
    """No text of a stranger adds, ends or decodes into a header line, and none stops the mail."""
    mail, _ = EXAMPLES[name]
    expected = headers_of(TEMPLATES.compose(mail, ENVELOPE))
    letter = TEMPLATES.compose(poisoned(mail, evil), ENVELOPE)
    assert headers_of(letter) == expected
    subject = str(read(letter)["Subject"])
    assert subject.startswith("[dast] ")
    assert subject.isprintable()
    assert "=?" not in subject
    assert "49 " not in subject
    assert len(subject) <= 200
    head = letter.content.partition(b"\r\n\r\n")[0]
    assert b"\nBcc" not in head
    assert max(map(len, letter.content.split(b"\r\n"))) <= 998


@pytest.mark.parametrize("evil", EVIL)
def test_nobody_writes_paragraphs(evil: str) -> None:
    """What a stranger wrote stands behind a quote mark, or within one line of ours."""
    clean = body_of(replace(ESCALATION, user="Ann", question=("x",)))
    body = body_of(replace(ESCALATION, user=evil, question=(evil, f"first\r\n{evil}")))
    ours = [line for line in body.splitlines() if not line.startswith(">")]
    assert len(ours) <= len(clean.splitlines())
    assert all(line.isprintable() for line in body.splitlines())


def poisoned(mail: Mail, evil: str) -> Mail:
    """Put the text wherever a mail's text can come to stand."""
    return cast("Mail", _poisoned(mail, evil))


def _poisoned(value: Any, evil: str) -> Any:
    if isinstance(value, str):
        return evil
    if isinstance(value, tuple):
        return tuple(_poisoned(one, evil) for one in value)
    if is_dataclass(value):
        changed = {one.name: _poisoned(getattr(value, one.name), evil) for one in fields(value)}
        build: Any = type(value)
        return build(**changed)
    return value


@given(st.text(), st.text())
def test_any_text(subject: str, user: str) -> None:
    """Any text at all makes a mail with the same headers, and the same mail each time."""
    mail = replace(RELEASE, subject=subject, user=user)
    letter = TEMPLATES.compose(mail, ENVELOPE)
    assert headers_of(letter) == headers_of(TEMPLATES.compose(RELEASE, ENVELOPE))
    assert letter == TEMPLATES.compose(mail, ENVELOPE)


def test_long_question() -> None:
    """A long question is cut, and the mail says how much is missing."""
    body = body_of(replace(ESCALATION, question=tuple(f"line {number}" for number in range(100))))
    assert "> line 39\n> [... 60 more lines]\n" in body.replace("\r\n", "\n")
    assert "line 40" not in body


def test_long_subject() -> None:
    """A long subject is cut."""
    subject = subject_of(replace(ESCALATION, subject="word " * 100))
    assert subject.endswith("word w...")
    assert len(subject) <= 160


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ann",
        "ann@",
        "@example.org",
        "ann@example.org, bob@example.org",
        "ann@example.org\r\nBcc: x@y",
        "Ann <ann@example.org>",
        "\u202eann@example.org",
        "a@b@c",
    ],
)
@pytest.mark.parametrize("place", ["to", "sender", "reply_to"])
def test_bad_address(address: str, place: str) -> None:
    """An address that is none, or more than one, stops this mail with a sentence for people."""
    envelopes = {
        "to": replace(ENVELOPE, to=("bob@example.org", address)),
        "sender": replace(ENVELOPE, sender=address),
        "reply_to": replace(ENVELOPE, reply_to=address or " "),
    }
    with pytest.raises(HelpdeskError, match="is no address that mail can be sent to"):
        TEMPLATES.compose(ESCALATION, envelopes[place])


def test_international_domain() -> None:
    """A domain beyond ASCII is written in ASCII in header and envelope."""
    letter = TEMPLATES.compose(ESCALATION, replace(ENVELOPE, to=("ann@bücher.example",)))
    assert letter.recipients[0] == "ann@xn--bcher-kva.example"
    assert letter.content.isascii()


def test_international_address() -> None:
    """An address beyond ASCII makes a mail with UTF-8 headers, because it can be written in no other way."""
    letter = TEMPLATES.compose(ESCALATION, replace(ENVELOPE, to=("änn@example.org",)))
    assert letter.recipients[0] == "änn@example.org"
    assert "To: änn@example.org\r\n".encode() in letter.content


def test_time_zone() -> None:
    """Times are in UTC, whatever zone they came in."""
    there = NOW.astimezone(timezone(timedelta(hours=9)))
    assert TEMPLATES.compose(replace(URGENT, since=there), replace(ENVELOPE, now=there)) == TEMPLATES.compose(
        replace(URGENT, since=NOW), ENVELOPE
    )


def test_override(tmp_path: Path) -> None:
    """A template in the override folder takes the place of ours, the others stay, and its text is cleaned too."""
    (tmp_path / "release.txt.j2").write_text(
        "Subject: Hi {{ mail.user }}\n\n{{ mail.subject }}\n{{ board }}\n"
    )
    templates = Templates(tmp_path)
    letter = templates.compose(replace(RELEASE, subject="a\r\nb\x1b[31m", user="Ann\r\nBcc: x"), ENVELOPE)
    assert str(read(letter)["Subject"]) == "[dast] Hi Ann Bcc: x"
    assert part(letter).splitlines() == ["a b", "dast"]
    assert templates.compose(URGENT, ENVELOPE) == TEMPLATES.compose(URGENT, ENVELOPE)


def test_override_with_errors(tmp_path: Path) -> None:
    """Templates that cannot be read are all named at once, when they are loaded."""
    (tmp_path / "release.txt.j2").write_text("Subject: {{ mail.user\n")
    (tmp_path / "alarm.txt.j2").write_bytes(b"Subject: \xff\n")
    with pytest.raises(ConfigError) as caught:
        Templates(tmp_path)
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "Template alarm.txt.j2",
        "Template release.txt.j2",
    ]


def test_override_with_unknown_words(tmp_path: Path) -> None:
    """Templates that ask for what is not there are named when they are loaded, and not when a mail is due."""
    (tmp_path / "release.txt.j2").write_text("Subject: {{ mail.colour }}\n\nx\n")
    (tmp_path / "note.html.j2").write_text(
        '{% extends "_base.html.j2" %}{% block words %}{{ mail.answer.whom }}{% endblock %}'
    )
    (tmp_path / "alarm.txt.j2").write_text("ALARM\n\n{{ mail.what }}\n")
    with pytest.raises(ConfigError) as caught:
        Templates(tmp_path)
    said = "\n".join(caught.value.problems)
    assert "Template release.txt.j2: " in said
    assert "colour" in said
    assert "Template note.html.j2: " in said
    assert "whom" in said
    assert "Template alarm.txt.j2: its first line must begin with Subject:" in said


def test_override_with_misspelt_name(tmp_path: Path) -> None:
    """A file that no mail uses is named, with the nearest name."""
    (tmp_path / "relase.txt.j2").write_text("Subject: x\n\nx\n")
    with pytest.raises(ConfigError, match=r"relase.txt.j2: no mail uses it; near is release.txt.j2"):
        Templates(tmp_path)


def test_override_folder(tmp_path: Path) -> None:
    """An override folder that is empty changes nothing; one that is not there is named."""
    assert Templates(tmp_path).compose(ALARM, ENVELOPE) == TEMPLATES.compose(ALARM, ENVELOPE)
    with pytest.raises(ConfigError, match="is not a folder"):
        Templates(tmp_path / "none")


def test_every_kind_is_rehearsed() -> None:
    """Every kind of mail can be made up, in full and with no more than it must have."""
    assert [mail.kind for mail in rehearsals()] == [kind for kind in KINDS for _ in range(2)]
    for mail in rehearsals():
        assert TEMPLATES.compose(mail, ENVELOPE).content
