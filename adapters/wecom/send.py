"""Sending: which way out a message takes, and what became of it for each address.

============  =======================================================================================
direct        a reply to a message that came by the robot; else the app, many people a call, as a card
              where there is something to press; else a push of the robot
group         a reply; a group robot when people are mentioned; a push; a group robot; the app's own
              group. Cards cannot be pushed into groups, so there are words there
============  =======================================================================================

A way that refuses or has no room passes on to the next. A way that may have delivered (``Unsure``) ends the try.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog

from adapters.wecom import clicks
from adapters.wecom.cards import Cards
from adapters.wecom.errors import CardRefused
from adapters.wecom.fields import Json
from adapters.wecom.memory import KEY_SEPARATOR, card_key
from adapters.wecom.presses import Presses
from adapters.wecom.render import (
    APP_BYTES,
    APP_CARD_TEXT,
    BOT_CARD_TEXT,
    ROBOT_BYTES,
    app_text,
    can_show,
    card,
    fits_card,
    group_text,
    parts,
    plain,
)
from adapters.wecom.replies import Replies, is_same
from adapters.wecom.ways import Ways
from storage.messages import Address, Attachment, Outgoing
from storage.ports import Outcome, Refused, Retry, SendError, SendJob, Sent, Unsure

USERS_PER_CALL = 1000
REMEMBERED_JOBS = 2000
NEEDS_CALLBACK = "errcode 43012"
Load = Callable[[str], Awaitable[bytes]]
"""Bytes of a stored file by its SHA-256."""
Way = Callable[[str], Awaitable[str]]
"""Sends one part of the text; returns the provider's id or an empty string."""

log = structlog.get_logger(__name__)


@dataclass
class Progress:
    """Ids of the parts and files that went out to one address, and the parts as they were cut when the first went."""

    texts: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


class Sending:
    """Everything that goes out."""

    def __init__(self, ways: Ways, replies: Replies, cards: Cards, presses: Presses, load: Load | None) -> None:
        self._ways, self._replies, self._cards, self._presses = ways, replies, cards, presses
        self._load = load
        self._progress: OrderedDict[tuple[str, Address], Progress] = OrderedDict()
        self._no_cards = False

    async def send(self, job: SendJob) -> dict[Address, Outcome]:
        """An outcome for every address; errors are returned, never raised."""
        if job.message.silent:
            await self._bring_cards_up_to_date(job)
            return dict.fromkeys(job.addresses, Sent())
        older = await self._cards.asked_before(job.message) if self._ways.client.has_app else []
        if len(job.addresses) > 1 and self._ways.client.has_app and not job.message.attachments:
            outcomes = await self._by_app(job.addresses, job)
        else:
            outcomes = {address: await self._one(address, job) for address in job.addresses}
        for address, outcome in outcomes.items():
            if isinstance(outcome, Sent):
                self._ways.reached(address)
                self._progress.pop((job.key, address), None)
        if any(isinstance(outcome, Sent) for outcome in outcomes.values()):
            await self._bring_cards_up_to_date(job)
        reached = [a.id for a, outcome in outcomes.items() if a.kind == "direct" and isinstance(outcome, Sent)]
        for shown in older if reached else ():
            await self._cards.replace_by_newer(shown, reached, self._presses.pressing(shown.task))
        return outcomes

    async def _bring_cards_up_to_date(self, job: SendJob) -> None:
        """The card that was pressed shows the answer; cards of a matter that has moved on show its state."""
        hints, message = job.hints, job.message
        task = hints.get(clicks.CARD, "")
        if task and any(is_same(hints.get(clicks.PLACE, ""), address) for address in job.addresses):
            self._presses.tell(hints.get(clicks.USER, ""), task, plain(message))
        if message.card and not (message.actions or message.questions) and self._ways.client.has_app:
            for shown in await self._cards.named(message.about, message.card):
                self._presses.tell_all(shown.task, plain(message))
                await self._cards.replace_state(shown, plain(message), self._presses.pressing(shown.task))

    # ---- many people, one call

    async def _by_app(self, addresses: Sequence[Address], job: SendJob) -> dict[Address, Outcome]:
        outcomes: dict[Address, Outcome] = {}
        for start in range(0, len(addresses), USERS_PER_CALL):
            outcomes |= await self._batch(addresses[start : start + USERS_PER_CALL], job)
        return outcomes

    async def _batch(
        self, addresses: Sequence[Address], job: SendJob, *, with_card: bool = True
    ) -> dict[Address, Outcome]:
        """All parts to up to a thousand people; whoever a part did not reach is left out of the next."""
        outcomes: dict[Address, Outcome] = {}
        done = {address: self._done_so_far(job, address).words for address in addresses}
        for number, (body, task) in enumerate(self._app_parts(job.message, with_card=with_card)):
            going = [a for a in addresses if a not in outcomes and len(done[a]) <= number]
            if not going:
                continue
            try:
                answer, failed = await self._ways.to_members([a.id for a in going], body)
            except CardRefused as error:
                log.warning("a card could not be shown, words instead", reason=error.reason)
                self._no_cards = self._no_cards or error.reason == NEEDS_CALLBACK
                outcomes |= await self._batch(going, job, with_card=False)
                continue
            except SendError as error:
                outcomes |= dict.fromkeys(going, error)
                continue
            outcomes |= {a: failed[a.id] for a in going if a.id in failed}
            through = [a for a in going if a.id not in failed]
            key, code = str(answer.get("msgid") or ""), str(answer.get("response_code") or "")
            for address in through:
                done[address].append(f"{key}{KEY_SEPARATOR}{card_key(task, code)}" if task else key)
            if task and through:
                self._cards.remember(task, job.message, [address.id for address in through], code)
        sent = {a: Sent(KEY_SEPARATOR.join(key for key in done[a] if key)) for a in addresses if a not in outcomes}
        return outcomes | sent

    def _app_parts(self, message: Outgoing, *, with_card: bool) -> list[tuple[Json, str]]:
        """Bodies to send one after the other, and the task id of the one that is a card."""
        texts: list[tuple[Json, str]] = [(app_text(text), "") for text in parts(plain(message), APP_BYTES)]
        if self._no_cards or not with_card or not can_show(message):
            return texts
        task = self._cards.new_task()
        shown = {"msgtype": "template_card", "template_card": card(message, task, APP_CARD_TEXT)}
        return [(shown, task)] if fits_card(message, APP_CARD_TEXT) else [*texts, (shown, task)]

    # ---- one address

    async def _one(self, address: Address, job: SendJob) -> Outcome:
        try:
            return await self._send_to_one(address, job)
        except Refused as error:
            self._ways.nowhere(address)
            return error
        except SendError as error:
            return error

    async def _send_to_one(self, address: Address, job: SendJob) -> Sent:
        progress = self._done_so_far(job, address)
        await self._words(address, job, progress)
        for attachment in job.message.attachments[len(progress.files) :]:
            progress.files.append(await self._attach(address, attachment))
        keys = KEY_SEPARATOR.join(key for key in [*progress.words, *progress.files] if key)
        return Sent(keys, advice=self._ways.advice(address))

    async def _words(self, address: Address, job: SendJob, progress: Progress) -> None:
        """Say it; a card comes with the words of the app, or is them."""
        out, done = self._ways, progress.words
        if not done:
            progress.texts = parts(plain(job.message), self._room(address, job))
        if self._app_speaks(address, job):
            outcome = (await self._batch([address], job))[address]
            if isinstance(outcome, Sent):
                return
            if isinstance(outcome, Unsure) or not out.can_push(address):
                raise outcome
        ways = self._ways_to(address, job)
        if not ways:
            raise Refused("no way leads there")
        fits = fits_card(job.message, BOT_CARD_TEXT)
        if not done and fits and await self._robots_card(address, job):
            done += [""] * len(progress.texts)
        for text in progress.texts[len(done) :]:
            done.append(await _first_that_works(ways, text))
        if not fits:
            await self._robots_card(address, job)

    def _app_speaks(self, address: Address, job: SendJob) -> bool:
        """To persons, unless what is said answers something they said to the robot."""
        answers = self._replies.answering(dict(job.hints), address)
        return address.kind == "direct" and self._ways.client.has_app and answers is None

    def _room(self, address: Address, job: SendJob) -> int:
        """Bytes of one part: the robot takes ten times as much as the others, which cut it smaller where they must."""
        first_is_robot = self._replies.answering(dict(job.hints), address) or self._ways.can_push(address)
        return ROBOT_BYTES if first_is_robot and not self._app_speaks(address, job) else APP_BYTES

    async def _robots_card(self, address: Address, job: SendJob) -> bool:
        """In a chat of two the robot answers with a card, and shows one by itself where there is no app."""
        out, reply = self._ways, self._replies.answering(dict(job.hints), address)
        pushes = reply is None and not out.client.has_app and out.can_push(address)
        if address.kind != "direct" or not can_show(job.message) or (reply is None and not pushes):
            return False
        shown = card(job.message, self._cards.new_task(), BOT_CARD_TEXT)
        body: Json = {"msgtype": "template_card", "template_card": shown}
        try:
            await (out.reply_card(reply, address, body) if reply else out.push(address, body))
        except Unsure:
            raise
        except SendError as error:
            log.warning("a card could not be shown, words instead", reason=error.reason)
            return False
        return True

    def _ways_to(self, address: Address, job: SendJob) -> list[Way]:
        """The ways out for words, best first."""
        ways, message, out = list[Way](), job.message, self._ways
        reply = self._replies.answering(dict(job.hints), address)
        if reply is not None:
            ways.append(lambda text: out.reply(reply, address, text))
        if address.kind == "direct":
            if out.client.has_app:
                ways.append(_in_pieces(lambda text: out.app_words(address.id, text)))
            if out.can_push(address):
                ways.append(lambda text: out.push_words(address, text))
            return ways
        robot = _in_pieces(lambda text: out.group_robot(address, group_text(text, message)))
        has_robot, mentions = address.id in out.robots, bool(message.mentions or message.mention_all)
        if has_robot and mentions:
            ways.append(robot)
        if out.can_push(address):
            ways.append(lambda text: out.push_words(address, text))
        if has_robot and not mentions:
            ways.append(robot)
        if out.own_groups.may_be_own(address):
            ways.append(_in_pieces(lambda text: out.own_groups.say(address, group_text(text, message))))
        return ways

    def _done_so_far(self, job: SendJob, address: Address) -> Progress:
        """What an earlier try got through, so that a retry goes on where it stopped."""
        done = self._progress.setdefault((job.key, address), Progress())
        while len(self._progress) > REMEMBERED_JOBS:
            self._progress.popitem(last=False)
        return done

    async def _attach(self, address: Address, attachment: Attachment) -> str:
        if self._load is None or not attachment.sha256:
            raise Refused("the file to attach is not at hand")
        return await self._ways.attach(address, attachment.name, await self._load(attachment.sha256))


def _in_pieces(way: Way) -> Way:
    """A way that takes less than the robot does."""

    async def cut(text: str) -> str:
        ids = [await way(piece) for piece in parts(text, APP_BYTES)]
        return KEY_SEPARATOR.join(one for one in ids if one)

    return cut


async def _first_that_works(ways: Sequence[Way], text: str) -> str:
    errors: list[SendError] = []
    for way in ways:
        try:
            return await way(text)
        except Unsure:
            raise
        except SendError as error:
            errors.append(error)
    raise next((error for error in errors if isinstance(error, Retry)), errors[-1])
