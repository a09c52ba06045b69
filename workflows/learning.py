"""What people teach in chat: “这不是报障，是咨询”, “把小白楼记为…”. It counts once an administrator accepts it."""

import re
from typing import Any

from sqlmodel import select

from intents.reading import Context
from storage.learning import LastReading, WordProposal
from storage.messages import Outgoing, Urgency
from storage.models import Site
from storage.outbox import post_person
from workflows import choices, guess, learning_review, remembered
from workflows import learning_names as names
from workflows.authority import may
from workflows.fault_book import reported_by
from workflows.learning_review import WORDS, said
from workflows.phrases import fit
from workflows.reader import MENTIONED_ONLY, Reader, role_of
from workflows.turn import Turn
from workflows.why import explained, intent_name, names_of_intents

INTENTS: dict[str, str] = {**names_of_intents(), **WORDS.get("intents")}
SAID = {re.compile(pattern): intent for intent, pattern in WORDS.get("said").items()}
_NAMES = "|".join([*sorted(INTENTS, key=len, reverse=True), *WORDS.get("said").values()])
SURE, LIKELY, ONLY = (names.filled(WORDS.get(key), intents=f"(?:{_NAMES})") for key in ("sure", "likely", "only"))
HALF_SAID = names.filled(WORDS.get("half_said"))
MISREAD = names.filled(WORDS.get("misread"))
LONGEST = 90
SHOWN = 40


async def command(turn: Turn, reader: Reader) -> bool:
    """Take up a correction, a name, or an administrator's review. False when the message is none of these."""
    text = turn.incoming.text.strip()
    if turn.incoming.click or len(text) > LONGEST:
        return False
    for pattern in (SURE, LIKELY, ONLY):
        if match := pattern.match(text):
            said = match.groupdict()
            denied, wanted = _intent(said.get("not")), _intent(said.get("is"))
            if pattern is not LIKELY or denied in WORDS.get("spoken"):
                return await _corrected(turn, denied, wanted, reader, pattern is SURE)
    if MISREAD.match(text):
        return await _asked_what(turn, reader)
    if named := names.heard(text):
        return await _named(turn, names.right_way_round(turn.work.org, named), reader)
    if HALF_SAID.match(text):
        await turn.reply(WORDS("how_to_name", example=_example(turn)))
        return True
    return await learning_review.command(turn, text)


def _example(turn: Turn) -> str:
    """The name of a site, to show how it is said."""
    return next((site.name for site in turn.work.org.sites.values()), "")


def _intent(words: str | None) -> str:
    """What a way of saying an intent means; empty for nothing said."""
    if not words:
        return ""
    return INTENTS.get(words) or next(intent for pattern, intent in SAID.items() if pattern.fullmatch(words))


# ---- a reading that was wrong


async def _corrected(turn: Turn, denied: str, wanted: str, reader: Reader, sure: bool) -> bool:
    """Put the reading on the list. Nothing was read as what is denied: an answer to what surely is a correction, unless
    the speaker has a fault open that it may be about."""
    kept = await remembered.meant(turn, role_of(turn.person, turn.group), reader.again)
    read = [str(one["intent"]) for one in kept.readings] if kept is not None else []
    if kept is not None and (denied in read or (wanted and sure) or not denied) and read != [wanted]:
        await _withdraw_guess(turn, kept)
        await _propose(turn, _misread(kept, denied if denied in read else read[0], wanted))
        return True
    if not sure or (not wanted and await reported_by(turn.work, turn.person.person_id)):
        return False
    told = WORDS.get("separator").join(map(intent_name, read))
    text = WORDS("read_so", text=fit(kept.text, SHOWN), intent=told) if kept is not None else WORDS("nothing_said")
    await turn.reply(text)
    return True


async def _asked_what(turn: Turn, reader: Reader) -> bool:
    """“你理解错了”: how it was read, and how to say what was meant. In a group it may be said to somebody else."""
    if not turn.direct and turn.incoming.platform not in MENTIONED_ONLY:
        return False
    kept = await remembered.meant(turn, role_of(turn.person, turn.group), reader.again)
    await turn.reply(explained(kept) if kept is not None else WORDS("nothing_said"))
    return True


async def _withdraw_guess(turn: Turn, kept: LastReading) -> None:
    """What was only asked about, and is now denied, is not asked any more."""
    for row in turn.expectations:
        asked = row.pending["message"] if row.kind == "choice" and row.pending.get("name") == guess.NAME else {}
        if str(asked.get("text", ""))[: remembered.LONGEST] == kept.text:
            row.state = "met"
            turn.work.session.add(row)


def _misread(kept: LastReading, intent: str, wanted: str) -> dict[str, Any]:
    return {"kind": "reading", "text": kept.text, "detail": {"intent": intent, "wanted": wanted, **kept.context}}


# ---- another name of a place


async def _named(turn: Turn, named: names.Named, reader: Reader) -> bool:
    """Put the name on the list, or say why not. What only sounds like naming a place is then left alone."""
    found = names.sites_called(turn.work.org, named.target)
    context = Context(turn.work.local(turn.incoming.written_at), "client", "direct")
    unfit = names.unfit(turn.work.org, reader, named.alias, context)
    if not named.plain and (unfit or not found):
        return False
    if not found:
        words = {"target": named.target, "alias": named.alias, "example": _example(turn)}
        await turn.reply(WORDS("unknown_site", **words))
    elif len(found) == 1:
        await _alias(turn, named.alias, found[0], unfit)
    else:
        options = [(site.name, site.site_id) for site in found[:9]]
        question = WORDS("which", target=named.target, alias=named.alias)
        await choices.ask(turn, "alias", question, options, pending={"alias": named.alias, "unfit": unfit})
    return True


@choices.resumes("alias")
async def _picked(turn: Turn, pending: dict[str, Any], value: str) -> None:
    if (site := turn.work.org.sites.get(value)) is not None:
        await _alias(turn, str(pending["alias"]), site, bool(pending.get("unfit")))


async def _alias(turn: Turn, alias: str, site: Site, unfit: bool) -> None:
    owner = learning_review.owner_of(turn.work.org, alias)
    if owner == site.name:
        await turn.reply(WORDS("known", alias=alias, site=owner))
    elif owner:
        await turn.reply(WORDS("taken", alias=alias, site=owner))
    elif unfit:
        await turn.reply(WORDS("unfit", alias=alias))
    else:
        await _propose(turn, {"kind": "alias", "text": alias, "site_id": site.site_id})


# ---- the review list


async def _propose(turn: Turn, fields: dict[str, Any]) -> None:
    """One open row for one thing, whoever says it again; administrators hear of the list once a day."""
    row = await _same(turn, fields)
    if row is None:
        row = WordProposal(**fields, proposed_by=turn.person.person_id, proposed_at=turn.work.now)
        turn.work.session.add(row)
        await turn.work.session.flush()
        turn.audit("words.proposed", f"words:{row.id}", kind=row.kind, text=row.text, site=row.site_id, **row.detail)
        await _tell_administrators(turn)
    await turn.reply(WORDS(await _answer(turn, row), what=said(turn.work.org, row), id=row.id))


async def _answer(turn: Turn, row: WordProposal) -> str:
    """Which words to answer with: what was begun by mistake may have to be taken back."""
    if row.detail.get("intent") == "fault.report" and await reported_by(turn.work, turn.person.person_id):
        return "noted_fault"
    if any(asked.kind == "notice_confirmation" for asked in turn.expectations):
        return "noted_draft"
    return "noted_admin" if may(turn.work.org, turn.person, "words.review") else "noted"


async def _same(turn: Turn, fields: dict[str, Any]) -> WordProposal | None:
    query = select(WordProposal).where(
        WordProposal.kind == fields["kind"], WordProposal.text == fields["text"], WordProposal.state == "open"
    )
    wanted = fields.get("site_id") or fields.get("detail", {}).get("wanted")
    rows = (await turn.work.session.exec(query)).all()
    return next((row for row in rows if wanted in (row.site_id, row.detail.get("wanted"))), None)


async def _tell_administrators(turn: Turn) -> None:
    work = turn.work
    message = Outgoing(text=WORDS("new"), urgency=Urgency.ROUTINE)
    for admin in work.org.with_role("admin"):
        if admin.person_id != turn.person.person_id:
            await post_person(work, admin, message, key=f"words-review:{work.local(work.now):%Y%m%d}")
