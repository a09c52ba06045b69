"""What is attached to received messages, noted when a message is accepted and fetched once a workflow has use for it.

What nobody has use for is never fetched: refused photos, marked papers, what strangers send.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlmodel import Field, Index, SQLModel

from storage.messages import Incoming
from storage.models import json_dict, json_list


class Fetch(SQLModel, table=True):
    """An attachment of a received message. ``state``: noted · waiting (to be fetched) · stored · failed · refused.

    ``not_before`` is the next try, and while one is under way the end of its lease. ``places`` names the rows of the
    workflows that show the file and learn its SHA-256 when it is there. ``found`` is what was read in the file.
    """

    __tablename__ = "fetch"
    __table_args__ = (Index("fetch_due", "state", "not_before"),)
    id: int | None = Field(default=None, primary_key=True)
    inbox_id: int
    platform: str
    sender: str
    ref: str = Field(index=True)
    attachment: dict[str, Any] = json_dict()
    state: str = "noted"
    attempts: int = 0
    not_before: datetime
    sha256: str = ""
    error: str = ""
    places: list[list[str]] = json_list()
    found: dict[str, Any] = json_dict()
    created_at: datetime

    def claim(self, place: list[str], now: datetime) -> None:
        """Have it fetched for a row that will show it."""
        if self.state == "noted":
            self.state, self.not_before = "waiting", now
        if place not in self.places:
            self.places = [*self.places, place]


def fetches_of(incoming: Incoming, inbox_id: int, now: datetime) -> Iterable[Fetch]:
    """A row for everything in the message that can be fetched."""
    for attachment in incoming.attachments:
        if attachment.ref:
            yield Fetch(
                inbox_id=inbox_id,
                platform=incoming.platform,
                sender=incoming.sender.account,
                ref=attachment.ref,
                attachment=attachment.model_dump(mode="json"),
                not_before=now,
                created_at=now,
            )
