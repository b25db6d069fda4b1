"""Labels and the spellings of their keywords."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.labels import (
    BUILTIN,
    Label,
    Vocabulary,
    is_client_mark,
    keyword_of,
    name_problem,
)
from helpdesk.model import FIXED, TAKEN, WAITING, LabelKind


def label(name: str, kind: LabelKind = LabelKind.INFO) -> Label:
    return Label(name, kind, keyword_of(name))


WORDS = Vocabulary(
    (
        *BUILTIN,
        label("Ganga Expert", LabelKind.WHERE),
        label("mc08 dataset problem", LabelKind.TEMPORARY),
        label("Größe & Ort"),
        label("C++/ROOT"),
    )
)
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40).filter(
    lambda name: name_problem(name) is None
)


def thunderbird(name: str) -> str:
    """A tag's key as the newest Thunderbird makes it."""
    octets = (
        chr(octet) if chr(octet) not in '=()[]{}%*"\\<>;&' and 0x20 < octet < 0x7F else f"={octet:02x}"
        for octet in name.encode()
    )
    return "".join(octets).lower()


@pytest.mark.parametrize(
    ("name", "keyword"),
    [
        (WAITING, "waiting"),
        (FIXED, "fixed_in_next_release"),
        ("DQ2 Savannah", "dq2_savannah"),
        ("Größe & Ort", "gr__e___ort"),
        ("a-b_c9", "a-b_c9"),
    ],
)
def test_a_keyword_is_the_lower_case_name_with_underscores(name: str, keyword: str) -> None:
    """The keyword of a name is the one that the documentation promises."""
    assert keyword_of(name) == keyword


@given(st.text())
def test_a_keyword_is_an_atom_and_its_own_keyword(name: str) -> None:
    """Whatever the name, its keyword is safe in an IMAP command, and mapping it again changes nothing."""
    keyword = keyword_of(name)
    assert re.fullmatch(r"[a-z0-9_-]*", keyword)
    assert keyword_of(keyword) == keyword


@pytest.mark.parametrize(
    ("keyword", "name"),
    [
        ("fixed_in_next_release", FIXED),
        ("FIXED_in_Next_release", FIXED),
        ("fixed=20in=20next=20release", FIXED),
        ("Fixed=20In=20Next=20Release", FIXED),
        ("taken", TAKEN),
        ("ganga=20expert", "Ganga Expert"),
        ("gr=c3=b6=c3=9fe=20=26=20ort", "Größe & Ort"),
        ("gr=C3=B6=C3=9Fe=20=26=20Ort", "Größe & Ort"),
        ("gr&apya3w-e_&-_ort", "Größe & Ort"),  # Thunderbird before 2026: modified UTF-7, lower-cased
        ("Gr&APYA3w-e_&-_Ort", "Größe & Ort"),  # Evolution keeps the case of the base64
        ("c++_root", "C++/ROOT"),
        ("c++=2froot", "C++/ROOT"),
        ("newbie", None),
        ("fixed=20in=20next", None),
        ("fixed=2", None),
        ("=ff=fe", None),
        ("", None),
        ("$waiting", None),
        ("\\Waiting", None),
    ],
)
def test_every_clients_spelling_is_the_same_label(keyword: str, name: str | None) -> None:
    """A keyword that a client made from a label's name in its own way is that label, and no other is."""
    found = WORDS.label_of(keyword)
    assert (found.name if found else None) == name


@given(NAMES)
def test_each_name_is_found_again_in_every_spelling(name: str) -> None:
    """Every permitted name is found by its own keyword, in capitals, and as the newest Thunderbird spells it."""
    words = Vocabulary((label(name),))
    for spelling in (keyword_of(name), keyword_of(name).upper(), thunderbird(name)):
        assert words.names([spelling]) == {name}


@given(st.lists(st.text(st.characters(max_codepoint=0x2FF), max_size=12), max_size=8))
def test_each_flag_is_of_exactly_one_sort(flags: list[str]) -> None:
    """A flag is a label, a mark or system flag, or unknown, and never two of these."""
    unknown = WORDS.unknown(flags)
    for flag in flags:
        sorts = [
            WORDS.label_of(flag) is not None,
            flag.startswith("\\") or is_client_mark(flag),
            flag in unknown,
        ]
        assert sum(sorts) == 1


@pytest.mark.parametrize(
    "keyword",
    [
        "$Forwarded",
        "$MDNSent",
        "$label1",
        "$MailFlagBit0",
        "$HasAttachment",
        "Junk",
        "NonJunk",
        "NotJunk",
        "JunkRecorded",
        "receipt-handled",
        "Forwarded",
        "Redirected",
        "MDNSent",
        "Old",
        "unknown-3",
        "Unsubscribed",
    ],
)
def test_marks_that_clients_set_are_no_labels(keyword: str) -> None:
    """What a mail client sets for itself is neither a label nor an unknown keyword."""
    assert is_client_mark(keyword)
    assert WORDS.label_of(keyword) is None
    assert WORDS.unknown([keyword]) == frozenset()


def test_one_spelling_is_enough_and_all_can_be_removed() -> None:
    """A label is present in any spelling, and its spellings are told so that removing one removes all."""
    flags = ["\\Seen", "waiting", "WAITING", "ganga=20expert", "$Junk", "mine"]
    assert WORDS.names(flags) == {WAITING, "Ganga Expert"}
    assert WORDS.spellings(WAITING, flags) == {"waiting", "WAITING"}
    assert WORDS.unknown(flags) == {"mine"}


def test_labels_are_found_by_name_and_kind() -> None:
    """A vocabulary answers by exact name and by kind."""
    found = WORDS.named("Ganga Expert")
    assert found is not None
    assert found.kind is LabelKind.WHERE
    assert WORDS.named("ganga expert") is None
    assert WORDS.of_kind(LabelKind.WHERE, LabelKind.TEMPORARY) == {"Ganga Expert", "mc08 dataset problem"}
    assert WORDS.of_kind(LabelKind.STATE) == {"URGENT", "ESCALATED", WAITING, FIXED}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "empty"),
        ("   ", "empty"),
        (" a", "space"),
        ("x" * 65, "longer"),
        ("日本語", "no letter"),
        ("__-", "no letter"),
        ("42", "number"),
        ("NIL", "NIL"),
        ("Junk", "mark"),
        ("$todo", "mark"),
        ("\\Seen", "system"),
    ],
)
def test_names_that_cannot_be_labels_are_refused_with_the_reason(name: str, says: str) -> None:
    """A name whose keyword would get lost or mean something else is refused, and the reason is said."""
    problem = name_problem(name)
    assert problem is not None
    assert says in problem


@pytest.mark.parametrize("name", [*(known.name for known in BUILTIN), "2009-06", "desy-srm", "R&D", "x" * 64])
def test_ordinary_names_are_good(name: str) -> None:
    """The built-in labels and ordinary names of teams are allowed."""
    assert name_problem(name) is None
