"""Times at the border of the database: aware UTC datetimes inside, UTC without a zone in the tables."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect
from sqlalchemy.types import TypeDecorator

from helpdesk.store import sqlite


class UtcTime(TypeDecorator[datetime]):
    """A column of aware UTC datetimes; SQLite has no zones, so none are stored."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Drop the zone after making it UTC; a time without a zone is a bug of ours."""
        return None if value is None else _naive(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Put the zone back."""
        return None if value is None else value.replace(tzinfo=UTC)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Read what lies in the database, fast where it is read most."""
        return sqlite.time_of if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


def writer(dialect: Dialect) -> Callable[[datetime | None], object]:
    """What `UtcTime` hands to the driver of a database, for those who talk to the driver (`helpdesk.store.bulk`)."""
    finish: Callable[[datetime], object] = sqlite.time_text if dialect.name == "sqlite" else _without_zone
    return lambda value: None if value is None else finish(_utc(value))


def _naive(value: datetime) -> datetime:
    return _without_zone(_utc(value))


def _utc(value: datetime) -> datetime:
    if value.tzinfo is UTC:
        return value
    if value.tzinfo is None:
        raise ValueError(f"{value} has no time zone")
    return value.astimezone(UTC)


def _without_zone(value: datetime) -> datetime:
    return value.replace(tzinfo=None)
