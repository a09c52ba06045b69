"""Any order and grouping of the answers ends with the same checklist, and no step is asked more often than needed."""

import re
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.models import Fault
from tests.scenario import Scenario, scenario
from tests.workflows.gathering import MORNING, meeting, states

GOOD = {"power": "电源正常", "link": "光路正常", "terminal": "终端正常"}
BAD = {"power": "电源没电", "link": "光路红灯", "terminal": "终端黑屏"}
ASKED = re.compile(r"检查\d/\d【(.+?)】")
GROUP = "临河县保障群"
Message = tuple[list[str], str, bool]


@st.composite
def conversations(draw: st.DrawFn) -> tuple[set[str], list[Message]]:
    """Which steps are bad; the steps in any order, cut into messages from Li or Zhao, in the group or directly.

    Trouble is told by Li, who was asked: from others “没电” is a fault of its own.
    """
    bad = draw(st.sets(st.sampled_from(list(GOOD))))
    order = draw(st.permutations(list(GOOD)))
    cuts = sorted(draw(st.sets(st.integers(1, 2))))
    parts = [list(order[start:end]) for start, end in zip([0, *cuts], [*cuts, 3], strict=True)]
    speakers = [["li"] if bad & set(steps) else ["li", "zhao"] for steps in parts]
    who = [draw(st.sampled_from(people)) for people in speakers]
    return bad, [(steps, person, draw(st.booleans())) for steps, person in zip(parts, who, strict=True)]


def asked(bot: Scenario) -> Counter[str]:
    """How often each step was asked; a question in a group and its direct copy count once."""
    direct = [seen.text for seen in bot.platforms["dingtalk"].seen if seen.address.kind == "direct"]
    return Counter(match[1] for text in direct if (match := ASKED.search(text)))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(conversations())
async def test_order_and_grouping_do_not_matter(talk: tuple[set[str], list[Message]]) -> None:
    bad, messages = talk
    with tempfile.TemporaryDirectory() as folder:
        async with scenario(Path(folder), start=MORNING) as bot:
            await meeting(bot)
            await bot.say("li", "已到位")
            for steps, person, in_group in messages:
                await bot.advance("20s")
                words = "，".join((BAD if step in bad else GOOD)[step] for step in steps)
                await bot.say(person, words, group=GROUP if in_group else "")
            expected = {step: "abnormal" if step in bad else "ok" for step in GOOD}
            assert await states(bot) == {**expected, "shutdown": "waiting"}
            assert [row.state for row in await bot.obligations(kind="checklist")] == ["met"]
            assert {row.step for row in await bot.rows(Fault)} == bad
            assert all(count == 1 for count in asked(bot).values()), asked(bot)
            assert len([seen for seen in bot.platforms["dingtalk"].seen if "检查完成" in seen.text]) == 1
