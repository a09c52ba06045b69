"""Groups that the app made (appchat): it may write there, and to no other group.

What a member gets beyond two hundred messages a minute, over all these groups, vanishes without a word; so each message
is counted for everybody who is in its group, and waits until the last of them may have one more.
"""

from datetime import datetime, timedelta

from adapters.common.errors import Throttled
from adapters.common.pace import Pace
from adapters.wecom.client import Client
from adapters.wecom.fields import Json, part
from adapters.wecom.limits import APP_GROUP_MEMBER, MINUTE
from adapters.wecom.memory import Memory
from storage.messages import Address
from storage.ports import Refused, SendError

KNOWN_FOR = timedelta(minutes=10)
"""How long the members of a group are believed to be the same."""
NOT_OURS = {"errcode 86003", "errcode 86008", "errcode 40050"}


class OwnGroups:
    """Says things there; every method that speaks raises SendError."""

    def __init__(self, client: Client, memory: Memory | None) -> None:
        self._client, self._memory, self._born = client, memory, client.clock.now()
        self._pace = Pace(client.clock, *APP_GROUP_MEMBER)
        self._members: dict[str, tuple[frozenset[str], datetime]] = {}
        self._foreign: set[str] = set()

    def may_be_own(self, address: Address) -> bool:
        return self._client.has_app and address.id not in self._foreign

    async def say(self, address: Address, body: Json) -> str:
        """One message; Throttled with the moment when all its members may have it. There is no id of it."""
        members = await self._members_of(address.id)
        await self._look_back()
        now = self._client.clock.now()
        free_at = max((self._pace.free_at(member) for member in members), default=now)
        if free_at > now:
            raise Throttled("own limit", free_at)
        for member in members:
            self._pace.take(member)
        await self._own(address.id, "POST", "appchat/send", {"chatid": address.id, **body, "safe": 0})
        return ""

    async def _members_of(self, chat: str) -> frozenset[str]:
        """Who is in a group; when the platform does not say, the group counts as one member."""
        known, at = self._members.get(chat, (frozenset[str](), None))
        now = self._client.clock.now()
        if at is not None and now - at < KNOWN_FOR:
            return known
        answer = await self._own(chat, "GET", "appchat/get", query={"chatid": chat})
        listed = part(answer, "chat_info").get("userlist")
        users = listed if isinstance(listed, list) else []
        found = frozenset(str(user).casefold() for user in users) or frozenset({f"group {chat}"})
        self._members[chat] = found, now
        return found

    async def _look_back(self) -> None:
        """What a former process, or another one on the same database, has said within the minute counts too."""
        now, memory = self._client.clock.now(), self._memory
        if memory is None or (now - self._born > MINUTE and not memory.shared):
            return
        said: dict[str, list[datetime]] = {}
        chats = {*self._members, *await memory.groups()} - self._foreign
        for chat, times in (await memory.said_in_groups(chats, now - MINUTE)).items():
            for member in await self._members_if_ours(chat):
                said.setdefault(member, []).extend(times)
        for member, times in said.items():
            self._pace.told(member, sorted(times))

    async def _members_if_ours(self, chat: str) -> frozenset[str]:
        try:
            return await self._members_of(chat)
        except SendError:
            return frozenset()

    async def _own(
        self, chat: str, method: str, path: str, body: Json | None = None, query: dict[str, str] | None = None
    ) -> Json:
        try:
            return await self._client.call(method, path, body, query=query)
        except Refused as error:
            if error.reason in NOT_OURS:
                self._foreign.add(chat)
            raise
