"""A formal notice that comes as a file: fetched, read, and read back as a draft to whoever sent it and may publish.

The file's text is nobody's word. It fills the fields of a draft, which waits for its sender's own yes; nothing in it is
ever handled as a message. The file is kept as the basis of the task.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, select

from intents.reading import Context, Reading
from storage.fetcher import UnwantedError
from storage.fetches import Fetch
from storage.messages import Incoming
from storage.models import InboxRow, Timer
from storage.timers import drop_timer, set_timer
from storage.work import Ground, Work
from workflows import files, paper_basis, paper_change, paper_unread, secrecy
from workflows.meeting_draft import begin, moment_from, refuse
from workflows.meeting_scope import area_of
from workflows.paper_fields import LOOKED_AT, MATCH, read_fields
from workflows.paper_reader import read_paper
from workflows.paper_scope import sites_of
from workflows.paper_text import tidy
from workflows.phrases import full_clock, joined
from workflows.reader import Reader, numbers_in
from workflows.turn import Turn, open_expectations
from workflows.words import Words

WORDS = Words("paper")
MEETING = Words("meeting")
PLACE = "paper"
READY, LATE = "paper", "paper_late"
"""Timers: all files of a message are there or lost · one of them is not there yet."""
PATIENCE = timedelta(minutes=2)
QUIET = frozenset({"none", "ack", "meeting.notice", "meeting.query", "help", "consult"})
"""Readings of words that may go with a paper; anything else is what the message is about."""
LATER = 100
"""Answers given after the files have come are counted from here, so that none shares its key with an earlier one."""
SHORTEST = 4
"""Lines from which on a message may be a whole notice."""
HEAD = 200
"""Characters in which its title stands."""
CLICK = Reading("click", {}, 1.0, "act")


# ---- a message with a paper


async def offered(turn: Turn, intents: Collection[str] = ()) -> bool:
    """Have the papers of a message read, or say politely whose that is. False when it brings none, or is about more."""
    papers = _papers(turn.incoming)
    if not turn.incoming.sender.verified:
        return False
    if not papers:
        calls = QUIET.issuperset(intents) or _only_calls(turn, intents)
        answers = "ack" in intents or turn.numbers
        return bool(turn.incoming.text.strip()) and calls and not answers and await paper_unread.instead(turn)
    said = " ".join([turn.incoming.text, *(one.name for one in papers)])
    is_notice = bool(MATCH["notice"].search(said))
    about_more = not QUIET.issuperset(intents) and not (is_notice and _only_calls(turn, intents))
    if about_more:
        return False
    if area_of(turn.work.org, turn.person) is None:
        if is_notice:
            await refuse(turn)
        return is_notice
    if turn.group is not None and turn.group.purpose == "client":
        await turn.reply(MEETING("say.client_group"))
        return True
    await _have_read(turn, [one.ref for one in papers])
    return True


def _only_calls(turn: Turn, intents: Collection[str]) -> bool:
    """“请协助做好保障，见附件” is read as many things; what bears a number, or tells of a fault, is about that."""
    ours = ("fault", "checklist", "arrive", *(("meeting.c",) if MATCH["changing"].search(turn.incoming.text) else ()))
    return not turn.numbers and not any(one.startswith(ours) for one in intents)


def _papers(incoming: Incoming) -> list[Any]:
    if incoming.click:
        return []
    return [one for one in incoming.attachments if one.kind == "file" and _may_be_paper(one.name)]


def _may_be_paper(name: str) -> bool:
    """By its name; not every platform tells it, then what is inside decides."""
    return not name or MATCH["name"].search(name) is not None


async def _have_read(turn: Turn, refs: Sequence[str]) -> None:
    work = turn.work
    row = await _inbox_row(work, turn.incoming)
    query = select(Fetch).where(Fetch.inbox_id == row.id, col(Fetch.ref).in_(refs)).with_for_update()
    fetches = (await work.session.exec(query)).all()
    for fetch in fetches:
        fetch.claim([PLACE, str(row.id)], work.now)
        work.session.add(fetch)
    if fetches:
        await set_timer(work, f"{LATE}:{row.id}", LATE, work.now + PATIENCE, payload={"inbox": row.id})
    else:
        await turn.reply(WORDS("problem.lost", name=_papers(turn.incoming)[0].name or WORDS("unnamed.file")))


async def _inbox_row(work: Work, incoming: Incoming) -> InboxRow:
    query = select(InboxRow).where(
        InboxRow.platform == incoming.platform,
        InboxRow.account == incoming.account,
        InboxRow.message_id == incoming.message_id,
    )
    return (await work.session.exec(query)).one()


# ---- a file has come


async def inspect(ground: Ground, fetch: Fetch, data: bytes) -> dict[str, Any]:
    """Look into a file before it is kept: marked papers never are, nor papers that nobody can check."""
    if fetch.attachment.get("kind") != "file" or not _may_be_paper(str(fetch.attachment.get("name", ""))):
        return {}
    async with ground.look() as work:
        now = work.local(fetch.created_at)
    paper = await read_paper(data, now)
    if secrecy.is_marked(paper.text):
        raise UnwantedError(secrecy.MARK)
    wanted = any(place[0] == PLACE for place in fetch.places)
    if paper.problem and wanted:
        raise UnwantedError(paper.problem)
    return {"paper": paper.fields} if wanted and not paper.problem else {}


async def kept(work: Work, fetch: Fetch) -> None:
    """A file is in the store: it is shown where it belongs, and a paper is read back."""
    await files.arrived(work, fetch)
    await paper_basis.arrived(work, fetch)
    await arrived(work, fetch)


async def lost(work: Work, fetch: Fetch) -> None:
    """A file is not kept: marked papers leave no trace, for others the sender is told once all are accounted for."""
    if fetch.error == secrecy.MARK and fetch.state == "refused":
        await secrecy.refuse_file(work, fetch)
    else:
        await paper_basis.lost(work, fetch)
        await arrived(work, fetch)


async def arrived(work: Work, fetch: Fetch) -> None:
    """Look, in a transaction of its own, whether all files of the message are there."""
    if any(place[0] == PLACE for place in fetch.places):
        key = f"{READY}:{fetch.inbox_id}"
        await set_timer(work, key, READY, work.now, payload={"inbox": fetch.inbox_id})


async def on_late(work: Work, timer: Timer) -> None:
    """A file does not come: its sender hears that before the meeting does."""
    turn, fetches = await _turn(work, int(timer.payload["inbox"]))
    waiting = [one for one in fetches if one.state == "waiting"]
    if turn is not None and waiting:
        turn.said = LATER // 2
        await turn.reply(WORDS("say.late", name=_name(waiting[0])))


async def on_ready(reader: Reader, work: Work, timer: Timer) -> None:
    """Draft from what was read once every file of the message is there or given up."""
    turn, fetches = await _turn(work, int(timer.payload["inbox"]))
    if turn is None or any(one.state == "waiting" for one in fetches):
        return
    await drop_timer(work, f"{LATE}:{timer.payload['inbox']}")
    own = await _own_words(reader, turn)
    read = [one for one in fetches if one.state == "stored" and one.found.get("paper")]
    main = max(read, key=_worth, default=None)
    if main is None:
        await _say_problems(turn, [one for one in fetches if one.state != "stored"], own)
    elif main.found["paper"]["changes"]:
        if not await paper_change.proposed(turn, main, main.found["paper"], _basis(main.found["paper"], _name(main))):
            await turn.reply(WORDS("say.changes", title=main.found["paper"]["title"]))
    elif not main.found["paper"]["is_meeting"] or not (_worth(main)[1] or own):
        await turn.reply(WORDS("say.no_meeting", name=_name(main)))
        await paper_unread.await_words(turn, [main], own)
    else:
        others = [one for one in fetches if one.state == "stored" and one is not main]
        await _draft_file(reader, turn, main, others, own)


async def _turn(work: Work, inbox_id: int) -> tuple[Turn | None, list[Fetch]]:
    """The message again as it was, with all that is known now, and its papers; None when it was refused meanwhile."""
    row = await work.session.get_one(InboxRow, inbox_id)
    incoming = work.org.as_registered(Incoming.model_validate(row.payload))
    incoming = incoming.model_copy(update={"written_at": row.written_at})
    person = work.org.person_at(incoming.platform, incoming.sender.account)
    query = select(Fetch).where(Fetch.inbox_id == inbox_id).order_by(col(Fetch.id))
    fetches = [one for one in (await work.session.exec(query)).all() if [PLACE, str(inbox_id)] in one.places]
    if person is None or not fetches:
        return None, []
    turn = Turn(work, incoming, person, work.org.group_at(incoming.conversation), CLICK, numbers_in(incoming.text))
    turn.expectations = await open_expectations(work, person.person_id, str(incoming.conversation))
    turn.said = LATER
    return turn, fetches


async def _own_words(reader: Reader, turn: Turn) -> Mapping[str, Any]:
    """What the sender wrote beside the file, when that announces a meeting."""
    readings = await reader.read(turn.work, turn.incoming, turn.person, turn.group, ())
    return next((one.slots for one in readings if one.intent == "meeting.notice"), {})


def _worth(fetch: Fetch) -> tuple[bool, bool, bool]:
    """Which of several papers is the notice: one with a time and a title, then one with a number."""
    paper = fetch.found["paper"]
    return bool(paper["start"] and paper["title"]), bool(paper["start"] or paper["title"]), bool(paper["number"])


async def _say_problems(turn: Turn, lost_ones: Sequence[Fetch], own: Mapping[str, Any]) -> None:
    """What could not be read and what helps; a notice in the sender's own words goes its way all the same."""
    refused = [one for one in lost_ones if one.state == "refused"]
    problems = [WORDS(f"problem.{one.error if one in refused else 'lost'}", name=_name(one)) for one in lost_ones]
    if own.get("start"):
        await turn.reply("\n".join([*problems, WORDS("say.in_your_words")]))
        await begin(turn, own, turn.incoming.text)
    elif refused:
        await paper_unread.ask(turn, refused, problems, own)
    else:
        await turn.reply("\n".join(problems))


# ---- the draft


async def pasted(turn: Turn, reader: Reader) -> bool:
    """A whole notice as the words of a message: read by its headings rather than sentence by sentence."""
    text, org = turn.incoming.text, turn.work.org
    is_long = len([line for line in text.splitlines() if line.strip()]) >= SHORTEST and len(text) <= LOOKED_AT
    if not is_long or turn.numbers or not MATCH["title"].search("".join(text.split())[:HEAD]):
        return False
    if area_of(org, turn.person) is None or (turn.group is not None and turn.group.purpose == "client"):
        return False
    paper = read_fields(tidy(text), turn.work.local(turn.incoming.written_at)).stored()
    if not paper["title"] or not paper["is_meeting"] or paper["changes"]:
        return False
    await _draft(reader, turn, paper, {}, [WORDS("say.read_pasted"), *_other_times(turn, paper)])
    return True


async def _draft_file(reader: Reader, turn: Turn, main: Fetch, others: Sequence[Fetch], own: Mapping[str, Any]) -> None:
    paper = main.found["paper"]
    files = [main.sha256, *(one.sha256 for one in others)]
    turn.audit("paper.read", name=_name(main), sha256=main.sha256, number=paper["number"])
    await _draft(reader, turn, paper, own, _notes(turn, main, others, own), files=files, name=_name(main))


async def _draft(
    reader: Reader,
    turn: Turn,
    paper: Mapping[str, Any],
    own: Mapping[str, Any],
    notes: Sequence[str],
    *,
    files: Sequence[str] = (),
    name: str = "",
) -> None:
    """Draft from the fields of a paper and, where it is silent, from the sender's ``own`` slots."""
    said = {key: paper[key] for key in ("start", "end", "tested_at", "arrive_before_minutes", "contact") if paper[key]}
    slots: dict[str, Any] = {**own, **said, "notes": list(notes), "files": list(files), "basis": _basis(paper, name)}
    slots["title"] = paper["name"] or own.get("title") or ""
    slots["system"] = own.get("system") or _system(reader, turn, paper)
    area = area_of(turn.work.org, turn.person)
    systems = (str(slots["system"]),) if slots["system"] else ()
    scope = sites_of(turn.work.org, area, paper, systems) if area else []
    if scope:
        slots["scope"] = scope
    await begin(turn, slots, paper["start_text"] or turn.incoming.text)


def _system(reader: Reader, turn: Turn, paper: Mapping[str, Any]) -> str:
    """Of which system the meeting is: by its name, else by the whole title, which names who calls it."""
    context = Context(turn.work.local(turn.incoming.written_at), "coordinator", "direct")
    for words in filter(None, (paper["name"], paper["title"])):
        readings = reader.again(WORDS("sentence", name=words), context)
        found = next((str(one.slots["system"]) for one in readings if one.slots.get("system")), "")
        if found not in ("", "other"):
            return found
    return ""


def _basis(paper: Mapping[str, Any], name: str) -> str:
    key = "basis_number" if paper["title"] and paper["number"] else "basis" if paper["title"] else "basis_file"
    return WORDS(f"say.{key}", title=paper["title"], number=paper["number"], name=name)


def _notes(turn: Turn, main: Fetch, others: Sequence[Fetch], own: Mapping[str, Any]) -> list[str]:
    """What to look at twice: that this was read by a machine, times that were not taken, and where the words differ."""
    paper, work = main.found["paper"], turn.work
    notes = [WORDS("say.read", name=_name(main))]
    told, read = moment_from(own.get("start")), moment_from(paper["start"])
    if isinstance(told, datetime) and isinstance(read, datetime) and told != read:
        notes.append(WORDS("say.own_start", said=full_clock(work, told), read=full_clock(work, read)))
    notes += _other_times(turn, paper)
    if others:
        notes.append(WORDS("say.others", count=len(others), names=joined([_name(one) for one in others], 3)))
    return notes


def _other_times(turn: Turn, paper: Mapping[str, Any]) -> list[str]:
    """Times that were read and are no time of the meeting."""
    work, moments = turn.work, [(role, moment_from(at)) for role, at in paper["others"]]
    times = [WORDS(f"time.{role}", at=full_clock(work, one)) for role, one in moments if isinstance(one, datetime)]
    return [WORDS("say.other_times", times=joined(times, 5))] if times else []


def _name(fetch: Fetch) -> str:
    return str(fetch.attachment.get("name", "")) or WORDS("unnamed.file")
