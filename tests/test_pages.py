"""The pages of mails: they say what the text says, load nothing, and link nowhere but where we mean."""

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.mailbox.html import text_of_html
from helpdesk.pages import archived, mailto, mid, paragraphs, spoken
from helpdesk.render import Templates
from tests.mail_examples import ENVELOPE, ESCALATION, EXAMPLES, URGENT
from tests.test_render import EVIL, TEMPLATES, part, poisoned, read

ARCHIVE = "https://lists.example.org/dast/{message_id}"
VOID = {"meta", "br", "img"}
ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "div", "p", "h1", "h2", "a", "code", "strong", "span", "br",
    "blockquote", "img", "table", "tbody", "tr", "th", "td",
}  # fmt: skip
WIDE = 600


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
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def links(self) -> Iterator[str]:
        return (attributes["href"] for tag, attributes in self.tags if tag == "a")


def page_of(name: str, templates: Templates = TEMPLATES) -> str:
    return part(templates.compose(*EXAMPLES[name]), "html")


def pictures_of(name: str) -> list[str]:
    """The ids of the pictures that come with a mail."""
    parts = read(TEMPLATES.compose(*EXAMPLES[name])).walk()
    return [str(one["Content-ID"]).strip("<>") for one in parts if one.get_content_maintype() == "image"]


def words_of(text: str) -> set[str]:
    """All words, in whatever case (headings are in capitals in a text alone), but for those that were cut to fit a line."""
    whole = (word for word in text.split() if not word.endswith("…"))
    return {re.sub(r"^\W+|\W+$", "", word).casefold() for word in whole} - {""}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_text_comes_first(name: str) -> None:
    """A client that shows no HTML shows the text, and one that does shows the page (RFC 2046 section 5.1.4)."""
    message = read(TEMPLATES.compose(*EXAMPLES[name]))
    assert message.get_content_type() == "multipart/alternative"
    page = "multipart/related" if pictures_of(name) else "text/html"
    assert [one.get_content_type() for one in message.iter_parts()] == ["text/plain", page]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_page_says_what_the_text_says(name: str) -> None:
    """Every word of the text stands in the page too."""
    missing = words_of(part(TEMPLATES.compose(*EXAMPLES[name]))) - words_of(text_of_html(page_of(name)))
    assert missing == set()


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_page_is_well_made(name: str) -> None:
    """A page names its language and its title, closes what it opens, and is of parts that every client knows."""
    page = Page(page_of(name))
    assert page.open == []
    assert {tag for tag, _ in page.tags} <= ALLOWED
    assert page.tags[0] == ("html", {"lang": "en"})
    title = re.search(r"<title>(.*?)</title>", page_of(name))
    assert title is not None
    assert html.unescape(title[1]) == str(read(TEMPLATES.compose(*EXAMPLES[name]))["Subject"])


@pytest.mark.parametrize("name", EXAMPLES)
def test_nothing_is_loaded(name: str) -> None:
    """A page loads nothing: no style, no script, no font, no picture but those of its own mail; opening a mail tells nobody."""
    page = page_of(name)
    assert not re.search(r"url\(|@import|@font-face|<link|<script|\bon\w+=", page, re.IGNORECASE)
    assert re.findall(r"\bsrc\s*=\s*(\S+)", page) == [f'"cid:{one}"' for one in pictures_of(name)]


@pytest.mark.parametrize("name", EXAMPLES)
def test_pictures_have_words(name: str) -> None:
    """Every picture says in words what it shows, for whom it is not shown."""
    shown = [attributes for tag, attributes in Page(page_of(name)).tags if tag == "img"]
    assert all(len(one["alt"].split()) > 3 for one in shown)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_page_fits(name: str) -> None:
    """Nothing in a page is wider than 600 pixels or has a width that a phone cannot shrink."""
    for tag, attributes in Page(page_of(name)).tags:
        style = attributes.get("style", "")
        if tag == "img":  # a width for clients that know no max-width
            assert int(attributes["width"]) < WIDE
            assert "max-width: 100%" in style
        else:
            assert "width" not in attributes
        for width in re.findall(r"max-width: (\d+)px", style):
            assert int(width) <= WIDE
        assert not re.search(r"(?<!max-)\bwidth:", style)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_colour_has_a_dark_one(name: str) -> None:
    """Whatever has a colour in a page has one for dark screens too."""
    page = page_of(name)
    dark = re.search(r"@media \(prefers-color-scheme: dark\) \{(.*?)</style>", page, re.DOTALL)
    assert dark is not None
    for tag, attributes in Page(page).tags:
        if re.search(r"(?<!-)\bcolor: #|background: #", attributes.get("style", "")):
            names = [f".{one}" for one in attributes.get("class", "").split()] or [
                f".facts {tag}",
                f".figures {tag}",
                tag,
            ]
            assert any(re.search(rf"{re.escape(one)}[ ,]", dark[1]) for one in names), (tag, attributes)


@pytest.mark.parametrize("name", EXAMPLES)
def test_links_are_ours(name: str) -> None:
    """A page links to mails that the reader has, to the archive of the list, and to a mail that he may begin."""
    templates = Templates(archive_link=ARCHIVE)
    links = list(Page(page_of(name, templates)).links())
    assert all(re.match(r"mid:|mailto:|https://lists\.example\.org/dast/[^/]+$", link) for link in links)


def test_archive_link() -> None:
    """With a web archive, text and page link to the newest mail there; without, there is no such line."""
    letter = Templates(archive_link=ARCHIVE).compose(ESCALATION, ENVELOPE)
    link = "https://lists.example.org/dast/last%40example.org"
    assert f"Archive: {link}\n" in part(letter)
    assert f'href="{link}"' in part(letter, "html")
    assert "rchive" not in part(TEMPLATES.compose(ESCALATION, ENVELOPE))


def test_the_newest_mail_opens() -> None:
    """The team's own mails link to the thread's newest mail by its Message-ID (RFC 2392)."""
    assert 'href="mid:last@example.org"' in part(TEMPLATES.compose(URGENT, ENVELOPE), "html")
    for bad in ("", "<no at\r\nall>", "javascript:alert(1)", '<"><script>@x>'):
        page = part(TEMPLATES.compose(replace(URGENT, link=bad), ENVELOPE), "html")
        assert "javascript" not in page
        assert "<script" not in page


def test_confirming_begins_a_mail() -> None:
    """The button of a confirmation begins a mail to the board that needs only to be sent."""
    (link,) = Page(page_of("confirmation")).links()
    assert link.startswith("mailto:dast-board%2Bk7q2mzr5t3wxy6abcd@example.org?subject=Re%3A%20")
    assert link.endswith("&body=helpdesk%3A%20confirm%20k7q2mzr5t3wxy6ab")


MARKUP = (
    *EVIL,
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></style><b>",
    "<!-- ",
    "javascript:alert(1)",
    "&lt;b&gt; &#60;i&#62;",
    "{% raw %}",
)


@pytest.mark.parametrize("evil", MARKUP)
@pytest.mark.parametrize("name", EXAMPLES)
def test_nobody_writes_markup(name: str, evil: str) -> None:
    """No text of a stranger opens a tag, adds an attribute or a link, hides a character, or stops the mail."""
    mail, envelope = EXAMPLES[name]
    page = part(TEMPLATES.compose(poisoned(mail, evil), envelope), "html")
    seen = Page(page)
    assert seen.open == []
    assert {tag for tag, _ in seen.tags} <= ALLOWED
    allowed = {"lang", "charset", "name", "content", "style", "class", "href", "dir", "scope", "colspan"}
    used = {(tag == "img", name) for tag, attributes in seen.tags for name in attributes}
    pictured = {(True, name) for name in ("src", "alt", "class", "style", "width")}
    assert used <= {(False, name) for name in allowed} | pictured
    assert all(attributes["src"].startswith("cid:") for tag, attributes in seen.tags if tag == "img")
    assert all(link.startswith(("mid:", "mailto:")) for link in seen.links())
    assert all(character.isprintable() or character in "\n\xa0" for character in html.unescape(page))


@given(st.lists(st.text()))
def test_spoken_lines(lines: list[str]) -> None:
    """Any lines at all become lines of a page, and what stood in them stays text."""
    for columns in (False, True):
        said = str(spoken(lines, columns=columns))
        assert re.sub(r"<br>\n", "", said).count("<") == 0


def test_indents_and_columns() -> None:
    """Indentation stays, and in tables every blank: clients join blanks."""
    assert spoken(["  a  b", "<c>"]) == "\xa0\xa0a  b<br>\n&lt;c&gt;"
    assert (
        spoken(["a   b"], columns=True) == "a\xa0 \xa0b" or spoken(["a   b"], columns=True).count("\xa0") >= 1
    )
    assert paragraphs("a\nb\n\n<c>") == "<p>a b</p>\n<p>&lt;c&gt;</p>"


def test_links() -> None:
    """Links hold ids and words encoded, so that nothing in them ends the link or adds to it."""
    assert mid("<a/b?c#d&e@f>") == "mid:a%2Fb%3Fc%23d%26e@f"
    assert mid("not an id") == ""
    assert archived("<a/../b?c@d>", template=ARCHIVE) == "https://lists.example.org/dast/a%2F..%2Fb%3Fc%40d"
    assert archived("<a@b>", template="") == ""
    assert mailto("b+t@x.org", "a&b=c", "d\r\ne") == "mailto:b%2Bt@x.org?subject=a%26b%3Dc&body=d%20e"
