"""The threads of an archive are those of the board, though never all of it is looked at at once."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from helpdesk.mailbox.subjects import SubjectKey, subject_candidate
from helpdesk.mailbox.threads import Node, partition
from helpdesk.replay.book import EPOCH, LOST, Book
from helpdesk.replay.grouping import groups, shared_by_use, subject_links
from tests.archives import AIDEN, ANN, BOB, DAY, HOUR, LIST, mail, reader

SOME = st.sampled_from("abcdefgh")
MAILS = st.lists(st.tuples(SOME, st.lists(SOME, max_size=4), st.integers(0, 5)), max_size=14)


def book_of(mails: list[tuple[str, list[str], int]]) -> Book:
    """A book in which only ids matter."""
    book = Book()
    for own, names, _ in mails:
        book.id.append(book.ids.number(own))
        refs = list(dict.fromkeys(names))
        book.references.append(map(book.ids.number, refs))
        book.parents.append(map(book.ids.number, refs[-1:]))
    for own in "abcdefgh":
        book.ids.number(own)
    return book


@given(MAILS, st.dictionaries(st.integers(0, 13), SOME, max_size=4))
def test_threads_found_piecemeal_are_those_of_the_whole(
    mails: list[tuple[str, list[str], int]], found: dict[int, str]
) -> None:
    """Component by component the board's code finds the threads that it finds in all mails at once."""
    links = {row: one for row, one in found.items() if row < len(mails)}
    times = [time for _, _, time in mails]
    nodes = [
        Node(
            EPOCH + timedelta(seconds=time),
            own,
            row,
            tuple(dict.fromkeys(names)),
            tuple(dict.fromkeys(names))[-1:],
            links.get(row),
        )
        for row, (own, names, time) in enumerate(mails)
    ]
    piecemeal = {(one.root, one.members, one.refused) for one in groups(book_of(mails), times, links)}
    assert piecemeal == {(one.root, one.members, one.refused) for one in partition(nodes)}


def lost_book(mails: list[tuple[int, int, bool, str]]) -> tuple[Book, list[int]]:
    """A book for the subject rule: (person, time, lost, id) of mails with one subject."""
    book = Book()
    for person, _, lost, own in mails:
        book.id.append(book.ids.number(own))
        book.author.append(book.people.number(f"{person}@x"))
        book.recipients.append([])
        book.subject.append(book.subjects.number("all jobs fail"))
        book.marks.append(LOST if lost else 0)
    return book, [time for _, time, _, _ in mails]


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 90).map(lambda day: day * 86400), st.booleans(), SOME),
        max_size=12,
        unique_by=lambda one: one[3],
    )
)
def test_lost_answers_are_linked_as_on_a_board(mails: list[tuple[int, int, bool, str]]) -> None:
    """Looking only at the nearest mails of the same person finds what looking at all of them finds."""
    book, times = lost_book(mails)
    keys = [
        SubjectKey(
            own, "all jobs fail", frozenset({f"{person}@x"}), EPOCH + timedelta(seconds=time), lost=lost
        )
        for person, time, lost, own in mails
    ]
    wanted = {row: link for row, key in enumerate(keys) if (link := subject_candidate(key, keys)) is not None}
    assert subject_links(book, times, frozenset()) == wanted


def test_a_lost_answer_needs_the_person() -> None:
    """An answer without ids joins the thread with its subject and person, not one of somebody else."""
    mails = [
        mail("<a@x>", ANN),
        mail("<b@x>", BOB, at=HOUR),
        mail("<c@x>", BOB, "Re: All jobs fail", at=2 * HOUR),
        mail("<d@x>", AIDEN, "Re: All jobs fail", at=3 * HOUR),
    ]
    book = reader(mails).book
    times = [number * 3600 for number in range(4)]
    links = subject_links(book, times, frozenset({LIST}))
    assert links == {2: "<b@x>"}
    assert sorted(one.members for one in groups(book, times, links)) == [(0,), (1, 2), (3,)]


def test_an_address_on_every_mail_is_nobody() -> None:
    """The list's address, and whoever is in a twentieth of all mails, do not tell threads apart."""
    mails = [mail(f"<{n}@x>", f"user{n}@users.example", at=n * DAY) for n in range(30)]
    assert shared_by_use(reader(mails).book) == {LIST}
    assert shared_by_use(reader(mails[:5]).book) == frozenset()
