"""Which matter a mail is about, and which conversation it belongs to.

Our Message-ID names the delivery and its subject and carries an HMAC, so that a reply is believed to belong to a notice
or fault only when it answers a mail we wrote. A conversation is one partner on one matter: replies to our mails about a
number are one thread, a mail of somebody else and what follows on it another.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass

from adapters.email.letter import Letter
from storage.messages import Address, Quote

PLATFORM = "email"
MAC_LENGTH = 16
LONGEST_TOPIC = 120
MOST_REFERENCES = 20
NUMBER = re.compile(r"(?<![A-Za-z0-9])(?:HY|GZ)-?\d{8}-?\d{3,}", re.IGNORECASE)
_OURS = re.compile(r"<?(hb-\d+)\.([A-Za-z0-9-]*)\.([a-z2-7]{16})@[^<>@\s]+>?")
_UNSAFE = re.compile(r"[^A-Za-z0-9-]")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True)
class Ours:
    """What a Message-ID of ours says: the key of the delivery, and the number it was about (or nothing)."""

    key: str
    about: str


class Threads:
    """``secret`` signs; ``address`` is the bot's own mailbox."""

    def __init__(self, secret: bytes, address: str) -> None:
        self._secret = secret
        self._domain = address.rpartition("@")[2] or "localhost"

    def message_id(self, key: str, about: str) -> str:
        """The Message-ID of a delivery, the same on every retry. ``key``: that of its send job."""
        about = _UNSAFE.sub("", about)
        return f"<{key}.{about}.{self._mac(key, about)}@{self._domain}>"

    def read(self, message_id: str) -> Ours | None:
        """What our own Message-ID says; None for somebody else's or a forged one."""
        match = _OURS.fullmatch(message_id.strip())
        if match is None or not hmac.compare_digest(match[3], self._mac(match[1], match[2])):
            return None
        return Ours(match[1], match[2])

    def about_of(self, letter: Letter) -> str:
        """The number of the mail of ours that is answered: In-Reply-To first, then References from the right."""
        for message_id in (*letter.in_reply_to, *reversed(letter.references)):
            ours = self.read(message_id)
            if ours is not None and ours.about:
                return ours.about
        return ""

    def conversation_of(self, letter: Letter) -> Address:
        """The thread a mail belongs to: its writer and what the first mail of the thread was about."""
        before = letter.references or letter.in_reply_to
        root = before[0] if before else letter.message_id or letter.identity
        ours = self.read(root)
        return thread(letter.sender, ours.about if ours is not None and ours.about else root)

    def quote_of(self, letter: Letter) -> Quote | None:
        """What the mail answers to. The number of its thread, else of its subject, is the only one that counts."""
        subject = NUMBER.search(letter.subject)
        about = self.about_of(letter) or (subject[0] if subject else "")
        answered = letter.in_reply_to[0] if letter.in_reply_to else ""
        if not about:
            return Quote(message_id=answered, text=letter.quoted) if answered or letter.quoted else None
        others = NUMBER.sub(lambda match: match[0] if match[0].upper() == about.upper() else "", letter.quoted)
        return Quote(message_id=answered, text=f"{about}\n{others}")

    def hints_of(self, letter: Letter, *, proven: bool) -> dict[str, str]:
        """What an answer to this mail needs: see :mod:`adapters.email.send`."""
        chain = [*(letter.references or letter.in_reply_to), letter.message_id]
        return {
            "message_id": letter.message_id,
            "references": " ".join(shortened(chain)),
            "subject": letter.subject,
            "proof": "yes" if proven else "no",
        }

    def _mac(self, key: str, about: str) -> str:
        digest = hmac.new(self._secret, f"thread:{key}:{about}".encode(), hashlib.sha256).digest()
        return base64.b32encode(digest).decode().lower()[:MAC_LENGTH]


def thread(partner: str, topic: str) -> Address:
    """The address of a conversation by mail."""
    topic = _SPACE.sub("", topic)
    if len(topic) > LONGEST_TOPIC:
        topic = hashlib.sha256(topic.encode()).hexdigest()[:32]
    return Address(platform=PLATFORM, kind="thread", id=f"{partner} {topic}")


def partner_of(address: Address) -> str:
    """The mail address of whoever is at the other end."""
    return address.id.partition(" ")[0]


def shortened(references: Iterable[str]) -> list[str]:
    """References each once, the first and the latest of many."""
    known = [one for one in dict.fromkeys(references) if one]
    return known if len(known) <= MOST_REFERENCES else [known[0], *known[1 - MOST_REFERENCES :]]
