"""The time of an archive: Dates are believed unless they cannot be true."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from helpdesk.replay.archive import RawMail
from helpdesk.replay.book import EPOCH, Book, moment, seconds
from helpdesk.replay.clock import Source, read_clock
from tests.archives import DAY, HOUR, NOW, START, mail, reader


def raw(
    at: timedelta | datetime | None, *, received: datetime | None = None, arrived: datetime | None = None
) -> RawMail:
    """A mail with these three times."""
    headers = {"Received": f"from a by b; {received:%a, %d %b %Y %H:%M:%S} +0000"} if received else {}
    if isinstance(at, datetime):
        headers["Date"] = f"{at:%a, %d %b %Y %H:%M:%S} +0000"
        at = None
    octets = mail("", at=at, headers={**headers, "X-Number": str(next(NUMBERS))})
    return RawMail("here", octets, len(octets), arrived)


NUMBERS = iter(range(10**9))


def times(*mails: RawMail) -> list[datetime]:
    return [EPOCH + timedelta(seconds=one) for one in read_clock(reader(mails).book, NOW).times]


def a_day_each(count: int = 12, start: int = 0) -> list[RawMail]:
    return [raw((start + number) * DAY) for number in range(count)]


def book_of(dates: list[int]) -> Book:
    """A book in which only dates matter."""
    book = Book()
    for date in dates:
        book.id.append(0)
        book.date.append(date)
        book.witness.append(seconds(None))
        book.witness_kind.append(0)
    return book


@given(st.lists(st.integers(seconds(datetime(1980, 1, 2, tzinfo=UTC)), seconds(NOW)), max_size=60))
def test_dates_that_never_run_backwards_are_believed(dates: list[int]) -> None:
    """However far apart the mails of an archive lie, in order their Dates are their times."""
    clock = read_clock(book_of(sorted(dates)), NOW)
    assert list(clock.times) == sorted(dates)
    assert clock.sources[Source.DATE] == len(dates)


@given(st.lists(st.integers(-(10**11), 10**11), max_size=60))
def test_every_mail_has_a_time_that_is_possible(dates: list[int]) -> None:
    """Whatever the Dates say, the times of an archive lie between 1980 and tomorrow."""
    clock = read_clock(book_of(dates), NOW)
    assert len(clock.times) == len(dates)
    assert all(seconds(datetime(1979, 12, 31, tzinfo=UTC)) < one <= seconds(NOW + DAY) for one in clock.times)
    assert sum(clock.sources.values()) == len(dates)


@given(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
def test_seconds_and_moments(at: datetime) -> None:
    """Any time that a mail can have is kept to the second."""
    assert moment(seconds(at)) == at.replace(microsecond=0)
    assert moment(seconds(None)) is None


def test_1970_and_the_far_future_are_not_believed() -> None:
    """A mail from 1970 or 2037 came with the mail before it, unless a server says when."""
    impossible = [datetime(1970, 1, 1, tzinfo=UTC), datetime(2037, 1, 1, tzinfo=UTC)]
    for date in impossible:
        assert times(raw(DAY), raw(date), raw(3 * DAY))[1] == START + DAY
        assert times(raw(DAY), raw(date, received=START + 2 * DAY), raw(3 * DAY))[1] == START + 2 * DAY
        assert times(raw(date), raw(DAY))[0] == START + DAY
    clock = read_clock(reader([raw(impossible[0]), raw(impossible[1]), raw(None)]).book, NOW)
    assert (clock.too_early, clock.in_the_future, clock.without_date) == (1, 1, 1)


def test_without_a_date() -> None:
    """A mail without a Date came when its newest Received says, else its postmark, else with the mail before it."""
    received, postmark = START + 30 * HOUR, START + 40 * HOUR
    assert times(raw(DAY), raw(None, received=received, arrived=postmark))[1] == received
    assert times(raw(DAY), raw(None, arrived=postmark))[1] == postmark
    assert times(raw(DAY), raw(None))[1] == START + DAY
    assert times(raw(None), raw(None)) == [NOW, NOW]


def test_a_date_that_sticks_out() -> None:
    """Among mails that lie in order, one that claims another year is put where it lies."""
    mails = [*a_day_each(), raw(-400 * DAY), *a_day_each(start=12)]
    assert times(*mails)[12] == START + 11 * DAY
    assert read_clock(reader(mails).book, NOW).sticking_out == 1


def test_a_mail_that_waited_long_is_believed() -> None:
    """A mail that was written two months before it came (moderated, or sent late) keeps its Date."""
    assert times(*a_day_each(), raw(-60 * DAY), *a_day_each(start=12))[12] == START - 60 * DAY


def test_several_dates_that_stick_out_together() -> None:
    """Three mails with the same wrong clock do not vouch for each other."""
    wrong = [raw(400 * DAY), raw(401 * DAY), raw(402 * DAY)]
    assert times(*a_day_each(), *wrong, *a_day_each(start=12))[12:15] == [START + 11 * DAY] * 3


def test_a_server_that_agrees_is_believed() -> None:
    """An old mail that really came then, says its server, is believed wherever it lies."""
    old = START - 400 * DAY
    for agreeing in (raw(old, received=old + HOUR), raw(old, arrived=old + HOUR)):
        assert times(*a_day_each(), agreeing, *a_day_each(start=12))[12] == old


def test_postmarks_that_are_all_alike_tell_nothing() -> None:
    """The time at which an archive was copied is not the time of a mail in it."""
    copied = START + 600 * DAY
    mails = [*a_day_each(), raw(None, arrived=copied), *a_day_each(start=12)]
    assert times(*mails)[12] == START + 11 * DAY


def test_an_archive_in_no_order_is_believed() -> None:
    """Where mails lie in any order, each Date is believed: nothing can be said against it."""
    days = [(number * 7919) % 1009 for number in range(200)]
    assert times(*(raw(day * DAY - 500 * DAY) for day in days)) == [START + (day - 500) * DAY for day in days]


def test_archives_one_after_the_other_are_believed() -> None:
    """A file of several archives, the newest first, has no wrong Dates where one ends and the other begins."""
    starts = (400, 200, 0)
    mails = [one for start in starts for one in a_day_each(30, start)]
    clock = read_clock(reader(mails).book, NOW)
    assert clock.sources[Source.DATE] == 90
