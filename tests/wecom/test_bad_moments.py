"""Bad moments at random: whatever was acknowledged or heard is stored once, whatever was promised is said."""

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta

import pytest

from storage.messages import Address
from storage.ports import Outcome, Refused, Sent, Unsure
from tests.wecom.bench import IN_GROUP, Bench, bench, person, serving
from tests.wecom.conftest import until


@pytest.mark.parametrize("seed", range(4))
async def test_what_was_acknowledged_or_heard_is_stored_once(seed: int) -> None:
    rng = random.Random(seed)
    async with bench(hook=True) as b, serving(b):
        await b.connect()
        expected: list[str] = []
        for number in range(25):
            words = f"第{number}句"
            b.box.broken = rng.random() < 0.2
            if rng.random() < 0.5:
                spoken = await b.simulator.talk.to_app("LiMing", words, tries=rng.choice([1, 3]))
                assert spoken.delivery is not None
                if 200 in spoken.delivery.statuses:
                    expected.append(words)
                if rng.random() < 0.3:
                    b.box.broken = False
                    again = await b.simulator.talk.repeat(spoken)
                    expected += [words] if again.statuses == [200] and words not in expected else []
            elif (await b.simulator.talk.say("LiMing", words, rng.choice(["", IN_GROUP.id]))).reached:
                expected.append(words)
            await one_bad_moment(b, rng)
        b.box.broken = False
        await settle(b)
        assert sorted(b.box.texts) == sorted(expected)


async def one_bad_moment(b: Bench, rng: random.Random) -> None:
    """The connection ends in one of its ways, or time passes, or nothing happens."""
    await asyncio.sleep(0.01)  # what was sent is on the wire: a connection that dies takes that with it
    live = b.simulator.gateway.live()
    kind = rng.random()
    if live and kind < 0.15:
        await live[0].close()
    elif live and kind < 0.25:
        await b.simulator.gateway.kick(live[0])
    elif live and kind < 0.3:
        live[0].lost = True
        await b.send(IN_GROUP, text="通知")
    await b.pass_time(rng.choice([0, 1, 5]))


async def settle(b: Bench) -> None:
    for _ in range(10):
        await b.pass_time(10, step=2)
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_is_tried_until_it_is_sent_is_seen(seed: int) -> None:
    """As the outbox does it: again after a while, whatever the reason, until it is sent or refused for good."""
    rng = random.Random(seed)
    async with bench(hook=True) as b:
        await b.connect()
        await b.asked("我在")
        for number in range(20):
            order_trouble(b, rng)
            address = rng.choice([IN_GROUP, person("LiMing")])
            outcome = await keep_trying(b, address, f"第{number}条", rng)
            said = [text for _, text in (b.in_group() if address == IN_GROUP else b.to("LiMing"))]
            if isinstance(outcome, Sent):
                assert any(f"第{number}条" in text for text in said)
            else:
                assert isinstance(outcome, Refused)
        assert not b.simulator.messages.dropped


def order_trouble(b: Bench, rng: random.Random) -> None:
    gateway, faults = b.simulator.gateway, b.simulator.faults
    troubles: list[Callable[[], object]] = [
        lambda: gateway.fault("aibot_send_msg", errcode=rng.choice([45009, 846609, -1])),
        lambda: gateway.fault("aibot_send_msg", lose_ack=True),
        lambda: faults.next("message/send", errcode=rng.choice([-1, 45009, 42001, 40014])),
        lambda: faults.next("message/send", drop=True),
        lambda: faults.next("webhook/send", status=rng.choice([500, 502])),
        lambda: None,
    ]
    rng.choice(troubles)()


async def keep_trying(b: Bench, address: Address, text: str, rng: random.Random) -> Outcome:
    key = text
    for _ in range(12):
        sending = asyncio.create_task(b.send(address, key=key, text=text, mention_all=rng.random() < 0.3))
        while not sending.done():
            await asyncio.sleep(0.01)
            if not sending.done():
                b.clock.advance(timedelta(seconds=1))
        outcome: Outcome = await sending
        if isinstance(outcome, Sent | Refused):
            return outcome
        text = f"（补发）{text}" if isinstance(outcome, Unsure) else text
        await b.pass_time(30, step=5)
        await until(lambda: b.simulator.gateway.live() and not b.adapter.trouble())
    raise AssertionError(f"never sent: {outcome!r}")
