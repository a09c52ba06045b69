"""What one viewer looks at: which person is played, in which conversation, at which moment.

Every page, fragment and form of the console starts here, so that nobody sees or writes where the person is no member.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from adapters.web.mail import opened
from adapters.web.sight import ROLES, Conversation, conversations, main_role, membership, played
from adapters.web.words import words
from storage.directory import Directory
from storage.models import Person
from storage.work import Ground


class Refusal(Exception):
    """The request cannot be answered: an HTTP status and a sentence for the user."""

    def __init__(self, status: int, key: str, **values: object) -> None:
        self.status = status
        self.text = str(words()["error"][key]).format(**values)
        super().__init__(self.text)


@dataclass(frozen=True)
class Stage:
    """The organisation, who is played, and the open conversation."""

    org: Directory
    me: Person
    talk: Conversation
    today: datetime
    """Now, in the operator's time zone."""
    platforms: Sequence[str] = ()
    """Those whose conversations are shown."""

    @property
    def members(self) -> int:
        """How many people see the conversation."""
        return membership(self.org).size(self.talk.group) if self.talk.group else 0


async def set_stage(ground: Ground, query: Mapping[str, str]) -> Stage:
    """From ``as`` (default: the first client) and ``in`` (default: the person's first conversation). Raises Refusal."""
    async with ground.look() as work:
        org, today = work.org, work.local(work.now)
    me = _person(org, query.get("as", ""))
    if me is None:
        raise Refusal(404, "stranger")
    platforms = played(ground.settings)
    visible = conversations(org, me, platforms)
    wanted = query.get("in", "")
    talk = next((talk for talk in visible if talk.key == wanted), None) if wanted else visible[0]
    talk = talk or opened(org, me, platforms, wanted)
    if talk is None:
        raise Refusal(403, "unseen")
    return Stage(org, me, talk, today, platforms)


def _person(org: Directory, person_id: str) -> Person | None:
    if person_id:
        return org.people.get(person_id)
    order = [*ROLES, "other"]
    return min(org.people.values(), key=lambda person: order.index(main_role(person)), default=None)
