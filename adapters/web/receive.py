"""From what a console user did to an :class:`Incoming`.

As on the real platforms, the bot receives from a group only what mentions it, and everything in a direct conversation.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from storage.messages import Address, Attachment, Incoming, Quote, Sender
from storage.models import Person

ACCOUNT = "console"


def strip_mention(text: str, bot_name: str) -> tuple[str, bool]:
    """The text without "@bot" anywhere in it, and whether it was there."""
    found = re.compile(rf"[@＠]{re.escape(bot_name)}[\s,，:：]*")
    return found.sub("", text).strip(), bool(found.search(text))


def written(
    person: Person,
    account: str,
    conversation: Address,
    text: str,
    *,
    message_id: str,
    at: datetime,
    group_name: str = "",
    quote: Quote | None = None,
    files: Sequence[Attachment] = (),
) -> Incoming:
    """A message that ``person`` wrote from an account of the conversation's platform."""
    return Incoming(
        platform=conversation.platform,
        account=ACCOUNT,
        message_id=message_id,
        conversation=conversation,
        conversation_name=group_name,
        sender=Sender(account=account, name=person.name),
        text=text,
        written_at=at,
        quote=quote,
        attachments=tuple(files),
    )


def pressed(
    person: Person, account: str, conversation: Address, value: str, *, message_id: str, at: datetime
) -> Incoming:
    """A button that ``person`` pressed, from an account of the conversation's platform."""
    return Incoming(
        platform=conversation.platform,
        account=ACCOUNT,
        message_id=message_id,
        conversation=conversation,
        sender=Sender(account=account, name=person.name),
        written_at=at,
        click=value,
    )
