"""Signature and encryption of callbacks: wechatpy's cipher, with the checks that it leaves out.

Left out there and done here: comparison in constant time, a window for timestamps, nonces used once, base64 without
stray characters, whole blocks, padding of one value between 1 and 32, a length that fits, text that is UTF-8.
"""

import base64
import binascii
import hmac
from datetime import datetime, timedelta

from wechatpy.enterprise.crypto import PrpCrypto
from wechatpy.utils import WeChatSigner

from adapters.wecom.fields import BadPayload, moment
from storage.clock import Clock

WINDOW = timedelta(minutes=10)
NONCES_KEPT = timedelta(hours=2)
MOST_NONCES = 100_000
BLOCK = 32
HEAD = 20
"""Sixteen random bytes and the length."""
KEY_LENGTH = 43


class Forged(Exception):
    """The signature is wrong or old, or the nonce was used: 401."""


class Crypto:
    """Of one callback address. ``receive_id`` is the corp id for an app, empty for an intelligent robot.

    ValueError when token or key cannot be what the console shows.
    """

    def __init__(self, token: str, aes_key: str, receive_id: str, clock: Clock) -> None:
        if not token or not is_aes_key(aes_key):
            raise ValueError("token or EncodingAESKey")
        self._token, self._receive_id, self._clock = token, receive_id, clock
        self.key = base64.b64decode(aes_key + "=")
        self._prp = PrpCrypto(self.key)
        self._nonces: dict[str, datetime] = {}

    def echo(self, query: dict[str, str]) -> str:
        """The plaintext that proves an address is ours. Forged or BadPayload; a captured message is no proof."""
        sealed = query.get("echostr", "")
        self._verify(query, sealed)
        plain = self._open(sealed)
        if plain.lstrip().startswith(("<", "{")):
            raise BadPayload("not an echo")
        return plain

    def open(self, query: dict[str, str], sealed: str) -> str:
        """The message inside. Forged when it is not fresh from the platform, BadPayload when there is none inside."""
        self._verify(query, sealed)
        signed_at, now = moment(query.get("timestamp")), self._clock.now()
        if signed_at is None or abs(now - signed_at) > WINDOW:
            raise Forged("timestamp")
        if query.get("nonce", "") in self._nonces:
            raise Forged("nonce used")
        return self._open(sealed)

    def used(self, query: dict[str, str]) -> None:
        """The message of this query was committed: its nonce counts no more. Not earlier, lest a retry be refused."""
        now = self._clock.now()
        if len(self._nonces) >= MOST_NONCES:
            self._nonces = dict(list(self._nonces.items())[MOST_NONCES // 2 :])
        expired = [nonce for nonce, at in self._nonces.items() if now - at > NONCES_KEPT]
        for nonce in expired:
            del self._nonces[nonce]
        self._nonces[query.get("nonce", "")] = now

    def seal(self, message: str, nonce: str) -> dict[str, object]:
        """The JSON envelope of a robot's passive reply; the nonce must be the callback's own."""
        timestamp = int(self._clock.now().timestamp())
        sealed = self._prp.encrypt(message, self._receive_id).decode()
        sign = self._sign(str(timestamp), nonce, sealed)
        return {"encrypt": sealed, "msgsignature": sign, "timestamp": timestamp, "nonce": nonce}

    def _verify(self, query: dict[str, str], sealed: str) -> None:
        expected = self._sign(query.get("timestamp", ""), query.get("nonce", ""), sealed)
        given = query.get("msg_signature", "")
        if not hmac.compare_digest(expected.encode(), given.encode(errors="replace")):
            raise Forged("signature")

    def _sign(self, timestamp: str, nonce: str, sealed: str) -> str:
        signer = WeChatSigner()
        signer.add_data(*(part.encode("utf-8", "replace") for part in (self._token, timestamp, nonce, sealed)))
        return str(signer.signature)

    def _open(self, sealed: str) -> str:
        try:
            raw = base64.b64decode(sealed, validate=True)
        except (binascii.Error, ValueError):
            raise BadPayload("base64") from None
        if not raw or len(raw) % BLOCK:
            raise BadPayload("blocks")
        plain = unpad(bytes(self._prp.cipher.decrypt(raw)))
        size = int.from_bytes(plain[16:HEAD], "big")
        if len(plain) < HEAD + size:
            raise BadPayload("length")
        receive_id = plain[HEAD + size :]
        if not hmac.compare_digest(receive_id, self._receive_id.encode()):
            raise BadPayload("receive id")
        try:
            return plain[HEAD : HEAD + size].decode("utf-8")
        except UnicodeDecodeError:
            raise BadPayload("utf-8") from None


def is_aes_key(text: str) -> bool:
    """43 letters and digits, as the console makes them."""
    return len(text) == KEY_LENGTH and text.isascii() and text.isalnum()


def unpad(data: bytes) -> bytes:
    """Without PKCS#7 padding to 32 bytes; BadPayload when that is not what stands at the end."""
    count = data[-1] if data else 0
    if not 1 <= count <= BLOCK or data[-count:] != bytes([count]) * count:
        raise BadPayload("padding")
    return data[:-count]
