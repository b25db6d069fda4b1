"""What a mail client must know of a board to show its labels and to file where it looks; pure text, no secret in it.

Each function writes one client's own format.  Words of the configuration reach it quoted as that format quotes.
"""

import json
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from string import ascii_lowercase, digits
from typing import Final
from urllib.parse import quote

from helpdesk.labels import Label
from helpdesk.mailbox.dialects.folders import shown_in
from helpdesk.model import ESCALATED, LabelKind
from helpdesk.settings import Settings, vocabulary
from helpdesk.settings.servers import Smtp

SECURE: Final = {"tls": "SSL/TLS", "starttls": "STARTTLS", "none": "no encryption"}

COLOURS: Final = {
    LabelKind.STATE: "#c77c02",
    LabelKind.WHERE: "#5a5a9c",
    LabelKind.TEMPORARY: "#a0522d",
    LabelKind.INFO: "#1f6fb2",
}
"""Of labels without one."""

_PREF = re.compile(r"^user_pref\((.*)\);\s*$", re.MULTILINE)
_ORDER: Final = (LabelKind.STATE, LabelKind.WHERE, LabelKind.TEMPORARY, LabelKind.INFO)
_TERMINAL: Final = {
    "red": (205, 0, 0),
    "green": (0, 205, 0),
    "yellow": (205, 205, 0),
    "blue": (60, 60, 238),
    "magenta": (205, 0, 205),
    "cyan": (0, 205, 205),
}


def ordered(settings: Settings) -> list[Label]:
    """All labels of the board: states first, then where, temporary and info; as they are configured within."""
    return sorted(vocabulary(settings), key=lambda label: _ORDER.index(label.kind))


def colour(label: Label) -> str:
    """`#rrggbb`."""
    return label.colour or COLOURS[label.kind]


def thunderbird(settings: Settings, identity: str = "") -> str:
    """Lines for `user.js`: a tag for each label, and the folders for an identity of Thunderbird's, such as id1.

    Without an identity the lines for the folders are comments: Thunderbird numbers its identities as it likes.
    """
    imap, smtp = settings.imap, settings.smtp
    lines = [
        f"// {_line(settings.board.name)} in Thunderbird: add these lines to the file user.js in the profile folder",
        "// (Help, Troubleshooting Information, Profile Folder), and start Thunderbird again.",
        "//",
        f"// The account: IMAP {imap.host}, port {imap.port}, {SECURE[imap.security]}, user {_line(imap.username)};",
        f"// SMTP {smtp.host}, port {smtp.port}, {SECURE[smtp.security]}, or your own.",
        "",
        "// Where mail is filed.  Left alone, Thunderbird may archive into its Local Folders: out of the shared mailbox.",
    ]
    if not identity:
        lines += [
            f"// Account Settings, Copies & Folders: sent mail in {_line(imap.sent)}, archives in {_line(imap.archive)} of this",
            "// account.  Or let these lines do it: `--profile FOLDER` finds the identity (here id1) and takes away the slashes.",
        ]
    filed = _filed(settings, identity or "id1")
    lines += filed if identity else [f"// {line}" for line in filed]
    if _in_folders(settings):
        lines += [
            "",
            "// Labels are folders: drag a mail into one.  Subscribe to them (right click on the account):",
        ]
        lines += [f"//   {folder}" for _, folder in _folders(settings)]
        return _text(lines)
    lines += ["", "// Labels: one tag each.  The first nine tags have the keys 1 to 9."]
    for number, label in enumerate(ordered(settings), start=1):
        key = f"mailnews.tags.{label.keyword}"
        lines += [
            _pref(f"{key}.tag", label.name),
            _pref(f"{key}.color", colour(label).upper()),
            _pref(f"{key}.ordinal", f"t{number:02d}"),  # behind Thunderbird's own
        ]
    return _text(lines)


def identity_of(prefs: str, host: str, username: str) -> str:
    """The identity of an account in a Thunderbird's `prefs.js`, "" if there is none."""
    found: dict[str, str] = {}
    for pair in _PREF.findall(prefs):
        try:
            name, value = json.loads(f"[{pair}]")
        except ValueError:  # JavaScript that is no JSON: none of what is looked for
            continue
        found[str(name)] = str(value)
    servers = {
        name.split(".")[2]
        for name, value in found.items()
        if re.fullmatch(r"mail\.server\.\w+\.hostname", name) and value == host
    }
    servers = {one for one in servers if found.get(f"mail.server.{one}.userName") == username}
    for name, value in found.items():
        if re.fullmatch(r"mail\.account\.\w+\.server", name) and value in servers:
            identities = found.get(f"{name.removesuffix('server')}identities", "")
            return identities.partition(",")[0]
    return ""


def _filed(settings: Settings, identity: str) -> list[str]:
    """Sent mail and archives of one identity; "1" means a folder of one's own choice, 0 no subfolders for years."""
    imap, key = settings.imap, f"mail.identity.{identity}"
    account = f"imap://{quote(imap.username, safe='')}@{imap.host}"
    return [
        _pref(f"{key}.fcc_folder", f"{account}/{quote(imap.sent)}"),
        _pref(f"{key}.fcc_folder_picker_mode", "1"),
        _pref(f"{key}.archive_folder", f"{account}/{quote(imap.archive)}"),
        _pref(f"{key}.archives_folder_picker_mode", "1"),
        _pref(f"{key}.archive_granularity", 0),
    ]


def neomutt(settings: Settings) -> str:
    """A muttrc: the account without its password, a macro and a colour for each label, and A to archive."""
    imap, smtp = settings.imap, settings.smtp
    scheme = "imaps" if imap.security == "tls" else "imap"
    out = "smtps" if smtp.security == "tls" else "smtp"
    labels = ordered(settings)
    lines = [
        f"# {_line(settings.board.name)} in neomutt: neomutt -F THIS-FILE.  Say here, above the rest, who you are and how you log in:",
        '#   set from = "you@example.org"   set realname = "You"   set imap_pass = "`pass show board`"',
        f"set folder = {_mutt(f'{scheme}://{imap.host}:{imap.port}/')}",
        f"set imap_user = {_mutt(imap.username)}",
        f"set spoolfile = {_mutt('+' + imap.inbox)}",
        f"set record = {_mutt('+' + imap.sent)}",
        f"set smtp_url = {_mutt(f'{out}://{smtp.host}:{smtp.port}/')}",
        f"set ssl_starttls = {'yes' if imap.security == 'starttls' else 'no'}",
        f"set ssl_force_tls = {'no' if imap.security == 'none' else 'yes'}",
        "set imap_idle = yes",
        "set mail_check = 5",
        "set timeout = 5",
        "set delete = yes                    # a mail that was archived leaves the inbox",
        "set confirmappend = no",
        "set sort = threads",
        'set index_format = "%4C %Z %{%b %d} %-16.16L %-40.40s %g"',
        "",
    ]
    lines += _mutt_folders(settings) if _in_folders(settings) else _mutt_labels(labels)
    archive = _mutt(f"<save-message>={imap.archive}<enter><sync-mailbox>")
    lines += [
        "",
        "# One mail of a thread is enough: the rest follows.",
        f'macro index,pager A {archive} "archive the mail"',
    ]
    return _text(lines)


def _mutt_labels(labels: Sequence[Label]) -> list[str]:
    lines = ["# Labels: , and a letter adds one to what the mail has; ,- takes all of them away."]
    for letter, label in _letters(labels):
        lines.append(
            f'macro index,pager ,{letter} "<modify-labels><eol> {label.keyword}<enter>" {_mutt(f"label it {label.name}")}'
        )
    lines.append('macro index,pager ,- "<modify-labels><kill-line><enter>" "take away all labels"')
    return lines + [
        f'color index {_terminal(colour(label))} default "~Y {label.keyword}"' for label in labels
    ]


def _mutt_folders(settings: Settings) -> list[str]:
    lines = [
        "# Labels are folders: , and a letter moves the mail there, ,- back into the inbox; its thread follows."
    ]
    there = dict(_folders(settings))
    for letter, label in _letters(there):
        move = _mutt(f"<save-message>={there[label]}<enter><sync-mailbox>")
        lines.append(f"macro index,pager ,{letter} {move} {_mutt(f'label it {label.name}')}")
    back = _mutt(f"<save-message>={settings.imap.inbox}<enter><sync-mailbox>")
    lines.append(f'macro index,pager ,- {back} "take away its label"')
    return [*lines, *(f"mailboxes {_mutt(f'+{folder}')}" for folder in there.values())]


def _in_folders(settings: Settings) -> bool:
    return settings.imap.dialect == "folders"


def _folders(settings: Settings) -> list[tuple[Label, str]]:
    """The labels that have a folder, and it."""
    wheres = any(label.kind is LabelKind.WHERE for label in ordered(settings))
    shown = ((label, shown_in(label, settings.imap.inbox)) for label in ordered(settings))
    return [(x, folder) for x, folder in shown if folder and not (wheres and x.name == ESCALATED)]


def aerc(settings: Settings) -> str:
    """A section of accounts.conf.  aerc neither shows nor sets IMAP keywords, and this says so."""
    imap, smtp = settings.imap, settings.smtp
    scheme = {"tls": "imaps", "starttls": "imap", "none": "imap+insecure"}[imap.security]
    about = [
        "# A section for accounts.conf.  aerc 0.14 shows no IMAP keywords and sets none, so it sees none of the board's",
        "# labels: archive (A), answer, star (:flag) with it, and look at labels with `helpdesk threads`.",
    ]
    moves: list[str] = []
    if _in_folders(settings):
        about = [
            "# A section for accounts.conf.  Labels are folders: to move a mail into one labels its thread."
        ]
        there = dict(_folders(settings))
        moves = [f"# ,{x} = :move {shlex.quote(there[label])}<Enter>" for x, label in _letters(there)]
    return _text(
        [
            *about,
            f"[{_line(settings.board.name)}]",
            f"source = {scheme}://{quote(imap.username, safe='')}@{imap.host}:{imap.port}",
            "source-cred-cmd = pass show board",
            *_aerc_out(smtp),
            f"default = {_line(imap.inbox)}",
            f"archive = {_line(imap.archive)}",
            f"copy-to = {_line(imap.sent)}",
            "from = You <you@example.org>",
            "",
            "# For binds.conf, in [messages] and [view]; one folder, no years:",
            "# A = :archive flat<Enter>",
            *moves,
        ]
    )


def _aerc_out(smtp: Smtp) -> list[str]:
    """The way out; aerc logs in everywhere if it is not told that nobody does."""
    scheme = "smtps" if smtp.security == "tls" else "smtp"
    there = f"{smtp.host}:{smtp.port}"
    if smtp.username is None:
        lines = [f"outgoing = {scheme}+none://{there}"]
    else:
        user = quote(smtp.username, safe="")
        lines = [f"outgoing = {scheme}+plain://{user}@{there}", "outgoing-cred-cmd = pass show board"]
    if smtp.security == "starttls":
        lines.append("smtp-starttls = true")
    if smtp.security == "none":
        lines.append("# aerc 0.15 and newer call that smtp+insecure")
    return lines


def roundcube(settings: Settings) -> str:
    """Lines for config.inc.php, with the plugins archive and thunderbird_labels (not tried)."""
    imap = settings.imap
    scheme = {"tls": "ssl://", "starttls": "tls://", "none": ""}[imap.security]
    words = ", ".join(label.keyword for label in ordered(settings))
    labels, plugins, style = (
        [
            "// Lines for config.inc.php.  Labels are shown and set by the plugin thunderbird_labels",
            "// (https://github.com/mike-kfed/roundcube-thunderbird_labels), 1.4.11 or newer: as the keywords that they are.",
            f"// {words}",
        ],
        "['archive', 'thunderbird_labels']",
        ["$config['tb_label_style'] = 'badges';"],
    )
    if _in_folders(settings):
        folders = ", ".join(folder for _, folder in _folders(settings))
        labels = [
            "// Lines for config.inc.php.  Labels are folders: drag a mail into one.",
            f"// {_line(folders)}",
        ]
        plugins, style = "['archive']", []
    return _text(
        [
            *labels,
            f"$config['imap_host'] = {_php(f'{scheme}{imap.host}:{imap.port}')};",
            f"$config['plugins'] = {plugins};  // and those that you have",
            f"$config['archive_mbox'] = {_php(imap.archive)};",
            "$config['archive_type'] = '';  // one folder, no years",
            f"$config['sent_mbox'] = {_php(imap.sent)};",
            f"$config['junk_mbox'] = {_php(imap.junk)};",
            *style,
        ]
    )


CLIENTS: Final[Mapping[str, Callable[[Settings], str]]] = {
    "thunderbird": thunderbird,
    "neomutt": neomutt,
    "aerc": aerc,
    "roundcube": roundcube,
}


def _pref(name: str, value: str | int) -> str:
    return f"user_pref({json.dumps(name)}, {json.dumps(value)});"


def _line(text: str) -> str:
    """A word of the configuration in a comment or an unquoted value: on one line."""
    return " ".join(text.split())


def _mutt(text: str) -> str:
    """A string of a muttrc: in double quotes only these mean something."""
    for special in ("\\", '"', "$", "`"):
        text = text.replace(special, f"\\{special}")
    return f'"{_line(text)}"'


def _php(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _letters(labels: Iterable[Label]) -> Iterator[tuple[str, Label]]:
    """A letter for each label, one of its own where there is one; labels beyond 36 have none."""
    free = dict.fromkeys(ascii_lowercase + digits)
    for label in labels:
        letter = next((char for char in (*label.keyword, *free) if char in free), None)
        if letter is not None:
            del free[letter]
            yield letter, label


def _terminal(hexadecimal: str) -> str:
    """The nearest of the colours that every terminal has."""
    here = tuple(int(hexadecimal[at : at + 2], 16) for at in (1, 3, 5))
    return min(
        _TERMINAL, key=lambda name: sum((a - b) ** 2 for a, b in zip(here, _TERMINAL[name], strict=True))
    )


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"
