"""Sending: which way out a message takes, and what became of it for each address.

============  =======================================================================================
direct        a reply to a live session by its webhook; else the OpenAPI, up to twenty people a call
group         card when there are buttons and a template; a reply by its session webhook; when people are
              mentioned the freshest session of the group or its custom robot, since the OpenAPI cannot
              mention; else the OpenAPI
============  =======================================================================================

A way that refuses or has no room passes on to the next. A way that may have delivered (``Unsure``) ends the try.
"""

import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import structlog

from adapters.common.errors import Throttled
from adapters.common.pace import Pace
from adapters.dingtalk.cards import Cards
from adapters.dingtalk.client import Client
from adapters.dingtalk.ding import Ding
from adapters.dingtalk.errors import SessionGone
from adapters.dingtalk.files import upload
from adapters.dingtalk.limits import ROBOT_MESSAGES
from adapters.dingtalk.receipts import KEY_SEPARATOR
from adapters.dingtalk.render import parts, plain, robot_message, webhook_body
from adapters.dingtalk.sessions import Session, Sessions
from adapters.dingtalk.signature import robot_sign
from storage.messages import Address, Attachment, Outgoing
from storage.ports import Outcome, Refused, Retry, SendError, SendJob, Sent, Unsure
from storage.settings import DingTalkWebhook

USERS_PER_CALL = 20
FLOW_PAUSE = timedelta(seconds=20)
REMEMBERED_JOBS = 500
REMEMBERED_TEXTS = 2000
Load = Callable[[str], Awaitable[bytes]]
"""Bytes of a stored file by its SHA-256."""
Way = Callable[[str, int], Awaitable[str]]
"""Sends one part of the text; returns the provider's id or an empty string."""

log = structlog.get_logger(__name__)


class Sending:
    """Everything that goes out."""

    def __init__(self, client: Client, sessions: Sessions, cards: Cards, ding: Ding, load: Load | None) -> None:
        self._client, self._sessions, self._cards, self._ding = client, sessions, cards, ding
        self._load = load
        self._robots = {hook.conversation_id: hook for hook in reversed(client.settings.webhooks)}
        self._robot_pace = Pace(client.clock, ROBOT_MESSAGES)
        self._progress: OrderedDict[tuple[str, Address], list[str]] = OrderedDict()
        self._texts: OrderedDict[str, str] = OrderedDict()

    def text_of(self, provider_id: str) -> str:
        """What we sent under this key, while we remember: a quote of it may come without words."""
        return self._texts.get(provider_id, "")

    async def send(self, job: SendJob) -> dict[Address, Outcome]:
        """An outcome for every address; errors are returned, never raised."""
        if job.message.silent:
            return {address: await self._cards_only(address, job.message) for address in job.addresses}
        if len(job.addresses) > 1 and not self._cards.can_show(job.message) and not job.message.attachments:
            outcomes = await self._send_to_many(job)
        else:
            outcomes = {address: await _outcome(self._send_to_one(address, job)) for address in job.addresses}
        for outcome in outcomes.values():
            self._remember(outcome, job.message)
        if job.message.urgent_call:
            await self._ring(outcomes, job.message)
        return outcomes

    async def _cards_only(self, address: Address, message: Outgoing) -> Sent:
        if self._cards.on:
            await self._cards.refresh(address, message)
        return Sent()

    def _remember(self, outcome: Outcome, message: Outgoing) -> None:
        if isinstance(outcome, Sent) and outcome.provider_id:
            self._texts |= dict.fromkeys(outcome.provider_id.split(KEY_SEPARATOR), plain(message))
            while len(self._texts) > REMEMBERED_TEXTS:
                self._texts.popitem(last=False)

    # ---- many people, one call

    async def _send_to_many(self, job: SendJob) -> dict[Address, Outcome]:
        outcomes: dict[Address, Outcome] = {}
        for start in range(0, len(job.addresses), USERS_PER_CALL):
            outcomes |= await self._send_batch(job.addresses[start : start + USERS_PER_CALL], job)
        return outcomes

    async def _send_batch(self, addresses: Sequence[Address], job: SendJob) -> dict[Address, Outcome]:
        """All parts to up to twenty people; whoever a part did not reach is left out of the next."""
        outcomes: dict[Address, Outcome] = {}
        waiting, keys = list(addresses), list[str]()
        for text in parts(plain(job.message)):
            msg_key, param = robot_message(text, job.message, direct=True)
            try:
                key, failed = await self._one_to_one([a.id for a in waiting], msg_key, param, job.message)
            except SendError as error:
                return outcomes | dict.fromkeys(waiting, error)
            keys.append(key)
            outcomes |= {a: failed[a.id] for a in waiting if a.id in failed}
            waiting = [a for a in waiting if a.id not in failed]
            if not waiting:
                return outcomes
        return outcomes | dict.fromkeys(waiting, Sent(KEY_SEPARATOR.join(keys)))

    async def _one_to_one(
        self, users: list[str], msg_key: str, param: str, message: Outgoing
    ) -> tuple[str, dict[str, SendError]]:
        """The key of the send, and who did not get it: a partial failure comes inside HTTP 200."""
        body = {"robotCode": self._client.robot_code, "userIds": users, "msgKey": msg_key, "msgParam": param}
        answer = await self._client.api("POST", "/v1.0/robot/oToMessages/batchSend", body, urgency=message.urgency)
        later = self._client.clock.now() + FLOW_PAUSE
        failed: dict[str, SendError] = {}
        failed |= {
            str(user): Throttled("flow control", later) for user in answer.get("flowControlledStaffIdList") or []
        }
        failed |= {str(user): Refused("filtered by the platform") for user in answer.get("filteredStaffIdList") or []}
        failed |= {str(user): Refused("unknown user id") for user in answer.get("invalidStaffIdList") or []}
        return str(answer.get("processQueryKey") or ""), failed

    # ---- one address

    async def _send_to_one(self, address: Address, job: SendJob) -> Sent:
        message = job.message
        if self._cards.can_show(message):
            try:
                return await self._cards.show(address, message, job.key)
            except Unsure:
                raise
            except SendError as error:
                log.warning("a card could not be shown, words instead", reason=error.reason)
        elif message.card and self._cards.on:
            await self._cards.refresh(address, message)
        ways = self._ways(address, job)
        done = self._done_so_far(job, address)
        texts = parts(plain(message))
        for number in range(len(done), len(texts)):
            done.append(await self._first_that_works(ways, texts[number], number))
        for attachment in message.attachments[len(done) - len(texts) :]:
            done.append(await self._attach(address, attachment, message))
        self._progress.pop((job.key, address), None)
        return Sent(KEY_SEPARATOR.join(key for key in done if key))

    def _done_so_far(self, job: SendJob, address: Address) -> list[str]:
        """Ids of the parts an earlier try got through, so that a retry goes on where it stopped."""
        done = self._progress.setdefault((job.key, address), [])
        while len(self._progress) > REMEMBERED_JOBS:
            self._progress.popitem(last=False)
        return done

    def _ways(self, address: Address, job: SendJob) -> list[Way]:
        """The ways out for this message, best first."""
        message, direct = job.message, address.kind == "direct"
        ways: list[Way] = []
        session = self._sessions.answering(dict(job.hints), address)
        wants_mention = not direct and (message.mentions or message.mention_all)
        if session is None and wants_mention:
            session = self._sessions.freshest(address)
        if session is not None:
            ways.append(self._by_session(session, address, message))
        if wants_mention and address.id in self._robots:
            ways.append(self._by_custom_robot(self._robots[address.id], job))
        if direct:
            ways.append(self._by_one_to_one(address, message))
        else:
            ways.append(self._by_group_send(address, message))
            if not wants_mention and address.id in self._robots:
                ways.append(self._by_custom_robot(self._robots[address.id], job))
        return ways

    async def _first_that_works(self, ways: Sequence[Way], text: str, number: int) -> str:
        errors: list[SendError] = []
        for way in ways:
            try:
                return await way(text, number)
            except Unsure:
                raise
            except SendError as error:
                errors.append(error)
        raise next((error for error in errors if isinstance(error, Retry)), errors[-1])

    def _by_session(self, session: Session, address: Address, message: Outgoing) -> Way:
        async def way(text: str, _number: int) -> str:
            body = webhook_body(text, message, direct=address.kind == "direct")
            try:
                await self._client.webhook(session.url, body, message.urgency)
            except SessionGone:
                self._sessions.forget(address)
                raise
            return ""

        return way

    def _by_custom_robot(self, robot: DingTalkWebhook, job: SendJob) -> Way:
        async def way(text: str, number: int) -> str:
            await self._robot_pace.admit(robot.conversation_id)
            body = webhook_body(text, job.message, direct=False)
            body["msgUuid"] = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{job.key}:{number}"))
            try:
                await self._client.webhook(self._signed(robot), body, job.message.urgency)
            except Throttled as error:
                if error.not_before:
                    self._robot_pace.block(robot.conversation_id, error.not_before)
                raise
            return ""

        return way

    def _by_group_send(self, address: Address, message: Outgoing) -> Way:
        async def way(text: str, _number: int) -> str:
            return await self._group_send(address, *robot_message(text, message, direct=False), message)

        return way

    def _by_one_to_one(self, address: Address, message: Outgoing) -> Way:
        async def way(text: str, _number: int) -> str:
            return await self._direct_send(address, *robot_message(text, message, direct=True), message)

        return way

    async def _group_send(self, address: Address, msg_key: str, param: str, message: Outgoing) -> str:
        body = {
            "robotCode": self._client.robot_code,
            "openConversationId": address.id,
            "msgKey": msg_key,
            "msgParam": param,
        }
        answer = await self._client.api("POST", "/v1.0/robot/groupMessages/send", body, urgency=message.urgency)
        return str(answer.get("processQueryKey") or "")

    async def _direct_send(self, address: Address, msg_key: str, param: str, message: Outgoing) -> str:
        key, failed = await self._one_to_one([address.id], msg_key, param, message)
        if address.id in failed:
            raise failed[address.id]
        return key

    async def _attach(self, address: Address, attachment: Attachment, message: Outgoing) -> str:
        if self._load is None or not attachment.sha256:
            raise Refused("the file to attach is not at hand")
        try:
            data = await self._load(attachment.sha256)
        except (OSError, ValueError) as error:
            raise Refused(f"the file to attach cannot be read: {type(error).__name__}") from error
        msg_key, param = await upload(self._client, attachment.name, data)
        send = self._direct_send if address.kind == "direct" else self._group_send
        return await send(address, msg_key, param, message)

    def _signed(self, robot: DingTalkWebhook) -> str:
        """The robot's URL with a signature of this moment: one kept for later dies after an hour."""
        url, secret = robot.url.get_secret_value(), robot.secret.get_secret_value()
        if not secret:
            return url
        split = urlsplit(url)
        timestamp = str(int(self._client.clock.now().timestamp() * 1000))
        query = [*parse_qsl(split.query), ("timestamp", timestamp), ("sign", robot_sign(secret, timestamp))]
        return urlunsplit(split._replace(query=urlencode(query)))

    async def _ring(self, outcomes: dict[Address, Outcome], message: Outgoing) -> None:
        """Ring people up as well; who was rung has been reached, even when the message was not."""
        for address, outcome in outcomes.items():
            if address.kind != "direct" or not self._ding.on:
                continue
            ding_id = await self._ding.ring(address, message)
            if ding_id and isinstance(outcome, Refused):
                outcomes[address] = Sent(ding_id)


async def _outcome(sending: Awaitable[Sent]) -> Outcome:
    try:
        return await sending
    except SendError as error:
        return error
