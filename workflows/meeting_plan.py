"""What a meeting is to be: the part of it that people draft, correct and confirm."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from storage.directory import TIERS, Directory
from storage.models import Meeting
from workflows.meeting_details import Venues
from workflows.phrases import joined
from workflows.words import Words

WORDS = Words("meeting")
FEW = 5
"""Up to so many sites are named one by one."""
WORDED = ("contact", "host", "heads")
"""What is kept as it was said."""
MOMENTS = ("starts_at", "ends_at", "tested_at")


@dataclass(frozen=True)
class Plan:
    """The content of a meeting; equal plans mean that nothing changes."""

    title: str
    systems: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime | None
    arrive_before_s: float
    site_ids: tuple[str, ...]
    basis: str = ""
    tested_at: datetime | None = None
    """The joint test (联调), when there is one."""
    contact: str = ""
    host: str = ""
    heads: str = ""
    venues: Venues = ()

    @classmethod
    def of(cls, meeting: Meeting) -> "Plan":
        """What a stored meeting is now."""
        return cls(
            title=meeting.title,
            systems=tuple(meeting.systems),
            starts_at=meeting.starts_at,
            ends_at=meeting.ends_at,
            arrive_before_s=meeting.arrive_before_s,
            site_ids=tuple(meeting.site_ids),
            basis=meeting.basis,
            tested_at=tested_at(meeting),
            venues=tuple((site, at) for site, at in meeting.extra.get("venues", ())),
            contact=str(meeting.extra.get("contact", "")),
            host=str(meeting.extra.get("host", "")),
            heads=str(meeting.extra.get("heads", "")),
        )

    def write(self, org: Directory, meeting: Meeting) -> None:
        """Make a stored meeting like this."""
        meeting.title, meeting.systems = self.title, list(self.systems)
        meeting.starts_at, meeting.ends_at = self.starts_at, self.ends_at
        meeting.arrive_before_s, meeting.basis = self.arrive_before_s, self.basis
        meeting.site_ids, meeting.scope_text = list(self.site_ids), scope_words(org, self.site_ids)
        test = self.tested_at.isoformat() if self.tested_at else ""
        worded = {name: getattr(self, name) for name in WORDED}
        meeting.extra = {**meeting.extra, "tested_at": test, "venues": [list(one) for one in self.venues], **worded}

    def stored(self) -> dict[str, Any]:
        """As JSON."""
        data = asdict(self)
        return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in data.items()}

    @classmethod
    def read(cls, data: dict[str, Any]) -> "Plan":
        """The reverse of :meth:`stored`."""
        moments = {name: datetime.fromisoformat(data[name]) for name in MOMENTS if data.get(name)}
        lists = {name: tuple(data[name]) for name in ("systems", "site_ids")}
        venues = tuple((site, at) for site, at in data.get("venues", ()))
        return cls(**{**data, **moments, **lists, "venues": venues})

    def moved(self, start: datetime, end: datetime | None = None) -> "Plan":
        """At another time; the length stays unless a new end is given."""
        if end is None and self.ends_at is not None:
            end = self.ends_at + (start - self.starts_at)
        return replace(self, starts_at=start, ends_at=end)

    @property
    def arrive_at(self) -> datetime:
        """By when people must be on site."""
        return self.starts_at - timedelta(seconds=self.arrive_before_s)


def tested_at(meeting: Meeting) -> datetime | None:
    """When a stored meeting's joint test is, if it has one."""
    told = meeting.extra.get("tested_at")
    return datetime.fromisoformat(told) if told else None


def site_names(org: Directory, site_ids: Sequence[str]) -> list[str]:
    """Names of those sites that are known."""
    return [org.sites[site_id].name for site_id in site_ids if site_id in org.sites]


def tier_counts(org: Directory, site_ids: Sequence[str]) -> dict[str, int]:
    """How many of the sites lie in each tier, from the top; tiers without any are left out."""
    tiers = [org.units[org.sites[one].unit_id].tier for one in site_ids if one in org.sites and _known(org, one)]
    return {tier: tiers.count(tier) for tier in TIERS if tier in tiers}


def _known(org: Directory, site_id: str) -> bool:
    return org.sites[site_id].unit_id in org.units


def scope_words(org: Directory, site_ids: Sequence[str]) -> str:
    """Few sites by name, many by tier: ``地市1个、县区2个、乡镇5个分会场``."""
    if len(site_ids) <= FEW:
        return joined(site_names(org, site_ids))
    parts = [
        WORDS("tier_count", tier=WORDS.get("tiers")[tier], count=count)
        for tier, count in tier_counts(org, site_ids).items()
    ]
    return WORDS("scope_by_tier", tiers=joined(parts), count=len(site_ids))
