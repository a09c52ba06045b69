"""The pages behind the links of mails: a question, and what became of it. For telephones too; without scripts."""

from functools import cache
from pathlib import Path

import structlog
from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from adapters.email.links import PATH, BrokenLinkError, Links, Press
from adapters.email.memory import Memory
from adapters.email.render import answer_subject, subject_of
from adapters.email.threads import NUMBER, Threads
from adapters.email.words import words
from storage.clock import Clock
from storage.messages import Incoming, Sender
from storage.ports import Accept

FOLDER = Path(__file__).parent / "templates"
WAY = "email link"
"""How the audit chain calls an answer that came so."""

log = structlog.get_logger(__name__)


class Pages:
    """``account`` is the bot's mailbox."""

    def __init__(self, links: Links, threads: Threads, memory: Memory, clock: Clock, account: str) -> None:
        self._links, self._threads, self._memory = links, threads, memory
        self._clock, self._account = clock, account
        self._accept: Accept | None = None

    def routes(self, accept: Accept) -> list[web.RouteDef]:
        """The question and its style; none where mails carry no links."""
        self._accept = accept
        if not self._links.on:
            return []
        place = f"{PATH}/{{token}}"
        return [web.get(place, self._ask), web.post(place, self._answer), web.get("/mail/page.css", _style)]

    async def _ask(self, request: web.Request) -> web.Response:
        """Show what pressing would do. Nothing happens by looking."""
        press = await self._press(request)
        return press if isinstance(press, web.Response) else _question(press)

    async def _answer(self, request: web.Request) -> web.Response:
        """Take the press as a message of whoever the mail was sent to."""
        press = await self._press(request)
        if isinstance(press, web.Response):
            return press
        try:
            new = self._accept is not None and await self._accept(await self._incoming(press))
        except Exception:  # not committed: the person may press again
            log.exception("a press was not stored")
            return _page("retry", status=503)
        return _page("done", label=press.label) if new else _page("used", status=410)

    async def _press(self, request: web.Request) -> Press | web.Response:
        """What the link stands for, or the page that says why it is good for nothing (any more)."""
        try:
            press = self._links.read(request.match_info["token"])
        except BrokenLinkError:
            return _page("broken", status=403)
        if await self._memory.is_known(self._account, press.message_id):
            return _page("used", status=410)
        return _page("expired", status=410) if press.ends_at <= self._clock.now() else press

    async def _incoming(self, press: Press) -> Incoming:
        message = await self._memory.message(press.key)
        about = message.about if message else ""
        hints = {
            "message_id": self._threads.message_id(press.key, about),
            "references": "",
            "subject": answer_subject(subject_of(message), message) if message else "",
            "proof": "yes",
        }
        return Incoming(
            platform="email",
            account=self._account,
            message_id=press.message_id,
            conversation=press.conversation,
            sender=Sender(account=press.account),
            written_at=self._clock.now(),
            click=press.value,
            text=press.label,
            way=WAY,
            hints=hints,
        )


def _question(press: Press) -> web.Response:
    number = NUMBER.search(press.value)
    key = "ask" if number else "ask_plain"
    sentence = words(f"link.{key}", label=press.label, number=number[0] if number else "")
    return _render(
        words("link.title"), [sentence, words("link.who", who=press.account)], words("link.button", label=press.label)
    )


def _page(name: str, status: int = 200, **values: str) -> web.Response:
    return _render(words(f"link.{name}_title"), [words(f"link.{name}", **values)], "", status)


def _render(title: str, lines: list[str], button: str, status: int = 200) -> web.Response:
    page = _environment().get_template("answer.html").render(title=title, lines=lines, button=button)
    headers = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
    return web.Response(text=page, status=status, content_type="text/html", charset="utf-8", headers=headers)


async def _style(_request: web.Request) -> web.Response:
    return web.Response(text=_read("page.css"), content_type="text/css", charset="utf-8")


@cache
def _read(name: str) -> str:
    return (FOLDER / name).read_text("utf-8")


@cache
def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)
