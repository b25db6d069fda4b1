"""What mails name, and which of them tell of a trouble that the robots see too (docs/whose-fault.md)."""

from datetime import datetime

from sqlalchemy import Column, Index, Integer, Text
from sqlmodel import Field, SQLModel

from helpdesk.store.times import UtcTime


class MentionRow(SQLModel, table=True):
    """One thing that the author of a mail names himself: a site, a data set, an error line; of the team: its answer."""

    __tablename__ = "mention"
    __table_args__ = (Index("mention_message", "message"), Index("mention_name", "about", "name"))
    id: int | None = Field(default=None, sa_column=Column(Integer, primary_key=True))
    message: int
    about: str
    name: str = ""  # by which it is found in other mails, "" if it is not
    text: str = Field(default="", sa_column=Column(Text, nullable=False))


class FaultRow(SQLModel, table=True):
    """Strong evidence, as it was when a mail was looked at: decisions see nothing else."""

    __tablename__ = "fault"
    __table_args__ = (Index("fault_message", "message", "what", unique=True),)
    id: int | None = Field(default=None, sa_column=Column(Integer, primary_key=True))
    message: int
    what: str  # the site, or "many sites"
    why: str = Field(default="", sa_column=Column(Text, nullable=False))
    cycle: int
    at: datetime = Field(sa_type=UtcTime)
