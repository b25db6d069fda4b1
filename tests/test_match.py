"""Team rules: order, conditions, and that explaining is the same as matching."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.model import Role
from helpdesk.rules.facts import Hit
from helpdesk.rules.match import MAX_BODY, MailFacts, Matcher, TeamRule

MAIL = MailFacts(
    sender="ann@physics.example.org",
    recipients=("dast@lists.example.org", "ddm-experts@cern.example"),
    subject="Dataset mc08.1058 missing at DESY",
    body="ls says:\nLFC_NOENT: no such file\n",
    headers={"x-mailer": ("Apple Mail",), "x-spam": ("no", "maybe")},
    list_id="dast.lists.example.org",
    role=Role.USER,
)


def matched(*rules: TeamRule, mail: MailFacts = MAIL) -> list[str]:
    return [hit.rule for hit in Matcher(rules).matches(mail)]


@pytest.mark.parametrize(
    "rule",
    [
        TeamRule("r", sender=r"@PHYSICS\.example\.org$"),
        TeamRule("r", recipient="^ddm-"),
        TeamRule("r", subject=r"\bMC08\b"),
        TeamRule("r", body="lfc_noent|no such dataset"),
        TeamRule("r", header={"X-Mailer": "apple"}),
        TeamRule("r", header={"X-Spam": "^maybe$"}),
        TeamRule("r", list_id="DAST.lists.example.org"),
        TeamRule("r", role=Role.USER),
        TeamRule("r", subject="mc08", role=Role.USER, header={"x-mailer": "mail", "x-spam": "no"}),
        TeamRule("r", subject=""),
    ],
)
def test_a_condition_that_holds(rule: TeamRule) -> None:
    """Each kind of condition searches anywhere in its text and ignores case."""
    assert matched(rule) == ["r"]


@pytest.mark.parametrize(
    "rule",
    [
        TeamRule("r", sender="^physics"),
        TeamRule("r", recipient="^experts"),
        TeamRule("r", header={"X-Other": ""}),
        TeamRule("r", header={"x-mailer": "thunderbird"}),
        TeamRule("r", list_id="lists.example.org"),
        TeamRule("r", role=Role.SHIFTER),
        TeamRule("r", subject="mc08", role=Role.EXPERT),
    ],
)
def test_a_condition_that_does_not_hold(rule: TeamRule) -> None:
    """All conditions must hold; a field that the mail lacks holds none, and a List-Id is compared as a whole."""
    assert matched(rule) == []


def test_a_list_condition_ignores_the_case_of_the_rule() -> None:
    """A List-Id in the configuration may be written in any case."""
    assert matched(TeamRule("r", list_id="Dast.Lists.Example.Org")) == ["r"]


def test_the_first_match_wins() -> None:
    """Later rules are not asked after a match."""
    assert matched(
        TeamRule("a", subject="nothing"), TeamRule("b", subject="mc08"), TeamRule("c", subject="DESY")
    ) == ["b"]


def test_continue_asks_the_next_rule_too() -> None:
    """A rule that says continue lets the next ones match, until one does not say it."""
    one, two, three = (TeamRule(name, subject="mc08", continues=name == "a") for name in "abc")
    assert matched(one, two, three) == ["a", "b"]


def test_a_shadow_rule_only_reports() -> None:
    """A shadow rule is reported as such and changes nothing about the rules after it."""
    hits = Matcher(
        [TeamRule("a", subject="mc08", shadow=True), TeamRule("b", subject="mc08", add=("X",))]
    ).matches(MAIL)
    assert hits == (Hit("a", shadow=True), Hit("b", add=("X",)))


def test_a_hit_carries_what_the_rule_wants() -> None:
    """Labels to add and remove and the star come with the match."""
    rule = TeamRule("r", subject="mc08", add=("mc08 dataset problem",), remove=("WAITING",), star=True)
    assert Matcher([rule]).matches(MAIL) == (Hit("r", ("mc08 dataset problem",), ("WAITING",), star=True),)


def test_only_the_beginning_of_a_body_is_searched() -> None:
    """What stands behind 64 KB of UTF-8 is not found, and a cut character does no harm."""
    rule = TeamRule("r", body="needle")
    assert matched(rule, mail=MAIL._replace(body="é" * (MAX_BODY // 2 - 3) + "needle")) == ["r"]
    assert matched(rule, mail=MAIL._replace(body="x" + "é" * (MAX_BODY // 2) + "needle")) == []


def test_an_expression_that_is_none_is_refused_at_once() -> None:
    """A bad expression fails when the rules are compiled, not when a mail comes."""
    with pytest.raises(ValueError, match="not a search expression"):
        Matcher([TeamRule("r", subject="(")])


def test_a_catastrophic_expression_is_harmless() -> None:
    """An expression that takes a backtracking engine for ever takes no time."""
    assert matched(TeamRule("r", body="(a+)+$"), mail=MAIL._replace(body="a" * 60_000 + "!")) == []


def test_explain_shows_every_rule_and_condition() -> None:
    """Each condition says whether it held and on what; a rule behind the winner is marked as not reached."""
    rules = [
        TeamRule("a", subject="mc08", sender="cern"),
        TeamRule("b", body="LFC_[A-Z]+"),
        TeamRule("c", role=Role.USER),
    ]
    first, second, third = Matcher(rules).explain(MAIL)
    assert [(one.matched, one.reached) for one in (first, second, third)] == [
        (False, True),
        (True, True),
        (True, False),
    ]
    assert [(one.condition, one.held, one.on) for one in first.tested] == [
        ("sender", False, "ann@physics.example.org"),
        ("subject", True, "mc08"),
    ]
    assert (second.tested[0].wanted, second.tested[0].on) == ("LFC_[A-Z]+", "LFC_NOENT")
    assert third.tested[0].on == "user"


def test_what_explain_shows_is_safe() -> None:
    """Escape sequences of a mail do not reach the terminal through explain."""
    (explained,) = Matcher([TeamRule("r", subject=".*")]).explain(MAIL._replace(subject="\x1b[31mred\u202e"))
    assert explained.tested[0].on == "red"


_RULES = st.builds(
    TeamRule,
    st.sampled_from("abc"),
    subject=st.none() | st.sampled_from(["mc08", "zzz"]),
    role=st.none() | st.sampled_from([Role.USER, Role.EXPERT]),
    continues=st.booleans(),
    shadow=st.booleans(),
)


@settings(deadline=None)
@given(st.lists(_RULES, max_size=6))
def test_explain_agrees_with_matches(rules: list[TeamRule]) -> None:
    """The rules that explain calls matched and reached are those that match."""
    matcher = Matcher(rules)
    explained = tuple(one.hit for one in matcher.explain(MAIL) if one.matched and one.reached)
    assert explained == matcher.matches(MAIL)
