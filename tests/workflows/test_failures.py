"""A channel that fails: another way to the person, one word to the supervisors, and no storm."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from storage.messages import Address, Outgoing, Urgency
from storage.models import Obligation
from storage.obligations import Rung, open_obligation
from storage.organisation.sample import SAMPLE
from storage.outbox import post, post_person
from storage.ports import Refused, Retry, Sent
from tests.scenario import WECOM, Scenario, scenario

DT_LI = Address(platform="dingtalk", kind="direct", id="dt-li")


async def tell(bot: Scenario, person_id: str, text: str, key: str = "k") -> None:
    """A personal message, as a workflow sends it."""
    async with bot.ground.work() as work:
        message = Outgoing(text=text, about="HY-1", urgency=Urgency.NOTICE)
        await post_person(work, work.org.people[person_id], message, key=key, kind="notice")
    await bot.settle()


async def test_a_copy_on_the_other_platform_is_enough(tmp_path: Path) -> None:
    async with scenario(tmp_path, wecom=WECOM) as bot:
        bot.platforms["dingtalk"].outcomes[DT_LI] = Refused("no such user")
        await tell(bot, "li", "请回收到")
        bot.expect("wecom:direct:wc-li", "请回收到")
        bot.expect("dingtalk:direct:dt-admin", "钉钉退回了发给李工的消息", "no such user")
        bot.expect("wecom:direct:wc-admin", "钉钉退回了发给李工的消息")
        bot.nothing_more()


async def test_somebody_without_another_channel_is_told_through_a_colleague(tmp_path: Path) -> None:
    async with scenario(tmp_path, wecom=WECOM) as bot:
        bot.platforms["dingtalk"].outcomes[Address(platform="dingtalk", kind="direct", id="dt-zhao")] = Refused("gone")
        await tell(bot, "zhao", "请回收到")
        bot.expect("wecom:direct:wc-li", "请代为转达", "发给赵工的消息在钉钉上没有送达", "请回收到")
        bot.expect("dingtalk:direct:dt-admin", "钉钉退回")
        bot.expect("wecom:direct:wc-admin", "钉钉退回")
        bot.nothing_more()


async def test_the_same_refusal_is_one_alarm_a_day(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        bot.platforms["dingtalk"].outcomes[DT_LI] = Refused("no such user")
        for number in range(5):
            await tell(bot, "li", "请回收到", key=f"k{number}")
        bot.expect("admin", "钉钉退回")
        bot.nothing_more()


async def test_an_outage_is_told_once_an_hour_and_its_end_once(tmp_path: Path) -> None:
    async with scenario(tmp_path, wecom=WECOM) as bot:
        bot.platforms["dingtalk"].down = Retry("connection refused")
        for number in range(8):
            await tell(bot, "ding", f"第{number}条", key=f"k{number}")
        bot.forget_all()
        await bot.advance("20m")
        bot.expect("#主管群（企业微信）", "钉钉自15:10起发送不出去", "connection refused", "积压8条")
        bot.expect("wecom:direct:wc-admin", "钉钉自15:10起发送不出去")
        bot.nothing_more()
        await bot.advance("60m")
        bot.expect("#主管群（企业微信）", "钉钉自15:10起发送不出去")
        bot.expect("wecom:direct:wc-admin", "钉钉自15:10起发送不出去")
        bot.nothing_more()
        bot.platforms["dingtalk"].down = None
        await bot.advance("10m")
        bot.expect("#主管群（企业微信）", "钉钉已恢复", "15:10至16:3")
        assert [seen.text for seen in bot.unread("dingtalk:direct:dt-ding")] == [f"第{number}条" for number in range(8)]
        bot.forget_all()
        await bot.advance("2h")
        bot.nothing_more()


def without_wecom_groups(folder: Path) -> Path:
    """The sample organisation, where people have WeCom but no groups there."""
    made = folder / "organisation"
    shutil.copytree(SAMPLE, made, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    lines = (made / "groups.csv").read_text("utf-8").splitlines()
    (made / "groups.csv").write_text("\n".join(line for line in lines if ",wecom," not in line) + "\n", "utf-8")
    return made


async def test_a_group_that_cannot_be_reached_turns_to_those_on_duty(tmp_path: Path) -> None:
    async with scenario(tmp_path, wecom=WECOM, organisation=without_wecom_groups(tmp_path)) as bot:
        place = Address(platform="dingtalk", kind="group", id="cid-anchuan")
        bot.platforms["dingtalk"].outcomes[place] = Refused("robot removed")
        await post_to(bot, place, "安川请注意")
        bot.expect("wecom:direct:wc-wu", "安川请注意")
        bot.expect("dingtalk:direct:dt-admin", "安川县保障群", "robot removed")
        bot.expect("wecom:direct:wc-admin", "安川县保障群")
        bot.nothing_more()


async def test_a_group_has_its_twin_on_the_other_platform(tmp_path: Path) -> None:
    async with scenario(tmp_path, wecom=WECOM) as bot:
        place = Address(platform="dingtalk", kind="group", id="cid-linhe")
        bot.platforms["dingtalk"].outcomes[place] = Refused("robot removed")
        await post_to(bot, place, "临河请注意")
        bot.expect("#临河县保障群（企业微信）", "钉钉发送失败", "临河请注意")
        bot.expect("dingtalk:direct:dt-admin", "临河县保障群")
        bot.expect("wecom:direct:wc-admin", "临河县保障群")
        bot.nothing_more()


@pytest.mark.parametrize("kind", ["reply", "tally"])
async def test_what_only_matters_where_it_was_said_does_not_wander(tmp_path: Path, kind: str) -> None:
    async with scenario(tmp_path, wecom=WECOM) as bot:
        place = Address(platform="dingtalk", kind="group", id="cid-linhe")
        bot.platforms["dingtalk"].outcomes[place] = Refused("robot removed")
        await post_to(bot, place, "临河请注意", kind=kind)
        bot.expect("dingtalk:direct:dt-admin", "临河县保障群")
        bot.expect("wecom:direct:wc-admin", "临河县保障群")
        bot.nothing_more()


async def post_to(bot: Scenario, place: Address, text: str, kind: str = "notice") -> None:
    """A message to a group, as a workflow sends it."""
    async with bot.ground.work() as work:
        await post(work, place, Outgoing(text=text, about="HY-1", urgency=Urgency.NOTICE), key="g", kind=kind)
    await bot.settle()


async def test_a_rung_that_cannot_be_climbed_is_told_to_the_operators_once_a_day(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        async with bot.ground.work() as work:
            debt = Obligation(
                kind="notice_ack",
                unit_id="X1",
                meeting="HY-1",
                due_at=work.now + timedelta(minutes=1),
                opened_at=work.now,
            )
            open_obligation(work, debt, [Rung("due", timedelta())])

        async def broken(*_: object) -> bool:
            raise ZeroDivisionError

        bot.runtime.engine._escalate = broken  # type: ignore[assignment]
        await bot.advance("8m")
        bot.expect("admin", "HY-1", "临河县", "连续3次没有办成", "请先人工催办")
        bot.nothing_more()


async def test_what_an_operator_can_do_about_a_way_is_said_once(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        places = [Address(platform="dingtalk", kind="group", id=f"cid-{name}") for name in ("anchuan", "linhe")]
        for place in places:
            bot.platforms["dingtalk"].outcomes[place] = Sent("m1", advice="请到群里说一句话")
        for key in ("g1", "g2"):
            for place in places:
                async with bot.ground.work() as work:
                    await post(work, place, Outgoing(text="请注意", about="HY-1"), key=f"{key}{place}", kind="notice")
            await bot.settle()
            bot.expect("#安川县保障群", "请注意")
            bot.expect("#临河县保障群", "请注意")
            bot.nothing_more()
            await bot.advance("61s")
            if key == "g1":
                bot.expect("admin", "钉钉的安川县保障群、临河县保障群：请到群里说一句话")
            bot.nothing_more("admin")
