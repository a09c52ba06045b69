"""What is different between two plans of a meeting, in words and for whom."""

from collections.abc import Sequence
from dataclasses import dataclass

from storage.directory import Directory
from storage.work import Work
from workflows.meeting_details import in_words, moved_sites
from workflows.meeting_plan import Plan, site_names
from workflows.notice_scope import owing_units
from workflows.notice_texts import on_the_day, systems
from workflows.phrases import full_clock, joined
from workflows.words import Words

WORDS = Words("meeting")


@dataclass(frozen=True)
class Difference:
    """``owing``: units whose part changed and who answer anew. ``told``: units that are only informed.
    ``lines``: what is different, for a reader. ``added`` and ``removed`` are sites.
    """

    lines: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    owing: tuple[str, ...]
    told: tuple[str, ...]


def between(work: Work, old: Plan, new: Plan) -> Difference:
    """From ``old`` to ``new``. A new time concerns everybody, a new scope or room those it touches, words nobody."""
    org = work.org
    added = tuple(site for site in new.site_ids if site not in old.site_ids)
    removed = tuple(site for site in old.site_ids if site not in new.site_ids)
    staying = owing_units(org, new.site_ids)
    if _moments(old) != _moments(new):
        owing = [*staying, *_left(org, removed, staying)]
    else:
        touched = owing_units(org, [*added, *removed, *moved_sites(old.venues, new.venues, new.site_ids)])
        owing = [*(unit for unit in staying if unit in touched), *_left(org, removed, staying)]
    reworded = _wording(old) != _wording(new)
    told = [unit for unit in staying if unit not in owing] if reworded else []
    lines = _lines(work, old, new, added, removed)
    return Difference(tuple(lines), added, removed, tuple(dict.fromkeys(owing)), tuple(told))


def _moments(plan: Plan) -> tuple[object, ...]:
    """When people have to be somewhere."""
    return plan.starts_at, plan.arrive_before_s, plan.tested_at


def _wording(plan: Plan) -> tuple[object, ...]:
    return plan.title, plan.systems, plan.ends_at, plan.contact, plan.host


def _left(org: Directory, removed: Sequence[str], staying: Sequence[str]) -> list[str]:
    """Units that take part no longer."""
    return [unit for unit in owing_units(org, removed) if unit not in staying]


def _lines(work: Work, old: Plan, new: Plan, added: Sequence[str], removed: Sequence[str]) -> list[str]:
    pairs = [
        ("title", old.title, new.title),
        ("systems", systems(old.systems), systems(new.systems)),
        ("start", full_clock(work, old.starts_at), full_clock(work, new.starts_at)),
        ("end", _end(work, old), _end(work, new)),
        ("arrive", _arrive(work, old), _arrive(work, new)),
        ("test", _tested(work, old), _tested(work, new)),
        ("venue", in_words(work.org, old.venues), in_words(work.org, new.venues)),
        ("host", old.host, new.host),
        ("heads", old.heads, new.heads),
        ("contact", old.contact, new.contact),
        ("basis", old.basis, new.basis),
    ]
    none = WORDS("change.none")
    lines = [
        WORDS("change.line", what=WORDS(f"change.{what}"), old=was or none, new=now or none)
        for what, was, now in pairs
        if was != now
    ]
    for key, sites in (("change.added", added), ("change.removed", removed)):
        if sites:
            lines.append(WORDS(key, sites=joined(site_names(work.org, sites))))
    return lines


def _end(work: Work, plan: Plan) -> str:
    return full_clock(work, plan.ends_at) if plan.ends_at else ""


def _tested(work: Work, plan: Plan) -> str:
    return full_clock(work, plan.tested_at) if plan.tested_at else ""


def _arrive(work: Work, plan: Plan) -> str:
    return on_the_day(work, plan.arrive_at, plan.starts_at)
