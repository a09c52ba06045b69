"""From a coordinator's sentence to a confirmed notice: read-back, questions, corrections, and whose yes counts."""

from pathlib import Path

import pytest

from storage.models import Meeting, Notice
from tests.scenario import Scenario, scenario

SAID = "明天上午9点半全省防汛视频会商，各市县提前一小时到位"
NUMBER = "HY-20261125-001"


async def states(bot: Scenario) -> dict[str, str]:
    return {row.number: row.state for row in await bot.rows(Meeting)}


async def test_a_notice_is_read_back_with_everything_that_will_be_published(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", f"{SAID}。依据：省水利厅会议通知")
        seen = bot.expect(
            "chen", "【请核对】", NUMBER, "全省防汛视频会", "水利系统", "11月25日（周三）9:30开始", "到位：8:30前"
        )
        assert "地市1个、县区2个、乡镇3个，共6个分会场" in seen.text
        assert "临河县水利局三楼会议室" in seen.text
        assert "应回复单位8个" in seen.text
        assert "依据：省水利厅会议通知" in seen.text
        assert "没有排班" in seen.text
        assert "回“确认”发布" in seen.text
        assert [(a.label, a.value) for a in seen.message.actions] == [("确认发布", f"publish:{NUMBER}")]
        bot.nothing_more()
        row = await bot.meeting()
        assert (row.number, row.state, row.version, row.systems) == (NUMBER, "draft", 0, ["water"])
        assert row.site_ids == ["S1", "S2", "S3", "S4", "S5", "S6"]
        assert await bot.obligations() == []


async def test_in_a_group_the_read_back_says_that_the_mention_is_needed(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", SAID, group="集客联络群")
        bot.expect("#集客联络群", NUMBER, "请@会保 回“确认”")
        bot.expect("chen", NUMBER, "回“确认”", absent=["@会保"])
        bot.nothing_more()


@pytest.mark.parametrize(
    ("correction", "expected"),
    [
        ("改成9点", "11月25日（周三）9:00开始"),
        ("不对，是10点", "11月25日（周三）10:00开始"),
        ("上午10点", "11月25日（周三）10:00开始"),
        ("改到后天", "11月26日（周四）9:30开始"),
        ("改到周五下午两点", "11月27日（周五）14:00开始"),
        ("推迟半小时", "11月25日（周三）10:00开始"),
        ("提前半小时到位", "到位：9:00前"),
        ("8点前到位", "到位：8:00前"),
        ("不要青石镇", "安川县水利局二楼会议室、柳林镇政府会议室、白沙镇政府会议室；"),
        ("不要青石镇和柳林镇", "江州市水利局分会场、临河县水利局三楼会议室、安川县水利局二楼会议室、白沙镇政府会议室"),
        ("只要临河县和白沙镇", "会场：临河县水利局三楼会议室、白沙镇政府会议室；应回复单位3个"),
        ("改为各县", "会场：临河县水利局三楼会议室、安川县水利局二楼会议室；"),
        ("改成10点，去掉白沙镇", "青石镇政府会议室、柳林镇政府会议室；"),
        ("标题改为防汛抗旱会商", "防汛抗旱会商"),
    ],
)
async def test_a_correction_in_words_changes_the_draft_and_is_read_back(
    tmp_path: Path, correction: str, expected: str
) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", SAID)
        bot.forget_all()
        await bot.say("chen", correction)
        bot.expect("chen", "【请核对】", NUMBER, expected, "回“确认”发布")
        bot.nothing_more()
        assert await states(bot) == {NUMBER: "draft"}


async def test_places_can_be_added_and_the_scope_widened_again(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", "明天下午两点临河县水利局、青石镇防汛会商")
        bot.expect("chen", NUMBER, "临河县水利局三楼会议室、青石镇政府会议室")
        await bot.say("chen", "加上白沙镇")
        bot.expect("chen", NUMBER, "青石镇政府会议室、白沙镇政府会议室")
        await bot.say("chen", "改为全省")
        bot.expect("chen", NUMBER, "共6个分会场")
        bot.nothing_more()


async def test_a_yes_with_a_correction_corrects_and_does_not_publish(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", SAID)
        bot.forget_all()
        await bot.say("chen", "确认，但是改成9点")
        bot.expect("chen", "【请核对】", "9:00开始")
        bot.nothing_more()
        assert await states(bot) == {NUMBER: "draft"}


@pytest.mark.parametrize("yes", ["确认", "发吧", "可以", "对", "没问题", "好的，确认", "确认 HY-20261125-001"])
async def test_an_explicit_yes_publishes(tmp_path: Path, yes: str) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", SAID)
        await bot.say("chen", yes)
        assert await states(bot) == {NUMBER: "published"}
        bot.expect("chen", NUMBER, "已发布", "应回复单位8个", "15:20前")


@pytest.mark.parametrize("other", ["收到", "谢谢", "嗯嗯我看看", "这个会是谁组织的"])
async def test_anything_else_does_not_publish(tmp_path: Path, other: str) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", SAID)
        await bot.say("chen", other)
        assert await states(bot) == {NUMBER: "draft"}


async def test_only_the_drafter_in_that_conversation_says_yes(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", SAID, group="集客联络群")
        await bot.say("luo", "确认", group="集客联络群")
        await bot.say("chen", "确认", group="省级保障群")
        assert await states(bot) == {NUMBER: "draft"}
        await bot.say("luo", click=f"publish:{NUMBER}", group="集客联络群")
        bot.expect("#集客联络群", "请由起草人")
        assert await states(bot) == {NUMBER: "draft"}
        await bot.say("chen", "确认", group="集客联络群")
        assert await states(bot) == {NUMBER: "published"}


async def test_yes_binds_to_the_latest_draft_and_a_second_yes_publishes_nothing_else(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", SAID)
        await bot.say("chen", "后天下午3点全省政务视频会，各分会场参加")
        bot.forget_all()
        await bot.say("chen", "确认")
        await bot.say("chen", "确认")
        assert await states(bot) == {NUMBER: "draft", "HY-20261126-001": "published"}
        await bot.say("chen", f"确认 {NUMBER}")
        assert await states(bot) == {NUMBER: "published", "HY-20261126-001": "published"}


async def test_the_button_publishes_once(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", SAID)
        await bot.say("chen", click=f"publish:{NUMBER}")
        await bot.say("chen", click=f"publish:{NUMBER}")
        bot.expect("chen", NUMBER, "已经处理过了", "已通知")
        assert len(await bot.rows(Notice)) == 1


async def test_a_draft_can_be_dropped(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", SAID)
        bot.forget_all()
        await bot.say("chen", "算了，不发了")
        bot.expect("chen", NUMBER, "草稿已作废")
        await bot.say("chen", "确认")
        assert await states(bot) == {NUMBER: "cancelled"}
        assert await bot.obligations() == []


# ---- what is unclear is asked


async def test_no_start_is_asked_for_and_the_answer_completes_the_draft(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", "12月3日召开全省防汛视频会商，各市县参加")
        bot.expect("chen", "12月3日（周四）几点开始")
        await bot.say("chen", "确认")
        assert await bot.rows(Meeting) == []
        bot.forget_all()
        await bot.say("chen", "上午9点")
        bot.expect("chen", "HY-20261203-001", "12月3日（周四）9:00开始", "共6个分会场")
        bot.nothing_more()


async def test_no_scope_is_asked_for(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", "明天上午9点召开防汛视频会商")
        bot.expect("chen", "参加范围")
        await bot.say("chen", "各县参加")
        bot.expect("chen", NUMBER, "临河县水利局三楼会议室、安川县水利局二楼会议室")
        bot.nothing_more()


async def test_a_date_whose_weekday_does_not_fit_is_asked_about(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", "12月3日（周五）上午9点全省政务视频会，各分会场参加")
        bot.expect("chen", "对不上", "1. 12月3日（周四）9:00", "2. 12月4日（周五）9:00")
        await bot.say("chen", "确认")
        assert "published" not in (await states(bot)).values()
        bot.forget_all()
        await bot.say("chen", "2")
        bot.expect("chen", "HY-20261203-001", "12月4日（周五）9:00开始")
        await bot.say("chen", "确认")
        assert await states(bot) == {"HY-20261203-001": "published"}


async def test_of_two_times_one_is_picked_before_anything_can_be_published(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", "下周二或周三下午两点全省政务视频会，各分会场参加")
        bot.expect("chen", "是哪一个", "1. 12月1日（周二）14:00", "2. 12月2日（周三）14:00")
        await bot.say("chen", "确认")
        assert "published" not in (await states(bot)).values()
        await bot.say("chen", "1")
        bot.expect("chen", "12月1日（周二）14:00开始")


async def test_every_day_of_named_days_is_exact(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", "12月15日至16日，每天上午9点全省政务视频培训，各分会场参加")
        bot.expect("chen", "【请核对】", "12月15日（周二）9:00开始")


async def test_a_time_that_is_still_open_is_asked_for(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", "过几天上午九点开全省政务视频会，各分会场参加")
        bot.expect("chen", "时间没有说准")
        await bot.say("chen", "确认")
        assert "published" not in (await states(bot)).values()
        await bot.say("chen", "11月27日上午9点")
        bot.expect("chen", "【请核对】", "11月27日（周五）9:00开始")


async def test_a_start_that_has_passed_is_not_published(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", "今天上午9点全省防汛视频会商，各市县参加")
        bot.expect("chen", "已经过去")
        await bot.say("chen", "确认")
        bot.expect("chen", "没有发布")
        await bot.say("chen", "改到16点半")
        bot.expect("chen", "16:30开始")
        await bot.say("chen", "确认")
        assert (await bot.meeting()).state == "published"


# ---- who may


async def test_an_engineer_is_told_politely_who_may(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("li", "明天上午9点召开全省防汛视频会商，请各分会场参加")
        bot.expect("li", "没有发布权限", "钱丽")
        bot.nothing_more()
        assert await bot.rows(Meeting) == []


async def test_a_county_coordinator_calls_her_county_and_nothing_beside_it(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("qian", "明天上午9点全县防汛会商，各乡镇参加")
        bot.expect("qian", NUMBER, "会场：青石镇政府会议室、柳林镇政府会议室；")
        await bot.say("qian", "加上临河县")
        bot.expect("qian", NUMBER, "临河县水利局三楼会议室、青石镇政府会议室、柳林镇政府会议室")
        await bot.say("qian", "加上安川县")
        bot.expect("qian", "安川县水利局二楼会议室", "不在您的发布范围内", "罗兰")
        await bot.say("qian", "确认")
        bot.forget_all()
        assert "S3" not in (await bot.meeting()).site_ids


async def test_townships_of_one_county(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("luo", "明天上午9点临河县各乡镇防汛会商，提前半小时到位")
        bot.expect("luo", "会场：青石镇政府会议室、柳林镇政府会议室；", "到位：8:30前")
        bot.nothing_more()


async def test_nothing_is_drafted_in_a_client_group(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", SAID, group="临河县水利局客户群")
        bot.expect("#临河县水利局客户群", "不在客户群发布")
        bot.nothing_more()


async def test_a_draft_that_comes_late_shows_the_time_left_for_arriving(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", "今天下午3点40临河县水利局、青石镇防汛会商")
        bot.expect("chen", "15:40开始", "到位时间按15:20前计")


async def test_sites_without_the_system_are_left_out_and_said(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", "明天上午9点全省政务视频会，各分会场参加")
        bot.expect("chen", "临河县水利局三楼会议室、安川县水利局二楼会议室；", "另有4个会场未登记该系统")


async def test_the_latest_draft_read_back_in_private_is_the_one_that_a_yes_there_is_for(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", "后天上午9点临河县视频调度会，临河县参加")
        await bot.say("chen", SAID, group="集客联络群")
        await bot.say("chen", "确认")
        await bot.say("chen", "确认")
        assert sorted((await states(bot)).values()) == ["draft", "published"]
        assert (await states(bot))[NUMBER] == "published"
