"""Pictures and files: fetching what people send, and the three places to which ours are uploaded."""

import base64
import binascii
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import PurePath
from urllib.parse import urlsplit

import aiohttp
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from adapters.wecom.client import Client
from adapters.wecom.crypto import unpad
from adapters.wecom.fields import BadPayload, Json
from adapters.wecom.receive import APP_REF, BOT_REF
from storage.messages import Attachment
from storage.ports import Refused, Retry

LARGEST = 20 * 1024 * 1024
LARGEST_RECEIVED = 100 * 1024 * 1024
LARGEST_IMAGE = 2 * 1024 * 1024
"""Documents disagree between 2 and 10 MB; a larger picture goes as a file."""
SMALLEST = 5
CHUNK = 512 * 1024
IMAGES = {".jpg", ".jpeg", ".png"}
Ask = Callable[[str, Json], Awaitable[Json]]


async def download(client: Client, attachment: Attachment, callback_key: bytes) -> bytes:
    """What stands behind a ref; SendError when it is gone, too large or cannot be had now.

    ``callback_key``: what files of the robot in callback mode are encrypted with.
    """
    ref = attachment.ref
    if ref.startswith(APP_REF):
        return await client.download("media/get", {"media_id": ref.removeprefix(APP_REF)}, LARGEST_RECEIVED)
    if not ref.startswith(BOT_REF):
        raise Refused("not a reference of this platform")
    key, _, url = ref.removeprefix(BOT_REF).partition(":")
    if urlsplit(url).scheme not in {"http", "https"}:
        raise Refused("no download address")
    return _decrypt(await client.get(url, LARGEST_RECEIVED), _key(key) if key else callback_key)


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != 32:
        raise Refused("the key of the file is none")
    return key


def _decrypt(sealed: bytes, key: bytes) -> bytes:
    if not key or not sealed or len(sealed) % 16:
        raise Refused("the file cannot be decrypted")
    worker = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
    try:
        return unpad(worker.update(sealed) + worker.finalize())
    except BadPayload:
        raise Refused("the file cannot be decrypted") from None


def kind_of(name: str, data: bytes) -> str:
    """``image`` or ``file``; Refused when it cannot be sent at all."""
    if not SMALLEST < len(data) <= LARGEST:
        raise Refused("a file of this size cannot be sent")
    return "image" if PurePath(name).suffix.lower() in IMAGES and len(data) <= LARGEST_IMAGE else "file"


async def upload_for_app(client: Client, name: str, data: bytes) -> tuple[str, str]:
    """Kind and media id."""
    kind = kind_of(name, data)
    answer = await client.call("POST", "media/upload", query={"type": kind}, form=lambda: _form(name, data))
    return kind, _media_id(answer)


async def upload_for_group_robot(client: Client, send_url: str, name: str, data: bytes) -> str:
    """Media id; a group robot uploads files only, and no other robot can use them."""
    kind_of(name, data)
    url = send_url.replace("/webhook/send", "/webhook/upload_media", 1)
    return _media_id(await client.post(f"{url}&type=file", form=lambda: _form(name, data)))


async def upload_for_robot(ask: Ask, name: str, data: bytes) -> tuple[str, str]:
    """Kind and media id, chunk by chunk over the long connection."""
    kind = kind_of(name, data)
    chunks = [data[at : at + CHUNK] for at in range(0, len(data), CHUNK)]
    begin = {
        "type": kind,
        "filename": name[:80],
        "total_size": len(data),
        "total_chunks": len(chunks),
        "md5": hashlib.md5(data, usedforsecurity=False).hexdigest(),
    }
    upload_id = str((await ask("aibot_upload_media_init", begin)).get("upload_id") or "")
    for index, chunk in enumerate(chunks):
        body = {"upload_id": upload_id, "chunk_index": index, "base64_data": base64.b64encode(chunk).decode()}
        await ask("aibot_upload_media_chunk", body)
    return kind, _media_id(await ask("aibot_upload_media_finish", {"upload_id": upload_id}))


def _media_id(answer: Json) -> str:
    media_id = str(answer.get("media_id") or "")
    if not media_id:
        raise Retry("no media_id in the answer")
    return media_id


def _form(name: str, data: bytes) -> aiohttp.FormData:
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("media", data, filename=name, content_type="application/octet-stream")
    return form
