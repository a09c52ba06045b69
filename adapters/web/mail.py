"""Mail as one more kind of conversation: a thread is what one person and the bot wrote about one thing.

The console keeps a thread under the address that the mail adapter would give it, so that answers find their matter in
the same way: a mail of the bot about a number lies in the thread of that number, a person's mail begins a thread.
"""

from collections.abc import Sequence

from adapters.email.render import answer_subject, subject_of
from adapters.email.threads import PLATFORM, partner_of, thread
from adapters.web.sight import Conversation
from adapters.web.talk import Overview
from adapters.web.words import words
from storage.console import ConsoleMessage
from storage.directory import Directory
from storage.messages import Address, Outgoing, Quote
from storage.models import Person

LONGEST_SUBJECT = 200


def is_mail(address: Address) -> bool:
    """Whether a conversation is one by mail: a thread, or (direct) the sheet on which a new mail is written."""
    return address.platform == PLATFORM


def place_of(address: Address, message: Outgoing, key: str) -> Address:
    """The thread in which a mail of the bot lies; ``key`` names its send job."""
    return thread(address.id, message.about or f"m-{key}") if address.kind == "direct" else address


def begun(account: str, nonce: str) -> Address:
    """The thread that a person's new mail begins."""
    return thread(account, f"c-{nonce}")


def subject(message: Outgoing, rows: Sequence[ConsoleMessage]) -> str:
    """The subject of a mail of the bot after ``rows`` of its thread."""
    return answer_subject(subject_in(rows), message) if rows else subject_of(message)


def subject_in(rows: Sequence[ConsoleMessage]) -> str:
    """What a thread is about."""
    return next((str(row.body["subject"]) for row in rows if row.body.get("subject")), "")


def answered(rows: Sequence[ConsoleMessage]) -> Quote | None:
    """What a mail in this thread answers to: the newest mail of the bot that is about a number."""
    about = next((str(row.body["about"]) for row in reversed(rows) if row.body.get("about")), "")
    return Quote(text=about) if about else None


def opened(org: Directory, person: Person, platforms: Sequence[str], key: str) -> Conversation | None:
    """The thread that ``key`` names, when it is one of the person's."""
    if PLATFORM not in platforms or not key.startswith(f"{PLATFORM}:thread:"):
        return None
    address = Address.parse(key)
    accounts = org.accounts(person.person_id, PLATFORM)
    return Conversation(address, partner_of(address)) if partner_of(address) in accounts else None


def threads(org: Directory, person: Person, platforms: Sequence[str], overview: Overview) -> list[Conversation]:
    """The person's threads, the one with the newest mail first."""
    known = [(rows[-1].id or 0, opened(org, person, platforms, key)) for key, rows in overview.messages.items()]
    mine = [(newest, talk) for newest, talk in known if talk is not None]
    return [talk for _, talk in sorted(mine, key=lambda pair: -pair[0])]


def way_of(account: str, *, from_bot: bool) -> str:
    """``From → To`` of one mail."""
    own = str(words()["mail"]["own"])
    return f"{own} → {account}" if from_bot else f"{account} → {own}"
