"""What people teach in chat: “这不是报障，是咨询”, “把小白楼记为…”. It counts once an administrator accepts it."""

import re
from typing import Any

from sqlmodel import select

from storage.learning import LastReading, WordProposal
from storage.messages import Outgoing, Urgency
from storage.models import Site
from storage.outbox import post_person
from workflows import choices, learning_review, remembered
from workflows.learning_review import WORDS, said
from workflows.phrases import fit
from workflows.reader import role_of
from workflows.turn import Turn
from workflows.why import intent_name

INTENTS: dict[str, str] = WORDS.get("intents")
_NAMES = "|".join(sorted(INTENTS, key=len, reverse=True))
WRONG = re.compile(WORDS.get("wrong").replace("{intents}", f"(?:{_NAMES})"))
ALIAS = re.compile(WORDS.get("alias"))
LONGEST = 90
SHOWN = 40


async def command(turn: Turn, again: remembered.Again) -> bool:
    """Take up a correction, a name, or an administrator's review. False when the message is none of these."""
    text = turn.incoming.text.strip()
    if turn.incoming.click or len(text) > LONGEST:
        return False
    if match := WRONG.match(text):
        await _corrected(turn, INTENTS[match["not"]], INTENTS[match["is"]] if match["is"] else "", again)
        return True
    if match := ALIAS.match(text):
        await _named(turn, match["alias"].strip(), match["target"].strip())
        return True
    return await learning_review.command(turn, text)


# ---- a reading that was wrong


async def _corrected(turn: Turn, denied: str, wanted: str, again: remembered.Again) -> None:
    kept = await remembered.meant(turn, role_of(turn.person, turn.group), again)
    if kept is None:
        await turn.reply(WORDS("nothing_said"))
        return
    read = [str(one["intent"]) for one in kept.readings]
    if read == [wanted] or (not wanted and denied not in read):
        names = WORDS.get("separator").join(map(intent_name, read))
        await turn.reply(WORDS("read_so", text=fit(kept.text, SHOWN), intent=names))
        return
    await _propose(turn, _misread(kept, denied if denied in read else read[0], wanted))


def _misread(kept: LastReading, intent: str, wanted: str) -> dict[str, Any]:
    return {"kind": "reading", "text": kept.text, "detail": {"intent": intent, "wanted": wanted, **kept.context}}


# ---- another name of a place


async def _named(turn: Turn, alias: str, target: str) -> None:
    found = sites_called(turn, target)
    if not found:
        example = next(iter(turn.work.org.sites.values()), None)
        await turn.reply(WORDS("unknown_site", target=target, example=example.name if example else target))
    elif len(found) == 1:
        await _alias(turn, alias, found[0])
    else:
        options = [(site.name, site.site_id) for site in found[:9]]
        question = WORDS("which", target=target, alias=alias)
        await choices.ask(turn, "alias", question, options, pending={"alias": alias})


@choices.resumes("alias")
async def _picked(turn: Turn, pending: dict[str, Any], value: str) -> None:
    if (site := turn.work.org.sites.get(value)) is not None:
        await _alias(turn, str(pending["alias"]), site)


def sites_called(turn: Turn, name: str) -> list[Site]:
    """Sites of exactly this name or alias, else those whose name holds it."""
    sites = turn.work.org.sites.values()
    exact = [site for site in sites if name in (site.name, *site.aliases)]
    return exact or [site for site in sites if name in site.name]


async def _alias(turn: Turn, alias: str, site: Site) -> None:
    owner = learning_review.owner_of(turn.work.org, alias)
    if owner == site.name:
        await turn.reply(WORDS("known", alias=alias, site=owner))
    elif owner:
        await turn.reply(WORDS("taken", alias=alias, site=owner))
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
    opened = fields.get("detail", {}).get("intent") == "fault.report"
    await turn.reply(WORDS("noted_fault" if opened else "noted", what=said(turn.work.org, row), id=row.id))


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
