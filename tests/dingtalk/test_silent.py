"""What only brings a card up to date is no message: nobody is told of it, and without cards nothing happens."""

from storage.messages import Action
from storage.ports import Sent
from tests.dingtalk.bench import bench, person

TAKE = Action(label="收到", value="ack:HY-1", say="收到")


async def test_a_silent_update_changes_the_card_and_says_nothing() -> None:
    async with bench(card_template_id="tpl.schema") as b:
        await b.send(person("liming"), text="请回“收到”", card="reminder:1", actions=(TAKE,))
        (card,) = b.simulator.cards.cards.values()
        said = len(b.simulator.direct_messages("liming"))
        outcome = await b.send(person("liming"), text="已由李工处理", card="reminder:1", silent=True)
        assert isinstance(outcome, Sent)
        assert (card.public["content"], card.public["buttons"]) == ("已由李工处理", "[]")
        assert len(b.simulator.direct_messages("liming")) == said


async def test_without_cards_a_silent_update_is_nothing() -> None:
    async with bench() as b:
        outcome = await b.send(person("liming"), text="已由李工处理", card="reminder:1", silent=True)
        assert isinstance(outcome, Sent)
        assert b.simulator.direct_messages("liming") == []


async def test_an_urgent_call_about_a_card_rings_with_the_bare_words() -> None:
    async with bench(card_template_id="tpl.schema", ding=True) as b:
        known = Action(label="已知悉", value="known:7", say="已知悉")
        await b.send(person("liming"), text="请您协助落实。", card="reminder:2", actions=(known,), urgent_call=True)
        rung = [seen for seen in b.simulator.direct_messages("liming") if seen.via.startswith("ding")]
        assert [seen.text for seen in rung] == ["请您协助落实。"]
