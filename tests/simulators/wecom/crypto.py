"""The encryption of callbacks, written from the notes alone: neither the product's code nor its library is used."""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 32


def key_of(encoding_aes_key: str) -> bytes:
    return base64.b64decode(encoding_aes_key + "=")


def signature(token: str, timestamp: str, nonce: str, encrypt: str) -> str:
    return hashlib.sha1("".join(sorted([token, timestamp, nonce, encrypt])).encode()).hexdigest()  # noqa: S324


def pad(data: bytes, value: int | None = None) -> bytes:
    """PKCS#7 to 32; `value` pads with a wrong byte."""
    count = BLOCK - len(data) % BLOCK
    return data + bytes([count if value is None else value]) * count


def unpad(data: bytes) -> bytes:
    count = data[-1] if data else 0
    if not 1 <= count <= BLOCK or data[-count:] != bytes([count]) * count:
        raise ValueError("padding")
    return data[:-count]


def aes(key: bytes, data: bytes, *, encrypt: bool) -> bytes:
    cipher = Cipher(algorithms.AES(key), modes.CBC(key[:16]))
    worker = cipher.encryptor() if encrypt else cipher.decryptor()
    return worker.update(data) + worker.finalize()


def seal(
    encoding_aes_key: str, message: bytes, receive_id: str, *, random: bytes | None = None, padding: int | None = None,
    length: int | None = None,
) -> str:  # fmt: skip
    """Encrypt. `padding` and `length` lie about themselves, for tests of the other side."""
    size = len(message) if length is None else length
    plain = (random or os.urandom(16)) + size.to_bytes(4, "big") + message + receive_id.encode()
    return base64.b64encode(aes(key_of(encoding_aes_key), pad(plain, padding), encrypt=True)).decode()


def open_sealed(encoding_aes_key: str, sealed: str) -> tuple[bytes, str]:
    """The message and the receive id; ValueError when it is none."""
    plain = unpad(aes(key_of(encoding_aes_key), base64.b64decode(sealed, validate=True), encrypt=False))
    size = int.from_bytes(plain[16:20], "big")
    if len(plain) < 20 + size:
        raise ValueError("length")
    return plain[20 : 20 + size], plain[20 + size :].decode()


@dataclass(frozen=True)
class Envelope:
    """One signed callback, ready to be posted."""

    query: dict[str, str]
    encrypt: str
    body: bytes

    @classmethod
    def of(cls, token: str, encrypt: str, timestamp: str, nonce: str, *, xml_for: str = "", agent: int = 0) -> Envelope:
        """`xml_for`: the corp id of an app's XML envelope; without it, the JSON of an intelligent robot."""
        query = {"msg_signature": signature(token, timestamp, nonce, encrypt), "timestamp": timestamp, "nonce": nonce}
        if not xml_for:
            return cls(query, encrypt, b'{"encrypt":"' + encrypt.encode() + b'"}')
        body = (
            f"<xml><ToUserName><![CDATA[{xml_for}]]></ToUserName><AgentID><![CDATA[{agent}]]></AgentID>"
            f"<Encrypt><![CDATA[{encrypt}]]></Encrypt></xml>"
        )
        return cls(query, encrypt, body.encode())
