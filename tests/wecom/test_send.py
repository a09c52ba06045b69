"""Sending: the way a message takes, what comes back for each address, and what happens when a way is closed."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
import structlog

from adapters.common.pace import Pace
from storage.clock import ManualClock
from storage.messages import Action, Address, Outgoing
from storage.ports import Downloads, Recalls, Refused, Retry, SendError, SendJob, Sent, Unsure
from tests.playing import sent
from tests.wecom.bench import IN_APP_GROUP, IN_GROUP, START, bench, person
from tests.wecom.conftest import AGENT, APP_GROUP, GROUP, ROBOT_KEY, SECRET, until

TAKE = Action(label="接单", value="take:GZ-1", say="接单")


async def test_people_are_written_to_in_one_call_and_the_wrong_ones_are_named() -> None:
    async with bench(robot="") as b:
        b.simulator.world.people["zhaowei"].licensed = False
        people = [person(user) for user in ("LiMing", "wangfang", "Nobody", "zhaowei")]
        outcomes = await b.send(*people, text="通知")
        assert len(b.simulator.calls_of("message/send")) == 1
        assert isinstance(outcomes[person("Nobody")], Refused)
        assert isinstance(outcomes[person("zhaowei")], Refused)
        assert b.to("LiMing") == b.to("wangfang") == [("app", "通知")]
        assert "Nobody" in b.adapter.trouble()
        assert "zhaowei" in b.adapter.trouble()
        assert isinstance(await b.send(person("ghost")), Refused), "all wrong is a refusal as well"


async def test_more_than_a_thousand_are_several_calls() -> None:
    async with bench(robot="") as b:
        users = [f"u{number}" for number in range(1203)]
        for user in users:
            b.simulator.world.person(user)
        outcomes = await b.send(*(person(user) for user in users), text="通知")
        assert [call.json["touser"].count("|") + 1 for call in b.simulator.calls_of("message/send")] == [1000, 203]
        assert all(isinstance(outcome, Sent) for outcome in outcomes.values())
        assert b.adapter.capabilities.batch == 1000


async def test_what_would_be_dropped_silently_is_spread() -> None:
    async with bench(robot="") as b:
        outcomes = [await b.send(person("LiMing"), text=str(number)) for number in range(40)]
        late = [outcome for outcome in outcomes if isinstance(outcome, Retry)]
        assert len(late) == 10
        assert all(retry.not_before and retry.not_before > b.clock.now() for retry in late)
        assert isinstance(await b.send(person("LiMing"), person("wangfang"), text="x"), dict)
        assert [text for _, text in b.to("wangfang")] == ["x"], "the others are not held up"
        await b.pass_time(63, step=21)
        for number in range(30, 40):
            sent(await b.send(person("LiMing"), text=str(number)))
        assert len(b.to("LiMing")) == 40
        assert not b.simulator.messages.dropped


async def test_a_long_text_comes_in_numbered_parts_that_lose_nothing() -> None:
    async with bench(robot="") as b:
        text = "\n".join(f"{number}. 某某县某某局分会场，电源正常" for number in range(150))
        sent(await b.send(person("LiMing"), text=text))
        shown = [said for _, said in b.to("LiMing")]
        assert len(shown) > 2
        assert shown[0].startswith(f"（1/{len(shown)}）")
        assert "\n".join(part.split("）", 1)[1] for part in shown) == text


async def test_the_robot_says_a_long_text_at_once_and_other_ways_cut_it_smaller() -> None:
    text = "\n".join(f"{number}. 某某县某某局分会场，电源正常" for number in range(150))
    async with bench(hook=True) as b:
        await b.connect()
        hints = await b.asked()
        sent(await b.send(IN_GROUP, text=text, hints=hints))
        assert [way for way, _ in b.in_group()] == ["reply"]
        b.simulator.gateway.live()[0].lost = True
        sent(await b.send(IN_GROUP, text=text, hints=hints))
        assert {way for way, _ in b.in_group()[1:]} == {"webhook"}
        assert all(f"{number}. 某某县" in "".join(said for _, said in b.in_group()[1:]) for number in range(150))


async def test_a_retry_goes_on_with_the_part_that_failed() -> None:
    async with bench(robot="") as b:
        text = "长" * 1200
        b.simulator.faults.next("message/send", status=200, body={"errcode": 0, "msgid": "m1"})
        b.simulator.faults.next("message/send", errcode=-1)
        assert isinstance(await b.send(person("LiMing"), text=text, key="k"), Retry)
        sent(await b.send(person("LiMing"), text=text, key="k"))
        assert [said[:5] for _, said in b.to("LiMing")] == ["（2/3）", "（3/3）"]


async def test_a_short_message_is_its_card_and_a_long_one_comes_before_it() -> None:
    async with bench(robot="") as b:
        sent(await b.send(person("LiMing"), text="三楼没声音", title="报障", actions=(TAKE,)))
        (short,) = b.simulator.direct_messages("LiMing")
        assert (short.kind, short.buttons) == ("template_card", (("接单", "take:GZ-1"),))
        assert "三楼没声音" in short.text
        text = "通知内容" * 60
        sent(await b.send(person("wangfang"), text=text, title="会议通知", actions=(TAKE,)))
        words, card = b.simulator.direct_messages("wangfang")
        assert words.text == f"会议通知\n{text}"
        assert card.buttons
        assert text not in card.text


async def test_where_cards_are_refused_words_say_the_same() -> None:
    async with bench(robot="") as b:
        b.simulator.world.apps[AGENT].url = ""
        sent(await b.send(person("LiMing"), text="三楼没声音", actions=(TAKE,)))
        assert b.to("LiMing") == [("app", "三楼没声音")]
        sent(await b.send(person("LiMing"), text="还是没声音", actions=(TAKE,)))
        assert len(b.simulator.calls_of("message/send")) == 3, "once is enough to know"


async def test_a_card_the_platform_does_not_like_is_words_for_everybody_and_the_next_one_is_tried() -> None:
    async with bench(robot="") as b:
        everybody = person("LiMing"), person("wangfang")
        b.simulator.faults.next("message/send", errcode=42014)
        outcomes = await b.send(*everybody, text="三楼没声音", actions=(TAKE,))
        assert all(isinstance(outcome, Sent) for outcome in outcomes.values())
        assert b.to("LiMing") == b.to("wangfang") == [("app", "三楼没声音")]
        await b.send(*everybody, text="三楼没声音", actions=(TAKE,))
        assert b.simulator.direct_messages("wangfang")[-1].buttons


async def test_a_group_hears_mentions_by_its_own_robot() -> None:
    async with bench(hook=True) as b:
        await b.connect()
        await b.asked()
        sent(await b.send(IN_GROUP, text="请接单", mentions=("wangfang",)))
        sent(await b.send(IN_GROUP, text="开会", mention_all=True))
        sent(await b.send(IN_GROUP, text="已恢复"))
        shown = [seen for seen in b.simulator.group_messages(GROUP) if seen.via != "person"]
        assert [(seen.via, seen.mentions) for seen in shown] == [
            ("webhook", ("wangfang",)), ("webhook", ("@all",)), ("push", ()),
        ]  # fmt: skip


async def test_where_a_group_cannot_have_cards_the_words_say_it_all() -> None:
    async with bench(hook=True) as b:
        await b.connect()
        hints = await b.asked()
        for how in ({"hints": hints}, {"mentions": ("wangfang",)}, {}):
            sent(await b.send(IN_GROUP, text="请@会保 回“收到”接单", actions=(TAKE,), **how))
        sent(await b.send(IN_APP_GROUP, text="请@会保 回“收到”接单", actions=(TAKE,)))
        shown = [seen for seen in b.simulator.ledger.entries if seen.via != "person"]
        assert [seen.via for seen in shown] == ["reply", "webhook", "push", "appchat"]
        assert {seen.text for seen in shown} == {"请@会保 回“收到”接单"}
        assert not any(seen.card for seen in shown)


async def test_the_apps_own_group_is_written_to_by_the_app_with_mentions() -> None:
    async with bench(robot="") as b:
        sent(await b.send(IN_APP_GROUP, text="请接单", mentions=("wangfang",)))
        (shown,) = b.simulator.group_messages(APP_GROUP)
        assert (shown.via, shown.mentions) == ("appchat", ("wangfang",))


async def test_a_group_nobody_can_write_to_is_refused_once_and_told() -> None:
    async with bench(robot="") as b:
        for _ in range(3):
            assert isinstance(await b.send(IN_GROUP), Refused)
        assert len(b.simulator.calls_of("appchat/get")) == 1
        assert not b.simulator.calls_of("appchat/send")
        assert GROUP in b.adapter.trouble()


async def test_a_member_of_several_of_the_apps_groups_gets_two_hundred_a_minute_and_the_rest_a_little_later() -> None:
    async with bench(robot="") as b:
        b.simulator.world.group("OPS02", "另一个应用群", "LiMing", "zhaowei").made_by = AGENT
        b.simulator.world.group("OPS03", "第三个应用群", "zhaowei").made_by = AGENT
        places = [Address(platform="wecom", kind="group", id=chat) for chat in (APP_GROUP, "OPS02")]
        tried = {number: await b.send(places[number % 2], text=str(number)) for number in range(210)}
        late = [number for number, outcome in tried.items() if isinstance(outcome, Retry)]
        assert len(late) == 10
        put_off = [outcome.not_before for outcome in tried.values() if isinstance(outcome, Retry)]
        assert all(moment and moment > b.clock.now() for moment in put_off)
        sent(await b.send(Address(platform="wecom", kind="group", id="OPS03"), text="别的群不受影响"))
        await b.pass_time(63, step=21)
        for number in late:
            sent(await b.send(places[number % 2], text=str(number)))
        mine = [seen.text for seen in b.simulator.ledger.seen_by("LiMing") if seen.via == "appchat"]
        assert sorted(mine, key=int) == [str(number) for number in range(210)]
        assert not b.simulator.groups.dropped
        assert len(b.simulator.calls_of("appchat/get")) == 3, "who is in a group is asked once in a while"


async def test_a_group_robot_is_asked_for_twenty_a_minute_and_the_rest_goes_round_it() -> None:
    async with bench(hook=True) as b:
        await b.connect()
        await b.asked()
        for number in range(25):
            sent(await b.send(IN_GROUP, text=str(number), mentions=("wangfang",)))
        ways = [way for way, _ in b.in_group()]
        assert (ways.count("webhook"), ways.count("push")) == (20, 5)
        assert len(b.simulator.calls_of("webhook/send")) == 20


async def test_a_robot_blocked_by_others_is_left_alone_for_a_minute() -> None:
    async with bench(robot="", hook=True) as b:
        b.simulator.faults.next("webhook/send", errcode=45009)
        for seconds in (0, 30, 40):
            await b.pass_time(seconds, step=10)
            await b.send(IN_GROUP, text="x")
        assert len(b.simulator.calls_of("webhook/send")) == 2


async def test_a_token_that_died_early_is_renewed_within_the_same_call() -> None:
    async with bench(robot="") as b:
        sent(await b.send(person("LiMing"), text="一"))
        b.simulator.tokens.invalidate(AGENT)
        sent(await b.send(person("LiMing"), text="二"))
        assert len(b.simulator.calls_of("gettoken")) == 2
        await b.pass_time(7200, step=600)
        sent(await b.send(person("LiMing"), text="三"))
        assert len(b.simulator.calls_of("gettoken")) == 3


async def test_a_platform_that_keeps_giving_out_a_dead_token_is_not_hammered() -> None:
    async with bench(robot="") as b:
        sent(await b.send(person("LiMing"), text="一"))
        b.simulator.tokens.invalidate(AGENT, renew=False)
        for _ in range(10):
            assert isinstance(await b.send(person("LiMing"), text="二"), Retry)
        assert len(b.simulator.calls_of("gettoken")) == 2
        assert len(b.simulator.calls_of("message/send")) == 3
        b.simulator.tokens.invalidate(AGENT)
        await b.pass_time(31, step=31)
        sent(await b.send(person("LiMing"), text="二"))


async def test_all_who_need_a_token_at_once_share_one_fetch() -> None:
    async with bench(robot="") as b:
        outcomes = await asyncio.gather(*(b.send(person("LiMing"), text=str(n)) for n in range(8)))
        assert all(isinstance(outcome, Sent) for outcome in outcomes)
        assert len(b.simulator.calls_of("gettoken")) == 1


async def test_an_untrusted_address_is_told_with_what_to_enter_and_nothing_is_lost() -> None:
    async with bench(robot="") as b:
        b.simulator.world.apps[AGENT].trusted = {"198.51.100.1"}
        outcome = await b.send(person("LiMing"), text="通知")
        assert isinstance(outcome, Retry)
        assert "企业可信IP" in b.adapter.trouble()
        assert "203.0.113.7" in b.adapter.trouble()
        b.simulator.world.apps[AGENT].trusted = None
        sent(await b.send(person("LiMing"), text="通知"))
        assert not b.adapter.trouble()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"errcode": -1}, Retry),
        ({"errcode": 45009}, Retry),
        ({"errcode": 45033}, Retry),
        ({"errcode": 50003}, Retry),
        ({"errcode": 48002}, Refused),
        ({"errcode": 60011}, Refused),
        ({"errcode": 301002}, Refused),
        ({"errcode": 60111}, Refused),
        ({"errcode": 45002}, Refused),
        ({"errcode": 99999}, Refused),
        ({"status": 500}, Retry),
        ({"status": 429}, Retry),
        ({"status": 200, "html": "<html>busy</html>"}, Retry),
        ({"status": 504, "after_delivery": True}, Unsure),
        ({"drop": True}, Unsure),
    ],
)
async def test_every_class_of_error_has_its_outcome(fault: dict[str, Any], kind: type[SendError]) -> None:
    async with bench(robot="") as b:
        b.simulator.faults.next("message/send", **fault)
        outcome = await b.send(person("LiMing"))
        assert isinstance(outcome, kind)
        assert isinstance(outcome, Unsure) is (kind is Unsure)


async def test_no_wecom_at_all_is_a_retry_that_delivered_nothing() -> None:
    async with bench(robot="", hook=True) as b:
        await b.simulator.stop()
        for address in (person("LiMing"), IN_GROUP):
            outcome = await b.send(address)
            assert isinstance(outcome, Retry)
            assert not isinstance(outcome, Unsure)


async def test_a_message_can_be_recalled_from_whoever_got_it() -> None:
    async with bench(robot="") as b:
        assert isinstance(b.adapter, Recalls)
        outcome = sent(await b.send(person("LiMing"), text="发错了"))
        assert await b.adapter.recall(person("LiMing"), outcome.provider_id)
        assert not b.to("LiMing")
        assert not await b.adapter.recall(IN_GROUP, "")
        late = sent(await b.send(person("LiMing"), text="又发错了"))
        await b.pass_time(24 * 3600 + 60, step=7200)
        with pytest.raises(Refused):
            await b.adapter.recall(person("LiMing"), late.provider_id)


async def test_files_and_pictures_go_where_they_can() -> None:
    async def load(_sha: str) -> bytes:
        return b"the bytes of the file"

    async with bench(robot="", hook=True, load=load) as b:
        assert isinstance(b.adapter, Downloads)
        picture = {"kind": "image", "name": "现场.png", "sha256": "x"}
        report = {"kind": "file", "name": "月报.docx", "sha256": "y"}
        sent(await b.send(person("LiMing"), text="附件", attachments=[picture, report]))
        assert [text for _, text in b.to("LiMing")] == ["附件", "现场.png", "月报.docx"]
        sent(await b.send(IN_GROUP, text="附件", attachments=[report]))
        assert b.in_group() == [("webhook", "附件"), ("webhook", "月报.docx")]
        sent(await b.send(IN_APP_GROUP, text="附件", attachments=[report]))
        kinds = {stored.kind for stored in b.simulator.media.stored.values()}
        assert kinds == {"image", "file"}


async def test_a_file_that_failed_is_sent_again_without_the_words() -> None:
    async def load(_sha: str) -> bytes:
        return b"the bytes of the file"

    async with bench(robot="", load=load) as b:
        report = {"kind": "file", "name": "月报.docx", "sha256": "y"}
        b.simulator.faults.next("media/upload", errcode=-1)
        again: dict[str, Any] = {"key": "k", "text": "附件", "attachments": [report]}
        assert isinstance(await b.send(person("LiMing"), **again), Retry)
        sent(await b.send(person("LiMing"), **again))
        assert [text for _, text in b.to("LiMing")] == ["附件", "月报.docx"]


async def test_chinese_is_sent_without_escapes_and_links_stay_words() -> None:
    async with bench(robot="") as b:
        sent(await b.send(person("LiMing"), text='点<a href="http://evil">这里</a>'))
        raw = b.simulator.calls_of("message/send")[0].raw
        assert "点".encode() in raw
        assert "<a" not in json.loads(raw)["text"]["content"]


async def test_no_secret_is_ever_logged() -> None:
    async with bench(hook=True) as b:
        with structlog.testing.capture_logs() as logs:
            await b.connect()
            b.simulator.faults.next("message/send", drop=True)
            b.simulator.faults.next("webhook/send", errcode=93000)
            outcomes = [await b.send(person("LiMing")), await b.send(IN_GROUP)]
            await b.simulator.stop()
            outcomes += [await b.send(person("LiMing")), await b.send(IN_GROUP)]
        told = f"{logs} {outcomes!r} {b.adapter.trouble()}"
        assert not any(secret in told for secret in (SECRET, "bot-secret", ROBOT_KEY, "tok-0"))


async def test_both_windows_of_a_limit_are_kept() -> None:
    clock = ManualClock(START)
    pace = Pace(clock, (30, timedelta(seconds=62)), (100, timedelta(hours=1)))
    went = 0
    for _ in range(60):
        while pace.free_at("LiMing") <= clock.now():
            pace.take("LiMing")
            went += 1
        clock.advance(timedelta(seconds=59))
    assert went == 100
    assert pace.free_at("LiMing") <= START + timedelta(hours=1)
    assert pace.free_at("wangfang") == clock.now()


async def test_a_job_without_a_way_is_refused() -> None:
    async with bench(app=False, robot="") as b:
        job = SendJob("k", (person("LiMing"), person("wangfang")), Outgoing(text="x"))
        assert all(isinstance(outcome, Refused) for outcome in (await b.adapter.send(job)).values())
        await asyncio.wait_for(b.adapter.run(b.box.accept), 1)
        assert b.adapter.ever_connected()


async def test_an_untrusted_address_is_known_before_the_first_message() -> None:
    async with bench(robot="") as b:
        b.simulator.world.apps[AGENT].trusted = set()
        running = asyncio.create_task(b.adapter.run(b.box.accept))
        await until(lambda: "203.0.113.7" in b.adapter.trouble())
        assert b.adapter.ever_connected(), "the platform was reached, it only does not want us"
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_user_id_counts_whatever_its_case() -> None:
    async with bench() as b:
        await b.connect()
        outcomes = [await b.send(person(["LiMing", "liming"][n % 2]), text=str(n)) for n in range(40)]
        assert sum(isinstance(outcome, Sent) for outcome in outcomes) == 30
        assert not b.simulator.messages.dropped
        hints = await b.asked("在吗", "")
        sent(await b.send(person("LIMING"), text="在", hints=hints))
        assert b.to("LiMing")[-1] == ("reply", "在")
