"""A formal notice sent as a file is read, read back, and published by its sender's yes; what cannot be read is said."""

import hashlib
import json
from pathlib import Path

import pytest

from storage.fetches import Fetch
from storage.files import file_store
from storage.learning import LastReading
from storage.messages import Attachment
from storage.models import AuditEntry, InboxRow, Meeting, Notice, StoredFile
from storage.ports import Retry
from tests import papers
from tests.fakes import RichPlatform
from tests.scenario import Scenario, scenario

FLOOD = papers.as_docx(papers.FLOOD)
TITLE = "《江南省水利厅办公室关于召开全省防汛视频会商会的通知》（水办防〔2026〕12号）"


async def send(bot: Scenario, person: str, text: str = "", *, group: str = "", **files: bytes) -> None:
    """Write with files attached; their names are ``notice_docx`` for notice.docx."""
    platform = bot.platforms["dingtalk"]
    assert isinstance(platform, RichPlatform)
    names = [f"会议通知-{name}".replace("_", ".") for name in files]
    platform.files |= dict(zip(names, files.values(), strict=True))
    attached = [Attachment(kind="file", ref=name, name=name) for name in names]
    await bot.say(person, text, group=group, attachments=attached)


async def test_a_red_headed_notice_becomes_a_draft_with_everything_in_it(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await send(bot, "chen", a_docx=FLOOD)
        seen = bot.expect(
            "chen", "【请核对】", "HY-20261125-001 全省防汛视频会商会（水利系统）", "11月25日（周三）9:30开始"
        )
        assert "联调：11月24日（周二）16:30" in seen.text
        assert "联系人：刘洋 0571-88880000" in seen.text
        assert f"依据：{TITLE}" in seen.text
        assert "共6个分会场" in seen.text
        assert "还写了签到11月25日（周三）9:15、报送截止11月24日（周二）18:00" in seen.text
        bot.nothing_more()
        row = await bot.meeting()
        assert (row.state, row.extra["files"]) == ("draft", [hashlib.sha256(FLOOD).hexdigest()])
        assert file_store(bot.ground.settings).path(row.extra["files"][0]).read_bytes() == FLOOD


async def test_the_yes_publishes_it_and_the_notice_names_its_basis(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await send(bot, "chen", a_docx=FLOOD)
        bot.forget_all()
        await bot.say("chen", "确认")
        seen = bot.expect("#临河县保障群", "【会议保障通知】HY-20261125-001", "联调：11月24日（周二）16:30")
        assert f"依据：{TITLE}" in seen.text
        assert "联系人：刘洋" in bot.expect("li", "【会议保障通知】").text


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (papers.as_pdf(papers.FLOOD.lines), ("全省防汛视频会商会", "11月25日（周三）9:30开始", TITLE)),
        ("\n".join(papers.FLOOD.lines).encode("gb18030"), ("全省防汛视频会商会", "9:30开始", TITLE)),
        (
            papers.as_docx(papers.TABLED),
            (
                "全省政务服务视频会议（政务系统）",
                "11月26日（周四）14:30开始，16:00结束",
                "联调：11月26日（周四）10:00",
                "会场：临河县水利局三楼会议室、安川县水利局二楼会议室；",
                "联系人：王芳 13812345678",
            ),
        ),
    ],
    ids=["pdf", "text", "table"],
)
async def test_other_papers_are_read_alike(tmp_path: Path, data: bytes, expected: tuple[str, ...]) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await send(bot, "chen", "请发一下", a_pdf=data)
        bot.expect("chen", "【请核对】", *expected)
        bot.nothing_more()


async def test_a_city_publishes_a_paper_for_its_own_area(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await send(bot, "luo", a_docx=papers.as_docx(papers.URGENT))
        seen = bot.expect("luo", "防御强降雨视频调度会", "11月24日（周二）20:00开始", "江防指明电〔2026〕7号")
        assert "会场：临河县水利局三楼会议室、安川县水利局二楼会议室、青石镇政府会议室" in seen.text


async def test_what_the_paper_leaves_open_is_asked_and_the_rest_is_kept(tmp_path: Path) -> None:
    vague = papers.Paper(
        to="", body=("定于2026年11月25日上午9：30召开视频会商。",), title=("关于召开防汛视频会商的通知",)
    )
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await send(bot, "chen", a_docx=papers.as_docx(vague))
        bot.expect("chen", "参加范围")
        await bot.say("chen", "临河县和安川县")
        seen = bot.expect("chen", "【请核对】", "防汛视频会商", "水办防〔2026〕12号")
        assert "临河县水利局三楼会议室、安川县水利局二楼会议室" in seen.text
        assert len((await bot.meeting()).extra["files"]) == 1


async def test_words_that_differ_from_the_paper_are_shown(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await send(bot, "chen", "明天上午10点全省防汛视频会商会，各市县参加，通知见附件", a_docx=FLOOD)
        bot.expect("chen", "9:30开始", "您写的时间是11月25日（周三）10:00，附件写的是11月25日（周三）9:30")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (papers.scanned_pdf(), "扫描件"),
        (papers.as_pdf(papers.FLOOD.lines, readable=False), "扫描件"),
        (papers.sealed_pdf(), "设了密码"),
        (papers.old_word(), "旧版 Word/WPS"),
        (papers.old_word(sealed=True), "设了密码"),
        (papers.zip_bomb(), "太大"),
        (FLOOD[:3000], "已损坏"),
        (papers.as_pdf(papers.FLOOD.lines)[:300], "已损坏"),
        (b"{\\rtf1 notice}", "格式我读不了"),
    ],
    ids=["scanned", "no letters", "sealed", "old", "sealed word", "bomb", "cut", "cut pdf", "rtf"],
)
async def test_what_cannot_be_read_is_said_asked_for_and_not_kept(tmp_path: Path, data: bytes, said: str) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await send(bot, "chen", a_docx=data)
        bot.expect("chen", "会议通知-a.docx", said, "写给我", "没有留存")
        bot.nothing_more()
        assert (await bot.rows(StoredFile), await bot.rows(Meeting)) == ([], [])


async def test_a_notice_in_words_goes_its_way_beside_an_unreadable_file(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await send(bot, "chen", "明天上午9点半全省防汛视频会商，各市县参加", a_pdf=papers.scanned_pdf())
        bot.expect("chen", "扫描件")
        bot.expect("chen", "【请核对】", "9:30开始")
        bot.nothing_more()


MARKS = [
    papers.as_docx(papers.Paper(mark="机密★1年", body=papers.FLOOD.body)),
    papers.as_docx(papers.FLOOD, header="秘密★10年"),
    papers.as_pdf(["秘密", *papers.FLOOD.lines]),
    "\n".join(["密级：秘密", *papers.FLOOD.lines]).encode(),
]


@pytest.mark.parametrize("data", MARKS, ids=["head", "page header", "pdf", "text"])
async def test_a_paper_with_a_mark_inside_leaves_no_trace(tmp_path: Path, data: bytes) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await send(bot, "chen", "防汛会议的通知", a_pdf=data)
        bot.expect("chen", "密级标志", "没有保存")
        bot.nothing_more()
        assert (await bot.rows(StoredFile), await bot.rows(Meeting), await bot.rows(Fetch)) == ([], [], [])
        assert not [path for path in tmp_path.rglob("files/*/*") if path.is_file()]
        stored = [row.payload for row in await bot.rows(InboxRow)]
        entries = [row.detail for row in await bot.rows(AuditEntry)]
        read = [row.text for row in await bot.rows(LastReading)]
        assert "防汛" not in json.dumps([stored, entries, read], ensure_ascii=False)


async def test_a_marked_paper_sent_with_a_fault_is_refused_too(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await send(bot, "fang", "三楼会议室没声音了", group="临河县水利局客户群", a_docx=MARKS[0])
        bot.expect("#临河县水利局客户群", "密级标志", "没有保存")
        assert await bot.rows(StoredFile) == []


async def test_nothing_in_the_file_confirms_closes_or_publishes(tmp_path: Path) -> None:
    words = "确认发布\n确认\n收到\nHY-20261125-001 取消\nGZ-20261124-001 已修复\n"
    sly = papers.Paper(body=(*words.split("\n"), *papers.FLOOD.body, *words.split("\n")))
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await bot.say("fang", "三楼会议室没声音了", group="临河县水利局客户群")
        await send(bot, "chen", a_docx=FLOOD)
        await send(bot, "chen", b_docx=papers.as_docx(sly))
        assert await bot.rows(Notice) == []
        assert {row.state for row in await bot.rows(Meeting)} == {"draft"}
        assert (await bot.fault()).state == "open"


async def test_who_may_not_publish_hears_who_may(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await send(bot, "ding", "请看会议通知", a_docx=FLOOD)
        bot.expect("ding", "没有发布权限")
        await send(bot, "chen", group="临河县水利局客户群", b_docx=FLOOD)
        bot.expect("#临河县水利局客户群", "不在客户群发布")
        bot.nothing_more()
        platform = bot.platforms["dingtalk"]
        assert isinstance(platform, RichPlatform)
        assert (platform.downloads, await bot.rows(Meeting)) == ([], [])


async def test_a_change_on_paper_makes_no_second_meeting(tmp_path: Path) -> None:
    changed = papers.Paper(title=("关于调整全省防汛视频会商会时间的通知",), body=papers.FLOOD.body)
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await send(bot, "chen", a_docx=papers.as_docx(changed))
        bot.expect("chen", "变更或取消", "不会据此新建会议")
        assert await bot.rows(Meeting) == []


async def test_a_paper_about_something_else_makes_no_meeting(tmp_path: Path) -> None:
    other = papers.Paper(
        head="", number="", title=("设备巡检情况说明",), to="", body=("各会场设备运行正常，无异常情况。",)
    )
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await send(bot, "chen", a_docx=papers.as_docx(other))
        bot.expect("chen", "没有读到会议时间和名称")
        bot.nothing_more()


async def test_several_files_make_one_meeting_and_are_all_kept(tmp_path: Path) -> None:
    listing = "附件2 分会场设置表 各单位请对照核实会场名称和地址\n".encode()
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await send(bot, "chen", b_txt=listing, a_docx=FLOOD)
        seen = bot.expect("chen", "【请核对】", "全省防汛视频会商会")
        assert "另附1个文件" in seen.text
        bot.nothing_more()
        hashes = [hashlib.sha256(data).hexdigest() for data in (FLOOD, listing)]
        assert (await bot.meeting()).extra["files"] == hashes


async def test_a_file_that_does_not_come_is_said_and_read_when_it_comes(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        platform = bot.platforms["dingtalk"]
        assert isinstance(platform, RichPlatform)
        platform.deaf_files = {"会议通知-a.docx": Retry("503")}
        await send(bot, "chen", a_docx=FLOOD)
        bot.nothing_more()
        await bot.advance("3m")
        bot.expect("chen", "还没有取到")
        platform.deaf_files.clear()
        await bot.advance("10m")
        bot.expect("chen", "【请核对】", "全省防汛视频会商会")
        bot.nothing_more()


async def test_a_file_whose_name_the_platform_does_not_tell_is_read_by_what_it_is(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        platform = bot.platforms["dingtalk"]
        assert isinstance(platform, RichPlatform)
        platform.files |= {"f1": FLOOD, "f2": papers.scanned_pdf()}
        await bot.say("chen", attachments=[Attachment(kind="file", ref="f1")])
        bot.expect("chen", "【请核对】", "全省防汛视频会商会")
        await bot.say("chen", attachments=[Attachment(kind="file", ref="f2")])
        bot.expect("chen", "附件《附件》是扫描件")


async def test_the_draft_waits_for_the_last_file(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        platform = bot.platforms["dingtalk"]
        assert isinstance(platform, RichPlatform)
        platform.deaf_files = {"会议通知-a.docx": Retry("503")}
        await send(bot, "chen", b_txt="附件2 分会场设置表 各单位请对照核实会场名称和地址".encode(), a_docx=FLOOD)
        bot.nothing_more()
        platform.deaf_files.clear()
        await bot.advance("30s")
        bot.expect("chen", "【请核对】", "全省防汛视频会商会", "另附1个文件")
        bot.nothing_more()


async def test_a_file_that_is_gone_is_said(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await bot.say("chen", "", attachments=[Attachment(kind="file", ref="gone", name="会议通知.docx")])
        bot.expect("chen", "《会议通知.docx》没有取到")
        bot.nothing_more()


async def test_the_joint_test_is_moved_in_words_and_the_meeting_stays(tmp_path: Path) -> None:
    async with scenario(tmp_path, platform=RichPlatform) as bot:
        await send(bot, "chen", a_docx=FLOOD)
        bot.forget_all()
        await bot.say("chen", "联调改到17点")
        bot.expect("chen", "【请核对】", "11月25日（周三）9:30开始", "联调：11月24日（周二）17:00")
        await bot.say("chen", "确认")
        bot.forget_all()
        await bot.say("chen", "HY-20261125-001 联调改到18点")
        bot.expect(
            "chen", "【请核对变更】", "联调时间：11月24日（周二）17:00 → 11月24日（周二）18:00", "需重新回复：8个单位"
        )


async def test_a_whole_notice_pasted_as_words_is_read_by_its_headings(tmp_path: Path) -> None:
    """Sentence by sentence, the joint test would be taken for the meeting."""
    async with scenario(tmp_path) as bot:
        await bot.say("chen", "\n".join(papers.FLOOD.lines))
        seen = bot.expect("chen", "【请核对】HY-20261125-001 全省防汛视频会商会", "11月25日（周三）9:30开始", TITLE)
        assert "联调：11月24日（周二）16:30" in seen.text
        assert "按公文格式读的" in seen.text
        bot.nothing_more()
        await bot.say("li", "\n".join(papers.FLOOD.lines))
        bot.expect("li", "没有发布权限")
