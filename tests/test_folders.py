"""Which folders are watched and what they mean."""

import pytest

from helpdesk.mailbox.folders import FolderSettings, places, separator_of
from helpdesk.model import Place
from helpdesk.ports import FolderInfo

IN, A, S, F = Place.INBOX, Place.ARCHIVE, Place.SENT, Place.FILED


def meaning(*names: str, settings: FolderSettings | None = None, **special: str) -> dict[str, Place]:
    """The places of folders with these names; SPECIAL-USE by name, with _ for a space."""
    infos = [FolderInfo(name, special.get(name.replace(" ", "_"), "")) for name in names]
    return dict(places(infos, settings or FolderSettings()))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("INBOX", "Archive", "Sent", "Drafts", "Junk", "Trash"), {"INBOX": IN, "Archive": A, "Sent": S}),
        (("Inbox",), {"Inbox": IN}),
        (("INBOX", "Archive", "Archive/2025", "Archive/2025/06", "Archived"), {
            "INBOX": IN, "Archive": A, "Archive/2025": A, "Archive/2025/06": A,
        }),
        (("INBOX", "Archive", "Archive.2025", "Archive.2025.06"), {
            "INBOX": IN, "Archive": A, "Archive.2025": A, "Archive.2025.06": A,
        }),
        (("INBOX", "Archive", "Archive/Trash", "Archive/Drafts"), {"INBOX": IN, "Archive": A}),
        (("INBOX", "Helpdesk", "Board", "helpdesk-probe", "Boards"), {"INBOX": IN, "Helpdesk": F, "Board": F}),
        (("INBOX", "INBOX.Archive", "INBOX.Helpdesk", "INBOX.helpdesk-probe"), {"INBOX": IN, "INBOX.Helpdesk": F}),
        (("INBOX", "Lists", "INBOX/sub"), {"INBOX": IN}),
    ],
)  # fmt: skip
def test_by_name(names: tuple[str, ...], expected: dict[str, Place]) -> None:
    """Inbox, archive with its subfolders, Sent and the board's own folders are watched, and nothing else is."""
    assert meaning(*names) == expected


def test_a_stray_folder_below_the_inbox() -> None:
    """What SPECIAL-USE names is not displaced by a folder that a client with a wrong prefix once made below INBOX."""
    strays = [FolderInfo(name, "", "/") for name in ("INBOX", "INBOX/Sent", "INBOX/Archive")]
    told = [FolderInfo("Gesendet", "sent", "/"), FolderInfo("Archiv", "archive", "/")]
    assert places([*strays, *told], FolderSettings()) == {"INBOX": IN, "Gesendet": S, "Archiv": A}
    assert places(strays, FolderSettings()) == {"INBOX": IN, "INBOX/Sent": S, "INBOX/Archive": A}


def test_aliases() -> None:
    """The folders that clients archive into by themselves count with their subfolders, wherever they are."""
    settings = FolderSettings(archive_aliases=("Archives", "INBOX/Archive"))
    found = meaning(
        "INBOX", "Archives", "Archives/2026", "INBOX/Archive", "INBOX/Archive/x", settings=settings
    )
    assert found == {"INBOX": IN, "Archives": A, "Archives/2026": A, "INBOX/Archive": A, "INBOX/Archive/x": A}


def test_special_use() -> None:
    r"""Where the default name does not exist, \Archive and \Sent tell; a name that was configured is taken at its word."""
    assert meaning("INBOX", "Archiv", "Gesendet", Archiv="archive", Gesendet="sent") == {
        "INBOX": IN,
        "Archiv": A,
        "Gesendet": S,
    }
    assert meaning("INBOX", "Archive", "Archiv", Archiv="archive") == {"INBOX": IN, "Archive": A}
    configured = FolderSettings(archive="Closed", sent="Sent Items")
    assert meaning("INBOX", "Archiv", "Sent Items", settings=configured, Archiv="archive") == {
        "INBOX": IN,
        "Sent Items": S,
    }


def test_never() -> None:
    """Drafts, junk and trash are never watched, whatever they are called and wherever they lie."""
    settings = FolderSettings(junk="Archive/Spam")
    found = meaning(
        "INBOX",
        "Archive",
        "Archive/Spam",
        "Archive/Papierkorb",
        settings=settings,
        **{"Archive/Papierkorb": "trash"},
    )
    assert found == {"INBOX": IN, "Archive": A}


@pytest.mark.parametrize(
    ("names", "separator"),
    [
        (("INBOX", "Archive"), "/"),
        (("INBOX", "INBOX.Sent"), "."),
        (("INBOX", "a", "a/b", "v1.2"), "/"),
        (("INBOX", "a.b", "a.b/c.d", "a.b/e"), "/"),
        (("INBOX", "Archive", "Archive\\2026"), "\\"),
    ],
)
def test_the_separator(names: tuple[str, ...], separator: str) -> None:
    """The hierarchy separator is told by the folders that lie in others."""
    assert separator_of(names) == separator
