"""Configured names in hostile text: found as words of their own, and nowhere else."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from helpdesk.blame.names import MAX_FOUND, MAX_TEXT, Names, is_a_name

DESY = Names({"DESY-HH": ["DESY-HH"], "CERN": ["CERN"], "desy-se": ["DESY-HH", "DESY-ZN"]})

SPELLINGS = st.text(st.characters(codec="utf-8", exclude_characters=" \n\t@/"), min_size=3, max_size=12)


def _targets(names: Names, text: str) -> list[str]:
    return [one.target for one in names.find(text)]


@pytest.mark.parametrize(
    "text",
    [
        "All jobs at DESY-HH fail",
        "desy-hh",
        "(DESY-HH)",
        "site=DESY-HH,",
        "site:DESY-HH; it is down",
        "It is DESY-HH.",
        "DESY-HH's storage",
        '"DESY-HH"',
        "-DESY-HH",
        "DESY-HH->elsewhere",
        "*DESY-HH*",
        "DESY-HH\u2014what now",
        "see https://x.example/ and DESY-HH",
    ],
)
def test_a_name_is_found_as_a_word(text: str) -> None:
    """A site's name counts wherever it stands as a word of its own, whatever punctuation is beside it."""
    assert _targets(DESY, text) == ["DESY-HH"]


@pytest.mark.parametrize(
    "text",
    [
        "DESY-HH2",
        "DESY-HH-2",
        "DESY-HH_MCDISK",
        "xDESY-HH",
        "ADESY-HH",
        "my-DESY-HH",
        "DESY-HH.example.org",
        "www.DESY-HH",
        "https://monitor.example/?site=DESY-HH",
        "https://DESY-HH/",
        "ann@DESY-HH",
        "DESY-HH@example.org",
        "/data/DESY-HH/file",
        "/DESY-HH",
        "C:\\DESY-HH\\x",
        "D\u0415SY-HH",  # a Cyrillic letter
        "DESY\u2010HH",  # another hyphen
        "DESY-HH\u0301",  # an accent on top
        "DESY-H\u200bH",
        "\u00e9DESY-HH",
        "\uff24ESY-HH",
        "DESY HH",
        "DESY-\nHH",
        "cern",  # a plain word, in other letters
        "concern CERNs",
    ],
)
def test_what_only_looks_like_a_name_is_none(text: str) -> None:
    """Longer words, addresses, URLs, hosts, paths and letters of other alphabets name nothing."""
    assert _targets(DESY, text) == []


def test_what_is_no_name_is_not_looked_for() -> None:
    """Words of small letters are prose, and so is what is very short; a name without a letter or digit cannot be found."""
    assert not any(is_a_name(one) for one in ("local", "atlas", "\u00e9cole", "AB", "---"))
    assert not Names({"local": ["local"], "+++": ["x"]})
    assert Names({"local": ["local"]}).find("local jobs") == ()


def test_one_spelling_may_mean_several_sites() -> None:
    """A storage element names all sites that read from it."""
    assert _targets(DESY, "desy-se is slow") == ["DESY-HH", "DESY-ZN"]
    both = Names({"A-1": ["one"], "a-1": ["two"]})
    assert sorted(_targets(both, "a-1")) == ["one", "two"]


def test_the_longest_name_wins() -> None:
    """A name that begins like another is itself."""
    names = Names({"RAL Tier-1": ["T1"], "RAL": ["RAL"]})
    assert _targets(names, "RAL Tier-1") == ["T1"]
    assert _targets(names, "RAL Tier") == ["RAL"]


@given(SPELLINGS)
@example("C++ (x)")
@example("[a-z]*.")
@example("\\d+$")
@example("^(a|b)")
def test_a_name_is_taken_literally(spelling: str) -> None:
    """Whatever signs a name has, it is found as it is spelled, and no expression is made of it."""
    names = Names({spelling: ["x"]})
    found = [one.target for one in names.find(f"we use {spelling} here")]
    assert found == ["x"] or (found == [] and (not is_a_name(spelling) or _hidden(spelling)))
    assert names.find("we use something else here") == () or spelling in "we use something else here"


def _hidden(spelling: str) -> bool:
    """A spelling that reads as an address, or of which the last sign joins nothing but is cut by a neighbour."""
    return (
        "www." in spelling or "://" in spelling or spelling != spelling.strip() or not spelling.isprintable()
    )


@given(st.text(st.sampled_from("DESY-HHx2._ \n@:/\u0301\u0415"), max_size=60))
def test_a_found_name_stands_there(text: str) -> None:
    """What is found is in the text, and no letter, digit, mark or underscore is beside it there."""
    for one in DESY.find(text):
        spelled = one.spelled
        assert spelled in text
        pieces = text.split(spelled)
        beside = [(left[-1:], right[:1]) for left, right in pairwise(pieces)]
        assert any(
            not (left + right).replace("-", "").isalnum() or not left + right for left, right in beside
        )


def test_ten_thousand_names_cost_one_pass() -> None:
    """Of ten thousand names that begin alike, those of a large hostile text are found, bounded, and work does not grow with the names."""
    names = Names({f"SITE-{number:05}": [str(number)] for number in range(10_000)})
    assert _targets(names, "x SITE-00042, SITE-09999 SITE-10000") == ["42", "9999"]
    assert len(names._shapes) == 1
    assert len(names._shapes["site"]) == 1
    hostile = "SITE-0004 " * 100_000
    assert names.find(hostile) == ()
    everything = " ".join(f"SITE-{number:05}" for number in range(10_000))
    assert len(names.find(everything)) == MAX_FOUND


@pytest.mark.parametrize("piece", ["DESY-", "a@", "\u0301", "://", "(" * 50, " ", "DESY-HH2", "\n>"])
def test_a_megabyte_is_cut(piece: str) -> None:
    """A megabyte of anything is read as far as the limit; a name behind it is not seen."""
    text = (piece * (1_000_000 // len(piece)))[:1_000_000]
    assert DESY.find(text + " DESY-HH ") == ()
    assert _targets(DESY, "DESY-HH " + text) == ["DESY-HH"]
    assert len(text) > MAX_TEXT
