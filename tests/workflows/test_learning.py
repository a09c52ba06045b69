"""What people teach in chat: names of places and corrections, counted once an administrator has accepted them."""

import json
from pathlib import Path

import pytest

from intents.compare import compared
from storage.directory import Directory
from storage.learning import WordProposal
from storage.models import AuditEntry, Fault, Site
from storage.organisation.load import import_tables
from storage.organisation.read import read_tables
from storage.organisation.sample import SAMPLE
from tests.scenario import Scenario, scenario
from workflows import learning_names as names
from workflows.learning import SURE
from workflows.vocabulary import words_folder
from workflows.why import names_of_intents

GROUP = "临河县水利局客户群"
BASEMENT = "把“小白楼”记为江州市水利局分会场"


async def accepted(bot: Scenario) -> None:
    await bot.say("he", BASEMENT)
    await bot.say("admin", "接受 1")
    bot.forget_all()


async def test_a_name_counts_once_an_administrator_has_accepted_it(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("he", BASEMENT)
        bot.expect("he", "已记下：“小白楼”记为江州市水利局分会场，交管理员审核（词条1）。")
        bot.expect("admin", "有新的词条待审")
        await bot.say("admin", "待审词条")
        bot.expect("admin", "待审词条（1条）", "1. 何工：“小白楼”记为江州市水利局分会场", "回“接受 1”或“拒绝 1”")
        await bot.say("admin", "接受 1")
        bot.expect("admin", "已接受词条1。")
        bot.expect("he", "已采纳：“小白楼”记为江州市水利局分会场，现在起就认得。谢谢。")
        bot.nothing_more()
        await bot.say("he", "小白楼话筒没声音")
        assert (await bot.fault()).site_id == "S1"
        audited = [row.what for row in await bot.rows(AuditEntry, AuditEntry.about == "words:1")]
        assert audited == ["words.proposed", "words.accepted"]


async def test_an_import_that_lacks_an_accepted_name_does_not_lose_it_and_changes_nothing(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await accepted(bot)
        result = await import_tables(bot.ground.database, read_tables(SAMPLE), bot.clock.now())
        assert not result.changed
        assert "小白楼" not in (await bot.rows(Site, Site.site_id == "S1"))[0].aliases
        async with bot.ground.look() as work:
            assert work.org.sites["S1"].aliases[-1] == "小白楼"


async def test_a_name_that_is_taken_back_counts_no_more(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await accepted(bot)
        await bot.say("admin", "拒绝1")
        bot.expect("admin", "已拒绝词条1。")
        async with bot.ground.look() as work:
            assert "小白楼" not in work.org.sites["S1"].aliases


async def test_names_that_cannot_be_taken_are_answered_at_once(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("he", "把三楼会议室记为江州市水利局分会场")
        bot.expect("he", "“三楼会议室”已是临河县水利局三楼会议室的名称")
        await bot.say("he", "把市水利局记为江州市水利局分会场")
        bot.expect("he", "“市水利局”已经认得")
        await bot.say("he", "把小白楼记为没有的地方")
        bot.expect("he", "没有找到“没有的地方”这个会场")
        assert await bot.rows(WordProposal) == []
        bot.nothing_more()


async def test_a_target_that_fits_several_sites_is_asked_about(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("he", "把小白楼记为镇政府会议室")
        bot.expect("he", "“小白楼”是哪一处", "1. 青石镇政府会议室", "2. 柳林镇政府会议室")
        await bot.say("he", "2")
        bot.expect("he", "“小白楼”记为柳林镇政府会议室")


async def test_two_proposals_of_one_name_cannot_both_be_accepted(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("he", BASEMENT)
        await bot.say("li", "把小白楼记为青石镇政府会议室")
        bot.forget_all()
        await bot.say("admin", "接受 1、2 9")
        bot.expect("admin", "已接受词条1。", "没有词条9", "词条2不能接受：“小白楼”已是江州市水利局分会场的名称。")
        bot.expect("he", "已采纳")
        bot.nothing_more()


async def test_only_an_administrator_decides(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("he", BASEMENT)
        bot.forget_all()
        for said in ("接受 1", "拒绝 1", "待审词条"):
            await bot.say("he", said)
            bot.expect("he", "词条由管理员审核。")
        assert [row.state for row in await bot.rows(WordProposal)] == ["open"]
        bot.nothing_more()


async def test_the_list_holds_what_others_said_and_is_not_shown_in_a_group(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("he", BASEMENT)
        bot.forget_all()
        await bot.say("admin", "待审词条", group=GROUP)
        bot.expect(f"#{GROUP}", "请私聊我审核", absent=["小白楼"])
        bot.nothing_more()


async def test_a_mistaken_report_can_still_be_taken_back_after_its_correction(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("fang", "三楼会议室没声音了")
        await bot.say("fang", "不是报障，是咨询")
        bot.forget_all()
        await bot.say("fang", "刚才发错了")
        bot.expect("fang", "GZ-20261124-001")


async def test_a_correction_goes_to_the_list_and_accepted_to_the_regression_examples(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("fang", "三楼会议室没声音了", group=GROUP)
        bot.forget_all()
        await bot.say("fang", "这不是报障，是咨询", group=GROUP)
        bot.expect(f"#{GROUP}", "已记下：“三楼会议室没声音了”不是报障，是咨询，交管理员审核（词条1）", "刚才发错了")
        bot.expect("admin", "有新的词条待审")
        await bot.say("fang", "不是报障，是咨询", group=GROUP)
        bot.expect(f"#{GROUP}", "词条1")
        await bot.say("admin", "采纳1")
        bot.expect("admin", "已接受词条1。")
        bot.expect("fang", "已采纳您的更正：“三楼会议室没声音了”不是报障，是咨询。谢谢。")
        await bot.say("admin", "采纳1")
        bot.expect("admin", "词条1已经是这样")
        bot.nothing_more()
        folder = words_folder(bot.ground.settings)
        lines = (folder / "examples.jsonl").read_text(encoding="utf-8").splitlines()
        assert len(lines) == 1
        kept = json.loads(lines[0])
        assert (kept["text"], kept["intent"]) == ("三楼会议室没声音了", "consult")
        assert (kept["role"], kept["chat"]) == ("client", "group")
        assert [one.example.text for one in compared(folder).misread] == ["三楼会议室没声音了"]


async def test_not_this_alone_says_only_what_it_is_not(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("fang", "三楼会议室没声音了")
        bot.forget_all()
        await bot.say("fang", "不是报障")
        bot.expect("fang", "“三楼会议室没声音了”不是报障，交管理员审核")
        await bot.say("admin", "接受1")
        example = json.loads((words_folder(bot.ground.settings) / "examples.jsonl").read_text(encoding="utf-8"))
        assert example["not"] == "fault.report"
        assert "intent" not in example


async def test_a_quoted_message_is_the_one_corrected(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("fang", "三楼会议室没声音了", group=GROUP)
        await bot.say("fang", "今天谁值班", group=GROUP)
        bot.forget_all()
        await bot.say("fang", "不是报障，是咨询", group=GROUP, quote="三楼会议室没声音了")
        bot.expect(f"#{GROUP}", "“三楼会议室没声音了”不是报障，是咨询")


async def test_what_was_read_as_said_needs_no_correction(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("fang", "不是报障，是咨询")
        bot.expect("fang", "没有找到您刚才说的话")
        await bot.say("fang", "今天谁值班")
        bot.forget_all()
        await bot.say("fang", "不是报障，是问值班")
        bot.expect("fang", "“今天谁值班”我读作问值班，与您说的一致")
        assert await bot.rows(WordProposal) == []


async def test_a_denied_fault_in_a_report_is_no_correction(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("fang", "不是没声音，是有杂音，三楼会议室")
        assert (await bot.fault()).symptom == "noise"
        assert await bot.rows(WordProposal) == []


@pytest.mark.parametrize(
    "words",
    [
        "“小白楼”就是水利局三楼会议室，记一下",
        "记住：小白楼=三楼会议室",
        "小白楼 ＝ 三楼会议室",
        "小白楼就是三楼会议室，别搞错了",
        "我们说的小白楼就是三楼会议室",
        "小白楼指的是三楼会议室",
        "把三楼会议室叫做小白楼",
        "给三楼会议室加个别名：小白楼",
        "三楼会议室又叫“小白楼”",
        "麻烦以后把「小白楼」也当成三楼会议室吧",
    ],
)
def test_a_name_is_taught_in_plain_words(words: str) -> None:
    org = Directory(sites=[Site(site_id="S2", name="临河县水利局三楼会议室", aliases=["三楼会议室"], unit_id="X1")])
    said = names.heard(words)
    assert said is not None
    named = names.right_way_round(org, said)
    assert (named.alias, [site.site_id for site in names.sites_called(org, named.target)]) == ("小白楼", ["S2"])


@pytest.mark.parametrize(
    "words", ["小白楼就是三楼会议室", "记住明天三点开会", "故障的是三楼会议室", "会议改到小白楼", "三楼会议室都叫不通"]
)
def test_what_names_nothing_is_no_teaching(words: str) -> None:
    assert names.heard(words) is None


async def test_what_only_sounds_like_teaching_is_left_alone_and_a_word_with_a_meaning_is_no_name(
    tmp_path: Path,
) -> None:
    async with scenario(tmp_path) as bot:
        for words in ("音量=50", "我们说的时间就是明天", "三楼会议室大家都叫话筒", "记一下我的电话是三楼会议室"):
            await bot.say("he", words, group="江州市保障群")
        bot.nothing_more("he")
        for alias in ("明天", "话筒", "没声音", "收到", "李明", "这里", "——"):
            await bot.say("he", f"把“{alias}”记为三楼会议室")
            bot.expect("he", f"“{alias}”在别的话里另有意思")
        assert await bot.rows(WordProposal) == []


async def test_an_everyday_word_as_a_name_is_marked_for_the_administrator(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("admin", "把“办公室”记为三楼会议室")
        bot.expect("admin", "您是管理员，私聊我回“接受 1”就生效")
        await bot.say("admin", "待审词条")
        bot.expect("admin", "“办公室”是常用词")


async def test_an_accepted_name_is_a_regression_example_until_it_is_taken_back(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        file = words_folder(bot.ground.settings) / "examples.jsonl"
        await accepted(bot)
        example = json.loads(file.read_text(encoding="utf-8"))
        assert (example["text"], example["site"]) == ("小白楼", "江州市水利局分会场")
        assert compared(file.parent).misread == []
        await bot.say("admin", "拒绝 1")
        bot.expect("he", "没有采纳：“小白楼”记为江州市水利局分会场")
        assert file.read_text(encoding="utf-8") == ""


async def test_an_example_file_that_cannot_be_written_leaves_the_list_as_it_was(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("he", BASEMENT)
        words_folder(bot.ground.settings).write_text("", encoding="utf-8")
        await bot.say("admin", "接受 1")
        bot.expect("admin", "词条1没有改成：例句文件写不进去")
        assert [row.state for row in await bot.rows(WordProposal)] == ["open"]


@pytest.mark.parametrize(
    "words",
    ["我不是报修", "你搞错了，我不是报障", "别当成报修", "没有报障，只是问一下", "我不是来报修的，我想问问怎么投屏呢"],
)
async def test_a_correction_in_plain_words(tmp_path: Path, words: str) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("fang", "三楼会议室没声音了")
        bot.forget_all()
        await bot.say("fang", words)
        bot.expect("fang", "已记下：“三楼会议室没声音了”不是报障", "若因此误开了单，请回“刚才发错了”")


async def test_you_got_me_wrong_is_answered_with_how_it_was_read(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("fang", "三楼会议室没声音了", group=GROUP)
        bot.forget_all()
        await bot.say("fang", "你理解错了", group=GROUP)
        bot.expect(f"#{GROUP}", "“三楼会议室没声音了”我读作：报障", "不对请说")
        await bot.say("fang", "理解错了，我是咨询", group=GROUP)
        bot.expect(f"#{GROUP}", "“三楼会议室没声音了”不是报障，是咨询")


async def test_a_sentence_put_right_is_read_right_the_next_time_and_nothing_else_is(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("fang", "三楼会议室没声音了")
        await bot.say("fang", "不是报障，是咨询")
        await bot.say("fang", "刚才发错了")
        await bot.say("admin", "接受 1")
        bot.forget_all()
        await bot.say("fang", "三楼会议室 没声音了！")
        assert len(await bot.rows(Fault)) == 1
        bot.forget_all()
        await bot.say("fang", "为什么")
        bot.expect("fang", "我读作：咨询", "有人更正过这句话，管理员已采纳")
        await bot.say("admin", "拒绝 1")
        await bot.say("fang", "三楼会议室没声音了")
        bot.forget_all()
        await bot.say("fang", "为什么")
        bot.expect("fang", "我读作：报障")


async def test_corrections_that_contradict_each_other_cannot_both_be_accepted(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        for right in ("咨询", "催办"):
            await bot.say("fang", "三楼会议室没声音了")
            await bot.say("fang", f"不是报障，是{right}")
        bot.forget_all()
        await bot.say("admin", "接受 1 2")
        bot.expect("admin", "已接受词条1。", "词条2不能接受：与已接受的词条1（", "请先“拒绝 1”")


async def test_a_correction_to_what_closes_or_publishes_is_an_example_and_no_more(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("fang", "三楼会议室没声音了")
        await bot.say("fang", "不是报障，是撤回报障")
        await bot.say("fang", "刚才发错了")
        await bot.say("admin", "接受 1")
        await bot.say("fang", "三楼会议室没声音了")
        bot.forget_all()
        await bot.say("fang", "为什么")
        bot.expect("fang", "我读作：报障")


async def test_accept_without_a_number_shows_the_list_to_an_administrator(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("he", BASEMENT)
        bot.forget_all()
        await bot.say("admin", "全部接受")
        bot.expect("admin", "待审词条（1条）", "回“接受 1”")
        assert [row.state for row in await bot.rows(WordProposal)] == ["open"]


async def test_a_notice_read_into_what_was_none_can_still_be_dropped(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", "周五下午三点财政厅预算视频会，临河和安川参加")
        bot.forget_all()
        await bot.say("chen", "不是会议通知，是闲聊")
        bot.expect("chen", "不是会议通知，是闲聊，交管理员审核", "草稿还在，不要发请回“不发”")
        await bot.say("chen", "不发")
        bot.expect("chen", "草稿已作废，没有发布")


def test_every_name_that_an_explanation_uses_may_be_used_in_a_correction() -> None:
    assert {name for name in names_of_intents() if not SURE.match(f"这不是{name}，是报障")} == set()


@pytest.mark.parametrize(
    "words", ["把“”记为三楼会议室", "记为三楼会议室", "把小白楼记为", f"把{'一' * 30}记为三楼会议室"]
)
async def test_a_name_half_said_is_answered_with_how_to_say_it(tmp_path: Path, words: str) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("fang", words, group=GROUP)
        bot.expect(f"#{GROUP}", "请这样写：把小白楼记为江州市水利局分会场")
        assert await bot.rows(Fault) == []
