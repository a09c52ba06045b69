"""What ``bot.py check`` says about WeCom: one line each, with the way to mend it. Nothing is sent to anybody.

Proving the robot's secret takes its connection over. So a running bot is asked first, by its ``/readyz``: when that
answers, it knows, and nobody is thrown out.
"""

from urllib.parse import parse_qs, urlsplit

import aiohttp

from adapters.common.errors import Misconfigured, NotPermitted
from adapters.wecom.aibot import LongConnection
from adapters.wecom.client import Client
from adapters.wecom.crypto import is_aes_key
from adapters.wecom.errors import Untrusted
from adapters.wecom.fields import parse_object, part, text
from adapters.wecom.memory import Memory
from adapters.wecom.receive import PLATFORM
from adapters.wecom.words import words
from storage.ports import CheckLine, Refused, SendError
from storage.settings import AibotSettings

ASK_TIMEOUT = aiohttp.ClientTimeout(total=3)
WRONG = {
    "errcode 40013": "check.app_corp",
    "errcode 40001": "check.app_secret",
    "errcode 40091": "check.app_secret",
    "errcode 50003": "check.app_stopped",
    "errcode 60031": "check.app_stopped",
}
"""Which of the values is wrong, where the platform says so."""
ROBOT_GONE = {"errcode 93000", "errcode 93004", "errcode 93008"}


class Check:
    """``public_url`` is where WeCom reaches us; ``own_url`` where a running bot would answer on this machine."""

    def __init__(
        self,
        client: Client,
        connection: LongConnection | None,
        memory: Memory | None,
        public_url: str,
        own_url: str,
    ) -> None:
        self._client, self._connection, self._memory = client, connection, memory
        self._public_url, self._own_url = public_url, own_url
        self._settings = client.settings

    async def run(self) -> list[CheckLine]:
        """All lines of what is configured."""
        lines: list[CheckLine] = []
        if self._settings.corp_id or self._settings.agent_id or self._settings.aibot is None:
            lines += [await self._app(), self._app_callback()]
        if self._settings.aibot is not None:
            lines.append(await self._robot(self._settings.aibot))
        return lines + await self._group_robots()

    # ---- the app

    async def _app(self) -> CheckLine:
        what = words("check.app")
        if not self._client.has_app:
            return CheckLine(what, False, words("check.app_missing"))
        problem = await self._app_calls()
        return CheckLine(what, not problem, problem)

    async def _app_calls(self) -> str:
        """A message to nobody is refused for just that, once token, address and agent are found right."""
        to_nobody = {"touser": "", "msgtype": "text", "agentid": self._settings.agent_id, "text": {"content": "check"}}
        try:
            await self._client.call("POST", "message/send", to_nobody)
        except (Misconfigured, NotPermitted) as error:
            return self._app_problem(error)
        except Refused:
            return ""
        except SendError as error:
            return self._unreachable(self._settings.api_base, error.reason)
        return ""

    def _app_problem(self, error: SendError) -> str:
        if isinstance(error, Untrusted):
            return words("check.app_untrusted", address=error.address)
        usual = "check.app_wrong" if isinstance(error, Misconfigured) else "check.app_agent"
        return words(WRONG.get(error.reason, usual), detail=error.reason)

    def _app_callback(self) -> CheckLine:
        settings = self._settings
        token, key = settings.callback_token.get_secret_value(), settings.callback_aes_key.get_secret_value()
        return self._callback(words("check.app_callback"), "app", token, key)

    def _callback(self, what: str, path: str, token: str, key: str) -> CheckLine:
        if not token or not key:
            return CheckLine(what, False, words(f"check.{path}_callback_missing"))
        if not (token.isascii() and token.isalnum()) or len(token) > 32:
            return CheckLine(what, False, words("check.callback_token"))
        if not is_aes_key(key):
            return CheckLine(what, False, words("check.callback_key", length=len(key)))
        if urlsplit(self._public_url).scheme not in {"http", "https"}:
            return CheckLine(what, False, words("check.callback_url", path=path))
        address = f"{self._public_url.rstrip('/')}/wecom/{path}"
        return CheckLine(what, True, words("check.callback_ok", address=address))

    # ---- the robot

    async def _robot(self, bot: AibotSettings) -> CheckLine:
        if bot.receive == "callback":
            return await self._robot_callback(bot)
        what = words("check.robot")
        if not bot.bot_id or not bot.secret.get_secret_value():
            return CheckLine(what, False, words("check.robot_missing"))
        running = await self._running()
        if running is not None:
            return CheckLine(what, not running, running or words("check.robot_running"))
        try:
            if self._connection is not None:
                await self._connection.probe()
        except Misconfigured as error:
            return CheckLine(what, False, words("check.robot_wrong", detail=error.reason))
        except Refused as error:
            return CheckLine(what, False, words("check.robot_refused", detail=error.reason))
        except SendError as error:
            return CheckLine(what, False, self._unreachable(bot.ws_url, error.reason))
        return CheckLine(what, True, self._one_of_several())

    def _one_of_several(self) -> str:
        """Where several processes may share a database, they must not share the robot."""
        shared = self._memory is not None and self._memory.shared
        return words("check.robot_shared") if shared else ""

    async def _robot_callback(self, bot: AibotSettings) -> CheckLine:
        what = words("check.robot_callback")
        line = self._callback(what, "aibot", bot.token.get_secret_value(), bot.aes_key.get_secret_value())
        if line.ok and not bot.bot_id:
            return CheckLine(what, False, words("check.robot_no_id"))
        if line.ok and not self._settings.webhooks:
            return CheckLine(what, False, words("check.robot_no_webhooks"))
        if line.ok and (silent := await self._groups_without_robot()):
            return CheckLine(what, False, words("check.robot_no_webhook_in", groups=" ".join(silent)))
        return line

    async def _groups_without_robot(self) -> list[str]:
        """Groups of the organisation that nothing could be said in by itself."""
        groups = await self._memory.groups() if self._memory is not None else {}
        known = {robot.conversation_id for robot in self._settings.webhooks}
        return [f"{name}（{chat_id}）" for chat_id, name in groups.items() if chat_id not in known]

    async def _running(self) -> str | None:
        """What a bot that runs on this machine says about WeCom; empty: all is well; None: none runs."""
        if not self._own_url:
            return None
        try:
            async with self._client.http.get(f"{self._own_url}/readyz", timeout=ASK_TIMEOUT) as response:
                report = parse_object(await response.content.read(1 << 16)) or {}
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None
        return text(part(report, "degraded"), PLATFORM) if "degraded" in report else None

    # ---- group robots

    async def _group_robots(self) -> list[CheckLine]:
        lines, seen = [], set[str]()
        for number, robot in enumerate(self._settings.webhooks, 1):
            problem = await self._robot_problem(robot.url.get_secret_value())
            if not problem and robot.conversation_id in seen:
                problem = words("check.webhook_double")
            seen.add(robot.conversation_id)
            lines.append(CheckLine(words("check.webhook", number=number), not problem, problem))
        return lines

    async def _robot_problem(self, url: str) -> str:
        """A message of no type is refused, but the robot is looked up first; nobody sees it."""
        base, split = self._settings.api_base, urlsplit(url)
        if not url.startswith(f"{base}/cgi-bin/webhook/send?") or not parse_qs(split.query).get("key"):
            return words("check.webhook_wrong", address=base)
        try:
            await self._client.post(url, {"msgtype": "none"})
        except Refused as error:
            return words("check.webhook_gone", detail=error.reason) if error.reason in ROBOT_GONE else ""
        except SendError as error:
            return self._unreachable(base, error.reason)
        return ""

    def _unreachable(self, address: str, detail: str) -> str:
        return words("check.unreachable", address=address, detail=detail)
