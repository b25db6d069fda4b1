"""Static pages about sites: they stand alone, load nothing, say what a day was like, and name no person."""

import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from helpdesk.reports import pictures
from helpdesk.reports.facts import Facts
from helpdesk.reports.week import site_week
from helpdesk.sitepages.build import Told, pages
from helpdesk.sitepages.grid import cells
from helpdesk.store import migrations
from tests.desk import Desk, memory_desk
from tests.test_cli_reports import SITES, fill
from tests.test_render import EVIL
from tests.weeks import BAD, GOOD, WEEK, bad_week, facts, green_week, jobs, out

NOW = WEEK.end + timedelta(hours=30)
RUNNING = replace(WEEK, number=25)


def told(known: Facts, site: str = "DESY-HH", region: str = "DE") -> Told:
    """The week of these facts, and the day and a bit after it."""
    known = replace(known, site=site, now=NOW)
    return Told(site_week(replace(known, week=RUNNING)), site_week(known), region, 2)


class Page(HTMLParser):
    """What stands in a page."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in {"meta", "img"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_they_stand_alone() -> None:
    """Every link leads to a page that is there, every picture is in its page, and nothing is loaded or run."""
    made = pages("dast", [told(bad_week()), told(green_week(), "RAL", ""), told(facts(()), "X/Y", "UK")], NOW)
    assert set(made) == {
        "index.html",
        "site-DESY-HH.html",
        "site-RAL.html",
        next(n for n in made if "X_Y" in n),
    }
    for text in made.values():
        page = Page(text)
        assert page.open == []
        links = {attributes["href"] for tag, attributes in page.tags if tag == "a"}
        assert links <= set(made)
        sources = [attributes["src"] for tag, attributes in page.tags if tag == "img"]
        assert all(one.startswith("data:image/png;base64,") for one in sources)
        assert not re.search(r"https?:|url\(|@import|<link|<script|\bon\w+=", text)
    index = made["index.html"]
    assert index.index("DE</th>") < index.index("UK</th>") < index.index("no region</th>")
    assert "1 to fix (stage-in, 3 nodes)" in index
    assert "OUT of lhcb" in index
    if pictures.available():
        assert "<img" in made["site-DESY-HH.html"]


def test_no_person() -> None:
    """Who pinned, paused or answers for a site is on no page; that a person decided it is."""
    pinned = out(
        WEEK.start,
        WEEK.start + timedelta(hours=9),
        "pin",
        by="Dieter Dahl",
        why="pinned out by Dieter Dahl: disks",
    )
    still = out(
        WEEK.end - timedelta(hours=1), None, "pin", by="Dieter Dahl", why="pinned out by Dieter Dahl: disks"
    )
    known = facts(
        jobs(GOOD, 300),
        turns={"atlas": (*pinned, *still)},
        holds=("DESY-HH is paused by Dieter Dahl (disks).",),
    )
    made = "".join(pages("dast", [told(known)], NOW).values())
    assert "Dieter" not in made
    assert "disks" not in made
    assert "a person decided so" in made
    assert "by decision of a person" in made
    assert "A person decided that it is paused" in made


@pytest.mark.parametrize(
    "evil", [*EVIL, "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "../../x"]
)
def test_nobody_writes_markup(evil: str) -> None:
    """No name and no word of a job opens a tag, hides a character, leaves the folder or stops the pages."""
    name = evil or "-"
    bad = jobs(
        BAD, 30, native_text=evil, template=name, node=name, experiment=name, raw={"log": f"{evil}\n{evil}"}
    )
    known = facts(
        [*jobs(GOOD, 100, experiment=name), *bad],
        experiments=(name,),
        turns={name: out(WEEK.start, None, why=evil)},
    )
    made = pages(name, [told(known, name, evil)], NOW)
    clean = pages("dast", [told(facts([*jobs(GOOD, 100), *jobs(BAD, 30)]))], NOW)
    assert all(re.fullmatch(r"[A-Za-z0-9._-]{1,110}", file) for file in made)
    for text in made.values():
        page = Page(text)
        assert page.open == []
        assert {tag for tag, _ in page.tags} <= {
            tag for one in clean.values() for tag, _ in Page(one).tags
        } | {"strong"}
        assert all(character.isprintable() or character == "\n" for character in text)
        used = {attribute for _, attributes in page.tags for attribute in attributes}
        assert used <= {
            attribute for one in clean.values() for _, found in Page(one).tags for attribute in found
        }


def test_two_names_that_look_alike() -> None:
    """Sites whose names differ only in what no file may be called have pages of their own."""
    made = pages("dast", [told(facts(()), "A/B"), told(facts(()), "A:B"), told(facts(()), "A_B")], NOW)
    assert len(made) == 4


def test_days() -> None:
    """A day tells its share in whole percent, of few jobs how many, whether it was out, unseen, or is still to come."""
    day = timedelta(days=1)
    known = facts(
        [
            *jobs(GOOD, 39, WEEK.start),
            *jobs(BAD, 1, WEEK.start),
            *jobs(GOOD, 2, WEEK.start + day),
            *jobs(BAD, 20, WEEK.start + 2 * day),
        ],
        turns={"atlas": out(WEEK.start + 2 * day, WEEK.start + 2 * day + timedelta(hours=5))},
    )
    found = cells(told(known).running, told(known).before)
    assert [(one.text, one.shade, one.out) for one in found[:4]] == [
        ("98", "good", False),
        ("2/2", "good", False),
        ("0", "bad", True),
        ("", "unseen", False),
    ]
    assert found[2].says == "Wed 10 Jun: 0 of 20 jobs succeeded; out of atlas for 5h00"
    assert [one.shade for one in found[7:]] == ["unseen"] * 2 + ["ahead"] * 5


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = memory_desk(tmp_path, monkeypatch)
    desk.write_config(more=SITES)
    migrations.upgrade(f"sqlite:///{desk.database}")
    return desk


def test_command(desk: Desk) -> None:
    """The pages are written for everybody to read, written anew the next time, and what else lies there is left alone."""
    fill(desk)
    folder = desk.folder / "www" / "sites"
    assert desk.say("site", "build", str(folder), "--now", f"{NOW:%Y-%m-%dT%H:%MZ}").code == 0
    (folder / "mine.txt").write_text("mine")
    (folder / "index.html").write_text("old")
    said = desk.say("site", "build", str(folder), "--now", f"{NOW:%Y-%m-%dT%H:%MZ}")
    assert (said.code, "6 pages" in said.out) == (0, True)
    names = {file.name for file in folder.iterdir()}
    assert names == {
        "index.html",
        "mine.txt",
        *(f"site-{name}.html" for name in ("DESY-HH", "RAL", "A", "B", "C")),
    }
    assert "stage-in, pilot 1099: 30 of 30 failures" in (folder / "site-DESY-HH.html").read_text()
    assert {oct(file.stat().st_mode & 0o777) for file in folder.glob("*.html")} == {"0o644"}


def test_where_no_pages_can_be(desk: Desk) -> None:
    """A file where the folder should be is refused; a board without sites has a page that says so."""
    (desk.folder / "taken").write_text("")
    assert desk.say("site", "build", str(desk.folder / "taken")).code == 2
    desk.write_config()
    assert desk.say("site", "build", str(desk.folder / "www")).code == 0
    assert "No site is tested." in (desk.folder / "www" / "index.html").read_text()
