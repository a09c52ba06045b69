"""Posting to our URL as the platform does: verification, five seconds, three tries, and envelopes that lie."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from urllib.parse import urlencode

import aiohttp
import xmltodict
from yarl import URL

from tests.simulators.wecom.context import Context, Json
from tests.simulators.wecom.crypto import Envelope, open_sealed, seal, signature
from tests.simulators.wecom.world import App, Receiver

NO_ANSWER = 0


@dataclass
class Delivery:
    """One message on its way: the status of each try (0: none in time), and the passive reply of the last."""

    receiver: Receiver
    statuses: list[int] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    reply: bytes = b""
    done: bool = False
    discarded: bool = False


class BadReply(AssertionError):
    """What we answered is not what the platform accepts."""


class Callbacks:
    """Keeps what it posted, so that a test can replay it byte for byte."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._session: aiohttp.ClientSession | None = None
        self.deliveries: list[Delivery] = []

    async def verify(self, receiver: Receiver, *, echo: str = "1616140317555161061", tamper: str = "") -> bool:
        """An administrator presses Save: only the exact plaintext within a second will do."""
        sealed = seal(receiver.aes_key, echo.encode(), receiver.receive_id)
        timestamp, nonce = str(self._context.now()), self._nonce()
        query = {"msg_signature": signature(receiver.token, timestamp, nonce, sealed) + tamper, "timestamp": timestamp}
        url = f"{receiver.url}?{urlencode({**query, 'nonce': nonce, 'echostr': sealed})}"
        status, body = await self._request("GET", url, None, self._context.limits.verify_seconds)
        return status == 200 and body == echo.encode()

    async def deliver(self, receiver: Receiver, plain: bytes, *, tries: int = 0) -> Delivery:
        """Post until it is answered, at most three times; each try is encrypted and signed anew."""
        delivery = Delivery(receiver)
        self.deliveries.append(delivery)
        if receiver.discarding:
            delivery.discarded = delivery.done = True
            return delivery
        for _ in range(tries or self._context.limits.deliveries):
            status = await self.attempt(delivery, plain)
            if status == 200 or (status != NO_ANSWER and not self._context.limits.retry_non_200):
                break
        delivery.done = True
        self._judge(receiver, delivery.statuses[-1] == 200)
        return delivery

    async def attempt(self, delivery: Delivery, plain: bytes) -> int:
        """One try; several may run at once."""
        envelope = self.envelope(delivery.receiver, plain)
        delivery.envelopes.append(envelope)
        status, body = await self.post(delivery.receiver, envelope, self._context.limits.callback_seconds)
        delivery.statuses.append(status)
        delivery.reply = body if status == 200 else delivery.reply
        return status

    def envelope(
        self, receiver: Receiver, plain: bytes, *, encrypt: str = "", age: float = 0, nonce: str = ""
    ) -> Envelope:
        """`encrypt`: another ciphertext, correctly signed; `age`: signed so many seconds ago."""
        sealed = encrypt or seal(receiver.aes_key, plain, receiver.receive_id)
        timestamp = str(int(self._context.clock() - age))
        corp, agent = (self._context.world.corp_id, receiver.agent_id) if isinstance(receiver, App) else ("", 0)
        return Envelope.of(receiver.token, sealed, timestamp, nonce or self._nonce(), xml_for=corp, agent=agent)

    async def post(self, receiver: Receiver, envelope: Envelope, seconds: float | None = None) -> tuple[int, bytes]:
        """Post an envelope as it is; status 0 when no answer came within the seconds of the test's clock."""
        return await self._request("POST", f"{receiver.url}?{urlencode(envelope.query)}", envelope.body, seconds)

    def passive(self, delivery: Delivery) -> Json | None:
        """The passive reply in the last answer; None for silence, BadReply for what the platform would not take."""
        if not delivery.reply:
            return None
        receiver, query = delivery.receiver, delivery.envelopes[-1].query
        fields = _reply_fields(delivery.reply, isinstance(receiver, App))
        expected = signature(receiver.token, fields["timestamp"], fields["nonce"], fields["encrypt"])
        if fields["signature"] != expected:
            raise BadReply("signature")
        if not isinstance(receiver, App) and fields["nonce"] != query["nonce"]:
            raise BadReply("the nonce must be the callback's")
        try:
            plain, receive_id = open_sealed(receiver.aes_key, fields["encrypt"])
        except ValueError as error:
            raise BadReply(str(error)) from error
        if receive_id != receiver.receive_id:
            raise BadReply("receive id")
        if isinstance(receiver, App):
            return dict(xmltodict.parse(plain)["xml"])
        value: Json = json.loads(plain)
        return value

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _judge(self, receiver: Receiver, good: bool) -> None:
        receiver.failed_in_a_row = 0 if good else receiver.failed_in_a_row + 1
        limit = self._context.limits.discard_after
        receiver.discarding = bool(limit) and receiver.failed_in_a_row >= limit

    def _nonce(self) -> str:
        return str(self._context.rng.randrange(10**9, 10**10))

    async def _request(self, method: str, url: str, body: bytes | None, seconds: float | None) -> tuple[int, bytes]:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20))
        asking = asyncio.create_task(self._ask(self._session, method, url, body))
        late = asyncio.Event()

        async def ring() -> None:
            late.set()

        if seconds is not None:
            self._context.schedule.after(seconds, ring)
        waiting = asyncio.create_task(late.wait())
        await asyncio.wait({asking, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if asking.done():
            return asking.result()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        return NO_ANSWER, b""

    async def _ask(
        self, session: aiohttp.ClientSession, method: str, url: str, body: bytes | None
    ) -> tuple[int, bytes]:
        try:
            async with session.request(method, _exact(url), data=body) as response:
                return response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError):
            return NO_ANSWER, b""


def _exact(url: str) -> URL:
    """The escapes of a query are part of what is tested."""
    return URL(url, encoded=True)


def _reply_fields(raw: bytes, is_xml: bool) -> dict[str, str]:
    try:
        if is_xml:
            value = xmltodict.parse(raw)["xml"]
            names = {"encrypt": "Encrypt", "signature": "MsgSignature", "timestamp": "TimeStamp", "nonce": "Nonce"}
        else:
            value = json.loads(raw)
            names = {name: name for name in ("encrypt", "timestamp", "nonce")} | {"signature": "msgsignature"}
        return {ours: str(value[theirs]) for ours, theirs in names.items()}
    except Exception as error:
        raise BadReply(f"no reply envelope: {raw[:80]!r}") from error
