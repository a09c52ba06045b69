"""An administrator's review of what was taught: “待审词条”, “接受 3”, “拒绝 3”."""

import re
from itertools import chain
from typing import Any

from sqlmodel import col, select

from intents.common import words as everyday_words
from storage.directory import REVISION, Directory
from storage.learning import WordProposal
from storage.messages import Outgoing, Urgency
from storage.outbox import post_person
from workflows import learning_examples
from workflows.authority import may
from workflows.phrases import call, fit
from workflows.turn import Turn
from workflows.vocabulary import words_folder
from workflows.why import intent_name
from workflows.words import Words

WORDS = Words("learning")
LIST = re.compile(WORDS.get("list"))
BARE = re.compile(WORDS.get("bare"))
DECIDE = re.compile(WORDS.get("decide"))
MOST = 20
SHOWN = 40


class NotKept(Exception):
    """The regression example could not be written; the message is the sentence for the administrator."""


async def command(turn: Turn, text: str) -> bool:
    """Show or decide. False when the message is neither."""
    decision = DECIDE.match(text)
    if decision is None and LIST.match(text) is None and not await _numberless(turn, text):
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


async def _numberless(turn: Turn, text: str) -> bool:
    """“接受” of an administrator in private while nothing is asked of them and something waits: the list, to choose."""
    if BARE.match(text) is None or not turn.direct or turn.expectations:
        return False
    if not may(turn.work.org, turn.person, "words.review"):
        return False
    return (
        await turn.work.session.exec(select(WordProposal.id).where(WordProposal.state == "open"))
    ).first() is not None


async def _show(turn: Turn) -> None:
    query = select(WordProposal).where(WordProposal.state == "open").order_by(col(WordProposal.id))
    rows = (await turn.work.session.exec(query)).all()
    if not rows:
        await turn.reply(WORDS("none_open"))
        return
    lines = [_line(turn, row) for row in rows[:MOST]]
    await turn.reply(WORDS("open", count=len(rows), lines="\n".join(lines), first=rows[0].id))


def _line(turn: Turn, row: WordProposal) -> str:
    line = WORDS("line", id=row.id, who=_who(turn, row.proposed_by), what=said(turn.work.org, row))
    everyday = row.kind == "alias" and row.text in everyday_words()
    return line + WORDS("everyday", alias=row.text) if everyday else line


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
            try:
                await _settle(turn, row, state)
                told.setdefault(state, []).append(str(number))
            except NotKept as problem:
                problems.append(str(problem))
    lines = [WORDS(key, ids=WORDS.get("separator").join(ids)) for key, ids in told.items()]
    await turn.reply("\n".join([*lines, *problems]))


async def _in_the_way(turn: Turn, row: WordProposal) -> str:
    """Why it cannot be accepted; what the same message has accepted is not in the organisation's snapshot yet."""
    org = turn.work.org
    if row.kind != "alias":
        return await _contradicted(turn, row)
    if row.site_id not in org.sites:
        return WORDS("gone", id=row.id)
    same = (WordProposal.kind == "alias", WordProposal.text == row.text, WordProposal.state == "accepted")
    other = (await turn.work.session.exec(select(WordProposal.site_id).where(*same))).first()
    owner = org.sites[other].name if other in org.sites else owner_of(org, row.text)
    return WORDS("clash", id=row.id, alias=row.text, site=owner) if owner else ""


async def _contradicted(turn: Turn, row: WordProposal) -> str:
    """Another correction of the same sentence that was accepted and means something else."""
    mine = (WordProposal.kind == "reading", WordProposal.text == row.text, WordProposal.state == "accepted")
    for other in (await turn.work.session.exec(select(WordProposal).where(*mine))).all():
        same_place = all(other.detail.get(name) == row.detail.get(name) for name in ("role", "expecting"))
        if same_place and not _agree(row.detail, other.detail):
            return WORDS("contradicted", id=row.id, other=other.id, what=said(turn.work.org, other))
    return ""


def _agree(one: dict[str, Any], other: dict[str, Any]) -> bool:
    wanted, instead = one.get("wanted"), other.get("wanted")
    if wanted and instead:
        return bool(wanted == instead)
    return (wanted or instead) not in (one["intent"], other["intent"])


async def _settle(turn: Turn, row: WordProposal, state: str) -> None:
    """It counts, or counts no more, from the next message on; what was accepted becomes a regression example."""
    before = row.state
    line = learning_examples.line_of(turn.work.org, row)
    try:
        if state == "accepted":
            learning_examples.keep(words_folder(turn.work.settings), line)
        elif before == "accepted":
            learning_examples.drop(words_folder(turn.work.settings), line)
    except OSError as error:
        raise NotKept(WORDS("not_kept", id=row.id, why=error.strerror or error)) from error
    row.state, row.decided_by, row.decided_at = state, turn.person.person_id, turn.work.now
    turn.work.session.add(row)
    if "accepted" in (before, state):
        await turn.work.count(REVISION)
    turn.audit(f"words.{state}", f"words:{row.id}", kind=row.kind, text=row.text, site=row.site_id, before=before)
    await _tell_proposer(turn, row)


async def _tell_proposer(turn: Turn, row: WordProposal) -> None:
    """Whoever taught it hears what has become of it."""
    proposer = turn.work.org.people.get(row.proposed_by)
    if proposer is None or proposer.person_id == turn.person.person_id:
        return
    key = f"told_{row.state}_{row.kind}"
    text = WORDS(key if WORDS.has(key) else f"told_{row.state}", what=said(turn.work.org, row))
    message = Outgoing(text=text, urgency=Urgency.ROUTINE)
    await post_person(turn.work, proposer, message, key=f"words:{row.id}:{row.state}:{turn.key}")


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
