"""Whatever people do in whatever order: a fault's state, its debts and what a client reads always fit together."""

import asyncio
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlmodel import col

from storage.models import Fault, Obligation
from tests.scenario import Scenario, scenario

CLIENT, SUPPORT = "临河县水利局客户群", "临河县保障群"
NUMBER = "GZ-20261124-001"
ACTS = {
    "report": ("fang", "三楼会议室没声音了", CLIENT),
    "join": ("qian", "三楼会议室没有声音", SUPPORT),
    "worse": ("fang", "三楼会议室没声音了，会马上开始", CLIENT),
    "take": ("li", f"take:{NUMBER}", ""),
    "second": ("zhao", f"take:{NUMBER}", ""),
    "news": ("li", f"{NUMBER} 还在排查，20分钟到", SUPPORT),
    "mended": ("li", f"{NUMBER} 修好了", SUPPORT),
    "good": ("fang", f"{NUMBER} 好了", CLIENT),
    "bad": ("fang", f"{NUMBER} 还是没声音", CLIENT),
    "withdraw": ("fang", f"{NUMBER} 没事了，插头松了", CLIENT),
    "hand": ("li", f"{NUMBER} 转给赵工", SUPPORT),
    "press": ("fang", "怎么还没人来", CLIENT),
    "stranger": ("xu", f"{NUMBER} 好了", ""),
    "wait": ("", "12m", ""),
    "week": ("", "8d", ""),
}
NEXT = {
    "open": {"open", "accepted", "resolved", "observing", "cancelled"},
    "accepted": {"accepted", "open", "resolved", "observing", "cancelled"},
    "resolved": {"resolved", "open", "observing", "cancelled"},
    "observing": {"observing", "open", "closed"},
    "closed": {"closed"},
    "cancelled": {"cancelled"},
}
"""The states a fault may be in after one act, by the state before. Only time closes, and only what is being watched."""
INTERNAL = ("王主任", "孙主任", "何工", "1390000", "升级", "I级", "江州市")


# Each example is a whole story on a database: few of them, and not shrunk.
@settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(st.lists(st.sampled_from(sorted(ACTS)), min_size=1, max_size=6))
def test_state_debts_and_words_fit_together(acts: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(Path(folder), ["report", *acts]))


async def play(folder: Path, acts: list[str]) -> None:
    async with scenario(folder) as bot:
        before = "open"
        for act in acts:
            await do(bot, act)
            fault = (await bot.rows(Fault, Fault.number == NUMBER))[0]
            if act != "week":
                assert fault.state in NEXT[before], f"{act}: {before} → {fault.state}"
            assert act in ("wait", "week") or fault.state != "closed" or before == "closed"
            await check(bot, fault)
            assert act in ("wait", "week") or not twice(bot), "the same text twice into one conversation"
            before = fault.state


async def do(bot: Scenario, act: str) -> None:
    person, text, group = ACTS[act]
    bot.forget_all()
    if not person:
        await bot.advance(text)
    elif text.startswith("take:"):
        await bot.say(person, click=text)
    else:
        await bot.say(person, text, group=group)


def twice(bot: Scenario) -> bool:
    """Whether one act put the same text into one conversation twice (the ladder may repeat itself later)."""
    said = [(str(seen.address), seen.text) for seen in bot.platforms["dingtalk"].seen]
    return len(said) != len(set(said))


async def check(bot: Scenario, fault: Fault) -> None:
    owed = await bot.rows(Obligation, Obligation.fault == NUMBER, col(Obligation.closed_at).is_(None))
    kinds = [debt.kind for debt in owed]
    assert kinds.count("fault_ack") == (fault.state == "open")
    assert ("progress" in kinds) == (fault.state == "accepted")
    assert "promise" not in kinds or fault.state == "accepted"
    assert kinds.count("observation") == (fault.state == "observing")
    assert not kinds or fault.state != "cancelled"
    assert (fault.closed_at is not None) == (fault.state in ("observing", "closed", "cancelled"))
    assert fault.resolved_at is not None or fault.state not in ("resolved", "observing", "closed")
    assert (fault.owner is not None) or fault.state not in ("accepted", "resolved")
    for seen in bot.unread(f"#{CLIENT}"):
        assert not any(word in seen.text for word in INTERNAL), seen.text
