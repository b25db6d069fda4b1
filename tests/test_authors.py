"""Who wrote a mail: From, the list's word for it, and what authentication proves."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.mailbox.authors import AuthorPolicy, authenticated, author, proven
from helpdesk.mailbox.parse import parse_header
from helpdesk.model import Author, Header, Role

LIST = "dast@lists.example.org"
POLICY = AuthorPolicy(
    list_address=LIST,
    list_ids=frozenset({"dast.lists.example.org"}),
    trusted_lists=frozenset({"atlas-users.lists.cern.example", "other@lists.example.net"}),
    people={
        "jacob@cern.example": Role.SHIFTER,
        "boss@cern.example": Role.ADMIN,
        "ggus@both.example": Role.ADMIN,
    },
    destinations={"helpdesk@ggus.example": ("GGUS",), "ggus@both.example": ("GGUS",)},
    board=frozenset({"dast-bot@cern.example"}),
)
STRICT = AuthorPolicy(
    list_address=LIST,
    people=POLICY.people,
    authserv_ids=frozenset({"mx.cern.example"}),
)


def header(**fields: str) -> Header:
    return parse_header(
        "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in fields.items()).encode()
    )


@pytest.mark.parametrize(
    ("sender", "role"),
    [
        ("Ann <ann@physics.example>", Role.USER),
        ("Jacob <JACOB@cern.example>", Role.SHIFTER),
        ("boss@cern.example", Role.ADMIN),
        ("helpdesk@ggus.example", Role.EXPERT),
        ("ggus@both.example", Role.ADMIN),
        ("dast-bot@cern.example", Role.BOT),
        ("dast-bot+x7m2q@cern.example", Role.BOT),
        ("jacob+x@cern.example", Role.USER),
        ("Jacob", Role.USER),
    ],
)
def test_the_role_follows_from(sender: str, role: Role) -> None:
    """From is believed: people by their addresses, destinations are experts, the board's own addresses the bot."""
    found = author(header(From=sender), False, POLICY)
    assert (found.role, found.via, found.trusted) == (role, "direct", True)


def test_a_mail_without_from_is_nobodys() -> None:
    """No From gives a user without an address."""
    assert author(header(Subject="x"), False, POLICY) == Author("", Role.USER, "direct", trusted=True)


@pytest.mark.parametrize(
    ("sender", "role"),
    [
        ("boss@cern.example", Role.ADMIN),
        ("dast-bot@cern.example", Role.SHIFTER),
        ("dast@cern.example", Role.SHIFTER),
    ],
)
def test_what_lies_in_sent_is_the_teams(sender: str, role: Role) -> None:
    """A mail in Sent was written by a shifter under the board's name, or by whom it says, and is proven."""
    assert author(header(From=sender), True, STRICT) == Author(sender, role, "sent", trusted=True)


# --- lists -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("speaker", [LIST, "atlas-users@lists.cern.example", "other@lists.example.net"])
def test_a_list_that_speaks_for_the_author(speaker: str) -> None:
    """Our own list and the trusted ones name the author in X-Original-From, else in Reply-To, else nobody."""
    sender = f"Ann via DAST <{speaker}>"
    named = header(From=sender, Reply_To=f"{LIST}, ann@x.example", X_Original_From="Ann <ann@y.example>")
    assert author(named, False, POLICY).address == "ann@y.example"
    assert (
        author(header(From=sender, Reply_To=f"{LIST}, ann@x.example"), False, POLICY).address
        == "ann@x.example"
    )
    itself = header(From=sender, Reply_To=LIST, X_Original_From=LIST)
    assert author(itself, False, POLICY) == Author("", Role.USER, "list", trusted=True)


def test_a_shifter_behind_the_list_is_a_shifter() -> None:
    """The role follows the author that the list names."""
    found = author(header(From=LIST, Reply_To="jacob@cern.example"), False, POLICY)
    assert found == Author("jacob@cern.example", Role.SHIFTER, "list", trusted=True)


def test_of_several_named_the_least_is_believed() -> None:
    """A user who adds an admin to Reply-To, or makes up an X-Original-From, does not become that admin."""
    found = author(header(From=LIST, Reply_To="boss@cern.example, eve@x.example"), False, POLICY)
    assert (found.address, found.role) == ("eve@x.example", Role.USER)
    found = author(
        header(From=LIST, X_Original_From="boss@cern.example", Reply_To="eve@x.example"), False, POLICY
    )
    assert (found.address, found.role) == ("eve@x.example", Role.USER)
    found = author(header(From=LIST, X_Original_From="boss@cern.example", Reply_To=LIST), False, POLICY)
    assert (found.address, found.role) == ("boss@cern.example", Role.ADMIN)


@pytest.mark.parametrize(
    "extra", [{}, {"List_Id": "<dast.lists.example.org>"}, {"List_Id": "<evil.example>"}]
)
def test_nobody_else_speaks_for_an_author(extra: dict[str, str]) -> None:
    """A mail whose From is not a list's is From's, whatever it says in Reply-To, X-Original-From and List-Id."""
    found = author(
        header(
            From="eve@x.example", Reply_To="boss@cern.example", X_Original_From="boss@cern.example", **extra
        ),
        False,
        POLICY,
    )
    assert (found.address, found.role, found.via) == (
        "eve@x.example",
        Role.USER,
        "list" if extra else "direct",
    )


def test_no_list_address_makes_no_speaker() -> None:
    """Without a configured list, a mail without From is not taken for one of the list."""
    assert author(header(Reply_To="boss@cern.example"), False, AuthorPolicy()).address == ""


# --- authentication --------------------------------------------------------------------------------------------------

PASSES = [
    "mx.cern.example; dmarc=pass header.from=cern.example",
    "mx.cern.example; dmarc=pass (p=none dis=none)",
    "MX.cern.example 1; dkim=pass header.d=cern.example",
    "mx.cern.example; dkim=pass header.i=@cern.example header.s=x",
    "mx.cern.example; dkim=fail header.d=cern.example; dkim=pass header.d=cern.example",
    "mx.cern.example; spf=pass smtp.mailfrom=bounce@cern.example",
    "mx.cern.example; spf=pass smtp.mailfrom=cern.example; dmarc=none",
    "mx.cern.example; dmarc=fail header.from=other.example; dkim=pass header.d=cern.example",
]
NO_PASSES = [
    "mx.evil.example; dmarc=pass header.from=cern.example",
    "mx.cern.example; dmarc=pass header.from=evil.example",
    "mx.cern.example; dkim=pass header.d=evil.example",
    "mx.cern.example; dkim=pass",
    "mx.cern.example; dkim=pass header.d=ern.example",
    "mx.cern.example; dkim=pass header.d=sub.cern.example",
    "mx.cern.example; dkim=neutral header.d=cern.example",
    "mx.cern.example; spf=pass smtp.mailfrom=x@evil.example",
    "mx.cern.example; spf=pass smtp.helo=cern.example",
    "mx.cern.example; iprev=pass policy.iprev=1.2.3.4",
    "mx.cern.example; dmarc=fail header.from=cern.example; dkim=pass header.d=cern.example",
    "mx.cern.example; none",
    "mx.cern.example",
    "mx.cern.example; dkim=pass (" + "(" * 5000,
    "; dmarc=pass",
    "",
]


@pytest.mark.parametrize("results", PASSES)
def test_a_pass_of_a_trusted_server_counts(results: str) -> None:
    """DMARC, or aligned DKIM or SPF, from a configured server makes a shifter's mail trusted."""
    mail = header(From="Jacob <jacob@cern.example>", Authentication_Results=results)
    assert author(mail, False, STRICT) == Author("jacob@cern.example", Role.SHIFTER, "direct", trusted=True)


@pytest.mark.parametrize("results", NO_PASSES)
def test_anything_less_leaves_the_role_without_trust(results: str) -> None:
    """Without a pass the role stays and the trust goes: such mail may add attention, never remove it."""
    mail = header(From="Jacob <jacob@cern.example>", Authentication_Results=results)
    assert author(mail, False, STRICT) == Author("jacob@cern.example", Role.SHIFTER, "direct", trusted=False)


def test_a_parent_domain_vouches_for_its_hosts() -> None:
    """A signature of cern.example proves mail from mail.cern.example."""
    mail = header(
        From="x@mail.cern.example", Authentication_Results="mx.cern.example; dkim=pass header.d=cern.example"
    )
    assert authenticated(mail, STRICT.authserv_ids)


@pytest.mark.parametrize(
    "raw", ["From: jacob@cern.example, eve@x.example\n", "From: jacob@cern.example\nFrom: e@x.example\n"]
)
def test_two_authors_prove_nothing(raw: str) -> None:
    """A mail with two addresses or two fields of From is not trusted, for nobody knows which of them was checked."""
    mail = parse_header(f"{raw}Authentication-Results: {PASSES[0]}\n".encode())
    assert not author(mail, False, STRICT).trusted


def test_a_name_that_looks_like_an_address_proves_nothing() -> None:
    """An address hidden in the encoded name of From does not lend its domain's pass to the real one."""
    mail = header(
        From="=?utf-8?q?=3Ceve=40evil=2Eexample=3E?= <jacob@cern.example>",
        Authentication_Results="mx.cern.example; dmarc=pass header.from=evil.example; dkim=pass header.d=evil.example",
    )
    assert author(mail, False, STRICT) == Author("jacob@cern.example", Role.SHIFTER, "direct", trusted=False)


def test_a_mail_without_a_domain_in_from_is_never_proven() -> None:
    """No address in From, or one without a domain, passes no alignment."""
    for sender in ("", "root", "Jacob Somebody"):
        assert not author(header(From=sender, Authentication_Results=PASSES[1]), False, STRICT).trusted


def test_a_failure_anywhere_outweighs_a_pass() -> None:
    """A forged pass below the real server's DMARC failure does not help."""
    failed = "mx.cern.example; dmarc=fail header.from=cern.example"
    mail = parse_header(
        f"Authentication-Results: {failed}\nAuthentication-Results: {PASSES[0]}\nFrom: jacob@cern.example\n".encode()
    )
    assert not author(mail, False, STRICT).trusted


def test_the_list_has_to_prove_itself() -> None:
    """An author behind the list is trusted when the list's own domain passes, and not when it does not."""
    fields = {"From": f"Jacob via DAST <{LIST}>", "Reply_To": "jacob@cern.example"}
    proven = header(
        **fields, Authentication_Results="mx.cern.example; dmarc=pass header.from=lists.example.org"
    )
    assert author(proven, False, STRICT) == Author("jacob@cern.example", Role.SHIFTER, "list", trusted=True)
    forged = header(**fields, Authentication_Results="mx.cern.example; dmarc=pass header.from=cern.example")
    assert author(forged, False, STRICT) == Author("jacob@cern.example", Role.SHIFTER, "list", trusted=False)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_no_results_raise(text: str) -> None:
    """Whatever stands in Authentication-Results is read or ignored."""
    mail = header(
        From="jacob@cern.example", Authentication_Results="mx.cern.example; " + " ".join(text.split())
    )
    author(mail, False, STRICT)


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "dkim",
                "spf",
                "dmarc",
                "=",
                "pass",
                " ",
                ";",
                "header.d",
                "cern.example",
                "(",
                ")",
                '"',
                "/1",
                "reason",
            ]
        )
    )
)
def test_no_almost_right_results_raise(pieces: list[str]) -> None:
    """Fragments of the grammar in any order are read or ignored."""
    author(
        header(From="jacob@cern.example", Authentication_Results="mx.cern.example; " + "".join(pieces)),
        False,
        STRICT,
    )


# --- enough to be obeyed ---------------------------------------------------------------------------------------------

FORGED = PASSES[0]
REAL = "mx.cern.example; spf=softfail smtp.mailfrom=x@evil.example; dkim=none"


@pytest.mark.parametrize(
    ("results", "sure"),
    [
        ([FORGED], True),
        ([], False),
        ([REAL, FORGED], False),
        (["mx.cern.example; none", FORGED], False),
        (["mx.cern.example", FORGED], False),
        (["mx.cern.example; dkim=pass (" + "(" * 500, FORGED], False),
        ([FORGED, REAL], True),
        (["mx.evil.example; dmarc=pass header.from=cern.example"], False),
        (["mx.evil.example; dmarc=pass header.from=cern.example", REAL], False),
        (["filter.example; x-spam=none", FORGED], True),
        (["mx.cern.example\r\n ; dmarc=pass\r\n\theader.from=cern.example"], True),
        (["mx.cern.example (mx.evil.example) ; dmarc=pass header.from=cern.example"], True),
        (["mx.evil.example (mx.cern.example; dmarc=pass header.from=cern.example)"], False),
        (["mx.evil.example; x=(\r\n mx.cern.example; dmarc=pass header.from=cern.example)"], False),
    ],
)
def test_only_the_topmost_field_of_our_server_proves(results: list[str], sure: bool) -> None:
    """Servers add above what is there: what a sender made up stands below, or has another server's name."""
    fields = "".join(f"Authentication-Results: {one}\r\n" for one in results)
    mail = parse_header(f"{fields}From: jacob@cern.example\r\n".encode())
    assert proven(mail, author(mail, False, STRICT), STRICT) is sure
    assert author(mail, False, STRICT).trusted is sure


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(["mx.evil.example; dmarc=pass header.from=cern.example", "x; none", ""]), max_size=4
    ),
    st.lists(st.sampled_from([*PASSES, *NO_PASSES]), max_size=5),
)
def test_nothing_below_the_real_field_proves(above: list[str], below: list[str]) -> None:
    """Whatever a sender writes, and other servers add, our server's own word on top of it decides."""
    fields = "".join(f"Authentication-Results: {one}\r\n" for one in (*above, REAL, *below))
    mail = parse_header(f"{fields}From: jacob@cern.example\r\n".encode())
    assert not proven(mail, author(mail, False, STRICT), STRICT)


def test_what_is_believed_without_proof_is_not_obeyed() -> None:
    """From alone, or a list's word for the author, is enough for the board's rules and never for commands."""
    plainly = header(From="jacob@cern.example")
    assert author(plainly, False, POLICY).trusted
    assert not proven(plainly, author(plainly, False, POLICY), POLICY)
    listed = header(
        From=f"Jacob via DAST <{LIST}>",
        Reply_To="jacob@cern.example",
        Authentication_Results="mx.cern.example; dmarc=pass header.from=lists.example.org",
    )
    assert author(listed, False, STRICT).trusted
    assert not proven(listed, author(listed, False, STRICT), STRICT)
    through = header(
        From="jacob@cern.example", List_Id="<dast.lists.example.org>", Authentication_Results=FORGED
    )
    assert not proven(through, author(through, False, STRICT), STRICT)


def test_what_lies_in_sent_is_obeyed() -> None:
    """Only the team files into Sent."""
    mail = header(From="jacob@cern.example")
    assert proven(mail, author(mail, True, POLICY), POLICY)
