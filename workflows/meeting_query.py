"""Answers about meetings: when, where, and who has not answered yet. From the rows the asker may see, and no others."""

from collections.abc import Sequence

from storage.models import Meeting
from workflows import notice_tally
from workflows.meeting_find import alive, changeable, day_asked, fits_day, narrowed, number_in, visible
from workflows.meeting_plan import Plan, site_names
from workflows.notice_texts import on_the_day, systems
from workflows.phrases import day, full_clock, joined
from workflows.reader import own_sites
from workflows.turn import Turn
from workflows.words import Words

WORDS = Words("meeting")
MOST = 6


async def answer(turn: Turn) -> None:
    """“下午那个会几点”: one meeting in full, or a short list."""
    number = number_in(turn)
    if number:
        meeting = await turn.work.session.get(Meeting, number)
        shown = meeting is not None and meeting.state != "draft" and visible(turn.work.org, turn.person, meeting)
        text = _full(turn, meeting) if meeting and shown else WORDS("say.no_number", number=number)
        await turn.reply(text, about=number)
        return
    asked = day_asked(turn)
    seen = [one for one in await alive(turn.work) if visible(turn.work.org, turn.person, one)]
    if asked is not None:
        seen = [one for one in seen if fits_day(turn.work, one, asked)]
    left = narrowed(turn, seen, asked)
    if len(left) == 1:
        await turn.reply(_full(turn, left[0]), about=left[0].number)
    elif left:
        await turn.reply(_list(turn, left))
    else:
        await turn.reply(WORDS("query.none", day=_day(turn)))


def _day(turn: Turn) -> str:
    asked = day_asked(turn)
    if asked is None:
        return WORDS("query.soon")
    noon = turn.work.local(turn.work.now).replace(year=asked.year, month=asked.month, day=asked.day, hour=12)
    return day(turn.work, noon)


def _full(turn: Turn, meeting: Meeting) -> str:
    work, plan = turn.work, Plan.of(meeting)
    mine = [site.site_id for site in own_sites(work.org, turn.person, turn.group) if site.site_id in plan.site_ids]
    return WORDS(
        "query.one",
        number=meeting.number,
        title=meeting.title,
        systems=systems(meeting.systems),
        start=full_clock(work, meeting.starts_at),
        end=WORDS("readback.end", end=on_the_day(work, plan.ends_at, plan.starts_at)) if plan.ends_at else "",
        arrive=on_the_day(work, plan.arrive_at, plan.starts_at),
        place=WORDS("query.place", sites=_sites(turn, mine)) if mine else "",
        state=WORDS("query.state", state=WORDS(f"state.{meeting.state}")) if meeting.state != "published" else "",
    )


def _sites(turn: Turn, site_ids: Sequence[str]) -> str:
    return joined(site_names(turn.work.org, site_ids))


def _list(turn: Turn, meetings: Sequence[Meeting]) -> str:
    lines = [
        WORDS(
            "query.line",
            number=one.number,
            title=one.title,
            start=full_clock(turn.work, one.starts_at),
            arrive=on_the_day(turn.work, Plan.of(one).arrive_at, one.starts_at),
        )
        for one in meetings[:MOST]
    ]
    return "\n".join([WORDS("query.more", count=len(meetings)), *lines])


async def who_is_silent(turn: Turn) -> bool:
    """“谁还没回”: the tally at once, for whoever may change the meeting or supervises the area it was called from.

    In a group only numbers; False when no notice of theirs is under way (then it may mean something else).
    """
    number = number_in(turn)
    mine = [one for one in await _noticed(turn) if _may_follow(turn, one) and number in ("", one.number)]
    left = mine if number else narrowed(turn, mine, None)
    told = [text for one in left if (text := await _tally(turn, one))]
    if not told:
        return False
    await turn.reply("\n".join(told), about=left[0].number if len(left) == 1 else "")
    return True


async def followed(turn: Turn) -> list[tuple[Meeting, str]]:
    """The coming and running meetings that the speaker follows, each with the tally of its notice."""
    mine = [one for one in await _noticed(turn) if _may_follow(turn, one)][:MOST]
    return [(one, text) for one in mine if (text := await _tally(turn, one))]


async def _noticed(turn: Turn) -> list[Meeting]:
    number = number_in(turn)
    named = await turn.work.session.get(Meeting, number) if number else None
    return [named] if named is not None else await alive(turn.work)


async def _tally(turn: Turn, meeting: Meeting) -> str:
    return await notice_tally.tell(turn.work, meeting.number, named=turn.direct)


def _may_follow(turn: Turn, meeting: Meeting) -> bool:
    supervises = "supervisor" in turn.person.roles or "auditor" in turn.person.roles
    if turn.group is not None and turn.group.purpose == "client":
        return False
    return changeable(turn, meeting) or (supervises and visible(turn.work.org, turn.person, meeting))
