"""Meetings: what a message about one leads to. What was asked in the conversation and awaits a yes comes first."""

import re
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from sqlmodel import select

from storage.messages import Address
from storage.models import Expectation, Meeting
from workflows import choices, meeting_clock, meeting_find, meeting_publish, meeting_query
from workflows.meeting_draft import (
    KIND,
    begin,
    confirmations,
    correct,
    desk_of,
    drop,
    fill_missing,
    refuse,
    undated_drafts,
)
from workflows.meeting_edit import edited
from workflows.meeting_plan import Plan
from workflows.meeting_scope import area_of
from workflows.reader import NUMBER
from workflows.turn import Turn
from workflows.words import Words

WORDS = Words("meeting")
NAMES = ("yes", "polite", "publish", "off", "drop", "cancel", "asks", "change", "over", "silent")
MATCH = {name: re.compile(WORDS.get(f"match.{name}")) for name in NAMES}
DRAFTS_LIVE = timedelta(hours=12)
PIECES = re.compile(r"[，,。！!；;\s]+")
ABOUT_MEETINGS = frozenset({"none", "ack", "meeting.change", "meeting.cancel", "meeting.query"})
"""Readings beside which a message may still answer what was read back; a whole new notice is not among them."""


async def draft(turn: Turn) -> None:
    """A new meeting is announced."""
    await begin(turn, turn.reading.slots, turn.incoming.text)


async def confirm(turn: Turn) -> bool:
    """An explicit yes to what the speaker was last asked to confirm here; True when it was acted upon."""
    text = NUMBER.sub("", turn.incoming.text).strip(" ,，。")
    if not _says("yes", text):
        return False
    asked, number = confirmations(turn), meeting_find.number_in(turn)
    if asked and number in ("", asked[0].about):
        if asked[0].pending.get("act") == "missing":
            return False
        await meeting_publish.say_yes(turn, asked[0])
        return True
    if not number or not await _is_own_draft(turn, number):
        return False
    await meeting_publish.by_number(turn, number)
    return True


def _says(name: str, text: str) -> bool:
    """Whether the text, as a whole or piece by piece, says just this; thanks beside it do no harm."""
    told = [piece for piece in PIECES.split(text) if piece and not MATCH["polite"].fullmatch(piece)]
    whole = MATCH[name].fullmatch(text) is not None
    return whole or (bool(told) and all(MATCH[name].fullmatch(piece) for piece in told))


async def point_to_yes(turn: Turn) -> bool:
    """A yes in private, while what awaits it was asked in another place (another platform): say where. True: said."""
    waiting = [row for row in turn.expectations if row.kind == KIND and row.about]
    if not waiting or not _says("yes", turn.incoming.text.strip(" ,，。")):
        return False
    asked = waiting[0]
    group = turn.work.org.group_at(Address.parse(asked.conversation))
    where = group.name if group else WORDS("say.in_private")
    key = "say.awaits_draft" if asked.pending["act"] == "publish" else "say.awaits_yes"
    await turn.reply(WORDS(key, number=asked.about, where=where), about=asked.about)
    return True


async def _is_own_draft(turn: Turn, number: str) -> bool:
    meeting = await turn.work.session.get(Meeting, number)
    return meeting is not None and meeting.state == "draft" and meeting.created_by == turn.person.person_id


async def clicked(turn: Turn) -> None:
    """[确认发布] ``publish:HY-…``."""
    await meeting_publish.by_number(turn, turn.incoming.click.partition(":")[2])


async def change(turn: Turn) -> None:
    """A known meeting gets a new time, place or scope: the draft that awaits a yes here, else a published one."""
    if await _corrects_awaited(turn):
        return
    if area_of(turn.work.org, turn.person) is None:
        await refuse(turn)
    elif await _is_new(turn):
        await draft(turn)
    elif (unclear := _awaited_number(turn)) and meeting_find.day_pointed_at(turn) is None:
        await turn.reply(WORDS("change.unclear", number=unclear), about=unclear)
    elif meeting := await meeting_find.one_to_change(turn, "change"):
        await _change(turn, meeting, turn.incoming.text, turn.reading.slots)


def _awaited_number(turn: Turn) -> str:
    """What awaits a yes here, when the message does not name another number."""
    about = next((row.about for row in confirmations(turn)), "")
    return about if meeting_find.number_in(turn) in ("", about) else ""


async def _is_new(turn: Turn) -> bool:
    """No number, no meeting to change, but a time, a scope and a title: a new meeting, however it was read."""
    if meeting_find.number_in(turn) or not all(turn.slot(name) for name in ("start", "scope", "title")):
        return False
    mine = [one for one in await meeting_find.alive(turn.work) if meeting_find.changeable(turn, one)]
    return not mine or not MATCH["change"].search(turn.incoming.text)


async def cancel(turn: Turn) -> None:
    """A meeting is called off: the draft that awaits a yes here, else a published one, after a yes."""
    asked, number = confirmations(turn), meeting_find.number_in(turn)
    if asked and asked[0].about and number in ("", asked[0].about) and asked[0].pending["act"] == "publish":
        await _drop_awaited(turn, asked[0])
    elif area_of(turn.work.org, turn.person) is None:
        await refuse(turn)
    elif meeting := await meeting_find.one_to_change(turn, "cancel"):
        await _cancel(turn, meeting)


async def _cancel(turn: Turn, meeting: Meeting) -> None:
    if meeting.state == "draft":
        await drop(turn, meeting)
    else:
        await meeting_publish.propose_cancel(turn, meeting)


async def _change(turn: Turn, meeting: Meeting, text: str, slots: dict[str, Any]) -> None:
    """Correct a draft at once; read the change of a published meeting back."""
    area = turn.work.org.units[meeting.host_unit_id]
    plan = edited(desk_of(turn, area), Plan.of(meeting), text) or _from_slots(turn, Plan.of(meeting), slots)
    if meeting.state == "draft":
        await correct(turn, meeting, plan)
    else:
        await meeting_publish.propose_change(turn, meeting, plan)


def _from_slots(turn: Turn, plan: Plan, slots: dict[str, Any]) -> Plan:
    """A change that was understood by its slots only: a start with its day and hour, as said."""
    told = slots.get("start")
    if not told or "T" not in str(told):
        return plan
    return plan.moved(turn.work.local(plan.starts_at).fromisoformat(str(told)))


@choices.resumes("meeting.which")
async def _picked(turn: Turn, pending: dict[str, Any], value: str) -> None:
    meeting = await turn.work.session.get_one(Meeting, value)
    if pending["act"] == "cancel":
        await _cancel(turn, meeting)
    else:
        await _change(turn, meeting, str(pending["text"]), dict(pending["slots"]))


async def query(turn: Turn) -> None:
    """A question about meetings."""
    await meeting_query.answer(turn)


# ---- what is only clear from what was asked before


async def overhear(turn: Turn, intents: Collection[str]) -> bool:
    """Look at a whole message before its readings are acted upon one by one: a yes, a correction or a missing piece of
    what awaits the speaker here; “谁还没回”; a number with 取消; “会议结束了”. True when that answers it.
    """
    text = turn.incoming.text.strip()
    asked = confirmations(turn)
    undated = undated_drafts(turn) if _says("drop", text) else []
    drops = (undated or asked) and _says("drop", text) and {"fault.cancel"}.issuperset(intents)
    if not text or not (drops or ABOUT_MEETINGS.issuperset(intents)):
        return False
    if asked and await _answers(turn, asked[0], text):
        return True
    if undated and await _drop_undated(turn, undated[0]):
        return True
    if MATCH["silent"].search(text) and (await meeting_query.who_is_silent(turn) or await _drafts_left(turn)):
        return True
    if not asked and MATCH["publish"].fullmatch(text) and not NUMBER.search(text) and await _drafts_left(turn):
        return True
    if meeting_find.number_in(turn) and NUMBER.search(text) and await _by_number(turn, text):
        return True
    return bool(MATCH["over"].match(text)) and await _over(turn)


async def _answers(turn: Turn, asked: Expectation, text: str) -> bool:
    """What awaits the speaker here is answered with this message."""
    if asked.pending["act"] == "missing":
        return await _drops_missing(turn, asked, text) or await fill_missing(turn, asked)
    if asked.pending["act"] == "cancel" and _says("off", text):
        await meeting_publish.say_yes(turn, asked)
        return True
    if await confirm(turn):
        return True
    if _says("drop", text):
        await _drop_awaited(turn, asked)
        return True
    return await _corrects_awaited(turn)


async def _drafts_left(turn: Turn) -> bool:
    """A yes, or a question about answers, of somebody with a draft from here that nobody waits for any more: say so."""
    here, since = str(turn.incoming.conversation), turn.work.now - DRAFTS_LIVE
    mine = Meeting.state == "draft", Meeting.created_by == turn.person.person_id, Meeting.created_at > since
    rows = (await turn.work.session.exec(select(Meeting).where(*mine, Meeting.conversation == here))).all()
    key = "say.drafts_left" if turn.direct else "say.drafts_left_group"
    if rows:
        left = max(rows, key=lambda row: (row.created_at, row.number))
        await turn.reply(WORDS(key, number=left.number, title=left.title), about=left.number)
    return bool(rows)


async def _drops_missing(turn: Turn, asked: Expectation, text: str) -> bool:
    if not _says("drop", text):
        return False
    asked.state = "closed"
    turn.work.session.add(asked)
    await turn.take_up(asked)
    await turn.reply(WORDS("say.draft_gone"))
    return True


async def _drop_undated(turn: Turn, asked: Expectation) -> bool:
    """“不发” instead of saying which day it is."""
    meeting = await turn.work.session.get(Meeting, asked.about)
    if meeting is None or meeting.state != "draft":
        return False
    asked.state = "closed"
    turn.work.session.add(asked)
    await turn.take_up(asked)
    await drop(turn, meeting)
    return True


async def _drop_awaited(turn: Turn, asked: Expectation) -> None:
    await turn.take_up(asked)
    meeting = await turn.work.session.get(Meeting, asked.about)
    if meeting is not None and asked.pending["act"] == "publish" and meeting.state == "draft":
        await drop(turn, meeting)
    else:
        await meeting_publish.keep(turn, asked)


async def _corrects_awaited(turn: Turn) -> bool:
    """A correction in words of the draft, or of the change, that was read back here."""
    asked, number = confirmations(turn), meeting_find.number_in(turn)
    if not asked or number not in ("", asked[0].about) or asked[0].pending["act"] not in ("publish", "change"):
        return False
    meeting = await turn.work.session.get(Meeting, asked[0].about)
    if meeting is None or meeting.state not in ("draft", *meeting_find.ALIVE):
        return False
    stored = asked[0].pending.get("plan")
    before = Plan.read(stored) if stored else Plan.of(meeting)
    if await _means_another(turn, before):
        return False
    plan = edited(desk_of(turn, turn.work.org.units[meeting.host_unit_id]), before, turn.incoming.text)
    if plan is None:
        return False
    await turn.take_up(asked[0])
    if meeting.state == "draft":
        await correct(turn, meeting, plan)
    else:
        await meeting_publish.propose_change(turn, meeting, plan)
    return True


async def _means_another(turn: Turn, plan: Plan) -> bool:
    """“后天的会改到10点” while tomorrow's draft is on the table: there is a published meeting of that day."""
    day = meeting_find.day_pointed_at(turn)
    if day is None or turn.work.local(plan.starts_at).date() == day:
        return False
    there = [one for one in await meeting_find.alive(turn.work) if meeting_find.fits_day(turn.work, one, day)]
    return any(meeting_find.changeable(turn, one) for one in there)


async def _by_number(turn: Turn, text: str) -> bool:
    """“HY-… 取消”, “确认 HY-…”, “HY-… 加上白沙镇”: the number says which, the words say what."""
    if MATCH["asks"].search(text) or area_of(turn.work.org, turn.person) is None:
        return False
    if await confirm(turn):
        return True
    if MATCH["change"].search(text):
        await change(turn)
    elif MATCH["cancel"].search(text):
        await cancel(turn)
    else:
        return False
    return True


async def _over(turn: Turn) -> bool:
    """“会议结束了”, said by whoever may run it or stands by at it: the one running meeting it can mean has ended."""
    running = [one for one in await meeting_find.alive(turn.work) if one.state == "running"]
    mine = [one for one in running if meeting_find.changeable(turn, one)]
    if len(mine) != 1:
        return not running and await _over_already(turn)
    await meeting_clock.end(turn.work, mine[0], who=turn.person.person_id)
    await turn.reply(WORDS("say.ended", number=mine[0].number), about=mine[0].number)
    return True


async def _over_already(turn: Turn) -> bool:
    """The hour of its end has passed before somebody said so: whoever published it hears that, and what is going on."""
    ended = [one for one in await meeting_find.just_ended(turn.work) if meeting_find.changeable(turn, one)]
    if len(ended) == 1:
        await turn.reply(WORDS("say.ended", number=ended[0].number), about=ended[0].number)
    return len(ended) == 1
