"""The front desk: duty, help, questions, and binding a group."""

from pathlib import Path

from storage.models import AuditEntry, Group, Sighting
from tests.scenario import scenario
from tests.workflows.gathering import MORNING, meeting


async def test_who_is_on_duty_in_a_group_without_telephone_numbers(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("fang", "今天谁值班", group="临河县水利局客户群")
        bot.expect("#临河县水利局客户群", "临河县技术维护部今天值班：李工，备班赵工。", "96311", absent=["139"])
        bot.nothing_more()


async def test_staff_who_ask_in_private_get_the_numbers(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("sun", "安川县今天谁值班")
        bot.expect("sun", "安川县技术维护部今天值班：吴工 13900000014")
        bot.nothing_more()


async def test_duty_of_another_day_names_the_day(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("li", "明天谁值班")
        bot.expect("li", "11月25日（周三）值班：李工")


async def test_help_is_for_the_role(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("fang", "你能干什么")
        bot.expect("fang", "报障", "三楼会议室没声音", absent=["接单"])
        await bot.say("li", "帮助", group="临河县保障群")
        bot.expect("#临河县保障群", "已到位", "请@会保")
        bot.nothing_more()


async def test_what_makes_no_sense_gets_a_short_help_in_private_once_an_hour_and_silence_in_a_group(
    tmp_path: Path,
) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("li", "窗外的梧桐叶子落了一地", group="临河县保障群")
        bot.nothing_more()
        await bot.say("li", "窗外的梧桐叶子落了一地")
        assert len(bot.expect("li", "没太明白").text) < 80
        await bot.say("li", "梧桐叶子又落了")
        bot.nothing_more()
        await bot.advance("1h")
        await bot.say("li", "梧桐叶子还在落")
        bot.expect("li", "没太明白")


async def test_a_question_goes_to_whoever_is_on_duty(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("fang", "怎么用双流", group="临河县水利局客户群")
        bot.expect("#临河县水利局客户群", "已转李工")
        bot.expect("li", "李工您好：方芳（临河县技术维护部）咨询：“怎么用双流”")
        bot.nothing_more()


async def test_not_there_yet_is_asked_back(tmp_path: Path) -> None:
    async with scenario(tmp_path, start=MORNING) as bot:
        await meeting(bot)
        await bot.say("li", "还没到位")
        bot.expect("li", "预计几点能到")
        bot.nothing_more()


async def test_an_admin_binds_a_group_with_one_sentence(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("admin", "把本群设为临河县的保障群", group="新群")
        bot.expect("dingtalk:group:新群", "已将本群设为临河县技术维护部的保障群")
        (group,) = await bot.rows(Group, Group.conversation_id == "新群")
        assert (group.platform, group.unit_id, group.purpose, group.active) == ("dingtalk", "X1", "support", True)
        assert not await bot.rows(Sighting, Sighting.kind == "group")
        (entry,) = await bot.rows(AuditEntry, AuditEntry.what == "group.bound")
        assert entry.who == "admin"
        await bot.learn()
        await bot.say("admin", "今天谁值班", group="新群")
        bot.expect("dingtalk:group:新群", "临河县技术维护部今天值班")
        bot.nothing_more()


async def test_nobody_else_binds_a_group(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        for person in ("li", "wang", "chen", "gao"):
            await bot.say(person, "把本群设为临河县的保障群", group="新群")
            bot.expect("dingtalk:group:新群", "只有管理员")
        assert not await bot.rows(Group, Group.conversation_id == "新群")


async def test_a_customer_track_group_belongs_to_the_customer_unit(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("admin", "请将本群设为临河县的客户条线群", group="新群")
        bot.expect("dingtalk:group:新群", "临河县集客部的客户条线群")
        (group,) = await bot.rows(Group, Group.conversation_id == "新群")
        assert (group.unit_id, group.purpose) == ("X1K", "customer_track")


async def test_an_unknown_unit_and_a_private_chat_change_nothing(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("admin", "把本群设为火星县的保障群", group="新群")
        bot.expect("dingtalk:group:新群", "没有找到“火星县”")
        await bot.say("admin", "把本群设为临河县的保障群")
        bot.expect("admin", "请在要设置的群里")
        bot.nothing_more()
        assert not await bot.rows(Group, Group.conversation_id == "新群")


async def test_a_group_is_bound_anew(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("admin", "本群设为安川县的主管群", group="临河县保障群")
        bot.expect("#临河县保障群", "安川县技术维护部的主管群")
        (group,) = await bot.rows(Group, Group.conversation_id == "cid-linhe")
        assert (group.group_id, group.unit_id, group.purpose) == ("G3", "X2", "supervisors")
