"""Templates: a mail's vocabulary becomes a subject, a text, and a page that says the same (HTML).

A kind has a pair of templates.  `KIND.txt.j2` begins with `Subject: ...`, the text follows an empty line; `KIND.html.j2` fills the
block `words` of `_base.html.j2`.  A template in the override folder takes the place of ours with the same name; where only
the text is replaced, the page shows that text, so that both say the same.

Whatever an expression prints is cleaned by `safe_text`, also in an overriding template, and escaped in a page: text of several
lines leaves a template only through the filters `wrapped`, `quoted`, `spoken` and `paragraphs`, which clean it line by line.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, TemplateError, select_autoescape
from markupsafe import Markup

from helpdesk.errors import ConfigError
from helpdesk.mails import KINDS, Mail
from helpdesk.pages import archived, inline, inlined, mailto, mid, paragraphs, spoken
from helpdesk.rehearsal import rehearsals
from helpdesk.text import safe_text
from helpdesk.wrapping import MAX_LINE, Block, aligned, quoted, when, wrapped

SHARED = ("_base.html.j2", "_parts.html.j2", "_text.html.j2")
UNSAFE = ("safe", "e", "escape", "forceescape", "urlize", "xmlattr", "tojson")
"""Filters that make markup of text without a look at it."""


Pair = tuple[Template, Template]
"""The text and the page of a kind."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a mail says, twice the same."""

    subject: str
    text: str
    html: str


class Wording:
    """The templates of all kinds, read and compiled once: an operator's at the start, ours when a mail is due."""

    def __init__(self, override: Path | None = None, archive_link: str = "") -> None:
        self._override = override
        self._environment = _environment(override, archive_link)
        self._known: dict[str, Pair] = {}
        if override is not None:
            self._known = _compiled(self._environment, override, KINDS)
            _check_names(override)
            self._rehearse()

    def words(self, mail: Mail, board: str, reply: str) -> Words:
        """Say the mail; `reply` is the address that an answer goes to.  ConfigError: a template asks for what is not there."""
        shown = {"mail": mail, "board": board, "reply": reply}
        if mail.kind not in self._known:
            self._known |= _compiled(self._environment, self._override, (mail.kind,))
        template, page = self._known[mail.kind]
        said = _rendered(template, shown)
        head, _, body = said.partition("\n")
        if not head.startswith("Subject:"):
            raise ConfigError((f"Template {mail.kind}.txt.j2: its first line must begin with Subject:",))
        subject = f"[{board}] {head.removeprefix('Subject:').strip()}"
        text = re.sub(r"\n{3,}", "\n\n", body.strip("\n")) + "\n"
        return Words(subject, text, _page_of(page, {**shown, "subject": subject, "text": text}))

    def _rehearse(self) -> None:
        """Try every template: what is wrong with one of an operator's is said now, and not when a mail is due."""
        problems: dict[str, None] = {}
        for mail in rehearsals():
            try:
                self.words(mail, "board", "board@example.org")
            except ConfigError as error:
                problems.update(dict.fromkeys(error.problems))
        if problems:
            raise ConfigError(tuple(sorted(problems)))


def _check_names(override: Path) -> None:
    """Find files that are no template of ours: a misspelt name would change nothing, and nobody would know."""
    if not override.is_dir():
        raise ConfigError((f"[board] templates: {safe_text(str(override))} is not a folder",))
    known = [file.name for file in own_folder().iterdir()]
    unknown = sorted(file.name for file in override.glob("*.j2") if file.name not in known)
    if unknown:
        near = {name: get_close_matches(name, known, n=1) or sorted(known) for name in unknown}
        raise ConfigError(
            tuple(
                f"Template {safe_text(name)}: no mail uses it; near is {', '.join(names)}"
                for name, names in near.items()
            )
        )


def _rendered(template: Template, shown: Mapping[str, object]) -> str:
    try:
        return template.render(shown)
    except (TemplateError, TypeError, ValueError, LookupError) as error:
        raise ConfigError((f"Template {template.name}: {safe_text(str(error))}",)) from error


def _page_of(template: Template, shown: Mapping[str, object]) -> str:
    try:
        return inlined(_rendered(template, shown))
    except ValueError as error:  # of css-inline: styles that nobody can read
        raise ConfigError((f"Template {template.name}: {safe_text(str(error))}",)) from error


def _environment(override: Path | None, archive_link: str) -> Environment:
    folders = [own_folder()] if override is None else [override, own_folder()]
    environment = Environment(
        loader=FileSystemLoader(folders),
        undefined=StrictUndefined,
        autoescape=select_autoescape(("html", "html.j2"), default=False),
        finalize=_clean,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    for name in UNSAFE:
        del environment.filters[name]
    environment.filters.update(
        aligned=aligned, wrapped=wrapped, quoted=quoted, when=when, spoken=spoken, paragraphs=paragraphs
    )
    environment.filters.update(
        inline=inline, mid=mid, mailto=mailto, archived=partial(archived, template=archive_link)
    )
    return environment


def own_folder() -> Path:
    """In the wheel beside this file, in a checkout at the top."""
    here = Path(__file__).resolve().parent
    inside = here / "templates"
    return inside if inside.is_dir() else here.parent / "templates"


def _compiled(environment: Environment, override: Path | None, kinds: Iterable[str]) -> dict[str, Pair]:
    """Each kind's text and page; all that is wrong with them at once."""
    found: dict[str, Template] = {}
    problems: list[str] = []
    names = {kind: (f"{kind}.txt.j2", _page(kind, override)) for kind in kinds}
    texts, pages = [text for text, _ in names.values()], [page for _, page in names.values()]
    for name in (*texts, *dict.fromkeys((*SHARED, *pages))):
        try:
            found[name] = environment.get_template(name)
        except (TemplateError, OSError, UnicodeDecodeError) as error:
            problems.append(f"Template {name}: {safe_text(str(error))}")
    if problems:
        raise ConfigError(tuple(sorted(problems)))
    return {kind: (found[text], found[page]) for kind, (text, page) in names.items()}


def _page(kind: str, override: Path | None) -> str:
    """The page that goes with the text: of two folders, the one that the text is from comes first."""
    name, text = f"{kind}.html.j2", f"{kind}.txt.j2"
    if override is not None and (override / text).is_file() and not (override / name).is_file():
        return "_text.html.j2"
    own = (own_folder() / name).is_file() or (override is not None and (override / name).is_file())
    return name if own else "_text.html.j2"


def _clean(value: object) -> object:
    """Let an expression of a template print what our filters made, or markup of a macro; else one clean line."""
    return value if isinstance(value, Block | Markup) else safe_text(str(value), limit=MAX_LINE)
