"""What only brings a card up to date takes its buttons away and is no bubble, no unread message and no preview."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.web.talk import Talk
from storage.messages import Action, Address, Outgoing
from storage.outbox import post
from tests.web.house import House, house

PLACE = Address(platform="web", kind="direct", id="li")
CARD = "reminder:1"


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path) as running:
        yield running


async def test_a_silent_update_takes_the_button_and_is_not_shown(home: House) -> None:
    ack = Action(label="收到", value="ack:HY-1", say="收到")
    await _sends(home, Outgoing(text="请回“收到”", card=CARD, actions=(ack,)))
    page = f"/console?as=li&in={PLACE}"
    assert (await home.page(page)).count('hx-post="/console/press"') == 1
    await _sends(home, Outgoing(text="已由赵工处理", card=CARD, silent=True))
    shown = await home.page(page)
    assert shown.count('hx-post="/console/press"') == 0
    assert "已由赵工处理" not in shown
    overview = await Talk(home.runtime.ground.database, home.runtime.ground.clock).overview()
    assert overview.settled(str(PLACE)).keys() == {CARD}, "pages that are open lose the button too"
    assert overview.unread("wang", str(PLACE)).count == 1


async def _sends(home: House, message: Outgoing) -> None:
    async with home.runtime.ground.work() as work:
        await post(work, PLACE, message, key=message.text)
    await home.runtime.step()
