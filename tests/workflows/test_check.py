"""``check`` names who and what has spoken without being registered, so that an operator can register them."""

from pathlib import Path

from storage.models import Delivery
from tests.scenario import scenario
from workflows.check import check_lines


async def test_unknown_groups_and_senders_are_listed_with_their_ids_and_when_they_were_last_seen(
    tmp_path: Path,
) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("mallory", "在吗", group="没登记的群")
        lines = {line.what: line for line in await check_lines(bot.ground, [])}
        group, sender = lines["未登记的群"], lines["未登记的发言人"]
        assert group.ok
        assert sender.ok
        assert "没登记的群" in group.detail
        assert "mallory" in sender.detail
        for line in (group, sender):
            assert "dingtalk" in line.detail
            assert "15:10" in line.detail


async def test_a_platform_that_is_off_gets_nothing_and_its_groups_and_accounts_are_kept(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        async with bot.ground.look() as work:
            assert any(group.platform == "wecom" for group in work.org.groups.values())
            assert work.org.accounts("li", "wecom")
        await bot.say("fang", "三楼会议室没声音了，会马上开始", group="临河县水利局客户群")
        assert {row.platform for row in await bot.rows(Delivery)} == {"dingtalk"}
