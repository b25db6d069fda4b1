"""What the board decides: pure functions over frozen facts (docs/decisions.md)."""
