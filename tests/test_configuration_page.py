"""docs/configuration.md says what the settings say."""

from pathlib import Path

from helpdesk.settings.reference import reference

PAGE = Path(__file__).parent.parent / "docs" / "configuration.md"


def test_the_page_is_up_to_date() -> None:
    """The configuration page in docs/ is what the settings generate today: `make docs` writes it again."""
    assert PAGE.read_text(encoding="utf-8") == reference()


def test_every_key_has_its_line_and_no_secret_is_masked() -> None:
    """Sections, nested tables and lists of tables are all there, with defaults that can be read."""
    page = reference()
    for wanted in (
        "## `[imap.oauth2]`",
        "## `[[people]]`",
        "## `[rule.when]`",
        "| `settle_seconds` | number | `60` |",
    ):
        assert wanted in page
    assert "***" not in page
    assert "sqlite:///helpdesk.db" in page
