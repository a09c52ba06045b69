"""Corrections in words (“改成9点”, “加上白沙镇”, “不要青石镇”): a plan and a text give another plan. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from intents.times import TimeSpan, find_duration_minutes, find_times
from storage.directory import Directory
from storage.models import Unit
from workflows.meeting_details import moved_room, said
from workflows.meeting_plan import Plan
from workflows.meeting_scope import named_sites, ordered, wanted
from workflows.reader import NUMBER
from workflows.words import Words

MATCH: dict[str, re.Pattern[str]] = {
    name: re.compile(pattern) for name, pattern in Words("meeting").get("match.edit").items()
}


@dataclass(frozen=True)
class Desk:
    """What is needed to read a correction: the organisation, the area of whoever speaks, the local present."""

    org: Directory
    area: Unit
    now: datetime


def edited(desk: Desk, plan: Plan, text: str) -> Plan | None:
    """The plan with the corrections of ``text``, clause by clause; None when the text corrects nothing."""
    found = False
    for clause in MATCH["cut"].split(NUMBER.sub(" ", text)):
        for rule in RULES:
            changed = rule(desk, plan, clause.strip())
            if changed is not None:
                plan, found = changed, True
                break
    return plan if found else None


def _test(desk: Desk, plan: Plan, clause: str) -> Plan | None:
    """“联调改到下午4点”: the joint test has its own time; what is said of it never moves the meeting."""
    if not MATCH["test"].search(clause):
        return None
    spans = [one for one in find_times(clause, desk.now) if isinstance(one.start, datetime) and one.role != "old"]
    if not spans:
        return plan
    base = (plan.tested_at or plan.starts_at).astimezone(desk.now.tzinfo)
    return replace(plan, tested_at=moment_of(spans[-1], clause, base))


def _venue(desk: Desk, plan: Plan, clause: str) -> Plan | None:
    """“地点改到二楼会议室”: the room is another one, and nothing else."""
    venues = moved_room(desk.org, plan.site_ids, plan.venues, clause)
    return replace(plan, venues=venues) if venues is not None else None


def _arrival(desk: Desk, plan: Plan, clause: str) -> Plan | None:
    """“提前半小时到位”, “8点半前到位”."""
    if not MATCH["on_site"].search(clause):
        return None
    told = MATCH["before"].search(clause)
    minutes = find_duration_minutes(told["span"]) if told else None
    if minutes is not None:
        return replace(plan, arrive_before_s=minutes * 60.0)
    starts = [one.start for one in find_times(clause, desk.now) if isinstance(one.start, datetime)]
    if not starts:
        return None
    day = plan.starts_at.astimezone(desk.now.tzinfo).date()
    ahead = plan.starts_at - datetime.combine(day, starts[0].timetz())
    return replace(plan, arrive_before_s=ahead.total_seconds()) if timedelta() < ahead < timedelta(days=1) else None


def _shift(desk: Desk, plan: Plan, clause: str) -> Plan | None:
    """“推迟半小时”, “提前一小时”: by a length of time, not to a moment."""
    told = MATCH["later"].search(clause) or MATCH["earlier"].search(clause)
    if told is None or find_times(clause[told.start() :], desk.now):
        return None
    minutes = find_duration_minutes(told["span"])
    if minutes is None:
        return None
    sign = 1 if MATCH["later"].search(clause) else -1
    return plan.moved(plan.starts_at + sign * timedelta(minutes=minutes))


def _longer(desk: Desk, plan: Plan, clause: str) -> Plan | None:
    """“延长到6点半”, “延长一小时”, “11点结束”: the end moves and the start stays."""
    begun = plan.starts_at <= desk.now and MATCH["longer_begun"].search(clause)
    if not begun and not MATCH["longer"].search(clause):
        return None
    moments = [span for span in find_times(clause, desk.now) if isinstance(span.start, datetime)]
    minutes = find_duration_minutes(clause) if not moments and plan.ends_at else None
    if minutes is not None and plan.ends_at is not None:
        return replace(plan, ends_at=plan.ends_at + timedelta(minutes=minutes))
    if len(moments) != 1:
        return None
    base = (plan.ends_at or plan.starts_at).astimezone(desk.now.tzinfo)
    end = moment_of(moments[0], clause, base)
    return replace(plan, ends_at=end) if end > plan.starts_at else None


def _time(desk: Desk, plan: Plan, clause: str) -> Plan | None:
    """“改成9点”, “时间是后天上午10点到11点”, a bare “上午9点”. A clock alone keeps the day, a day alone the clock."""
    span = new_time(clause, desk.now)
    if span is None:
        return None
    told = MATCH["change"].search(clause[: span.span[0]])
    if not told and not MATCH["only_time"].fullmatch(_without_times(desk, clause)):
        return None
    start = moment_of(span, clause, plan.starts_at.astimezone(desk.now.tzinfo))
    until = None
    if isinstance(span.end, datetime) and isinstance(span.start, datetime):
        until = start + (span.end - span.start)
    return plan.moved(start, until)


def _without_times(desk: Desk, clause: str) -> str:
    for span in reversed(find_times(clause, desk.now)):
        clause = clause[: span.span[0]] + clause[span.span[1] :]
    return clause


def new_time(text: str, now: datetime) -> TimeSpan | None:
    """The time a correction names: what is called the new one, else the last that is no arrival and not the old one."""
    spans = find_times(text, now)
    new = [span for span in spans if span.role == "new"]
    plain = [span for span in spans if span.role in (None, "start")]
    return next(reversed(new or plain), None)


def moment_of(span: TimeSpan, text: str, base: datetime) -> datetime:
    """The moment meant by ``span``, read as a correction of ``base`` (both local)."""
    if not isinstance(span.start, datetime):
        return datetime.combine(span.start, base.timetz())
    said_day = MATCH["day"].search(text[span.span[0] : span.span[1]])
    return span.start if said_day else datetime.combine(base.date(), span.start.timetz())


def old_day(text: str, now: datetime) -> date | None:
    """The day by which a message points at an existing meeting (“明天的会改到…”), if it does."""
    spans = find_times(NUMBER.sub(" ", text), now)
    new = new_time(text, now)
    for span in spans:
        if span.role == "old" or (new is not None and span.span != new.span and span.role is None):
            return span.start.date() if isinstance(span.start, datetime) else span.start
    return None


def _remove(desk: Desk, plan: Plan, clause: str) -> Plan | None:
    told = MATCH["remove"].search(clause) or MATCH["stays_away"].search(clause)
    sites = named_sites(desk.org, told["places"]) if told else []
    kept = tuple(site for site in plan.site_ids if site not in sites)
    return replace(plan, site_ids=kept) if sites and kept else None


def _add(desk: Desk, plan: Plan, clause: str) -> Plan | None:
    told = MATCH["add"].search(clause) or MATCH["add_before"].search(clause)
    if told is None:
        return None
    sites = wanted(desk.org, desk.area, told["places"], plan.systems) or named_sites(desk.org, told["places"])
    return replace(plan, site_ids=tuple(ordered(desk.org, [*plan.site_ids, *sites]))) if sites else None


def _scope(desk: Desk, plan: Plan, clause: str) -> Plan | None:
    """“改为全市”, “只要临河县和青石镇”, “范围是各县”."""
    told = MATCH["scope"].search(clause)
    if told is None:
        return None
    sites = wanted(desk.org, desk.area, told["places"], plan.systems) or named_sites(desk.org, told["places"])
    return replace(plan, site_ids=tuple(ordered(desk.org, sites))) if sites else None


def _title(_desk: Desk, plan: Plan, clause: str) -> Plan | None:
    told = MATCH["title"].search(clause)
    return replace(plan, title=told["title"].strip()) if told else None


def _contact(_desk: Desk, plan: Plan, clause: str) -> Plan | None:
    told = MATCH["contact"].search(clause)
    return replace(plan, contact=told["contact"].strip()) if told else None


def _host(_desk: Desk, plan: Plan, clause: str) -> Plan | None:
    told = said("host", clause)
    return replace(plan, host=told) if told else None


def _heads(_desk: Desk, plan: Plan, clause: str) -> Plan | None:
    told = said("heads", clause)
    return replace(plan, heads=told) if told else None


def _basis(_desk: Desk, plan: Plan, clause: str) -> Plan | None:
    told = MATCH["basis"].search(clause)
    return replace(plan, basis=told["basis"].strip()) if told else None


RULES: tuple[Callable[[Desk, Plan, str], Plan | None], ...] = (
    _basis,
    _title,
    _contact,
    _host,
    _heads,
    _test,
    _venue,
    _arrival,
    _longer,
    _shift,
    _time,
    _remove,
    _add,
    _scope,
)
"""The first that fits a clause takes it."""
