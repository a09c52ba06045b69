"""Both stories with mail alone: nobody has a messenger, and still everybody is asked, answers, and is looked after."""

import json
from pathlib import Path

from storage.letters import StoredLetter
from storage.models import InboxRow, Meeting, StoredFile
from tests import papers
from tests.email.life import Life, life

NUMBER = "HY-20261125-001"
OWING = ["C1", "C1K", "T1", "T2", "T3", "X1", "X1K", "X2"]


async def published(bot: Life) -> None:
    await bot.write("chen", "明天上午9点半全省防汛视频会商，各市县提前一小时到位", subject="会议保障")
    draft = bot.reads("chen", "【请核对】", NUMBER, "9:30开始")
    await bot.write("chen", "确认", answers=draft)
    bot.reads("chen", NUMBER, "已发布", "请各单位17:10前回复")


async def test_a_notice_reaches_the_engineers_of_each_unit_and_replies_acknowledge_it(tmp_path: Path) -> None:
    async with life(tmp_path) as bot:
        await published(bot)
        assert sorted(row.unit_id for row in await bot.obligations(kind="notice_ack")) == OWING
        for engineer in ("he", "li", "wu", "ding", "ma", "lin"):
            notice = bot.reads(engineer, f"[{NUMBER}]", "【会议保障通知】", "8:30前到位", "17:10前")
            await bot.write(engineer, "收到", answers=notice)
            bot.reads(engineer, "已登记")
        for customer in ("luo", "qian"):
            await bot.write(customer, "收到", answers=bot.reads(customer, "【会议保障通知】"))
        assert {row.state for row in await bot.obligations(kind="notice_ack")} == {"met"}
        assert {row.met_via for row in await bot.obligations(kind="notice_ack")} == {"email"}
        bot.read_all()
        await bot.advance("3h")
        bot.nothing_unread("wang", "sun", "tang", "zhou")


async def test_a_silent_unit_is_nudged_its_supervisor_hears_and_gets_the_all_clear(tmp_path: Path) -> None:
    async with life(tmp_path) as bot:
        await published(bot)
        notice = bot.reads("wu", "【会议保障通知】")
        for engineer in ("he", "li", "ding", "ma", "lin", "luo", "qian"):
            await bot.write(engineer, "收到", answers=bot.reads(engineer, "【会议保障通知】"))
        bot.read_all()
        await bot.advance("1h59m")
        bot.reads("wu", NUMBER, "尚未收到", "17:10前")
        bot.nothing_unread("tang", "wang", "sun")
        await bot.advance("2m")
        bot.reads("tang", NUMBER, "尚未收到安川县技术维护部回复")
        bot.nothing_unread("wang", "song", "bai")
        await bot.write("wu", "收到，刚才在外面", answers=notice)
        bot.reads("tang", NUMBER, "安川县技术维护部", "已由吴工")
        [debt] = await bot.obligations(kind="notice_ack", unit_id="X2")
        assert (debt.state, debt.met_by, debt.met_via) == ("breached", "wu", "email")


async def test_a_fault_is_reported_taken_mended_and_confirmed_by_mail(tmp_path: Path) -> None:
    async with life(tmp_path) as bot:
        await bot.write("fang", "会马上开始，请尽快处理", subject="三楼会议室没声音了")
        receipt = bot.reads("fang", "已受理", "三楼会议室", "没有声音")
        number = (await bot.fault()).number
        asked = bot.reads("li", number, "三楼会议室")
        await bot.write("li", "收到，20分钟到", answers=asked)
        bot.reads("fang", number, "已接单", "李工")
        await bot.write("li", "修好了，换了音频线", answers=asked)
        question = bot.reads("fang", number, "请确认")
        await bot.write("fang", "好了，有声音了", answers=question)
        bot.reads("fang", number, "已恢复")
        bot.reads("li", number, "已恢复")
        assert (await bot.fault()).state == "observing"
        assert question.message["References"] or receipt.message["Message-ID"]


async def test_a_fault_nobody_takes_climbs_by_mail_and_everybody_alarmed_hears_the_end(tmp_path: Path) -> None:
    async with life(tmp_path) as bot:
        await bot.write("fang", "会马上开始", subject="三楼会议室没声音了")
        number = (await bot.fault()).number
        asked = bot.reads("li", number)
        bot.read_all()
        await bot.advance("6m")
        bot.reads("zhao", number)
        await bot.advance("5m")
        bot.reads("wang", number, "尚无人接单")
        await bot.write("zhao", "我来处理", answers=None, subject=f"{number} 我来处理")
        bot.reads("wang", number, "赵工")
        bot.reads("fang", number, "已接单", "赵工")
        assert asked.recipients == ("li@linhe.example.org",)


async def test_a_word_document_in_a_mail_is_the_notice(tmp_path: Path) -> None:
    async with life(tmp_path) as bot:
        await bot.write(
            "chen",
            "通知见附件，请安排保障。",
            subject="会议保障",
            files={"会议通知.docx": papers.as_docx(papers.FLOOD)},
        )
        draft = bot.reads("chen", "【请核对】", "全省防汛视频会商会", "水办防〔2026〕12号", "联调", "刘洋")
        assert draft.message["Subject"].startswith("Re: ")
        await bot.write("chen", "确认", answers=draft)
        bot.reads(
            "li",
            "【会议保障通知】",
            "依据：《江南省水利厅办公室关于召开全省防汛视频会商会的通知》（水办防〔2026〕12号）",
        )
        assert len(await bot.rows(StoredFile)) == 1


async def test_an_unproven_mail_with_a_notice_makes_no_draft(tmp_path: Path) -> None:
    async with life(tmp_path) as bot:
        files = {"会议通知.docx": papers.as_docx(papers.FLOOD)}
        await bot.write("chen", "通知见附件，请安排保障。", subject="会议保障", files=files, proven=False)
        bot.reads("chen", "不能证明是您本人")
        assert (await bot.rows(Meeting), await bot.rows(StoredFile)) == ([], [])


async def test_a_marked_paper_is_gone_from_the_disk_and_its_subject_goes_nowhere(tmp_path: Path) -> None:
    marked = papers.Paper(mark="机密★1年", body=papers.FLOOD.body)
    async with life(tmp_path) as bot:
        await bot.write(
            "chen", "通知见附件。", subject="防汛调度会的通知", files={"会议通知.docx": papers.as_docx(marked)}
        )
        answer = bot.reads("chen", "密级标志", "没有保存")
        assert "防汛" not in str(answer.message["Subject"])
        assert [row.sha256 for row in await bot.rows(StoredLetter)] == [""]
        for folder in ("mail", "files"):
            assert not [path for path in (bot.ground.settings.data_path / folder).rglob("*") if path.is_file()]
        kept = json.dumps([row.payload for row in await bot.rows(InboxRow)], ensure_ascii=False)
        assert "防汛" not in kept


async def test_a_photo_of_the_notice_by_mail_is_asked_for_in_words_and_becomes_its_basis(tmp_path: Path) -> None:
    picture = b"\xff\xd8\xff" + b"x" * 9000
    async with life(tmp_path) as bot:
        await bot.write("chen", "见附件通知", subject="会议保障", files={"IMG_2031.jpg": picture})
        asked = bot.reads("chen", "图片《IMG_2031.jpg》里的字我读不了", "会议时间、名称和参加范围写给我")
        await bot.write("chen", "明天上午9点半全省防汛视频会商会，各市县参加", answers=asked)
        draft = bot.reads("chen", "【请核对】", "全省防汛视频会商会", "依据：IMG_2031.jpg")
        assert await bot.rows(StoredFile) == []
        await bot.write("chen", "确认", answers=draft)
        bot.reads("li", "【会议保障通知】", "依据：IMG_2031.jpg")
        assert [row.name for row in await bot.rows(StoredFile)] == ["IMG_2031.jpg"]
