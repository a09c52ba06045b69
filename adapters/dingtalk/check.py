"""What ``bot.py check`` says about DingTalk: one line each, with the way to mend it. Nothing is sent to anybody."""

from urllib.parse import parse_qs, urlsplit

from adapters.common.errors import Misconfigured, NotPermitted
from adapters.dingtalk.client import Client
from adapters.dingtalk.stream import NotOpened, Stream
from adapters.dingtalk.words import words
from storage.ports import CheckLine, Refused, SendError

PROBE = {"downloadCode": "check"}


class Check:
    """``public_url`` is the address DingTalk reaches us at, for HTTP mode."""

    def __init__(self, client: Client, stream: Stream, public_url: str) -> None:
        self._client, self._stream, self._public_url = client, stream, public_url
        self._settings = client.settings

    async def run(self) -> list[CheckLine]:
        """All lines. Without working credentials the lines that need them are left out."""
        credentials = await self._credentials()
        lines = [credentials]
        if credentials.ok:
            receive = self._receive_stream() if self._settings.receive == "stream" else self._receive_http()
            lines += [await self._robot(), await receive]
        lines += self._card_lines() + self._webhook_lines()
        return [*lines, self._quota()] if credentials.ok else lines

    async def _credentials(self) -> CheckLine:
        what = words("check.credentials")
        if not self._settings.client_id or not self._settings.client_secret.get_secret_value():
            return CheckLine(what, False, words("check.credentials_missing"))
        try:
            await self._client.tokens.get()
        except Misconfigured as error:
            return CheckLine(what, False, words("check.credentials_wrong", detail=error.reason))
        except SendError as error:
            return CheckLine(what, False, self._unreachable(error.reason))
        return CheckLine(what, True)

    async def _robot(self) -> CheckLine:
        """Asking for a file that does not exist tells robot code and permission apart, and touches nobody."""
        what, body = words("check.robot"), {**PROBE, "robotCode": self._client.robot_code}
        try:
            await self._client.api("POST", "/v1.0/robot/messageFiles/download", body)
        except NotPermitted as error:
            return CheckLine(what, False, words("check.robot_permission", detail=error.reason))
        except Refused as error:
            if "robotCode" in error.reason:
                return CheckLine(what, False, words("check.robot_wrong", detail=error.reason))
            if "downloadCode" not in error.reason:
                return CheckLine(what, False, words("check.robot_unknown", detail=error.reason))
        except SendError as error:
            return CheckLine(what, False, self._unreachable(error.reason))
        return CheckLine(what, True)

    async def _receive_stream(self) -> CheckLine:
        what = words("check.stream")
        try:
            await self._stream.probe()
        except NotOpened as error:
            return CheckLine(what, False, words("check.stream_wrong", detail=error.detail))
        return CheckLine(what, True)

    async def _receive_http(self) -> CheckLine:
        what = words("check.http")
        if not self._public_url:
            return CheckLine(what, False, words("check.http_no_url"))
        if not self._public_url.startswith("https://"):
            return CheckLine(what, False, words("check.http_plain"))
        address = f"{self._public_url.rstrip('/')}/dingtalk/robot"
        return CheckLine(what, True, words("check.http_ok", address=address))

    def _card_lines(self) -> list[CheckLine]:
        if not self._settings.card_template_id:
            return []
        needs_secret = self._settings.receive == "http"
        if needs_secret and not self._settings.card_callback_secret.get_secret_value():
            return [CheckLine(words("check.card"), False, words("check.card_secret"))]
        return [CheckLine(words("check.card"), True)]

    def _webhook_lines(self) -> list[CheckLine]:
        lines, seen = [], set[str]()
        for number, robot in enumerate(self._settings.webhooks, 1):
            problem = self._webhook_problem(robot.url.get_secret_value(), robot.secret.get_secret_value())
            if not problem and robot.conversation_id in seen:
                problem = words("check.webhook_double")
            seen.add(robot.conversation_id)
            lines.append(CheckLine(words("check.webhook", number=number), not problem, problem))
        return lines

    def _webhook_problem(self, url: str, secret: str) -> str:
        base, split = self._settings.oapi_base, urlsplit(url)
        right_place = url.startswith(base) and split.path == "/robot/send"
        if not right_place or not parse_qs(split.query).get("access_token"):
            return words("check.webhook_wrong", address=base)
        return words("check.webhook_secret") if secret and not secret.startswith("SEC") else ""

    def _quota(self) -> CheckLine:
        api, push = self._client.api_quota, self._client.push_quota
        figures = {"api": api.used, "api_limit": api.limit, "push": push.used, "push_limit": push.limit}
        problem = api.warning() or push.warning()
        return CheckLine(words("check.quota"), not problem, problem or words("check.quota_detail", **figures))

    def _unreachable(self, detail: str) -> str:
        return words("check.unreachable", address=self._settings.api_base, detail=detail)
