"""A picture, a table, an archive in place of the notice: said plainly that it cannot be read, and asked for in words.

The words that come then are a draft like any other, with the file as its basis (:mod:`workflows.paper_basis`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from intents.times import find_times
from storage.fetches import Fetch
from workflows import paper_basis
from workflows.meeting_draft import await_yes, refuse
from workflows.meeting_scope import area_of
from workflows.paper_fields import MATCH, read_fields
from workflows.turn import Turn
from workflows.words import Words

WORDS = Words("paper")
MEETING = Words("meeting")
Slots = Mapping[str, Any]


async def instead(turn: Turn) -> bool:
    """Whether what is attached stands in place of a notice; then it is asked for in words."""
    attached = [one for one in turn.incoming.attachments if one.kind in paper_basis.KINDS]
    if not attached or turn.incoming.click or not turn.incoming.sender.verified:
        return False
    if _tells_when(turn):  # a notice in words, which the file goes with
        return False
    said = " ".join([turn.incoming.text, *(one.name for one in attached)])
    plainly = bool(MATCH["plain_notice"].search(said))
    alone = turn.direct and (bool(MATCH["notice"].search(said)) or not turn.incoming.text.strip())
    if area_of(turn.work.org, turn.person) is None:
        if plainly:
            await refuse(turn)
        return plainly
    if not plainly and not alone:
        return False
    if turn.group is not None and turn.group.purpose == "client":
        await turn.reply(MEETING("say.client_group"))
        return True
    fetches = await paper_basis.sent_with(turn)
    await ask(turn, fetches, [_problem(one) for one in fetches[:1]] or [WORDS("problem.picture")])
    return True


def _tells_when(turn: Turn) -> bool:
    spans = find_times(turn.incoming.text, turn.work.local(turn.incoming.written_at))
    return any(isinstance(span.start, datetime) for span in spans)


async def ask(turn: Turn, fetches: Sequence[Fetch], problems: Sequence[str], own: Slots | None = None) -> None:
    """Say what is wrong with the files and what helps; the sender's next words are the draft that rests on them."""
    texts = ["\n".join([*problems, WORDS(f"say.{key}")]) for key in ("in_words_group", "in_words")]
    await turn.ask(*texts)
    await await_words(turn, fetches, own)


async def await_words(turn: Turn, fetches: Sequence[Fetch], own: Slots | None = None) -> None:
    """From now on a time, or a whole notice in words, is a draft that rests on these files."""
    slots = {**(own or {}), **_named(fetches), **paper_basis.slots_of(fetches)}
    await await_yes(turn, "", {"act": "missing", "need": "start", "slots": slots, "text": ""})


def _problem(fetch: Fetch) -> str:
    if fetch.attachment.get("kind") != "image":
        return WORDS("problem.unknown", name=paper_basis.name_of(fetch))
    named = fetch.attachment.get("name")
    return WORDS("problem.picture_named", name=named) if named else WORDS("problem.picture")


def _named(fetches: Sequence[Fetch]) -> dict[str, str]:
    """A file that is named like a paper says which meeting it is about: 关于召开全省防汛视频会商会的通知.jpg."""
    names = [str(one.attachment.get("name", "")).rpartition(".")[0] for one in fetches]
    titles = [
        fields.name for name in names if (fields := read_fields(name, fetches[0].created_at)).title and fields.name
    ]
    return {"title": titles[0]} if titles else {}
