"""Threading: the promises of facts and design, one trap a test."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.mailbox.parse import parse_header
from helpdesk.mailbox.subjects import SubjectKey, people_of, subject_candidate, subject_key
from helpdesk.mailbox.threads import (
    Group,
    Node,
    component,
    components,
    linked_ids,
    partition,
    thread_code,
)

T0 = datetime(2009, 6, 9, 8, 0, tzinfo=UTC)


def node(
    key: int,
    own: str,
    refs: str = "",
    *,
    answers: str | None = None,
    link: str | None = None,
    at: int | None = None,
) -> Node:
    """One message: ids are single words, the parent is the last reference unless said."""
    references = tuple(f"<{one}>" for one in refs.split())
    replied = references[-1:] if answers is None else tuple(f"<{one}>" for one in answers.split())
    references += tuple(one for one in replied if one not in references)
    when = T0 + timedelta(minutes=key if at is None else at)
    return Node(when, f"<{own}>", key, references, replied, f"<{link}>" if link else None)


def members(groups: Iterable[Group]) -> list[tuple[int, ...]]:
    return [group.members for group in groups]


# --- the thread code -------------------------------------------------------------------------------------------------


def test_the_code_is_ten_characters_of_the_roots_hash() -> None:
    """The code is the first 50 bits of SHA-256 of the id with its brackets, in lower-case Crockford base32."""
    digest = hashlib.sha256(b"<a@b>").digest()
    bits = "".join(f"{byte:08b}" for byte in digest)[:50]
    alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
    expected = "".join(alphabet[int(bits[place : place + 5], 2)] for place in range(0, 50, 5))
    assert thread_code("<a@b>") == expected
    assert len(thread_code("<\udcff@x>")) == 10


# --- the union -------------------------------------------------------------------------------------------------------


def test_a_chain_is_one_thread() -> None:
    """A question and its answers are one thread whose root is the question."""
    (group,) = partition([node(1, "q"), node(2, "a", "q"), node(3, "b", "q a")])
    assert group == Group("<q>", (1, 2, 3), frozenset({"<q>", "<a>", "<b>"}), {1: "", 2: "<q>", 3: "<a>"}, ())


def test_fresh_mails_never_merge() -> None:
    """Mails that share no id are threads of their own, oldest first."""
    assert members(partition([node(2, "b"), node(1, "a")])) == [(1,), (2,)]


def test_two_answers_to_a_mail_that_never_came_are_one_thread() -> None:
    """A ghost joins the mails that name it and is the thread's root."""
    (group,) = partition([node(1, "a", "ghost"), node(2, "b", "ghost")])
    assert (group.root, group.members) == ("<ghost>", (1, 2))
    assert "<ghost>" in group.ids


def test_the_root_does_not_change_when_it_arrives_late() -> None:
    """A thread keeps its id when the ghost at its root turns up after the answers (or a Cc'd reply came first)."""
    replies = [node(1, "b", "q a"), node(2, "c", "q a b")]
    before, after = partition(replies), partition([*replies, node(9, "q")])
    assert before[0].root == after[0].root == "<q>"
    assert after[0].members == (1, 2, 9)


def test_a_ghost_in_the_middle_of_a_chain_is_no_root() -> None:
    """The order of References tells that a later ghost has a parent, even if it was named first."""
    (group,) = partition([node(1, "c", "a"), node(2, "d", "q a c")])
    assert group.root == "<q>"


def test_of_several_roots_the_earliest_message_time_decides() -> None:
    """Two ghost roots in one thread: the one that was named first, then the smaller id."""
    (group,) = partition([node(2, "b", "z"), node(1, "a", "y"), node(3, "c", "a b")])
    assert group.root == "<y>"
    (group,) = partition([node(1, "b", "z", at=0), node(2, "a", "y", at=0), node(3, "c", "b a")])
    assert group.root == "<y>"


def test_a_late_parent_joins_two_threads() -> None:
    """A mail between two known parts makes them one thread."""
    parts = [node(1, "q"), node(2, "b", "a")]
    assert len(partition(parts)) == 2
    assert members(partition([*parts, node(3, "a", "q")])) == [(1, 2, 3)]


def test_own_id_in_references_means_nothing() -> None:
    """A mail that names itself is a root like any other."""
    groups = partition([node(1, "a", "a"), node(2, "b", "a"), Node(T0, "<c>", 3, (), (), "<c>")])
    assert [group.root for group in groups] == ["<c>", "<a>"]
    assert groups[1].parents == {1: "", 2: "<a>"}


# --- the bridge ------------------------------------------------------------------------------------------------------


def test_four_hundred_roots_are_not_bridged() -> None:
    """One crafted header naming 400 roots joins its parent's thread only, and the thread says who was refused."""
    roots = [node(number, f"r{number}") for number in range(400)]
    answers = [node(1000 + number, f"a{number}", f"r{number}") for number in range(400)]
    bridge = node(5000, "evil", " ".join(f"r{number}" for number in range(400)))
    groups = partition([*roots, *answers, bridge])
    assert len(groups) == 400
    assert [group.members for group in groups if group.refused] == [(399, 1399, 5000)]
    assert groups[399].refused == (5000,)


def test_a_bridge_does_not_bridge_through_its_answers() -> None:
    """An answer that inherits the bridge's References is refused as well and joins the bridge."""
    groups = partition([node(1, "r"), node(2, "s"), node(3, "x", "r s"), node(4, "y", "r s x")])
    assert members(groups) == [(1,), (2, 3, 4)]


def test_the_refusal_is_computed_again_when_a_root_appears() -> None:
    """A mail that names a root and a ghost is no bridge until the ghost arrives as a root."""
    before = [node(1, "r"), node(2, "x", "r s"), node(3, "z", "s")]
    assert members(partition(before)) == [(1, 2, 3)]
    assert members(partition([*before, node(4, "s")])) == [(1,), (2, 3, 4)]


def test_an_id_that_only_a_bridge_names_is_in_no_thread() -> None:
    """The other ids of a refused mail do not become aliases of its thread."""
    groups = partition([node(1, "r"), node(2, "s"), node(3, "x", "r s ghost")])
    assert members(groups) == [(1,), (2,), (3,)]
    groups = partition([node(1, "r"), node(2, "s"), node(3, "x", "ghost r s")])
    assert all("<ghost>" not in group.ids for group in groups)


def test_a_root_stays_a_root_when_the_subject_rule_linked_it() -> None:
    """Two subject-linked mails cannot be used to bridge the threads that they were linked to."""
    linked = [node(1, "r"), node(2, "s"), node(3, "m", link="r"), node(4, "n", link="s")]
    assert members(partition([*linked, node(5, "x", "m n")])) == [(1, 3), (2, 4, 5)]


def test_a_subject_link_is_a_parent() -> None:
    """A subject-linked mail hangs under what it was linked to, and the root is not the linked one."""
    (group,) = partition([node(1, "r"), node(2, "m", link="r")])
    assert (group.root, group.parents[2]) == ("<r>", "<r>")
    (group,) = partition([node(1, "m", link="gone"), node(2, "n", "m")])
    assert group.root == "<gone>"


# --- parents for display ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("refs", "answers", "parent"),
    [
        ("a b", "b", "<b>"),
        ("a b", "a", "<a>"),  # a clean single In-Reply-To is first
        ("a b", "", "<b>"),  # else the last Reference
        ("a b", "b x", "<b>"),
        ("a b c", "b x", "<c>"),
        ("", "x y", "<x>"),  # else the first In-Reply-To
        ("", "", ""),
        ("a", "own", "<a>"),
    ],
)
def test_the_parent_for_display(refs: str, answers: str, parent: str) -> None:
    """A clean single In-Reply-To, else the last Reference, else the first In-Reply-To."""
    (group,) = partition([node(1, "own", refs, answers=answers)])
    assert group.parents[1] == parent


def test_a_reused_id_hangs_beside_the_first() -> None:
    """Two messages with one id are two members; the second has the parent of the first."""
    (group,) = partition([node(1, "q"), node(2, "a", "q"), node(3, "a", "q x"), node(4, "b", "a")])
    assert group.parents == {1: "", 2: "<q>", 3: "<q>", 4: "<a>"}


def test_a_ring_of_answers_is_cut_at_its_oldest() -> None:
    """Mails that answer each other in a circle are one thread with a top, whoever else answers them."""
    ring = [node(1, "a", "c"), node(2, "b", "a"), node(3, "c", "b"), node(4, "d", "c")]
    (group,) = partition(ring)
    assert group.root == "<a>"
    assert group.parents == {1: "", 2: "<a>", 3: "<b>", 4: "<c>"}


def test_answers_older_than_their_parents_are_no_ring() -> None:
    """Arrival in the wrong order leaves every mail under its parent."""
    (group,) = partition([node(4, "a"), node(3, "b", "a"), node(2, "c", "b"), node(1, "d", "b")])
    assert group.parents == {1: "<b>", 2: "<b>", 3: "<a>", 4: ""}


def test_an_old_mail_that_answers_into_a_ring_stays_below_it() -> None:
    """Climbing from outside finds the ring and cuts only the ring."""
    (group,) = partition([node(0, "x", "b"), node(1, "a", "b"), node(2, "b", "a")])
    assert group.parents == {0: "<b>", 1: "", 2: "<a>"}


# --- a function of the set -------------------------------------------------------------------------------------------

_WORDS = st.sampled_from("abcdefgh")


@st.composite
def boards(draw: st.DrawFn) -> list[Node]:
    """Small boards of few ids: chains, ghosts, reused ids, rings, bridges and subject links."""
    nodes = []
    for key in range(draw(st.integers(1, 9))):
        refs = " ".join(draw(st.lists(_WORDS, max_size=4, unique=True)))
        link = draw(st.none() | _WORDS)
        nodes.append(node(key, draw(_WORDS), refs, link=link, at=draw(st.integers(0, 3))))
    return nodes


@settings(deadline=None)
@given(boards(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(nodes: list[Node], random: Random) -> None:
    """Any permutation of the same messages gives the same threads, roots, parents and refusals."""
    shuffled = list(nodes)
    random.shuffle(shuffled)
    assert partition(shuffled) == partition(nodes)
    assert components(shuffled) == components(nodes)


@settings(deadline=None)
@given(boards())
def test_every_message_is_in_exactly_one_thread(nodes: list[Node]) -> None:
    """The threads partition the messages, share no id, and lie within components."""
    groups = partition(nodes)
    assert sorted(key for group in groups for key in group.members) == [one.key for one in nodes]
    assert sum(len(group.ids) for group in groups) == len(frozenset().union(*(group.ids for group in groups)))
    whole = {key: part.members for part in components(nodes) for key in part.members}
    for group in groups:
        assert set(group.members) <= set(whole[group.members[0]])
        assert group.root in group.ids
        assert {"", *group.ids} >= set(group.parents.values())


@settings(deadline=None)
@given(boards())
def test_a_component_depends_on_nothing_outside(nodes: list[Node]) -> None:
    """Partitioning component by component gives the partition of the whole."""
    by_key = {one.key: one for one in nodes}
    apart = [
        group for part in components(nodes) for group in partition([by_key[key] for key in part.members])
    ]
    assert sorted(apart, key=lambda group: group.members) == sorted(
        partition(nodes), key=lambda group: group.members
    )


@settings(deadline=None)
@given(boards(), st.integers(0, 8))
def test_loading_a_component_finds_all_that_is_connected(nodes: list[Node], start: int) -> None:
    """Following ids from one message through a store loads exactly its component."""
    seed = nodes[start % len(nodes)]

    def lookup(ids: frozenset[str]) -> list[Node]:
        return [one for one in nodes if not linked_ids([one]).isdisjoint(ids)]

    loaded = {one.key for one in component([seed], lookup)}
    assert loaded == next(set(part.members) for part in components(nodes) if seed.key in part.members)


@settings(deadline=None)
@given(boards())
def test_the_parents_have_no_ring(nodes: list[Node]) -> None:
    """Climbing from any message ends at a top or at a ghost."""
    groups, own = partition(nodes), {one.key: one.message_id for one in nodes}
    parents = {own[key]: parent for group in groups for key, parent in group.parents.items()}
    for start in parents:
        way = [start]
        while way[-1] in parents:
            way.append(parents[way[-1]])
            assert len(way) <= len(nodes) + 1


# --- the subject rule ------------------------------------------------------------------------------------------------

ANN, BOB = "ann@x.example", "bob@x.example"
SHARED = {"dast@lists.example.org", "shifter@cern.example"}


def mail(own: str, subject: str, *, day: float = 0, who: str = ANN, extra: str = "") -> SubjectKey:
    header = parse_header(f"From: {who}\nTo: dast@lists.example.org\nSubject: {subject}\n{extra}".encode())
    return subject_key(
        header, people_of(who, header.recipients, SHARED), f"<{own}>", T0 + timedelta(days=day)
    )


QUESTION = mail("q", "Jobs fail at DESY")


def test_an_answer_that_lost_its_ids_finds_its_thread() -> None:
    """`Re:` without any id, the same subject and person: the answer belongs to the question."""
    assert subject_candidate(mail("a", "Re: Jobs fail at DESY", day=1), [QUESTION]) == "<q>"
    assert subject_candidate(mail("a", "AW: [dast] jobs fail at desy", day=1), [QUESTION]) == "<q>"


@pytest.mark.parametrize(
    ("lost", "found"),
    [
        (mail("a", "Jobs fail at DESY", day=1), QUESTION),  # fresh
        (mail("a", "Fwd: Jobs fail at DESY", day=1), QUESTION),
        (mail("a", "Re: Jobs fail at DESY", day=1, who=BOB), QUESTION),  # another person
        (mail("a", "Re: Jobs fail at DESY", day=31), QUESTION),
        (mail("a", "Re: Jobs fail at DESY", day=-1), QUESTION),  # older than what it answers
        (mail("a", "Re: Jobs fail at KIT", day=1), QUESTION),
        (mail("a", "Re: Jobs fail at DESY", day=1, extra="References: <x@y>\n"), QUESTION),
        (mail("a", "Re: Jobs fail at DESY", day=1, extra="In-Reply-To: <x@y>\n"), QUESTION),
        (mail("a", "Re: Help", day=1), mail("q", "Help")),
        (mail("a", "Re: test", day=1), mail("q", "test")),
        (mail("a", "Re:", day=1), mail("q", "")),
        (mail("q", "Re: Jobs fail at DESY"), mail("q", "Re: Jobs fail at DESY")),  # itself
    ],
)
def test_the_subject_rule_is_careful(lost: SubjectKey, found: SubjectKey) -> None:
    """No merge without `Re:`, the person, 30 days, 8 characters, and a complete lack of ids."""
    assert subject_candidate(lost, [found]) is None


def test_of_several_candidates_the_newest_wins() -> None:
    """An answer joins the newest thread of its subject and person that is older than it is."""
    asked = [mail(f"q{day}", "Jobs fail at DESY", day=day) for day in (0, 5, 3, 20)]
    assert subject_candidate(mail("a", "Re: jobs fail at DESY", day=10), asked) == "<q5>"


def test_answers_of_one_moment_do_not_link_in_a_circle() -> None:
    """Where all times are equal, lost answers still lead to the question, whatever the ids."""
    question, *answers = [
        mail(own, subject)
        for own, subject in (
            ("z", "Jobs fail at DESY"),
            ("b", "Re: Jobs fail at DESY"),
            ("a", "Re: Jobs fail at DESY"),
        )
    ]
    links = {one.message_id: subject_candidate(one, [question, *answers]) for one in answers}
    assert links == {"<a>": "<z>", "<b>": "<a>"}


def test_people_are_those_who_are_not_in_every_thread() -> None:
    """The list, the board and the team connect nobody: two users who wrote to the same shifter stay apart."""
    assert people_of(ANN, ["dast@lists.example.org", "shifter@cern.example", BOB], SHARED) == {ANN, BOB}
    assert people_of("", [], SHARED) == frozenset()
