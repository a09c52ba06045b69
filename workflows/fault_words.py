"""How a fault is said: one phrase for it, its state, and what a client may read of an engineer's words."""

import re
from datetime import datetime

from storage.models import Fault
from storage.work import Work
from workflows import fault_book as book
from workflows.phrases import call, clock, fit
from workflows.words import Words

WORDS = Words("fault_words")
_DIGITS = re.compile(r"(?<![A-Za-z0-9-])\d{7,}")


def place(work: Work, fault: Fault) -> str:
    """The site by its full name, and the room when it adds something."""
    site = work.org.sites.get(fault.site_id or "")
    name = site.name if site else WORDS("unknown_site")
    return name if not fault.room or fault.room in name else WORDS("place", site=name, room=fault.room)


def symptom(fault: Fault) -> str:
    """Device and symptom in words; the reporter's own words when neither is known."""
    devices = [code for code in book.codes(fault.device) if code != book.OTHER]
    symptoms = [code for code in book.codes(fault.symptom) if code != book.OTHER]
    if not devices and not symptoms:
        return WORDS("quoted", text=_hide(fit(fault.text, 30))) if fault.text else WORDS("other")
    comma = WORDS("comma")
    device = comma.join(WORDS.get("device").get(code, "") for code in devices)
    wrong = comma.join(WORDS.get("symptom").get(code, "") for code in symptoms) or WORDS("broken")
    return wrong if device and wrong.startswith(device) else device + wrong  # “网络不通” names the network already


def matter(fault: Fault) -> str:
    """What is wrong and how urgent: ``没有声音，会议即将开始（紧急）``."""
    near = fault.extra.get("near", "")
    return WORDS(
        "matter",
        what=symptom(fault),
        near=WORDS(f"near.{near}") if near else "",
        urgency=WORDS(f"urgency.{fault.level}"),
        mark=WORDS("unproven") if fault.extra.get(book.UNPROVEN) else "",
    )


def owner(work: Work, fault: Fault) -> str:
    """Who works on it, with title; empty while nobody does."""
    person = work.org.people.get(fault.owner or fault.extra.get("assigned") or "")
    return call(person) if person else ""


def state(work: Work, fault: Fault, asks: str = "") -> str:
    """Where it stands. ``asks``: the person who is told, where that is one."""
    key, reporter = fault.state, work.org.people.get(fault.reporter or "")
    if key == "resolved" and asks in fault.reporters:
        key = "resolved_yours"
    if key == "open" and fault.extra.get("assigned"):
        key = "handed"
    elif key == "open" and fault.extra.get("round", 1) - fault.extra.get(book.RAISED, 0) > 1:
        key = "again"
    until = fault.extra.get("until")
    shown = clock(work, datetime.fromisoformat(until)) if until else ""
    name = reporter.name if reporter else ""
    return WORDS(f"state.{key}", owner=owner(work, fault), until=shown, reporter=name)


def describe(work: Work, fault: Fault) -> dict[str, str]:
    """The common words about a fault: number, place, symptom, matter, level, owner, state, reporter."""
    reporter = work.org.people.get(fault.reporter or "")
    return {
        "number": fault.number,
        "place": place(work, fault),
        "symptom": symptom(fault),
        "matter": matter(fault),
        "level": WORDS(f"level.{fault.level}"),
        "owner": owner(work, fault),
        "state": state(work, fault),
        "reporter": reporter.name if reporter else "",
    }


def for_client(text: str, most: int = 60) -> str:
    """An engineer's words as a client may read them: long numbers hidden, internal matters said plainly."""
    if any(word in text for word in WORDS.get("client.internal")):
        return WORDS("client.generic")
    return _hide(fit(text, most)).rstrip("。.!！")


def expected(work: Work, text: str, moment: datetime) -> str:
    """``预计15:40前到现场`` or ``…有结果``, by what the promise was about."""
    arrives = re.search(WORDS.get("client.arrive_pattern"), text) is not None
    return WORDS("client.arrive" if arrives else "client.result", at=clock(work, moment))


def _hide(text: str) -> str:
    return _DIGITS.sub(WORDS.get("client.hidden"), text)
