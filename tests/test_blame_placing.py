"""A word that is a site's name, too: when it means the site, and when a site is named that is not what failed."""

import pytest

from helpdesk.blame.facts import About
from helpdesk.blame.names import Names
from helpdesk.blame.reading import Mail, mentions

SITES = Names({one: [one] for one in ("PIC", "RAL", "CERN", "MIT", "LONDON", "DESY-HH")})


def _said(text: str, about: About, subject: str = "") -> list[str]:
    found = mentions(Mail(text, "Ann Ash", subject), SITES, Names({}))
    return [one.name for one in found if one.about is about]


@pytest.mark.parametrize(
    "text",
    [
        "All my jobs at PIC fail since noon.",
        "The transfers to PIC time out.",
        "Site: PIC",
        "COMPUTINGSITE    PIC\nJOBSTATUS   failed",
        "Is the PIC queue closed for us, or what is it?",
        "PIC is down, as it seems.",
        "PIC: exit code 1099 everywhere",
        "[PIC] 35 of 40 jobs failed",
        "100 % failures for me today (PIC).",
        "It happens at RAL and PIC, for all jobs.",
        "Nothing works there. All of them ran at PIC.",
        "Please check PIC, nothing comes back.",
        "Why do I get 1099? What's wrong with PIC?",
        "Now I get, at PIC, the error 1099.",
        "At PIC I get an error.",
        "Job 4711 | PIC | failed",
        "The worker nodes of PIC have no cvmfs.",
        "The only site with errors is PIC.",
        "Les jobs envoyés à PIC échouent.",
        "It is PIC.",
        "I looked again into my log files, of all the jobs of this week, one by one, and found that.\n\nIt is PIC.\n\nWhat now?",
        "PIC",
    ],
)
def test_a_word_is_a_site_where_jobs_or_data_are(text: str) -> None:
    """A site that is called like a word is named where the sentence says that jobs, data or machines are there, or that it is in trouble."""
    assert "PIC" in _said(text, About.SITE)


@pytest.mark.parametrize(
    "text",
    [
        "I attach a PIC of the histogram of the failed jobs.",
        "Our package is under the MIT license, and the jobs fail.",
        "I am at CERN this week, and my jobs fail.",
        "I am on a train from LONDON: all jobs fail.",
        "My CERN account expired, and the jobs with it.",
        "The next meeting takes place at CERN, about the failed jobs.",
        "We at MIT have a new student whose jobs fail.",
        "My supervisor in LONDON says that the jobs fail.",
        "Since I moved to LONDON all my jobs fail.",
        "Hi PIC,\n\nall jobs fail.",
        "It is 3 a.m. in LONDON and the jobs fail.",
        "I submitted the jobs from CERN.",
    ],
)
def test_a_word_is_no_site_in_its_other_meaning(text: str) -> None:
    """People, places, licences, accounts and pictures are no sites, whatever fails beside them."""
    assert _said(text, About.SITE) == []
    assert _said(text, About.ASIDE) == []


@pytest.mark.parametrize(
    "text",
    [
        "My jobs work at {site}, but they fail here.",
        "The jobs at {site} are fine.",
        "Unlike the jobs at {site} these fail.",
        "I used --excludedSite={site} for all jobs.",
        "I excluded {site}, and the jobs fail all the same.",
        "Last year the jobs at {site} had this.",
        "You told me to avoid {site}, so the jobs ran at home.",
        "The jobs failed, but nothing at {site} does.",
    ],
)
def test_a_site_that_works_is_aside(text: str) -> None:
    """A site is not what fails if its clause says that it works, worked once, or was left out."""
    assert _said(text.format(site="DESY-HH"), About.ASIDE) == ["DESY-HH"]
    assert _said(text.format(site="DESY-HH"), About.SITE) == []
    assert _said(text.format(site="RAL"), About.SITE) == []


@pytest.mark.parametrize(
    "text",
    [
        "Jobs do not work at DESY-HH any more.",
        "It worked at DESY-HH until today, now all jobs fail at DESY-HH.",
        "The job at DESY-HH finished with exit code 1099.",
        "I work at home, and the jobs at DESY-HH fail.",
    ],
)
def test_what_does_not_work_is_not_aside(text: str) -> None:
    """What does not work, or works no more, is what fails; of several places in a mail the one that tells of trouble counts."""
    assert _said(text, About.SITE) == ["DESY-HH"]


def test_a_name_that_prose_has_not_needs_no_sentence() -> None:
    """A name with a digit or a hyphen is a site wherever its author writes it."""
    assert _said("I was told DESY-HH.", About.SITE) == ["DESY-HH"]


def test_a_subject_is_read_like_a_sentence() -> None:
    """A subject names a site by the same rule."""
    assert _said("Hello, see above.", About.SITE, "jobs failing at PIC") == ["PIC"]
    assert _said("Hello, see above.", About.SITE, "PIC of the plot") == []
