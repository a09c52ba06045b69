"""People speaking to the robot: the payload is built, shown to the others, and pushed the way the app receives."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.simulators.dingtalk import payloads
from tests.simulators.dingtalk.callbacks import Answer, Callbacks
from tests.simulators.dingtalk.context import Context, Json
from tests.simulators.dingtalk.errors import OapiError
from tests.simulators.dingtalk.ledger import Seen, direct
from tests.simulators.dingtalk.pushes import ROBOT_TOPIC, Push, Pushes
from tests.simulators.dingtalk.webhook_bodies import parse
from tests.simulators.dingtalk.webhooks import Webhooks
from tests.simulators.dingtalk.world import App, Group, Person


@dataclass(eq=False)
class Spoken:
    """One message of a person and how it went out, one entry for each robot that got it."""

    msg_id: str
    seen: Seen
    payloads: list[Json] = field(default_factory=list)
    pushes: list[Push] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    @property
    def payload(self) -> Json:
        return self.payloads[0]

    @property
    def push(self) -> Push:
        return self.pushes[0]


class Talk:
    """Says things. A line in a group that does not mention the robot never reaches it."""

    def __init__(self, context: Context, pushes: Pushes, callbacks: Callbacks, webhooks: Webhooks) -> None:
        self._context, self._pushes = context, pushes
        self._callbacks, self._webhooks = callbacks, webhooks

    async def say(
        self, user_id: str, words: str, group: str = "", *, mention: bool = True, also: Sequence[str] = (),
        quoting: Seen | None = None, apps: Sequence[App] = (), changes: Mapping[str, object] | None = None,
    ) -> Spoken:  # fmt: skip
        """Write text. `also`: other people mentioned, `quoting`: answer to a message, `changes`: payload oddities."""
        content = payloads.text(f" {words} " if group else words)
        if quoting is not None:
            content = self._quote(content, quoting)
        return await self.send(
            user_id, content, group, words=words, mention=mention, also=also, apps=apps, changes=changes
        )

    async def send(
        self, user_id: str, content: Json, group: str = "", *, words: str = "", mention: bool = True,
        also: Sequence[str] = (), apps: Sequence[App] = (), changes: Mapping[str, object] | None = None,
    ) -> Spoken:  # fmt: skip
        """Send any content of `payloads`. A change to None removes the key."""
        world = self._context.world
        person, where = world.people[user_id], world.groups[group] if group else None
        msg_id = self._context.serial("msg") + "=="
        seen = self._show(person, where, words or content["msgtype"], msg_id)
        spoken = Spoken(msg_id, seen)
        if where and not mention:
            return spoken
        for app in apps or [next(iter(world.apps.values()))]:
            payload = self._payload(app, person, where, content, msg_id, also, changes or {})
            spoken.payloads.append(payload)
            await self._deliver(app, payload, spoken)
        return spoken

    async def repeat(self, spoken: Spoken) -> None:
        """The platform delivers the same message once more, though it was acknowledged."""
        for push in spoken.pushes:
            await self._pushes.attempt(push)

    def _quote(self, content: Json, quoted: Seen) -> Json:
        created = int(quoted.at * 1000)
        msg_id = quoted.msg_id or f"msg-of-{quoted.key}"
        body = payloads.quoting(content, msg_id=msg_id, said=quoted.text, sender_id=quoted.author, created_ms=created)
        return {**body, "originalProcessQueryKey": quoted.key} if quoted.key else body

    def _show(self, person: Person, group: Group | None, words: str, msg_id: str) -> Seen:
        place = group.conversation_id if group else direct(person.user_id)
        seen = Seen(self._context.clock(), place, "person", "text", words, author=person.user_id, msg_id=msg_id)
        return self._context.ledger.show(seen)

    def _payload(
        self, app: App, person: Person, group: Group | None, content: Json, msg_id: str, also: Sequence[str],
        changes: Mapping[str, object],
    ) -> Json:  # fmt: skip
        if not self._context.throttles.push():
            content = payloads.quota_used_up()
        mentioned = [self._context.world.people[user] for user in also]
        now_ms = self._context.now_ms()
        body = payloads.message(app, person, group, content, msg_id=msg_id, now_ms=now_ms, mentioned=mentioned)
        webhook, expires = self._webhooks.open_session(app, person, group)
        body |= {"sessionWebhook": webhook, "sessionWebhookExpiredTime": expires, **changes}
        return {key: value for key, value in body.items() if value is not None}

    async def _deliver(self, app: App, payload: Json, spoken: Spoken) -> None:
        if app.receive == "stream":
            spoken.pushes.append(await self._pushes.push(Push(app, "CALLBACK", ROBOT_TOPIC, payload)))
            return
        answer = await self._callbacks.robot_message(app, json.dumps(payload, ensure_ascii=False).encode())
        spoken.answers.append(answer)
        self._show_answer(answer, spoken.seen.place)

    def _show_answer(self, answer: Answer, place: str) -> None:
        """An HTTP answer may itself be a message into the chat."""
        if answer.status != 200 or answer.silent:
            return
        try:
            parsed = parse(answer.json or {})
        except OapiError:
            return
        self._webhooks.show(parsed, answer.json or {}, place, "httpReply")
