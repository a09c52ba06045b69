"""Papers marked 秘密, 机密 or 绝密 are refused: not stored, not logged, not sent anywhere."""

import re

from sqlmodel import col, delete, select

from storage.fetches import Fetch
from storage.messages import Incoming, Outgoing, Urgency
from storage.models import InboxRow
from storage.outbox import post
from storage.work import Work
from workflows.words import Words

WORDS = Words("secrecy")
MARKED = re.compile(WORDS.get("marked"), re.MULTILINE)


async def refused(work: Work, incoming: Incoming) -> bool:
    """Whether the message bears a mark of secrecy; then its content is blanked in the inbox and its writer told so."""
    quoted = incoming.quote.text if incoming.quote else ""
    words = [incoming.text, quoted, *(attachment.name for attachment in incoming.attachments)]
    if not any(MARKED.search(text) for text in words):
        return False
    await _blank(work, incoming)
    key = f"secret:{incoming.platform}:{incoming.account}:{incoming.message_id}"
    work.audit("message.refused_secret", via=incoming.platform, who=incoming.sender.account)
    message = Outgoing(text=WORDS("refused"), urgency=Urgency.ANSWER)
    await post(work, incoming.conversation, message, key=key, kind="refusal", hints=incoming.hints)
    return True


async def _blank(work: Work, incoming: Incoming) -> None:
    """The stored row keeps who and when, never what."""
    query = select(InboxRow).where(
        InboxRow.platform == incoming.platform,
        InboxRow.account == incoming.account,
        InboxRow.message_id == incoming.message_id,
    )
    for row in (await work.session.exec(query)).all():
        row.payload = {**row.payload, "text": "", "quote": None, "attachments": []}
        work.session.add(row)
        await work.session.exec(delete(Fetch).where(col(Fetch.inbox_id) == row.id))
