"""Papers marked 秘密, 机密 or 绝密 are refused: not stored, not logged, not sent anywhere."""

import re
from collections.abc import Mapping

from sqlmodel import select

from storage.fetches import Fetch
from storage.learning import LastReading
from storage.letters import SOURCE, TELLING, forget
from storage.messages import Incoming, Outgoing, Urgency
from storage.models import InboxRow
from storage.outbox import post
from storage.work import Work
from workflows.words import Words

WORDS = Words("secrecy")
MARKED = re.compile(WORDS.get("marked"), re.MULTILINE)
MARK = "marked"
"""Why a file that bears a mark is not kept."""


def is_marked(text: str) -> bool:
    """Whether a text bears a mark of secrecy."""
    return MARKED.search(text) is not None


async def refused(work: Work, incoming: Incoming) -> bool:
    """Whether the message bears a mark of secrecy; then its content is blanked in the inbox and its writer told so."""
    quoted = incoming.quote.text if incoming.quote else ""
    words = [incoming.text, quoted, *(attachment.name for attachment in incoming.attachments)]
    if not any(is_marked(text) for text in words):
        return False
    await _refuse(work, incoming)
    return True


async def refuse_file(work: Work, fetch: Fetch) -> None:
    """The same for a message whose attached file turned out to bear a mark; the file has not been kept."""
    row = await work.session.get_one(InboxRow, fetch.inbox_id)
    incoming = Incoming.model_validate(row.payload)
    read = select(LastReading).where(LastReading.conversation == str(incoming.conversation))
    for reading in (await work.session.exec(read)).all():
        await work.session.delete(reading)
    await _refuse(work, incoming)


async def _refuse(work: Work, incoming: Incoming) -> None:
    await _blank(work, incoming)
    key = f"secret:{incoming.platform}:{incoming.account}:{incoming.message_id}"
    work.audit("message.refused_secret", via=incoming.platform, who=incoming.sender.account)
    message = Outgoing(text=WORDS("refused"), urgency=Urgency.ANSWER)
    await post(work, incoming.conversation, message, key=key, kind="refusal", hints=_bare(incoming.hints))


async def _blank(work: Work, incoming: Incoming) -> None:
    """The stored row keeps who and when, never what; a mail is not kept as it came either."""
    if source := incoming.hints.get(SOURCE):
        await forget(work, source)
    query = select(InboxRow).where(
        InboxRow.platform == incoming.platform,
        InboxRow.account == incoming.account,
        InboxRow.message_id == incoming.message_id,
    )
    for row in (await work.session.exec(query)).all():
        blank: dict[str, object] = {
            "text": "",
            "quote": None,
            "attachments": [],
            "conversation_name": "",
            "hints": _bare(incoming.hints),
        }
        row.payload = {**row.payload, **blank}
        work.session.add(row)
        for fetch in (await work.session.exec(select(Fetch).where(Fetch.inbox_id == row.id))).all():
            await work.session.delete(fetch)


def _bare(hints: Mapping[str, str]) -> dict[str, str]:
    """What an answer needs, without any word of the message."""
    return {name: value for name, value in hints.items() if name not in TELLING}
