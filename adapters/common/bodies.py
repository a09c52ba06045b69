"""Reading what a server sends, never more of it than allowed."""

import json

import aiohttp

from storage.ports import Refused


async def read_limited(response: aiohttp.ClientResponse, largest: int) -> bytes:
    """The body; Refused when it is larger than ``largest`` bytes, whatever Content-Length says."""
    received = bytearray()
    async for chunk in response.content.iter_chunked(1 << 16):
        received += chunk
        if len(received) > largest:
            raise Refused(f"more than {largest} bytes")
    return bytes(received)


def json_object(raw: bytes) -> dict[str, object]:
    """The JSON object in a body; empty when it is something else."""
    try:
        value = json.loads(raw)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
