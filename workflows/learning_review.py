"""An administrator's review of what was taught: “待审词条”, “接受 3”, “拒绝 3”."""

import json
import re
from itertools import chain
from pathlib import Path

from sqlmodel import col, select

from intents.compare import NAME
from storage.directory import REVISION, Directory
from storage.learning import WordProposal
from workflows.authority import may
from workflows.phrases import call, fit
from workflows.turn import Turn
from workflows.vocabulary import words_folder
from workflows.why import intent_name
from workflows.words import Words

WORDS = Words("learning")
LIST = re.compile(WORDS.get("list"))
DECIDE = re.compile(WORDS.get("decide"))
MOST = 20
SHOWN = 40


async def command(turn: Turn, text: str) -> bool:
    """Show or decide. False when the message is neither."""
    decision = DECIDE.match(text)
    if decision is None and LIST.match(text) is None:
        return False
    if not may(turn.work.org, turn.person, "words.review"):
        turn.audit("words.review_refused")
        await turn.reply(WORDS("not_allowed"))
    elif not turn.direct:
        await turn.reply(WORDS("in_private"))
    elif decision is None:
        await _show(turn)
    else:
        numbers = dict.fromkeys(int(number) for number in re.findall(r"\d+", decision["numbers"]))
        accept = decision["verb"] in WORDS.get("accepting")
        await _decide(turn, list(numbers)[:MOST], "accepted" if accept else "rejected")
    return True


async def _show(turn: Turn) -> None:
    query = select(WordProposal).where(WordProposal.state == "open").order_by(col(WordProposal.id))
    rows = (await turn.work.session.exec(query)).all()
    if not rows:
        await turn.reply(WORDS("none_open"))
        return
    org = turn.work.org
    lines = [WORDS("line", id=row.id, who=_who(turn, row.proposed_by), what=said(org, row)) for row in rows[:MOST]]
    await turn.reply(WORDS("open", count=len(rows), lines="\n".join(lines), first=rows[0].id))


def _who(turn: Turn, person_id: str) -> str:
    person = turn.work.org.people.get(person_id)
    return call(person) if person is not None else person_id


async def _decide(turn: Turn, numbers: list[int], state: str) -> None:
    """Every number is answered for: decided, already so, unknown, or in the way of another name."""
    told: dict[str, list[str]] = {}
    problems: list[str] = []
    for number in numbers:
        row = await turn.work.session.get(WordProposal, number)
        if row is None:
            told.setdefault("not_found", []).append(str(number))
        elif row.state == state:
            told.setdefault("already", []).append(str(number))
        elif state == "accepted" and (problem := await _in_the_way(turn, row)):
            problems.append(problem)
        else:
            await _settle(turn, row, state)
            told.setdefault(state, []).append(str(number))
    lines = [WORDS(key, ids=WORDS.get("separator").join(ids)) for key, ids in told.items()]
    await turn.reply("\n".join([*lines, *problems]))


async def _in_the_way(turn: Turn, row: WordProposal) -> str:
    """Why a name cannot be accepted; one accepted by the same message is not in the organisation's snapshot yet."""
    org = turn.work.org
    if row.kind != "alias":
        return ""
    if row.site_id not in org.sites:
        return WORDS("gone", id=row.id)
    same = (WordProposal.kind == "alias", WordProposal.text == row.text, WordProposal.state == "accepted")
    other = (await turn.work.session.exec(select(WordProposal.site_id).where(*same))).first()
    owner = org.sites[other].name if other in org.sites else owner_of(org, row.text)
    return WORDS("clash", id=row.id, alias=row.text, site=owner) if owner else ""


async def _settle(turn: Turn, row: WordProposal, state: str) -> None:
    """A name counts, or counts no more, from the next message on; a correction becomes a regression example."""
    before = row.state
    row.state, row.decided_by, row.decided_at = state, turn.person.person_id, turn.work.now
    turn.work.session.add(row)
    if row.kind == "alias" and "accepted" in (before, state):
        await turn.work.count(REVISION)
    elif row.kind == "reading" and state == "accepted":
        _keep_example(words_folder(turn.work.settings), row)
    turn.audit(f"words.{state}", f"words:{row.id}", kind=row.kind, text=row.text, site=row.site_id, before=before)


def _keep_example(folder: Path, row: WordProposal) -> None:
    """Append the sentence with what it should mean; a line that is there stays the only one."""
    about = {name: row.detail[name] for name in ("role", "chat", "now", "expecting", "step") if row.detail.get(name)}
    wanted = row.detail.get("wanted")
    meaning = {"intent": wanted} if wanted else {"not": row.detail["intent"]}
    line = json.dumps({"text": row.text, **about, **meaning}, ensure_ascii=False)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    kept = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    if line not in kept:
        path.write_text("\n".join([*kept, line, ""]), encoding="utf-8")


def owner_of(org: Directory, name: str) -> str:
    """The name of the site or unit that is called so already; empty when none is."""
    sites = (site.name for site in org.sites.values() if name in (site.name, *site.aliases))
    units = (unit.name for unit in org.units.values() if name in (unit.name, *unit.aliases))
    return next(chain(sites, units), "")


def said(org: Directory, row: WordProposal) -> str:
    """A proposal in a few words."""
    if row.kind == "alias":
        site = org.sites.get(row.site_id)
        return WORDS("is_alias", alias=row.text, site=site.name if site is not None else row.site_id)
    read, wanted = intent_name(row.detail["intent"]), row.detail.get("wanted")
    key = "is_rather" if wanted else "is_not"
    return WORDS(key, text=fit(row.text, SHOWN), read=read, wanted=intent_name(wanted) if wanted else "")
