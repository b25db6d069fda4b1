"""What an HTML mail does not show its reader is not read: neither as the author's words, nor as commands."""

import time

import pytest

from helpdesk.commands.splitting import split
from helpdesk.mailbox.html import own_text_of_html, text_of_html
from helpdesk.mailbox.spoken import spoken

HIDING = (
    'style="display:none"', "style=display:none", 'STYLE="mso-hide:all; DISPLAY : NONE !important"', 'style="display&#58;none"',
    "hidden", 'class="a" hidden=""', 'style="visibility:hidden"', 'style="font-size:0"', 'style="font-size:0px;line-height:0"',
    'style="opacity:0"', 'style="opacity: 0.0"', 'style="max-height:0;overflow:hidden"', 'title=">" style="display:none"',
    "style='font-family:\"Arial\";display:none'", 'style="color:#FFF;background-color:#ffffff"', 'style="color:transparent"',
    'style="display:block;/* ; */display:none"', 'class="preheader"', 'id="secret"',
)  # fmt: skip
SHOWING = (
    'style="display:block"', 'style="font-size:10px"', 'style="font-size:0.9em"', 'style="font-size:small"', 'style="opacity:inherit"', 'style="opacity:0.5"', 'style="color:#fff"',
    'style="color:#fff;background:#036"', 'style="max-height:0"', 'class="hidden"', 'title="hidden"', "data-hidden=1",
    'data-style="display:none"', 'class="narrow"',
)  # fmt: skip
SHEET = "<style>@media (max-width: 9em) { .narrow { display:none } .b {} } .preheader, p#secret { display: none !important; }</style>"


@pytest.mark.parametrize("attributes", HIDING)
@pytest.mark.parametrize("tag", ["div", "span"])
def test_what_is_hidden_is_not_read(tag: str, attributes: str) -> None:
    """What a style, a style sheet or the attribute `hidden` hides is not said, nor is what stands further in."""
    markup = (
        f"{SHEET}<p>Hello</p><{tag} {attributes}>one<b>two</b><{tag}>three</{tag}><br>four</{tag}> and more"
    )
    assert text_of_html(markup).split() == ["Hello", "and", "more"]


@pytest.mark.parametrize("attributes", SHOWING)
def test_what_is_seen_is_read(attributes: str) -> None:
    """What only looks like hiding hides nothing."""
    assert text_of_html(f"{SHEET}<div {attributes}>said</div>") == "said"


@pytest.mark.parametrize(
    ("markup", "seen"),
    [
        (
            '<td style="font-size:0px"><div style="font-size:13px">said</div>not</td>',
            "said",
        ),  # as MJML writes
        ('<span style="visibility:hidden">not<i style="visibility:visible">said</i></span>', "said"),
        ('<div style="display:none">not<p style="display:block;font-size:9pt">not</p></div>said', "said"),
        ('<p style="display:none">not<p>said', "said"),
        ("<ul><li hidden>not<li>said</ul>", "said"),
        ("<table><tr><td hidden>not<td>said</table>", "said"),
        ("<dl><dt hidden>not<dd>said</dl>", "said"),
        ("<div><span hidden>not</div>said", "said"),
        ("<b><div hidden></b>not</div>said", "said"),
        ("<div hidden></span></p>not</div>said", "said"),
        ("<div hidden><img hidden><br/>not</div>said", "said"),
        ('said <a href="x"">this</a> and "that', 'said this and "that'),
        ("<div>" * 300 + "said" + "</div>" * 300 + "<div hidden>not</div>", "said"),
        ("<div hidden>" + "<div>" * 300 + "</div>" * 200 + "not" + "</div>" * 101 + "said", "said"),
        ("<div hidden>not", ""),
    ],
)
def test_where_hiding_ends(markup: str, seen: str) -> None:
    """Elements end as in a browser: with their end tag, with the block around them, or where the next one begins."""
    assert text_of_html(markup) == seen


@pytest.mark.parametrize("attributes", HIDING)
def test_no_command_hides(attributes: str) -> None:
    """A command that nobody sees is none, and what is hidden above a command does not hide it."""
    command = "<div>helpdesk: close x7m2q</div>"
    for body, found in (
        (f"<div {attributes}>{command}</div>thanks", []),
        (f"<div {attributes}>ad</div>{command}", [1]),
    ):
        raw = f"From: a@x\r\nContent-Type: text/html\r\n\r\n{SHEET}{body}".encode()
        assert len(split(spoken(raw).text).items) == len(found)


def test_what_is_hidden_stands_above_nothing() -> None:
    """A quote that is not seen is no reason to doubt whose words come first."""
    assert own_text_of_html("<blockquote hidden>x</blockquote>mine") == ("mine", False)


@pytest.mark.parametrize(
    "unit",
    [
        "<style>",
        "<style>a{",
        "@{",
        "<div>",
        "<b></i>",
        '<a x="',
        "<a x='\"=",
        "<div hidden>",
        "<table><tr><td>",
        "<a =",
    ],
)
def test_no_nesting_takes_long(unit: str) -> None:
    """Hostile markup is read in linear time."""
    begun = time.process_time()
    text_of_html(unit * (250_000 // len(unit)))
    text_of_html(f"<style>{unit * (16_000 // len(unit))}</style>said")
    text_of_html(f'<p style="{unit.replace(chr(34), chr(39)) * (200_000 // len(unit))}">said')
    assert time.process_time() - begun < 3
