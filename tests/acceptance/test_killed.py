"""A ``kill -9`` anywhere in either story loses nothing and repeats at most what was in flight, marked 补发."""

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from storage.models import Obligation
from tests.acceptance.mortal import Life
from tests.scenario import START

Story = Callable[[Life], Awaitable[None]]
POINTS = 18


async def fault_story(life: Life) -> None:
    """Reported, silence up to the supervisors, taken, mended, confirmed."""
    client, county = "临河县水利局客户群", "临河县保障群"
    await life.say("fang", "三楼会议室没声音了，会马上开始", client, name="m1")
    await life.until(START + timedelta(minutes=12))
    await life.say("li", "收到", county, name="m2")
    await life.until(START + timedelta(minutes=20))
    await life.say("li", "修好了", county, name="m3")
    await life.until(START + timedelta(minutes=25))
    await life.say("fang", "好了", client, name="m4")
    await life.until(START + timedelta(minutes=40))


async def notice_story(life: Life) -> None:
    """Drafted, published, answered by one unit, the others escalated, then arrival and a check."""
    await life.say("chen", "明天上午9点半防汛视频会商，临河县和安川县参加，提前一小时到位", "集客联络群", name="n1")
    await life.until(START + timedelta(minutes=1))
    await life.say("chen", "确认", "集客联络群", name="n2")
    await life.until(START + timedelta(minutes=5))
    await life.say("li", "收到", "临河县保障群", name="n3")
    await life.until(START + timedelta(minutes=15))
    await life.say("wu", "收到", "安川县保障群", name="n4")
    await life.until(datetime.fromisoformat("2026-11-25T08:20:00+08:00"))
    await life.say("li", "已到位", "临河县保障群", name="n5")
    await life.until(datetime.fromisoformat("2026-11-25T08:25:00+08:00"))
    await life.say("li", "电源光路终端都正常", "临河县保障群", name="n6")
    await life.until(datetime.fromisoformat("2026-11-25T08:40:00+08:00"))


async def prepared(folder: Path) -> Path:
    """A database with the sample organisation, to start every life from."""
    folder.mkdir()
    life = Life(folder, 0)
    await life.start()
    await life.stop()
    return life.file


async def live_through(story: Story, folder: Path, at: int, ready: Path) -> tuple[Life, list[tuple[str, str, str]]]:
    """Play a story with a death at moment ``at``; the life and what became of every obligation."""
    folder.mkdir()
    life = Life(folder, at, ready)
    await life.start()
    try:
        await story(life)
        rows = await life.bot.rows(Obligation)
    finally:
        await life.stop()
    return life, sorted((row.kind, row.unit_id, row.state) for row in rows)


@pytest.mark.parametrize("story", [fault_story, notice_story])
async def test_a_kill_anywhere_loses_nothing(story: Story, tmp_path: Path) -> None:
    ready = await prepared(tmp_path / "ready")
    calm, wanted = await live_through(story, tmp_path / "calm", 0, ready)
    should_see = calm.seen()
    points = random.Random(7).sample(range(1, calm.mortality.moments + 1), POINTS)
    for at in points:
        life, became = await live_through(story, tmp_path / f"at-{at}", at, ready)
        assert life.deaths == 1, f"no death at {at}"
        assert became == wanted, f"killed at {at}"
        lost = should_see - life.seen() - life.resent()
        assert not lost, f"killed at {at}, lost: {_shown(lost)}"
        repeated = life.seen() - should_see
        assert not repeated, f"killed at {at}, said twice without a mark: {_shown(repeated)}"


def _shown(texts: Counter[str]) -> str:
    return "\n".join(texts)
