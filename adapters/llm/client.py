"""Asks an OpenAI-compatible endpoint what a message may mean. Three seconds, one try; any trouble is no answer."""

import asyncio
import json
import tomllib
from pathlib import Path
from typing import Any

import aiohttp
import structlog

from storage.ports import CheckLine
from storage.settings_llm import LlmSettings

WITHIN = 3.0
"""Seconds, from asking to the last byte of the answer."""
LARGEST = 64 * 1024
WORDS: dict[str, str] = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))
PROBE = "ping"

log = structlog.get_logger(__name__)


class ChatModel:
    """One question to the model; holds no state."""

    def __init__(self, settings: LlmSettings, http: aiohttp.ClientSession, within: float = WITHIN) -> None:
        self._settings = settings
        self._http = http
        self._within = within

    async def propose(self, text: str) -> str | None:
        """What the model answers about a masked message; None when it does not in time, refuses, or is not there."""
        try:
            async with asyncio.timeout(self._within):
                return _content(await self._ask(text))
        except (TimeoutError, aiohttp.ClientError, ValueError, RecursionError) as error:
            log.warning("the helper gave no answer", error=type(error).__name__)
            return None

    async def check(self) -> CheckLine:
        """Asks one harmless word, with the limit that holds when it matters, and tells what to mend."""
        try:
            async with asyncio.timeout(self._within):
                content = _content(await self._ask(PROBE))
        except aiohttp.ClientResponseError as error:
            reason = {401: "refused", 403: "refused", 404: "not_found"}.get(error.status, "status")
            return self._line(False, reason, status=error.status)
        except TimeoutError:
            return self._line(False, "slow")
        except aiohttp.ClientError:
            return self._line(False, "unreachable")
        except (ValueError, RecursionError):
            return self._line(False, "no_sense")
        return self._line(content is not None, "no_sense" if content is None else "works")

    def _line(self, ok: bool, told: str, **values: object) -> CheckLine:
        known = {"model": self._settings.model, "url": self._settings.base_url, "seconds": f"{self._within:g}"}
        return CheckLine(WORDS["what"], ok, WORDS[told].format(**known, **values))

    async def _ask(self, text: str) -> Any:
        url = f"{self._settings.base_url.rstrip('/')}/chat/completions"
        messages = [{"role": "system", "content": WORDS["task"]}, {"role": "user", "content": text}]
        body = {"model": self._settings.model, "messages": messages, "temperature": 0, "max_tokens": 200}
        key = self._settings.api_key.get_secret_value()
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with self._http.post(url, json=body, headers=headers, allow_redirects=False) as response:
            response.raise_for_status()
            if response.status != 200:
                raise ValueError(f"status {response.status}")
            data = await response.content.read(LARGEST + 1)
            while len(data) <= LARGEST and (more := await response.content.read(LARGEST)):
                data += more
        if len(data) > LARGEST:
            raise ValueError("too large an answer")
        return json.loads(data)


async def check(settings: LlmSettings | None, http: aiohttp.ClientSession) -> CheckLine:
    """The helper's line of ``bot.py check``; without the section it says that there is none."""
    return (
        await ChatModel(settings, http).check()
        if settings is not None
        else CheckLine(WORDS["what"], True, WORDS["off"])
    )


def _content(answer: Any) -> str | None:
    """The text of the first choice, None when there is none (a refusal)."""
    try:
        content = answer["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError):
        return None
    return content if isinstance(content, str) and content else None
