"""What the engineer should know beforehand: earlier faults of the site, and a device that fails too often."""

import re

from sqlmodel import col, select

from storage.models import Fault
from storage.work import Work
from workflows import fault_book as book
from workflows import fault_profile, fault_words
from workflows.phrases import day, fit
from workflows.words import Words

WORDS = Words("fault_history")


async def lines(work: Work, fault: Fault) -> str:
    """The site's last faults (when, what, cure) and the advice to replace a device; empty when there is nothing."""
    query = (
        select(Fault)
        .where(Fault.site_id == fault.site_id, Fault.number != fault.number, Fault.state != "cancelled")
        .order_by(col(Fault.created_at).desc())
        .limit(20)
    )
    earlier = list((await work.session.exec(query)).all()) if fault.site_id else []
    shown = [_line(work, one) for one in earlier[: fault_profile.count("joining.history")]]
    history = WORDS("history", lines=WORDS.get("between").join(shown)) if shown else ""
    return history + _replace(work, fault, earlier)


def _line(work: Work, fault: Fault) -> str:
    cure = str(fault.extra.get("cure", ""))
    cure = "" if re.match(WORDS.get("says_nothing"), cure) else cure
    return WORDS(
        "line",
        day=day(work, fault.created_at),
        symptom=fault_words.symptom(fault),
        cure=WORDS("cure", cure=fit(cure, 24)) if cure else "",
    )


def _replace(work: Work, fault: Fault, earlier: list[Fault]) -> str:
    """A device with too many faults in the rolling month, this one included, is to be replaced."""
    since = work.now - fault_profile.span("joining.replace_within")
    for device in book.codes(fault.device):
        failures = 1 + sum(device in book.codes(one.device) for one in earlier if one.created_at >= since)
        if device != book.OTHER and failures >= fault_profile.count("joining.replace_count"):
            return WORDS("replace", device=fault_words.WORDS.get("device").get(device, device), count=failures)
    return ""
