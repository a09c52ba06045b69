"""The console's pages: everybody can be played, and what each would see is shown. For demo and drills only."""

import uuid

from aiohttp import web

from adapters.web import receive
from adapters.web.board import board_view
from adapters.web.clockface import SPEEDS, clock_view
from adapters.web.forms import Form, guarded, nonce_of, read_form, span_of, text_of
from adapters.web.forward import Forward
from adapters.web.pages import page
from adapters.web.photos import PHOTOS, photo_file
from adapters.web.plays import plays_view
from adapters.web.show import View, app_name, apps_view, bubbles_view, people_view, person_view, talk_name
from adapters.web.sight import played
from adapters.web.stage import Refusal, Stage, set_stage
from adapters.web.talk import Talk
from adapters.web.words import words
from storage.console import ConsoleMessage
from storage.messages import Quote
from storage.runtime import Runtime

MAX_TEXT = 4000


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
            talk=talk_view(stage),
            people=people_view(stage, overview),
            apps=apps_view(stage, overview),
            bubbles=bubbles_view(stage, rows, overview),
            settled=overview.settled(stage.talk.key),
            last=last,
            board=await board_view(self._ground),
            clock=await clock_view(self._runtime, self._forward),
            composer=composer_view(request.query.get("say", "")[:MAX_TEXT]),
            tab="chat" if "in" in request.query else "talks" if "as" in request.query else "people",
        )

    # ---- people act

    async def say(self, request: web.Request) -> web.Response:
        """A person writes; answers with an empty input box."""
        form = await read_form(request)
        stage = await self._stage(form)
        text, named = receive.strip_mention(text_of(form, "text"), words()["bot"])
        photo = text_of(form, "photo")
        if not text and photo not in PHOTOS:
            raise Refusal(400, "empty")
        if len(text) > MAX_TEXT:
            raise Refusal(413, "long", n=MAX_TEXT)
        to_bot = stage.talk.group is None or named or bool(form.get("mention"))
        await self._write(stage, nonce_of(form), text, photo, await self._quoted(form, stage), to_bot)
        return page(
            "composer.html", talk=talk_view(stage), me=person_view(stage.org, stage.me), composer=composer_view()
        )

    async def _write(
        self, stage: Stage, nonce: str, text: str, photo: str, quoted: ConsoleMessage | None, to_bot: bool
    ) -> None:
        mention = f"@{words()['bot']} " if to_bot and stage.talk.group else ""
        photos = [photo] if photo in PHOTOS else []
        quote = quoted.text if quoted else ""
        shown = await self._talk.person_says(
            nonce, stage.talk.key, stage.me.person_id, mention + text, quote=quote, photos=photos, to_bot=to_bot
        )
        if to_bot:
            incoming = receive.written(
                stage.me,
                stage.talk.account,
                stage.talk.address,
                text,
                message_id=f"{stage.me.person_id}:{nonce}",
                at=self._ground.clock.now(),
                group_name=stage.talk.group.name if stage.talk.group else "",
                quote=Quote(message_id=str(quoted.id), text=quoted.text) if quoted else None,
                photos=[photo_file(name) for name in photos],
            )
            await self._runtime.inbox.accept(incoming)
        await self._talk.mark_seen(stage.me.person_id, stage.talk.key, shown)

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


def talk_view(stage: Stage) -> View:
    """Head of the conversation."""
    return {
        "key": stage.talk.key,
        "name": talk_name(stage.talk),
        "group": stage.talk.group is not None,
        "members": stage.members,
        "app": app_name(stage.talk) if len(stage.platforms) > 1 else "",
        "platform": stage.talk.address.platform,
    }


def composer_view(text: str = "") -> View:
    """A fresh input box; its nonce makes a repeated post one message."""
    return {"nonce": uuid.uuid4().hex, "text": text, "photos": PHOTOS}
