"""The yes: a draft is published, a change becomes a new version, a cancellation is told. Each one short transaction."""

from collections.abc import Sequence

from storage.models import Expectation, Meeting
from storage.work import Work
from workflows import manners, meeting_clock, notice, notice_recall, settled_cards
from workflows.authority import may
from workflows.meeting_change import Difference, between
from workflows.meeting_clock import HOOKS, call_hooks
from workflows.meeting_draft import KIND, await_yes, drafter, refuse, refuse_outside
from workflows.meeting_plan import Plan
from workflows.meeting_readback import read_cancel, read_change
from workflows.meeting_scope import area_of
from workflows.notice_scope import audience, instant, owing_units
from workflows.notice_texts import by_mail_within
from workflows.phrases import clock, full_clock
from workflows.turn import Turn
from workflows.words import Words

WORDS = Words("meeting")
ALIVE = ("published", "running")
LOOKED_AT = 100
"""Units whose working time is looked up for the receipt; all of a province would hold others up."""


async def say_yes(turn: Turn, asked: Expectation) -> None:
    """Do what was read back and is now confirmed, if it still holds."""
    await turn.take_up(asked)
    meeting = await turn.work.session.get(Meeting, asked.about, with_for_update=True)
    act = asked.pending.get("act")
    if meeting is None:
        return
    if act == "publish" and meeting.state == "draft":
        await _publish(turn, meeting, asked)
    elif act in ("change", "cancel") and meeting.state in ALIVE:
        await _act_on_published(turn, meeting, asked)
    else:
        await already(turn, meeting)


async def _act_on_published(turn: Turn, meeting: Meeting, asked: Expectation) -> None:
    if not may(turn.work.org, turn.person, "meeting.change", meeting.host_unit_id):
        await refuse(turn)
    elif int(asked.pending["version"]) != meeting.version:
        await _met(turn, asked)
        await turn.reply(WORDS("say.moved_on", number=meeting.number), about=meeting.number)
    elif asked.pending["act"] == "cancel":
        await _cancel(turn, meeting, asked)
    else:
        await _change(turn, meeting, Plan.read(asked.pending["plan"]), asked)


async def already(turn: Turn, meeting: Meeting) -> None:
    """Nothing waits for a yes any more."""
    state = WORDS(f"state.{meeting.state}")
    await turn.reply(WORDS("say.already", number=meeting.number, state=state), about=meeting.number)


# ---- publishing


async def _publish(turn: Turn, meeting: Meeting, asked: Expectation) -> None:
    work, org = turn.work, turn.work.org
    if area_of(org, turn.person) is None:
        await refuse(turn)
        return
    if meeting.starts_at <= work.now:
        start = full_clock(work, meeting.starts_at)
        await turn.reply(WORDS("say.past", number=meeting.number, start=start), about=meeting.number)
        return
    if meeting.extra.get("unclear"):
        await turn.reply(WORDS("say.unclear", number=meeting.number), about=meeting.number)
        return
    if await refuse_outside(turn, meeting.site_ids):
        return
    await _met(turn, asked)
    units = owing_units(org, meeting.site_ids)
    meeting.state, meeting.published_at = "published", work.now
    meeting.conversation = str(turn.incoming.conversation)
    turn.audit("meeting.published", meeting.number, version=meeting.version + 1)
    await notice.publish(work, meeting, "new", turn.person, units)
    await meeting_clock.wind(work, meeting)
    await call_hooks(HOOKS.published, work, meeting)
    await _receipt(turn, meeting, "say.published", units)


async def _receipt(turn: Turn, meeting: Meeting, key: str, units: Sequence[str]) -> None:
    work = turn.work
    through = notice.through_at(work, notice.count_messages(work, units))
    text = WORDS(
        key,
        number=meeting.number,
        version=meeting.version,
        units=len(units),
        due=_due(work, units),
        through=WORDS("say.through", through=clock(work, through)) if through else "",
    )
    await turn.reply(text + await _in_the_hush(work, meeting), about=meeting.number)


def _due(work: Work, units: Sequence[str]) -> str:
    """By when the units answer; those that only mail reaches have working time, and it is said when."""
    soon = clock(work, work.now + work.settings.policy.notice_ack.within)
    people = audience(work.org, tuple(units), work.platforms, work.now).people
    by_mail = [one for one in units if not instant(work.org, one, people[one], work.platforms)]
    if not by_mail:
        return soon
    later = clock(work, max(by_mail_within(work, one, work.now) for one in by_mail[:LOOKED_AT]))
    return later if len(by_mail) == len(units) else WORDS("say.due_two", soon=soon, later=later, count=len(by_mail))


async def _in_the_hush(work: Work, meeting: Meeting) -> str:
    """What publishing at night or at noon means: the notice goes out now, reminders perhaps later."""
    now = manners.hush(work)
    if now is None:
        return ""
    if not await manners.cannot_wait(work, meeting.number):
        return WORDS("say.hush", ends=clock(work, now.ends))
    return WORDS("say.night") if now.groups_sleep else ""


async def _met(turn: Turn, asked: Expectation) -> None:
    await settled_cards.read_back(turn.work, asked.about, "done")
    asked.state = "met"
    turn.work.session.add(asked)
    turn.expectations = [row for row in turn.expectations if row is not asked]


# ---- changing


async def propose_change(turn: Turn, meeting: Meeting, plan: Plan) -> None:
    """Read a change of a published meeting back and await the yes."""
    if await refuse_outside(turn, plan.site_ids):
        return
    difference = between(turn.work, Plan.of(meeting), plan)
    if not difference.lines:
        await turn.reply(WORDS("change.unclear", number=meeting.number), about=meeting.number)
        return
    lines = [*difference.lines, *(_past(turn, plan) if plan.starts_at != meeting.starts_at else ())]
    await read_change(turn, meeting, lines, len(difference.owing), len(difference.told))
    pending = {"act": "change", "plan": plan.stored(), "version": meeting.version}
    await await_yes(turn, meeting.number, pending)


def _past(turn: Turn, plan: Plan) -> list[str]:
    if plan.starts_at > turn.work.now:
        return []
    return [WORDS("readback.warning", text=WORDS("readback.past", start=full_clock(turn.work, plan.starts_at)))]


async def _change(turn: Turn, meeting: Meeting, plan: Plan, asked: Expectation) -> None:
    work = turn.work
    if plan.starts_at <= work.now and plan.starts_at != meeting.starts_at:
        start = full_clock(work, plan.starts_at)
        await turn.reply(WORDS("say.past", number=meeting.number, start=start), about=meeting.number)
        return
    await _met(turn, asked)
    difference = between(work, Plan.of(meeting), plan)
    fresh = _newcomers(turn, meeting, difference)
    plan.write(work.org, meeting)
    meeting.conversation = str(turn.incoming.conversation)
    if meeting.state == "running" and plan.starts_at > work.now:
        meeting.state = "published"
    changes = {
        "lines": list(difference.lines),
        "added": list(difference.added),
        "removed": list(difference.removed),
        "told": list(difference.told),
        "fresh": fresh,
    }
    turn.audit("meeting.changed", meeting.number, version=meeting.version + 1, lines=list(difference.lines))
    await notice.publish(work, meeting, "change", turn.person, difference.owing, changes)
    await meeting_clock.wind(work, meeting)
    await call_hooks(HOOKS.changed, work, meeting)
    await _receipt(turn, meeting, "say.changed" if difference.owing else "say.changed_quietly", difference.owing)


def _newcomers(turn: Turn, meeting: Meeting, difference: Difference) -> list[str]:
    """Units that hear of the meeting for the first time: they get the whole notice, not the difference."""
    known = set(owing_units(turn.work.org, meeting.site_ids))
    return [unit for unit in owing_units(turn.work.org, difference.added) if unit not in known]


# ---- cancelling


async def propose_cancel(turn: Turn, meeting: Meeting) -> None:
    """Read a cancellation back and await the yes."""
    await read_cancel(turn, meeting, len(owing_units(turn.work.org, meeting.site_ids)))
    await await_yes(turn, meeting.number, {"act": "cancel", "version": meeting.version})


async def _cancel(turn: Turn, meeting: Meeting, asked: Expectation) -> None:
    work = turn.work
    await _met(turn, asked)
    units = owing_units(work.org, meeting.site_ids)
    meeting.state = "cancelled"
    meeting.conversation = str(turn.incoming.conversation)
    turn.audit("meeting.cancelled", meeting.number, version=meeting.version + 1)
    await notice_recall.take_back(work, meeting.number, turn.person.person_id)
    await notice.publish(work, meeting, "cancel", turn.person, units)
    await meeting_clock.unwind(work, meeting)
    await call_hooks(HOOKS.cancelled, work, meeting)
    await _receipt(turn, meeting, "say.cancelled", units)


async def keep(turn: Turn, asked: Expectation) -> None:
    """A change or cancellation that was read back is not wanted after all."""
    await _met(turn, asked)
    await turn.reply(WORDS("say.kept", number=asked.about), about=asked.about)


# ---- the button, and the number in words


async def by_number(turn: Turn, number: str) -> None:
    """A yes that names its number ([确认发布], “确认 HY-…”): only from whoever drafted it or was asked."""
    mine = [row for row in turn.expectations if row.kind == KIND and row.about == number]
    meeting = await turn.work.session.get(Meeting, number)
    if mine:
        await say_yes(turn, mine[0])
    elif meeting is None:
        await turn.reply(WORDS("say.no_number", number=number))
    elif meeting.state == "draft" and meeting.created_by != turn.person.person_id:
        await turn.reply(WORDS("say.not_drafter", number=number, who=drafter(turn, meeting)), about=number)
    elif meeting.state == "draft":
        await say_yes(turn, await turn.expect(KIND, number, pending={"act": "publish"}))
    else:
        await already(turn, meeting)
