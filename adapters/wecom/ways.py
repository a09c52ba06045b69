"""The ways out, one method each; every one raises SendError.

===========  ==================================================================================================
app          message/send: to persons, up to a thousand a call
reply        what came with a message: its request on the long connection, or its address, once
push         aibot_send_msg: only where somebody has spoken to the robot; a refusal is remembered until then
group robot  a webhook: into its one group, with mentions
app's group  appchat/send: groups that the app made
===========  ==================================================================================================
"""

import asyncio
import secrets
from collections.abc import Sequence

import structlog

from adapters.common.errors import Throttled
from adapters.common.pace import Pace
from adapters.wecom import files
from adapters.wecom.aibot import LongConnection
from adapters.wecom.client import Client
from adapters.wecom.errors import CardRefused, ReplyGone
from adapters.wecom.fields import Json
from adapters.wecom.limits import CONVERSATION, GROUP_ROBOT, HOUR, MEMBER, UPLOADS
from adapters.wecom.memory import Memory
from adapters.wecom.own_groups import OwnGroups
from adapters.wecom.render import app_text, robot_markdown, robot_stream
from adapters.wecom.replies import Replies, Reply
from adapters.wecom.streams import Streams
from adapters.wecom.words import words
from storage.messages import Address
from storage.ports import Refused, Retry, SendError, Unsure
from storage.settings import WeComSettings

SINGLE, GROUP = 1, 2
CONTENT_REFUSED = {"errcode 40008", "errcode 40058", "errcode 44004", "errcode 45002"}
"""Of what is said and not of where: the next words may go there."""

log = structlog.get_logger(__name__)


class Ways:
    """``connection`` is None in callback mode, and where there is no robot."""

    def __init__(
        self,
        client: Client,
        connection: LongConnection | None,
        replies: Replies,
        streams: Streams,
        memory: Memory | None,
    ) -> None:
        self.client, self.connection, self._replies, self._streams = client, connection, replies, streams
        self._memory, self._born, self._recalling = memory, client.clock.now(), asyncio.Lock()
        self._recalled: set[str] = set()
        settings: WeComSettings = client.settings
        self.robots = {hook.conversation_id: hook.url.get_secret_value() for hook in reversed(settings.webhooks)}
        self.members = Pace(client.clock, *MEMBER)
        self._conversations = Pace(client.clock, *CONVERSATION)
        self._robot_pace = Pace(client.clock, *GROUP_ROBOT)
        self._uploads = Pace(client.clock, *UPLOADS)
        self._closed: set[str] = set()
        """Where a push was refused: the robot must be mentioned there once."""
        self._advised: set[str] = set()
        self.own_groups = OwnGroups(client, memory)
        self._lost: set[str] = set()
        """Groups that no way leads to at present."""
        self._unknown: set[str] = set()
        """Accounts that the platform says do not exist, or that the app may not see."""

    def trouble(self) -> str:
        if self._lost:
            return words("trouble.push_refused", groups=" ".join(sorted(self._lost)[:5]))
        if self._unknown:
            return words("trouble.unknown_users", users=" ".join(sorted(self._unknown)[:10]))
        if replaced := self._closed & set(self.robots):
            return words("trouble.push_replaced", groups=" ".join(sorted(replaced)[:5]))
        return ""

    def advice(self, address: Address) -> str:
        """What an operator can do about a group that only its robot writes to; once, until somebody speaks there."""
        here = address.id
        if address.kind != "group" or here in self._advised or here not in self._closed & set(self.robots):
            return ""
        self._advised.add(here)
        return words("message.mention_once")

    def spoken(self, address: Address) -> None:
        """Somebody spoke to the robot there: pushes are open."""
        self._closed.discard(_place(address))
        self._advised.discard(_place(address))
        self._lost.discard(address.id)

    def reached(self, address: Address) -> None:
        """Something arrived."""
        self._lost.discard(address.id)

    def nowhere(self, address: Address) -> None:
        """No way led to this group."""
        if address.kind == "group":
            self._lost.add(address.id)

    def can_push(self, address: Address) -> bool:
        return self.connection is not None and _place(address) not in self._closed

    # ---- the app

    async def to_members(self, users: Sequence[str], body: Json) -> tuple[Json, dict[str, SendError]]:
        """The answer, and who was not reached: that comes inside a success, in lower case."""
        await self._recall_pace(users)
        failed: dict[str, SendError] = {}
        for user in users:
            if (free_at := self.members.free_at(user.casefold())) > self.client.clock.now():
                failed[user] = Throttled("own limit", free_at)
        going = [user for user in users if user not in failed]
        if not going:
            return {}, failed
        for user in going:
            self.members.take(user.casefold())
        full = {"touser": "|".join(going), "agentid": self.client.settings.agent_id, **body}
        try:
            answer = await self.client.call("POST", "message/send", full)
        except Refused as error:
            if error.reason == "errcode 81013":
                self._unknown.update(going)
            raise
        return answer, failed | self._not_reached(going, answer)

    async def _recall_pace(self, users: Sequence[str]) -> None:
        """What is over the limit vanishes, so what a former process sent in this hour counts too, and another one's."""
        now, memory = self.client.clock.now(), self._memory
        if memory is None or (now - self._born > HOUR and not memory.shared):
            return
        if memory.shared:
            for user, times in (await memory.sends_to(users, now - HOUR, now)).items():
                self.members.told(user.casefold(), times)
            return
        async with self._recalling:
            new = [user for user in dict.fromkeys(users) if user not in self._recalled]
            for user, times in (await memory.sends_to(new, now - HOUR, now)).items():
                self.members.recall(user.casefold(), times)
            self._recalled.update(new)

    def _not_reached(self, users: Sequence[str], answer: Json) -> dict[str, SendError]:
        failed: dict[str, SendError] = {}
        for key, why in (("invaliduser", "unknown user id or out of sight"), ("unlicenseduser", "no licence")):
            named = {user for user in str(answer.get(key) or "").lower().split("|") if user}
            failed |= {user: Refused(why) for user in users if user.lower() in named}
        self._unknown.difference_update(users)
        self._unknown.update(failed)
        return failed

    async def app_words(self, user: str, text: str) -> str:
        return await self._app(user, app_text(text))

    async def _app(self, user: str, body: Json) -> str:
        answer, failed = await self.to_members([user], body)
        if user in failed:
            raise failed[user]
        return str(answer.get("msgid") or "")

    # ---- the robot

    async def reply(self, reply: Reply, address: Address, text: str) -> str:
        await self._conversations.admit(_place(address))
        try:
            if reply.request:
                await self._ask("aibot_respond_msg", robot_stream(text, f"hb-{secrets.token_hex(8)}"), reply.request)
            elif not (reply.stream and await self._streams.say(reply.stream, text)):
                await self._post_once(reply, robot_markdown(text))
        except Throttled as error:
            self._conversations.block(_place(address), error.not_before or self.client.clock.now())
            raise
        return ""

    async def reply_card(self, reply: Reply, address: Address, body: Json) -> None:
        """A card in answer to what somebody said in a chat of their own."""
        await self._conversations.admit(_place(address))
        if reply.request:
            await self._ask("aibot_respond_msg", body, reply.request)
        else:
            await self._post_once(reply, body)

    async def _post_once(self, reply: Reply, body: Json) -> None:
        """An address answers once; only a try that surely did not arrive leaves it unused."""
        if not reply.url:
            raise ReplyGone("answered already")
        try:
            await self.client.post(reply.url, body)
        except Retry as error:
            if isinstance(error, Unsure):
                self._replies.use(reply)
            raise
        except SendError:
            self._replies.use(reply)
            raise
        self._replies.use(reply)

    async def push(self, address: Address, body: Json) -> str:
        """Always with a chat type: without one the platform guesses, and groups come first."""
        await self._conversations.admit(_place(address))
        kind = GROUP if address.kind == "group" else SINGLE
        try:
            await self._ask("aibot_send_msg", {"chatid": address.id, "chat_type": kind, **body})
        except Throttled as error:
            self._conversations.block(_place(address), error.not_before or self.client.clock.now())
            raise
        except CardRefused:
            raise
        except Refused as error:
            if error.reason in CONTENT_REFUSED:
                raise
            self._closed.add(_place(address))
            log.warning("the robot may not push there", place=str(address), reason=error.reason)
            key = "message.push_refused" if kind == GROUP else "message.push_refused_alone"
            raise Refused(words(key, detail=error.reason)) from None
        return ""

    async def push_words(self, address: Address, text: str) -> str:
        return await self.push(address, robot_markdown(text))

    async def _ask(self, cmd: str, body: Json, request: str = "") -> Json:
        if self.connection is None:
            raise Refused("no long connection")
        return await self.connection.ask(cmd, body, request)

    # ---- groups

    async def group_robot(self, address: Address, body: Json) -> str:
        await self._robot_pace.admit(address.id)
        try:
            await self.client.post(self.robots[address.id], body)
        except Throttled as error:
            self._robot_pace.block(address.id, error.not_before or self.client.clock.now())
            raise
        return ""

    # ---- files

    async def attach(self, address: Address, name: str, data: bytes) -> str:
        """A file by the first way that takes it."""
        tries = [self._file_by_app] if address.kind == "direct" and self.client.has_app else []
        tries += [self._file_by_push] if self.can_push(address) else []
        tries += [self._file_by_robot] if address.id in self.robots and address.kind == "group" else []
        own = address.kind == "group" and self.own_groups.may_be_own(address)
        tries += [self._file_in_own_group] if own else []
        errors: list[SendError] = []
        for way in tries:
            try:
                return await way(address, name, data)
            except Unsure:
                raise
            except SendError as error:
                errors.append(error)
        raise next((error for error in errors if isinstance(error, Retry)), Refused("no way for files"))

    async def _file_by_app(self, address: Address, name: str, data: bytes) -> str:
        kind, media_id = await files.upload_for_app(self.client, name, data)
        return await self._app(address.id, {"msgtype": kind, kind: {"media_id": media_id}})

    async def _file_by_push(self, address: Address, name: str, data: bytes) -> str:
        await self._uploads.admit("uploads")
        kind, media_id = await files.upload_for_robot(self._ask, name, data)
        return await self.push(address, {"msgtype": kind, kind: {"media_id": media_id}})

    async def _file_by_robot(self, address: Address, name: str, data: bytes) -> str:
        media_id = await files.upload_for_group_robot(self.client, self.robots[address.id], name, data)
        return await self.group_robot(address, {"msgtype": "file", "file": {"media_id": media_id}})

    async def _file_in_own_group(self, address: Address, name: str, data: bytes) -> str:
        kind, media_id = await files.upload_for_app(self.client, name, data)
        return await self.own_groups.say(address, {"msgtype": kind, kind: {"media_id": media_id}})


def _place(address: Address) -> str:
    """One conversation under one name: in user ids case does not count, in chat ids it does."""
    return address.id.casefold() if address.kind == "direct" else address.id
