"""Pictures and files: downloading what people send, uploading what the bot attaches."""

import json
from pathlib import PurePath
from urllib.parse import urlsplit

import aiohttp

from adapters.common.bodies import read_limited
from adapters.dingtalk.client import TIMEOUT, Client, FormMaker
from storage.messages import Attachment
from storage.ports import Refused, Retry

LARGEST = 20 * 1024 * 1024
IMAGES = {"jpg", "jpeg", "gif", "png", "bmp"}
DOCUMENTS = {"xlsx", "pdf", "zip", "rar", "doc", "docx"}


async def download(client: Client, attachment: Attachment) -> bytes:
    """What stands behind a download code; SendError when it is gone, too large or cannot be had now."""
    body = {"downloadCode": attachment.ref, "robotCode": client.robot_code}
    answer = await client.api("POST", "/v1.0/robot/messageFiles/download", body)
    url = answer.get("downloadUrl")
    if not isinstance(url, str) or urlsplit(url).scheme not in {"http", "https"}:
        raise Refused("no download address")
    try:
        async with client.http.get(url, timeout=TIMEOUT) as response:
            if response.status != 200:
                raise Retry(f"download {response.status}")
            return await read_limited(response, LARGEST)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Retry(f"download {type(error).__name__}") from error


async def upload(client: Client, name: str, data: bytes) -> tuple[str, str]:
    """msgKey and msgParam that send this file; Refused for a kind that cannot be sent."""
    ending = PurePath(name).suffix.removeprefix(".").lower()
    kind = "image" if ending in IMAGES else "file" if ending in DOCUMENTS else ""
    if not kind or len(data) > LARGEST:
        raise Refused(f"a file of this kind or size cannot be sent: {ending}")
    answer = await client.oapi_form("/media/upload", {"type": kind}, FormMaker(_safe_name(name), data))
    media_id = str(answer.get("media_id") or "")
    if not media_id:
        raise Retry("no media_id in the answer")
    if kind == "image":
        return "sampleImageMsg", json.dumps({"photoURL": media_id})
    content = {"mediaId": media_id, "fileName": name, "fileType": ending}
    return "sampleFile", json.dumps(content, ensure_ascii=False)


def _safe_name(name: str) -> str:
    """The jpeg ending is not on the platform's list, jpg is."""
    return name[: -len(".jpeg")] + ".jpg" if name.lower().endswith(".jpeg") else name
