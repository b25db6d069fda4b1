"""Since when a database knows what was said: what fell due before it counts as said (docs/decisions.md section 9)."""

from datetime import datetime

from sqlalchemy import Connection

from helpdesk.store import meta

KEY = "speaking_since"


def speaking_since(conn: Connection, now: datetime) -> datetime:
    """The moment of the first cycle that could speak."""
    text = meta.get(conn, KEY)
    if text is None:
        meta.put(conn, KEY, now.isoformat())
        return now
    return datetime.fromisoformat(text)
