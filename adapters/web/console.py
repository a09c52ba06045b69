"""The console's pages: everybody can be played, and what each would see is shown. For demo and drills only."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from aiohttp import web

from adapters.web import mail, receive
from adapters.web.board import board_view
from adapters.web.clockface import SPEEDS, clock_view
from adapters.web.forms import Form, guarded, nonce_of, read_form, span_of, text_of
from adapters.web.forward import Forward
from adapters.web.pages import page
from adapters.web.papers import PAPERS, paper_file
from adapters.web.photos import PHOTOS, photo_file
from adapters.web.plays import FILLED, plays_view
from adapters.web.show import View, app_name, apps_view, bubbles_view, link, people_view, person_view, talk_name
from adapters.web.sight import Conversation, played
from adapters.web.stage import Refusal, Stage, set_stage
from adapters.web.talk import Talk
from adapters.web.words import words
from storage.console import ConsoleMessage
from storage.messages import Attachment, Incoming, Quote
from storage.runtime import Runtime

MAX_TEXT = 4000


@dataclass(frozen=True)
class Written:
    """What somebody wrote into the input box; ``subject`` only of a new mail."""

    nonce: str
    text: str
    subject: str
    files: Sequence[str]
    to_bot: bool


class Console:
    """Routes of the console. ``forward`` is None where the clock must not be pushed."""

    def __init__(self, runtime: Runtime, talk: Talk, forward: Forward | None) -> None:
        self._runtime = runtime
        self._ground = runtime.ground
        self._talk = talk
        self._forward = forward

    def routes(self) -> list[web.RouteDef]:
        """What the application adds."""
        return [
            web.get("/", guarded(self.dashboard)),
            web.get("/console", guarded(self.show)),
            web.post("/console/say", guarded(self.say)),
            web.post("/console/press", guarded(self.press)),
            web.post("/console/forward", guarded(self.push_clock)),
            web.post("/console/speed", guarded(self.set_speed)),
        ]

    # ---- pages

    async def dashboard(self, _request: web.Request) -> web.Response:
        """The board, and the two stories to play."""
        async with self._ground.look() as work:
            people = work.org.people
        return page(
            "dashboard.html",
            board=await board_view(self._ground),
            clock=await clock_view(self._runtime, self._forward),
            plays=plays_view(people, played(self._ground.settings)),
        )

    async def show(self, request: web.Request) -> web.Response:
        """The chat client of one person."""
        stage = await set_stage(self._ground, request.query)
        rows = await self._talk.page(stage.talk.key)
        last = rows[-1].id or 0 if rows else 0
        await self._talk.mark_seen(stage.me.person_id, stage.talk.key, last)
        overview = await self._talk.overview()
        return page(
            "console.html",
            me=person_view(stage.org, stage.me),
            talk=talk_view(stage, rows),
            people=people_view(stage, overview),
            apps=apps_view(stage, overview),
            bubbles=bubbles_view(stage, rows, overview),
            settled=overview.settled(stage.talk.key),
            last=last,
            board=await board_view(self._ground),
            clock=await clock_view(self._runtime, self._forward),
            composer=composer_view(**{name: request.query.get(name, "")[:MAX_TEXT] for name in FILLED}),
            tab="chat" if "in" in request.query else "talks" if "as" in request.query else "people",
        )

    # ---- people act

    async def say(self, request: web.Request) -> web.Response:
        """A person writes; answers with an empty input box, or after a new mail with the way to its thread."""
        form = await read_form(request)
        stage = await self._stage(form)
        written = _written(stage, form)
        if written.subject and stage.talk.address.kind == "direct":
            account = stage.talk.account
            stage = replace(stage, talk=Conversation(mail.begun(account, written.nonce), account))
            await self._write(stage, written, None)
            return web.Response(headers={"HX-Redirect": link(stage.me.person_id, stage.talk.key)})
        await self._write(stage, written, await self._quoted(form, stage))
        me = person_view(stage.org, stage.me)
        return page("composer.html", talk=talk_view(stage), me=me, composer=composer_view())

    async def _write(self, stage: Stage, written: Written, quoted: ConsoleMessage | None) -> None:
        mention = f"@{words()['bot']} " if written.to_bot and stage.talk.group else ""
        shown = await self._talk.person_says(
            written.nonce,
            stage.talk.key,
            stage.me.person_id,
            mention + written.text,
            quote=quoted.text if quoted else "",
            photos=[name for name in written.files if name in PHOTOS],
            papers=[name for name in written.files if name in PAPERS],
            to_bot=written.to_bot,
            subject=written.subject,
        )
        if written.to_bot:
            await self._runtime.inbox.accept(await self._incoming(stage, written, quoted))
        await self._talk.mark_seen(stage.me.person_id, stage.talk.key, shown)

    async def _incoming(self, stage: Stage, written: Written, quoted: ConsoleMessage | None) -> Incoming:
        quote = Quote(message_id=str(quoted.id), text=quoted.text) if quoted else None
        if quote is None and mail.is_mail(stage.talk.address):
            quote = mail.answered(await self._talk.page(stage.talk.key))
        return receive.written(
            stage.me,
            stage.talk.account,
            stage.talk.address,
            f"{written.subject}\n{written.text}".strip(),
            message_id=f"{stage.me.person_id}:{written.nonce}",
            at=self._ground.clock.now(),
            group_name=stage.talk.group.name if stage.talk.group else "",
            quote=quote,
            files=[_file(name, stage) for name in written.files],
        )

    async def _stage(self, form: Form) -> Stage:
        """Who acts where; a form must name both."""
        query = {"as": text_of(form, "as") or "-", "in": text_of(form, "in") or "-"}
        return await set_stage(self._ground, query)

    async def _quoted(self, form: Form, stage: Stage) -> ConsoleMessage | None:
        row = await self._message(text_of(form, "quote"))
        return row if row and row.conversation == stage.talk.key else None

    async def _message(self, message_id: str) -> ConsoleMessage | None:
        small = message_id.isascii() and message_id.isdigit() and len(message_id) < 18
        return await self._talk.message(int(message_id)) if small else None

    async def press(self, request: web.Request) -> web.Response:
        """A person presses a button of a message; only buttons that are really there count."""
        form = await read_form(request)
        stage = await self._stage(form)
        row, value = await self._message(text_of(form, "id")), text_of(form, "value")
        if row is None or row.conversation != stage.talk.key:
            raise Refusal(404, "stale")
        action = next((action for action in row.body.get("actions", []) if action["value"] == value), None)
        if action is None:
            raise Refusal(400, "stale")
        nonce = f"press:{row.id}:{value}:{uuid.uuid4().hex}"
        me, key = stage.me, stage.talk.key
        await self._talk.person_says(nonce, key, me.person_id, action["label"], tap=action["label"], quote="")
        at, account, place = self._ground.clock.now(), stage.talk.account, stage.talk.address
        await self._runtime.inbox.accept(receive.pressed(me, account, place, value, message_id=nonce, at=at))
        return web.Response(status=204)

    # ---- the clock

    async def push_clock(self, request: web.Request) -> web.Response:
        """Fast-forward by ``by``, or to the next moment at which the bot wants to act (``by=next``)."""
        form, forward = await read_form(request), self._may_push()
        if text_of(form, "by") == "next":
            await forward.to_next()
        else:
            await forward.by(span_of(form))
        return web.Response(status=204)

    async def set_speed(self, request: web.Request) -> web.Response:
        """Let the clock run faster, or as clocks do (``x=1``)."""
        form, forward = await read_form(request), self._may_push()
        wanted = next((speed for speed in SPEEDS if str(speed) == text_of(form, "x")), None)
        if wanted is None:
            raise Refusal(400, "broken")
        await forward.run_at(wanted)
        return web.Response(status=204)

    def _may_push(self) -> Forward:
        if self._forward is None:
            raise Refusal(403, "clock")
        return self._forward


def _written(stage: Stage, form: Form) -> Written:
    """The input box, checked."""
    text, named = receive.strip_mention(text_of(form, "text"), words()["bot"])
    files = [name for name in (text_of(form, "photo"),) if name in (*PHOTOS, *PAPERS)]
    is_new_mail = mail.is_mail(stage.talk.address) and stage.talk.address.kind == "direct"
    subject = " ".join(text_of(form, "subject").split())[: mail.LONGEST_SUBJECT] if is_new_mail else ""
    if is_new_mail and not subject:
        raise Refusal(400, "no_subject")
    if not text and not files and not subject:
        raise Refusal(400, "empty")
    if len(text) > MAX_TEXT:
        raise Refusal(413, "long", n=MAX_TEXT)
    to_bot = stage.talk.group is None or named or bool(form.get("mention"))
    return Written(nonce_of(form), text, subject, files, to_bot)


def _file(name: str, stage: Stage) -> Attachment:
    return photo_file(name) if name in PHOTOS else paper_file(name, stage.today.date())


def talk_view(stage: Stage, rows: Sequence[ConsoleMessage] = ()) -> View:
    """Head of the conversation."""
    place = stage.talk.address
    return {
        "key": stage.talk.key,
        "name": talk_name(stage.talk, rows),
        "group": stage.talk.group is not None,
        "members": stage.members,
        "app": app_name(stage.talk) if len(stage.platforms) > 1 else "",
        "platform": place.platform,
        "account": stage.talk.account if mail.is_mail(place) else "",
        "mail": mail.is_mail(place),
        "new_mail": mail.is_mail(place) and place.kind == "direct",
    }


def composer_view(say: str = "", subject: str = "", attach: str = "") -> View:
    """A fresh input box with what is filled in already; its nonce makes a repeated post one message."""
    filled = {"text": say, "subject": subject, "attach": attach}
    return {"nonce": uuid.uuid4().hex, **filled, "photos": PHOTOS, "papers": PAPERS}
