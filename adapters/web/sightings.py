"""Unknown groups and senders that have spoken: what an operator still has to bind."""

from datetime import datetime

from sqlmodel import col, select

from adapters.web.show import View, clock_of
from adapters.web.words import label
from storage.directory import Directory
from storage.messages import Address
from storage.models import Sighting
from storage.work import Work

ROWS = 30


async def sightings_view(work: Work, today: datetime) -> list[View]:
    """Those not bound since, latest first."""
    query = select(Sighting).order_by(col(Sighting.last_seen).desc()).limit(ROWS)
    rows = [row for row in (await work.session.exec(query)).all() if not _known(work.org, row)]
    return [
        {
            "kind": label("sighting", row.kind),
            "platform": label("met_via", row.platform),
            "account": row.account,
            "name": row.name,
            "seen": clock_of(work.local(row.last_seen), today),
        }
        for row in rows
    ]


def _known(org: Directory, row: Sighting) -> bool:
    if row.kind == "group":
        return org.group_at(Address(platform=row.platform, kind="group", id=row.account)) is not None
    return org.person_at(row.platform, row.account) is not None
