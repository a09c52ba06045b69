"""What only brings a card up to date is no message: nobody is told, and where there is no card nothing happens."""

from storage.messages import Action
from storage.ports import Sent
from tests.wecom.bench import bench, person, serving

TAKE = Action(label="收到", value="ack:HY-1", say="收到")


async def test_a_silent_update_takes_the_buttons_away_and_says_nothing() -> None:
    async with bench(robot="") as b, serving(b):
        await b.send(person("LiMing"), text="请回“收到”", card="reminder:1", actions=(TAKE,))
        (shown,) = b.simulator.direct_messages("LiMing")
        outcome = await b.send(person("LiMing"), text="已由李工处理", card="reminder:1", silent=True)
        assert isinstance(outcome, Sent)
        assert "已由李工处理" in shown.text
        assert not shown.buttons
        assert len(b.simulator.direct_messages("LiMing")) == 1


async def test_a_silent_update_of_no_card_is_nothing() -> None:
    async with bench(robot="") as b:
        await b.send(person("LiMing"), text="已由李工处理", card="reminder:9", silent=True)
        assert b.simulator.direct_messages("LiMing") == []
